"""Publishing against the Hub on loopback: complete, in one commit, continued when broken off, and usable without us."""

import dataclasses
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import jsonschema
import pytest
import tiny_entries as tiny
from conftest import ROOT, Server, complaints, settle
from streamlit.testing.v1 import AppTest

from zoo.entries import entry
from zoo.errors import EntryError, PublishError
from zoo.hub.cache import Snapshot
from zoo.hub.loopback import Hub
from zoo.hub.origin import Origin
from zoo.sharing import publish

DIGITS = ROOT / "zoo" / "pretrained" / "digits-vae"
ADDED = {"README.md", "zoo.json", "zoo.schema.json"}  # by publishing, to the files of an entry
SECRET = "hf_" + "s3cret" * 5
# The client reads its environment when it is imported: it lives in a process of its own, which takes orders as JSON.
WORKER = """
import io, json, logging, sys, traceback
from zoo.hub import errand
from zoo.entries import entry
from zoo.sharing import publish
errand.TIMEOUT = 1.0
log = io.StringIO()
logging.basicConfig(level=logging.DEBUG, stream=log)
for line in sys.stdin:
    order = json.loads(line)
    steps = []
    try:
        found = entry.read(order.pop("entry"))
        done = publish.publish(found, report=lambda part, text: steps.append(part), **order)
        answer = done._asdict()
    except Exception as error:
        answer = {"error": str(error), "kind": type(error).__name__, "trace": traceback.format_exc()}
        answer["chained"] = [repr(error.__cause__), repr(error.__context__)]
    print(json.dumps(answer | {"steps": steps, "log": log.getvalue()}), flush=True)
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with Hub(tmp_path_factory.mktemp("hub"), token=SECRET) as hub:
        yield hub


@pytest.fixture(scope="module")
def worker(hub, tmp_path_factory):
    """A function that publishes in a process of its own and returns what came of it."""
    home = tmp_path_factory.mktemp("home")
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=ROOT, env=os.environ | hub.environment(home), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip

    def ask(found, repo: str, **options) -> dict:
        process.stdin.write(json.dumps({"entry": str(found.folder), "repo": repo, **options}) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    ask.home = home
    yield ask
    process.kill()
    process.wait()


def test_a_licence_that_the_hub_does_not_know_is_told_as_that(worker, tmp_path):
    done = worker(tiny.vae(tmp_path / "one", license="home-made-1.0"), "zoo/licence")
    assert done["error"].startswith("The Hub refuses the model card of zoo/licence: ") and "license" in done["error"]


def test_an_entry_on_the_hub_is_fetched_within_limits_before_it_is_published(tmp_path, monkeypatch):
    found = tiny.vae(tmp_path / "one")
    there = dataclasses.replace(found, storage=Snapshot(Origin("a/b", "0" * 40, "main", False)))

    def refuse(asked, files):
        raise EntryError(f"{len(list(files))} files are too much.")

    monkeypatch.setattr(publish.remote, "fetch", refuse)
    with pytest.raises(EntryError, match="too much"), publish.staged(there, "zoo/one"):
        pass


@pytest.fixture(autouse=True)
def healthy(hub):
    yield
    hub.heal()
    hub.requests.clear()


def command(hub, home, *arguments: str, wait: bool = True, **environment: str):
    """Run `python -m training publish` against the Hub; return the finished process, or the running one."""
    options = {"cwd": ROOT, "env": os.environ | hub.environment(home) | environment, "text": True}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-m", "training", "publish", *arguments], **options, **pipes)
    if not wait:
        return process
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def visible(hub, repo: str) -> set[str]:
    return set(hub.files(repo)) - {".gitattributes"}


# What is sent


def test_what_is_published_is_the_entry_with_its_card_in_one_commit_and_only_once(hub, worker, tmp_path):
    found = tiny.vae(tmp_path / "one", files={"history.json": b'{"images": [1, 2], "loss": [2, 1]}'})
    (found.folder / "private notes.txt").write_text("not listed")
    (found.folder / ".env").write_text("HF_TOKEN=x")
    before = {path: path.read_bytes() for path in found.folder.rglob("*") if path.is_file()}
    done = worker(found, "zoo/one", tag="v1")
    assert done["new"] and re.fullmatch("[0-9a-f]{40}", done["commit"])
    assert done["link"] == f"{hub.url}/zoo/one/tree/{done['commit']}"
    assert done["steps"] == sorted(done["steps"]) and done["steps"][-1] == 1
    assert sum("/commit/" in request for request in hub.requests) == 1
    listed = {"curve.png", "history.json", "onnx/encoder.onnx", "onnx/decoder.onnx", *ADDED}
    assert visible(hub, "zoo/one") == listed
    files = hub.files("zoo/one", "v1")
    assert files == hub.files("zoo/one", done["commit"])
    place = tmp_path / "copy"
    for path, content in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(content)
    copy = entry.read(place)
    entry.verify(copy)
    assert "latent-zoo" in copy.manifest.tags and b"zoo/one" in files["README.md"]
    jsonschema.validate(json.loads(files["zoo.json"]), json.loads(files["zoo.schema.json"]))
    assert b"(zoo.schema.json)" in files["README.md"]
    assert {path: path.read_bytes() for path in before} == before  # the entry itself is as it was
    again = worker(found, "zoo/one", tag="v1")
    assert again["commit"] == done["commit"] and not again["new"]
    assert sum("/commit/" in request for request in hub.requests) == 1


def test_without_lfs_everything_travels_in_the_commit_and_is_read_back(tmp_path):
    with Hub(tmp_path / "hub", lfs=False) as hub:
        made = command(hub, tmp_path / "home", str(tiny.gan(tmp_path / "one").folder), "zoo/one", "--tag", "v1")
        assert made.returncode == 0, made.stderr
        commit = re.search("revision ([0-9a-f]{40})", made.stdout)[1]
        assert not any("/lfs/" in request for request in hub.requests)
        read = {path.rpartition(f"{commit}/")[2] for path in hub.requests if path.startswith("GET /zoo/one/resolve")}
        assert read == visible(hub, "zoo/one")


def test_a_new_version_takes_away_what_the_old_one_had_but_nothing_else(hub, worker, tmp_path):
    found = tiny.vae(tmp_path / "two", files={"samples.png": b"first"})
    worker(found, "zoo/two", tag="v1")
    hub.put("zoo/two", hub.files("zoo/two") | {"NOTES.md": b"by hand"})
    (found.folder / "samples.png").unlink()
    done = worker(tiny.vae(found.folder), "zoo/two", tag="v2")
    assert done["new"] and {"NOTES.md"} < visible(hub, "zoo/two") and "samples.png" not in visible(hub, "zoo/two")
    assert "samples.png" in hub.files("zoo/two", "v1")
    moved = worker(tiny.vae(found.folder, title="Other"), "zoo/two", tag="v2")
    assert "The tag v2 of zoo/two names the revision" in moved["error"]
    assert hub.files("zoo/two") == hub.files("zoo/two", "v2")  # nothing was committed either


def test_a_dry_run_shows_exactly_what_is_sent_and_asks_nobody(hub, tmp_path):
    planned = command(hub, tmp_path / "home", str(DIGITS), "zoo/dry", "--dry-run", HF_TOKEN="", HF_HUB_OFFLINE="1")
    assert planned.returncode == 0 and hub.requests == [], planned.stderr
    assert 'keras.saving.load_model("hf://zoo/dry")' in planned.stdout
    rows = re.findall(r"^ *([\d,]+)  ([0-9a-f]{12})  (Git|LFS)  (\S+)$", planned.stdout, re.MULTILINE)
    sent = command(hub, tmp_path / "home", str(DIGITS), "zoo/dry")
    assert sent.returncode == 0, sent.stderr
    assert {row[3] for row in rows} == visible(hub, "zoo/dry")
    for size, sha256, kept, path in rows:
        content = hub.files("zoo/dry")[path]
        assert len(content) == int(size.replace(",", "")) and hashlib.sha256(content).hexdigest()[:12] == sha256
        assert (f"PUT /lfs/{hashlib.sha256(content).hexdigest()}" in hub.requests) == (kept == "LFS")
    assert hub.files("zoo/dry")["README.md"].decode() in planned.stdout


# What is refused


@pytest.mark.parametrize(
    ("repo", "tag"),
    [("mine", None), ("a/b/c", None), ("../b", None), ("a/b.git", None), ("a/b--c", None), ("a/ b", None), ("a/", None),
     ("a/b", "main"), ("a/b", "v 1"), ("a/b", "0" * 40), ("a/b", "x..y"), ("a/b", "")],
)  # fmt: skip
def test_names_that_cannot_be_are_refused_without_asking(repo, tag):
    with pytest.raises(PublishError, match="cannot be a"):
        publish.check_names(repo, tag)


def test_an_entry_that_is_broken_is_not_published(hub, worker, tmp_path):
    spoiled = tiny.vae(tmp_path / "spoiled")
    content = bytearray((spoiled.folder / "onnx/decoder.onnx").read_bytes())
    content[-1] ^= 1
    (spoiled.folder / "onnx/decoder.onnx").write_bytes(content)
    lying = tiny.write(tmp_path / "lying", (tiny.network([], {}, {}), tiny.decoder()[1]))
    config = {"module": "mine.layers", "class_name": "Magic", "config": {}, "registered_name": "mine>Magic"}
    foreign = tiny.vae(tmp_path / "foreign", files={"config.json": json.dumps({"layers": [config]}).encode()})
    hidden = {"module": "keras.layers", "class_name": "Lambda", "config": {}}
    code = tiny.vae(tmp_path / "code", files={"config.json": json.dumps({"layers": [hidden]}).encode()})
    for found, words in ((spoiled, "sha256 differs"), (lying, "is refused"), (foreign, "'Magic'"), (code, "'Lambda'")):
        assert words in worker(found, "zoo/never")["error"]
    assert hub.requests == []


def test_what_is_somebody_elses_is_left_alone(hub, worker, tmp_path):
    found = tiny.vae(tmp_path / "a")
    hub.put("zoo/foreign", {"zoo.txt": b"", "onnx/decoder.onnx": b"of another kind"})
    assert "holds something else already" in worker(found, "zoo/foreign")["error"]
    assert "may not write to other/name" in worker(found, "other/name")["error"]
    hub.put("other/there", {"README.md": b"hello"})
    assert "may not write to other/there" in worker(found, "other/there")["error"]
    hub.put("zoo/open", {"README.md": b"hello"})
    assert "zoo/open is public" in worker(found, "zoo/open", private=True)["error"]
    assert worker(found, "zoo/closed", private=True)["new"] and hub.store.load("zoo/closed")["private"]
    assert worker(tiny.vae(tmp_path / "a", title="B"), "zoo/closed")["new"] and hub.store.load("zoo/closed")["private"]


def test_a_head_that_moves_meanwhile_is_not_overwritten(hub, worker, tmp_path, monkeypatch):
    found, fault = tiny.vae(tmp_path / "a"), hub.fault
    worker(found, "zoo/race")

    def moving(request):
        if "/commit/" in request and "mine" not in hub.files("zoo/race"):
            hub.put("zoo/race", hub.files("zoo/race") | {"mine": b"somebody was faster"})
        return fault(request)

    monkeypatch.setattr(hub, "fault", moving)
    newer = tiny.vae(tmp_path / "a", title="Newer")
    assert "changed meanwhile by somebody else" in worker(newer, "zoo/race")["error"]
    assert b"Newer" not in hub.files("zoo/race")["zoo.json"]
    assert worker(newer, "zoo/race")["new"] and "mine" in hub.files("zoo/race")


# When the Hub or the way to it fails


@pytest.mark.parametrize(
    ("pattern", "kind", "words"),
    [
        ("/api/", "401", "does not accept this token"),
        ("/api/", "403", "may not write"),
        ("/api/", "429", "try zoo/fault again in 7 s"),
        ("/api/", "500", "error 500"),
        ("/api/", "garbage", "makes no sense"),
        ("/api/", "hang", "did not answer in time"),
        ("/api/", "drop", "broke off"),
        ("/repos/create", "404", "does not show zoo/fault"),
        ("/preupload/", "truncate", "broke off"),
        ("PUT /lfs", "drop", "broke off"),
        ("PUT /lfs", "hang", "did not answer in time"),
        ("PUT /lfs", "500", "error 500"),
        ("/validate-yaml", "500", "error 500"),
        ("/commit/", "429", "try zoo/fault again"),
        ("/commit/", "hang", "did not answer in time"),
        ("/commit/", "lost", "broke off"),
        ("/resolve/", "tamper", "is not what was sent"),
        ("blobs=true", "tamper", "makes no sense"),
        ("/tag/", "500", "error 500"),
    ],
)
def test_every_failure_is_one_sentence_and_the_next_attempt_ends_well(hub, worker, tmp_path, pattern, kind, words):
    shutil.rmtree(hub.store.repos / "zoo", ignore_errors=True)
    found = tiny.vae(tmp_path / "fault", title=f"{pattern} {kind}", files={"samples.png": os.urandom(4) + bytes(100)})
    hub.fail(pattern, kind)
    failed = worker(found, "zoo/fault", tag="v1")
    assert words in failed["error"] and failed["kind"] == "PublishError"
    assert "\n" not in failed["error"] and failed["error"].endswith(".") and "://" not in failed["error"]
    if (hub.store.repos / "zoo" / "fault.json").exists():
        assert visible(hub, "zoo/fault") in (set(), {*found.manifest.files, *ADDED})  # nothing or all
    hub.heal()
    done = worker(found, "zoo/fault", tag="v1")
    assert hub.files("zoo/fault", "v1") == hub.files("zoo/fault", done["commit"])
    assert visible(hub, "zoo/fault") == {*found.manifest.files, *ADDED}
    assert len(hub.store.load("zoo/fault")["commits"]) == 2  # the Hub's first, and one of ours


@pytest.mark.parametrize(
    ("stage", "end"),
    [
        ("/preupload/", signal.SIGKILL),
        ("PUT /lfs", signal.SIGINT),
        ("/commit/", signal.SIGKILL),
        ("/tag/", signal.SIGKILL),
    ],
)
def test_killed_anywhere_the_same_command_continues(hub, worker, tmp_path, stage, end):
    name = f"zoo/killed-{re.sub('[^a-z]', '', stage)}"
    found = tiny.vae(tmp_path / "a", title=stage, files={"samples.png": os.urandom(4) + bytes(100)})
    hub.fail(stage, "hang")
    process = command(hub, worker.home, str(found.folder), name, "--tag", "v1", wait=False)
    for _ in range(600):
        if any(re.search(stage, request) for request in hub.requests):
            break
        time.sleep(0.1)
    process.send_signal(end)
    _, told = process.communicate(timeout=60)
    assert process.returncode == (130 if end == signal.SIGINT else -signal.SIGKILL)
    assert end != signal.SIGINT or told.strip().endswith("and the same command goes on.")
    published = stage == "/tag/"
    assert visible(hub, name) == ({*found.manifest.files, *ADDED} if published else set())
    assert not hub.store.load(name)["tags"]
    hub.heal()
    done = worker(found, name, tag="v1")
    assert done["new"] != published
    assert hub.store.load(name)["tags"] == {"v1": done["commit"]}


def test_the_command_ends_with_one_sentence_and_status_2(hub, tmp_path):
    folder = str(tiny.vae(tmp_path / "a").folder)
    for settings, words in (
        ({"HF_TOKEN": ""}, "set HF_TOKEN, or log in"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached"),
    ):
        failed = command(hub, tmp_path / "home", folder, "zoo/x", **settings)
        assert failed.returncode == 2 and failed.stdout == ""
        assert words in failed.stderr.splitlines()[-1] and "Traceback" not in failed.stderr


def test_the_token_is_nowhere(hub, worker, tmp_path):
    found = tiny.vae(tmp_path / "a")
    answers = [worker(found, "zoo/token", token=SECRET), worker(found, "zoo/token", token=SECRET + "x")]
    for pattern, kind in (("/api/", "500"), ("/api/", "hang"), ("/commit/", "drop"), ("/api/", "garbage")):
        hub.fail(pattern, kind)
        answers.append(worker(tiny.vae(tmp_path / "a", title=kind), "zoo/token", token=SECRET))
        hub.heal()
    answers.append(worker(found, "zoo/token", token=f"{SECRET}\nX-Header: 1"))
    assert "What was given as token is none" in answers[-1]["error"] and answers[0]["commit"]
    for answer in answers:
        assert "s3cret" not in json.dumps(answer)
        assert answer.get("chained") in (None, ["None", "None"])  # no way from the error to the request
    kept = [*worker.home.rglob("*"), *hub.store.repos.rglob("*"), *hub.store.blobs.rglob("*")]
    assert not [path for path in kept if path.is_file() and b"s3cret" in path.read_bytes()]


# Usable without us

ALONE = """
import importlib.util, os, sys
assert importlib.util.find_spec("zoo") is None and importlib.util.find_spec("training") is None
exec(os.environ["KERAS_EXAMPLE"])
import keras, numpy as np
from huggingface_hub import snapshot_download
folder = snapshot_download("zoo/alone")
again = keras.saving.load_model(folder)
layers = [*model._flatten_layers(), *again._flatten_layers()]
assert len(layers) > 10 and all(type(layer).__module__.startswith("keras.") for layer in layers)
assert not any(isinstance(layer, keras.layers.Lambda) for layer in layers)
assert images.shape == (16, 8, 8, 1) and 0 <= images.min() < images.max() <= 1
ours = latent
exec(os.environ["ONNX_EXAMPLE"].replace("latent = ", "latent = ours #"))
for network in (decoder, again.get_layer("decoder")):
    assert np.abs(network.predict(ours, verbose=0)["image"] - images).max() < 1e-4
pixels = np.random.rand(5, 8, 8, 1).astype("float32")
coder = onnxruntime.InferenceSession(os.path.join(folder, "onnx/encoder.onnx"))
for name, value in encoder.predict(pixels, verbose=0).items():
    assert np.abs(coder.run([name], {"image": pixels})[0] - value).max() < 1e-4
print("alone", [name for name in sys.modules if name.split(".")[0] in ("zoo", "training")])
"""


def test_plain_keras_and_onnx_runtime_use_it_where_this_repository_is_not(hub, worker, tmp_path):
    pytest.importorskip("tensorflow", reason="loading a Keras model needs a backend: pip install -r requirements.txt")
    assert worker(entry.read(DIGITS), "zoo/alone")["commit"]
    card = hub.files("zoo/alone")["README.md"].decode()
    keras_example, onnx_example = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    (tmp_path / "empty").mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= hub.environment(tmp_path / "home") | {"KERAS_EXAMPLE": keras_example, "ONNX_EXAMPLE": onnx_example}
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE], cwd=tmp_path / "empty", env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip().endswith("alone []"), done.stderr[-3000:]


# In the app


def test_the_session_and_the_url_forget_the_token():
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    app.query_params["entry"] = "digits-vae"
    app.switch_page("pages/share/publish.py").run()
    app.text_input(key="hub token").set_value(SECRET)
    next(button for button in app.button if button.label == "Publish").click().run()
    assert any("cannot be a repository" in warning.value for warning in app.warning)  # none was named
    assert app.session_state["hub token"] == "" and "private" in repr(app.session_state)
    assert "s3cret" not in repr(app.session_state) + repr(dict(app.query_params))


def test_the_page_publishes_with_the_typed_token_and_never_with_the_hosts(hub, tab, tmp_path):
    settings = hub.environment(tmp_path / "home") | {"ZOO_HOSTED": "1"}  # whose HF_TOKEN would do
    hub.tokens.clear()
    server = Server(tmp_path / "log", **settings)
    try:
        page = tab(server.url)
        page.goto(f"{server.url}/publish?entry=digits-vae&repo=zoo/page&tag=v1")
        settle(page)
        page.get_by_role("cell", name="onnx/decoder.onnx").wait_for()
        assert hub.requests == []  # a dry run asks nobody

        def press(token: str, words: str) -> None:
            page.get_by_role("textbox", name="Token").fill(token)
            page.keyboard.press("Tab")
            page.wait_for_timeout(1500)
            assert page.get_by_role("textbox", name="Token").input_value() == token  # leaving the field keeps it
            page.get_by_role("button", name="Publish").click()
            page.get_by_text(words).wait_for()
            settle(page)
            assert page.get_by_role("textbox", name="Token").input_value() == ""

        press("", "Type a token that may write")
        assert hub.tokens == set()
        press("hf_mistyped", "does not accept this token")
        assert hub.tokens == {"hf_mistyped"}
        press(SECRET, "read back and compared")
        commit = hub.store.load("zoo/page")["tags"]["v1"]
        assert page.get_by_role("link", name="zoo/page on the Hub").get_attribute("href").endswith(f"/tree/{commit}")
        assert page.get_by_text(commit).count() == 1
        page.get_by_test_id("stPageLink").filter(has_text="Open").click()
        page.get_by_role("heading", name="From the Hub").wait_for()
        settle(page)
        page.get_by_text(f"zoo/page, {commit[:8]}").or_(page.get_by_text(f"zoo/page at {commit[:8]}")).first.wait_for()
        page.goto(f"{server.url}/generation?source=zoo/page@{commit}&entries=zoo/page@{commit}")
        page.get_by_role("button", name="Image 24 by").wait_for()  # published, listed, pulled, drawn
        settle(page)
        assert "s3cret" not in page.url + page.content() and complaints(page) == []
    finally:
        server.stop()
    assert "s3cret" not in (tmp_path / "log").read_text(errors="replace")
    assert "model.weights.h5" in visible(hub, "zoo/page")
