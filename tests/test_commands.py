"""The command line of training, on real (small) data."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

pytest.importorskip("tensorflow", reason="training needs TensorFlow: pip install -r requirements.txt")

from training import cli, library, table
from zoo.entries import catalog


def command(*words, **environment):
    return subprocess.run([sys.executable, "-m", "training", *map(str, words)], capture_output=True, text=True,
                          cwd=pathlib.Path(__file__).parent.parent, env=os.environ | environment)  # fmt: skip


def test_one_command_leads_from_a_recipe_to_an_entry_in_the_gallery(tmp_path):
    file = tmp_path / "my-digits.toml"
    file.write_text(
        'title = "Mine"\nfamily = "vae"\ndataset = "digits"\nnetwork = "dense"\nlatent = 3\nwidth = 32\nepochs = 2\n'
    )
    done = command("train", file, "--runs", tmp_path / "runs", "--entries", tmp_path / "zoo", "--entry")
    assert done.returncode == 0, done.stderr[-2000:]
    made = catalog.find("my-digits", [tmp_path / "zoo"])
    assert made.title == "Mine" and {"mse", "psnr", "ssim"} <= set(made.manifest.metrics)
    assert "absl" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "nothing"], "There is no recipe 'nothing'"),
        (["train", "digits-vae", "--set", "beta=-1"], "'beta' is wrong"),
        (["train", "digits-vae", "--set", "dataset=/no/such/folder"], "/no/such/folder"),
        (["export", "nothing"], "holds no run"),
        (["evaluate", "nothing"], "nothing is not an entry"),
    ],
)
def test_a_mistake_ends_in_one_sentence(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("error: ") and sentence in message and "\n" not in message


def test_the_table_in_the_readme_is_current():
    readme = table.README.read_text("utf-8")
    assert table.updated(readme) == readme, "renew it with: python -m training table"
    assert readme.count("](zoo/pretrained/") == len(catalog.entries([catalog.EMBEDDED]))


def test_recipes_are_listed_with_their_keys(capsys):
    assert cli.main(["recipes"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in library.recipes())
    assert cli.main(["recipes", "vae"]) == 0
    assert "weight of the KL term" in capsys.readouterr().out


HELP = {
    "app": ["--port"],
    "recipes": ["FAMILY"],
    "train": ["RECIPE", "--set", "--fresh", "--entry", "--runs", "--entries"],
    "export": ["RUN", "--runs", "--entries"],
    "evaluate": ["ENTRY", "--seed", "--only", "--entries"],
    "refit": ["ENTRY", "--entries"],
    "table": ["README.md"],
    "publish": ["ENTRY", "OWNER/NAME", "--private", "--tag", "--dry-run", "--entries"],
    "import": ["SOURCE", "--to", "--role", "--range", "--reads", "--name", "--title", "--file", "--dataset", "--side",
               "--architecture", "--strides", "--activation", "--output-activation", "[@revision]"],
}  # fmt: skip


def test_help_names_every_verb_and_its_options(capsys):
    assert cli.main(["--help"]) == 0
    overview = capsys.readouterr().out
    for verb, words in HELP.items():
        assert verb in overview
        assert cli.main([verb, "--help"]) == 0
        shown = capsys.readouterr().out
        assert [word for word in words if word not in shown] == [], verb
    assert len(HELP) == len(cli.app.registered_commands)


@pytest.mark.parametrize(
    "words",
    [[], ["fly"], ["train"], ["train", "x", "--colour"], ["evaluate", "x", "--seed", "-1"], ["app", "--port", "x"]],
)
def test_a_wrong_command_ends_with_status_2(words, capsys):
    assert cli.main(words) == 2
    assert "Usage" in "".join(capsys.readouterr())


def test_an_interrupted_training_says_how_it_goes_on(capsys, monkeypatch):
    monkeypatch.setattr(library, "load", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert cli.main(["train", "digits-vae"]) == 130
    assert capsys.readouterr().err == "Interrupted; the same command resumes after the last finished epoch.\n"


# Runs the command line in a process that has neither Keras nor TensorFlow.
WITHOUT_KERAS = """
import sys
sys.modules |= {"keras": None, "tensorflow": None, "jax": None}
from training.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--help"], 0, "Start the app"),
        (["publish", "digits-vae", "ada/digits-vae", "--dry-run"], 0, "files for ada/digits-vae"),
        (["train", "digits-vae"], 2, 'error: `train` needs keras: pip install "latent-zoo[train]".'),
        (["export", "digits-vae"], 2, 'error: `export` needs keras: pip install "latent-zoo[train]".'),
    ],
)
def test_without_keras_verbs_work_or_say_what_to_install(words, status, sentence):
    root = pathlib.Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", WITHOUT_KERAS, *words], cwd=root, capture_output=True, text=True)
    assert done.returncode == status and sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_app_starts_from_the_command_line(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = pathlib.Path(__file__).parent.parent
    words = [sys.executable, "-m", "training", "app", "--port", str(port)]
    process = subprocess.Popen(words, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               env=os.environ | {"STREAMLIT_SERVER_HEADLESS": "true"})  # fmt: skip
    try:
        for _ in range(300):
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as found,
            ):
                assert found.read() == b"ok"
                return
            assert process.poll() is None, "the server ended"
            time.sleep(0.2)
        pytest.fail("the server does not answer")
    finally:
        process.terminate()
        process.wait(15)
