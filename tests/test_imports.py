"""Imports as the app and the command line make them: in a limited process, kept in a bounded store, on all pages."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
import time

import import_attacks
import keras2
import numpy as np
import onnx
import pytest
import torch_files
from conftest import ROOT
from streamlit.testing.v1 import AppTest

from zoo import background, models
from zoo.entries import entry, imported
from zoo.errors import ImportFailed
from zoo.hub import loopback
from zoo.sharing import imports

FRAME = str(ROOT / "streamlit_app.py")


@pytest.fixture
def store(monkeypatch, tmp_path):
    """A store of its own."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HF_ASSETS_CACHE", raising=False)
    return tmp_path / "home" / "assets" / "latent-zoo" / "imports"


@pytest.fixture(scope="module")
def trainable():
    """Skip without what the separate process needs; importing it here would take ten seconds."""
    if any(importlib.util.find_spec(name) is None for name in imports.NEEDED):
        pytest.skip(imports.LIGHT)


def model_file(folder, units=3):
    """A Keras 2 file of one Dense layer, 64 → units."""
    weights = min(units, 3)
    return import_attacks.whole(import_attacks.sequential(import_attacks.dense(units)), units=weights)(folder)


# Onto the pages ----------------------------------------------------------------------------------------------------


def answers(name):
    with np.load(keras2.folder() / f"{name}.npz") as file:
        return file["x"], file["y"]


def keras3_generator(folder):
    """What plain Keras 3 code saves, in a process that knows nothing of this project."""
    code = (
        "import keras, numpy, sys; from keras import layers; keras.utils.set_random_seed(1);"
        "g = keras.Sequential([keras.Input((5,)), layers.Dense(192, activation='tanh'), layers.Reshape((8, 8, 3))]);"
        "x = numpy.random.default_rng(0).standard_normal((4, 5)).astype('float32'); g.save('portraits.keras');"
        "numpy.savez('portraits.npz', x=x, y=numpy.asarray(g(x)) / 2 + 0.5)"
    )
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow", "PYTHONPATH": ""}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True, capture_output=True)
    with np.load(folder / "portraits.npz") as file:
        return folder / "portraits.keras", file["x"], file["y"]


@pytest.mark.parametrize("form", ["keras 3", "keras 2 .h5", "savedmodel"])
def test_what_others_made_comes_in_on_the_page_and_appears_on_the_others(trainable, wall, store, tmp_path, form):
    if form == "keras 3":
        path, x, y = keras3_generator(tmp_path)
        name = "portraits"
    elif form == "keras 2 .h5":
        path, (x, y), name = keras2.folder() / "generator.h5", answers("generator"), "generator"
    else:
        path = shutil.make_archive(str(tmp_path / "faces"), "zip", keras2.folder() / "generator_savedmodel")
        (x, y), name = answers("generator"), "faces"
    app = AppTest.from_file(FRAME, default_timeout=300).run()
    app.switch_page("pages/share/import.py").run()
    with open(path, "rb") as file:
        app.file_uploader[0].upload(os.path.basename(path), file.read(), "application/octet-stream").run()
    next(button for button in app.button if button.label == "Import").click().run()
    assert not app.exception and not app.error and not [w for w in app.warning]
    digest = "".join(app.query_params["imported"])
    made = entry.read(imported.folder(digest) / name)
    entry.verify(made)
    np.testing.assert_allclose(models.decode(made, x), y, atol=1e-4)
    assert {"config.json", "model.weights.h5", "onnx/generator.onnx", "samples.png", "README.md"} <= set(
        made.manifest.files
    )
    assert made.manifest.provenance.imported["sha256"] and made.dataset == "unknown"
    for page in ("pages/explore/gallery.py", "pages/explore/generation.py"):
        shown = AppTest.from_file(FRAME, default_timeout=300)
        shown.query_params["source"] = f"import:{digest}"
        shown.query_params["entry" if "gallery" in page else "entries"] = made.id
        shown.run() if "gallery" in page else shown.run().switch_page(page).run()
        assert not shown.exception and not shown.error
        assert any(made.name in str(element.value) for element in [*shown.title, *shown.markdown, *shown.subheader])


def test_a_folder_with_a_vae_and_an_onnx_generator_becomes_two_entries(trainable, wall, store, tmp_path):
    for name in ("vae_parts/encoder.h5", "vae_parts/decoder.h5"):
        shutil.copy(keras2.folder() / name, tmp_path)
    net = torch_files.Network()
    made = net.node("Tanh", net.linear(net.leaky(net.linear(net.given("z", 6), "0", 6, 24)), "2", 24, 192))
    net.returned(net.shaped(made, -1, 3, 8, 8), "image", 3, 8, 8)
    onnx.save(net.model(), tmp_path / "generator.onnx")
    result = imports.import_model(tmp_path, {"name": "both"})
    assert [made.name for made in result.entries] == ["both-vae", "both-generator"]
    assert imported.report(result.digest).keys() == {"both-vae", "both-generator"}
    vae, generator = result.entries
    x, y = answers("vae_mean")
    np.testing.assert_allclose(models.encode(vae, x), y, atol=1e-4)
    z = np.random.default_rng(0).standard_normal((4, 6)).astype("float32")
    np.testing.assert_allclose(models.decode(generator, z), net.run(z)[0].transpose(0, 2, 3, 1) / 2 + 0.5, atol=1e-5)
    assert vae.has("config.json") and not generator.has("config.json")
    app = AppTest.from_file(FRAME, default_timeout=300).run()
    app.switch_page("pages/share/import.py")
    app.query_params["imported"] = result.digest
    app.run()
    assert not app.exception and not app.error
    shown = " ".join(str(element.value) for element in app.markdown)
    assert all(f"**{role}**" in shown for role in ("encoder", "decoder", "generator"))
    labels = {button.proto.label for button in app.get("download_button")}
    assert {"Download as Keras 3", "Download as ONNX"} <= labels


@pytest.mark.parametrize("notices", [False, True])
def test_an_import_past_its_deadline_is_told_in_one_sentence(wall, notices):
    ended = threading.Event()

    def work(report, cancelled):
        if notices:
            raise ImportFailed(imports.CANCELLED)
        ended.wait(60)

    task = background.Task(work, 60.0 if notices else 0.0)
    task.wait(60)
    app = AppTest.from_file(FRAME, default_timeout=60).run()
    app.switch_page("pages/share/import.py")
    app.session_state["import task"] = task
    app.run()
    ended.set()
    assert not app.exception and not app.error
    assert "The import took longer than 30 minutes and was given up." in [shown.value for shown in app.warning]


# Command line and Hub ------------------------------------------------------------------------------------------------


def test_a_discriminator_pushed_as_a_gan_is_told_on_the_command_line(trainable, tmp_path):
    with loopback.Hub(tmp_path / "hub", token="hf_local") as hub:
        card = b"---\nlicense: apache-2.0\n---\n# The best GAN\n"
        content = (keras2.folder() / "dcgan_model.h5").read_bytes()
        commit = hub.put("ada/mnist-gan", {"dcgan_model.h5": content, "README.md": card, "notes.txt": b"x"})
        environment = os.environ | hub.environment(tmp_path / "home")
        command = [sys.executable, "-m", "training", "import", "ada/mnist-gan", "--to", tmp_path / "zoo"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        asked = list(hub.requests)
    assert done.returncode == 0, done.stderr
    assert "WARNING: It calls itself a GAN" in done.stdout and "DISCRIMINATOR" in done.stdout
    made = entry.read(tmp_path / "zoo" / "mnist-gan")
    assert made.capabilities == {"judge"} and made.manifest.license == "apache-2.0"
    told = made.manifest.provenance.imported
    assert (told["source"], told["revision"]) == ("ada/mnist-gan", commit) and "notes.txt" not in "".join(asked)
    x, y = answers("gan_score")
    np.testing.assert_allclose(models.judge(made, x), y[:, 0], atol=1e-4)


def test_a_repository_that_is_not_there_ends_in_one_sentence(trainable, tmp_path):
    with loopback.Hub(tmp_path / "hub", token="hf_local") as hub:
        hub.put("ada/words", {"README.md": b"# No model", "data.csv": b"1"})
        for repo, words in (("ada/none", "ada/none"), ("ada/words", "holds no model that is read here")):
            command = [sys.executable, "-m", "training", "import", repo]
            environment = os.environ | hub.environment(tmp_path / "home")
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
            assert done.returncode == 2 and words in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr


def test_a_download_does_not_wait_for_another_import(trainable, tmp_path):
    code = (
        "import json; from zoo.errors import ImportFailed; from zoo.sharing import imports\n"
        "steps = []; imports._running.acquire()\n"
        "try: imports.import_model('ada/gan', say=steps.append, cancelled=lambda: steps[-1].startswith('Waiting'))\n"
        "except ImportFailed as failed: print(json.dumps([*steps, str(failed)]))"
    )
    with loopback.Hub(tmp_path / "hub", token="hf_local") as hub:
        hub.put("ada/gan", {"model.h5": b"x"})
        environment = os.environ | hub.environment(tmp_path / "home") | {"HF_HUB_OFFLINE": "0"}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    steps = [step.split()[0] for step in json.loads(done.stdout)[:-1]]
    assert steps == ["Asking", "Downloading", "Waiting"] and "cancelled" in done.stdout


# The process -------------------------------------------------------------------------------------------------------


def children() -> set[str]:
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True).stdout
    return {line.split()[0] for line in listed.splitlines() if "training.importing" in line}


@pytest.fixture
def undisturbed():
    """No process is left behind, whatever else runs on this machine."""
    before = children()
    yield
    for _ in range(50):
        if not children() - before:
            return
        time.sleep(0.1)
    pytest.fail("the separate process is still there")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (imports.Limits(seconds=0), "took longer than 0 seconds"),
        (imports.Limits(memory=1 << 20), "more than 1 MB of memory"),
        (imports.Limits(data=1 << 20), "met a limit|needs more memory"),
    ],
)
def test_a_process_that_takes_too_much_is_ended(trainable, store, tmp_path, undisturbed, limits, words):
    with pytest.raises(ImportFailed, match=words):
        imports.import_model(model_file(tmp_path), limits=limits)
    assert not store.exists()


def test_an_import_can_be_cancelled(trainable, store, tmp_path, undisturbed):
    steps = []
    with pytest.raises(ImportFailed, match="cancelled"):
        imports.import_model(model_file(tmp_path), say=steps.append, cancelled=lambda: bool(steps))
    assert steps and not store.exists()


def test_a_second_import_waits_for_the_first(trainable, store, tmp_path):
    steps = []
    with imports._running, pytest.raises(ImportFailed, match="cancelled"):
        imports.import_model(model_file(tmp_path), say=steps.append, cancelled=lambda: bool(steps))
    assert steps == ["Waiting for another import to end"]


def test_a_refusal_arrives_as_one_sentence_and_the_process_sees_no_token(trainable, store, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    seen = []
    popen = subprocess.Popen

    def watched(*args, **options):
        seen.append(options.get("env") or {})
        return popen(*args, **options)

    monkeypatch.setattr(subprocess, "Popen", watched)
    with pytest.raises(ImportFailed, match="parameters, more than the 60,000,000"):
        imports.import_model(model_file(tmp_path, 200_000_000))
    assert seen and "HF_TOKEN" not in seen[0] and seen[0]["HF_HUB_OFFLINE"] == "1"


def test_a_light_installation_says_what_is_missing(store, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportFailed, match=r"pip install -r requirements\.txt"):
        imports.import_model(tmp_path)


@pytest.mark.parametrize("text", ["/etc", "./model.h5", "no such thing", "owner", "../x/y", ""])
def test_a_visitor_of_a_hosted_app_opens_no_file_of_the_server(trainable, store, monkeypatch, text):
    monkeypatch.setenv("ZOO_HOSTED", "1")
    with pytest.raises(ImportFailed, match="no repository of the Hub"):
        imports.import_model(text, visitor=True)


@pytest.mark.parametrize("text", ["~nosuchuser/x", "a\0b", "~a\0b/x", "x" * 256])
def test_a_name_that_no_file_can_have_ends_in_one_sentence(trainable, text):
    with pytest.raises(ImportFailed, match=r"^'.*' is no file here|^'.*\.\.\. is no file here"):
        imports.import_model(text)


# The store ---------------------------------------------------------------------------------------------------------


def test_the_store_keeps_the_newest(store, tmp_path, monkeypatch):
    monkeypatch.setattr(imported, "KEPT", 2)
    made = tmp_path / "made"
    made.mkdir()
    (made / "zoo.json").write_text("{}")
    for number in range(4):
        digest = f"{number:016x}"
        imported.keep([made], digest, {"number": number})
        os.utime(store / digest, (number, number))
    assert sorted(path.name for path in store.iterdir()) == [f"{2:016x}", f"{3:016x}"]
    assert imported.report(f"{3:016x}") == {"number": 3} and imported.report(f"{0:016x}") == {}
    assert json.loads((store / f"{3:016x}" / ".report.json").read_text()) == {"number": 3}


@pytest.mark.parametrize("digest", ["", "..", "../../x", "0" * 15, "Z" * 16, "0" * 16])
def test_only_what_was_kept_is_found(store, digest):
    assert imported.folder(digest) is None
