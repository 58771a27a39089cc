"""Every attack of the corpus ends as one sentence or as harmless text, in little memory; no page falls for any."""

import json
import os
import re
import signal
import subprocess
import sys

import conftest
import hostile
import numpy as np
import pytest
from conftest import DEFAULT, PAGES, ROOT, Server, settle
from streamlit.testing.v1 import AppTest

from zoo import limits, networks
from zoo.entries import catalog, entry
from zoo.errors import EntryError
from zoo.networks import inference, trial

GROWTH = 200  # MB that all attacks together may take
# What a card or a picture does shows when its entry is opened; the others have been read by then.
OPENED = {name for name in hostile.ATTACKS if name.startswith(("card", "history-n", "animation-p", "picture-and"))}
OPENED |= {"manifest-injection", "history-many", "animation-frames", "picture-large", "good"}
LIVE = re.compile(
    r"(?<!\\)<(script|img|svg|iframe|html)|(?<!\\)!\[|(?<!\\)\]\((javascript|data):|(?<!\\):smile:", re.IGNORECASE
)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    return hostile.zoo(tmp_path_factory.mktemp("hostile") / "zoo")


@pytest.fixture(scope="module")
def endings(zoo):
    """How reading each entry ended, in a process of its own."""
    return _endings(zoo)


def _endings(folder, *options):
    done = subprocess.run(
        [sys.executable, "tests/hostile.py", str(folder), *options], cwd=ROOT, capture_output=True, text=True,
        timeout=600, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", hostile.ATTACKS)
def test_an_attack_ends_as_one_sentence_or_does_no_harm(endings, name):
    found, reason = endings[name], hostile.ATTACKS[name].reason
    if not reason:
        assert (found["kind"], found["message"]) == ("", "")
        return
    assert found["kind"] in ("EntryError", "ValueError", ""), found
    assert re.search(reason, found["message"])
    if found["message"]:
        assert "\n" not in found["message"] and len(found["message"]) < 500 and found["message"].endswith(".")


def test_the_good_entry_among_them_is_read(endings):
    assert endings["good"]["kind"] == ""


def test_all_attacks_together_take_little_memory(endings):
    assert len(endings) > len(hostile.ATTACKS)
    steps = {name: found["grown"] for name, found in endings.items()}
    assert max(steps.values()) < GROWTH, steps
    # A trial may take what a network may take, and what Python and ONNX Runtime do.
    assert max(found["trials"] for found in endings.values()) < (trial.MEMORY >> 20) + 600


def test_a_network_is_tried_once_and_what_it_says_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "_verdicts", {})
    tried, original = [], trial._tried
    monkeypatch.setattr(trial, "_tried", lambda content, task: tried.append(task) or original(content, task))
    monkeypatch.setenv("HF_TOKEN", "secret")
    hostile.ATTACKS["network-nan"].make(tmp_path / "nan")
    for _ in range(3):
        with pytest.raises(EntryError, match="not finite"):
            networks.run(entry.read(tmp_path / "nan"), "decoder", latent=[[0, 0]])
    assert len(tried) == 1
    assert "HF_TOKEN" not in limits.ENVIRONMENT


@pytest.mark.parametrize("code", [None, -signal.SIGKILL, OSError(11, "no room"), subprocess.TimeoutExpired("x", 1)])
def test_a_busy_machine_is_no_lasting_verdict(tmp_path, monkeypatch, code):
    monkeypatch.setattr(trial, "_verdicts", {})
    found, tried = hostile.good(tmp_path / "stranger"), []

    def run(command, **_):
        tried.append(command)
        if isinstance(code, Exception):
            raise code
        return subprocess.CompletedProcess(command, code or 0, b'"is bad"')

    monkeypatch.setattr(trial.subprocess, "run", run)

    def refused():
        return trial.refusal(b"x", found.manifest.networks["decoder"], 0, 1, "ada")

    assert refused() and refused() and len(tried) == 1
    now = trial.time.monotonic()
    monkeypatch.setattr(trial.time, "monotonic", lambda: now + trial.RESTING + 60)
    assert refused() and len(tried) == (2 if code else 1)


def test_the_embedded_zoo_is_trusted(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "EMBEDDED", tmp_path)
    monkeypatch.setattr(trial, "refusal", lambda *_: pytest.fail("tried"))
    found = hostile.good(tmp_path / "own")
    assert networks.run(found, "decoder", latent=[[0, 0]])["image"].shape == (1, 4, 4, 1)


def test_strangers_run_only_with_batches_that_were_tried(tmp_path, monkeypatch):
    seen, original = [], inference.run_batch

    def spy(session, network, batch, *further):
        seen.append(len(batch["latent"]))
        return original(session, network, batch, *further)

    monkeypatch.setattr(inference, "run_batch", spy)
    found = hostile.good(tmp_path / "stranger")
    latents = np.random.default_rng(0).normal(size=(357, 2))
    images = networks.run(found, "decoder", latent=latents)["image"]
    assert seen == [256, 128]
    assert np.allclose(images[300:], networks.run(found, "decoder", latent=latents[300:])["image"], atol=1e-6)
    assert inference.sizes(256) == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert inference.sizes(9) == [1, 2, 4, 8, 9] and inference.sizes(1) == [1]


@pytest.fixture
def hostile_zoo(zoo, monkeypatch, tmp_path):
    """The app with nothing but the hostile zoo, and some folders of terrible names."""
    import streamlit as st

    monkeypatch.setattr(catalog, "EMBEDDED", tmp_path / "none")
    monkeypatch.setattr(trial, "SECONDS", 4)
    monkeypatch.setenv("ZOO_SOURCES", str(zoo))
    (tmp_path / "none").mkdir()
    for folder in (os.fsencode(zoo) + b"/\xff\xfe name", os.fsencode(zoo) + "/<img src=x> ![a](b) \u202e\n".encode()):
        os.makedirs(folder, exist_ok=True)
        with open(folder + b"/zoo.json", "w") as file:
            file.write("{")
    st.cache_data.clear()
    st.cache_resource.clear()
    return zoo


def shown(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    if page != DEFAULT:
        app.switch_page(page)
    app.run()
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def harmless(app: AppTest, but: str = "") -> str:
    """Return all the Markdown of a page, after a look for what Markdown or HTML would make alive; `but` is a card."""
    kinds = (app.title, app.header, app.subheader, app.markdown, app.caption, app.info, app.warning)
    elements = [element for kind in kinds for element in kind]
    assert not any(getattr(element, "allow_html", False) for element in elements)
    texts = [element.value for element in elements]
    texts += [text for kind in (app.button, app.expander, app.tabs) for text in (getattr(e, "label", "") for e in kind)]
    for text in texts:
        assert text == but or not LIVE.search(text), text
    return "\n".join(texts)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_falls_for_a_zoo_of_attacks(hostile_zoo, page):
    text = harmless(shown(page))
    if page == DEFAULT:
        broken = [item for item in catalog.load() if isinstance(item, catalog.Broken)]
        assert len(broken) > 20
        for item in broken:
            assert item.name[:8].isascii() is False or item.name.split("<")[0] in text.replace("\\", "")
        assert "leads out of the folder" in text and "larger than 1 MiB" in text


@pytest.mark.parametrize("name", sorted(OPENED))
def test_an_opened_entry_is_harmless(hostile_zoo, name):
    from zoo.widgets.card import card_text

    ending = hostile.ATTACKS[name].reason if name != "good" else ""
    found = entry.read(hostile_zoo / name)
    card = card_text(found) if not ending else ""
    assert not re.search("<(javascript|data):", card, re.IGNORECASE)
    assert not re.search(r"(?<!\\)!\[", card) and not re.search("[\u202a-\u202e\u2066-\u2069]", card)
    text = harmless(shown(DEFAULT, entry=found.id), but=card)
    if ending:
        assert re.search(ending, text.replace("\\", ""))


@pytest.mark.parametrize("name", ["network-slow", "network-nan", "network-knows-its-trial", "statistics-bomb"])
@pytest.mark.parametrize("page", ["generation", "interpolation"])
def test_a_page_says_why_a_network_does_not_run(hostile_zoo, page, name):
    path = f"pages/explore/{page}.py"
    text = harmless(shown(path, entry=name, entries=name, sampler="gmm" if "statistics" in name else "prior"))
    reason = hostile.ATTACKS[name].reason
    assert (
        not reason or re.search(reason, text.replace("\\", "")) or (page, name) == ("interpolation", "statistics-bomb")
    )


def test_in_a_browser_nothing_runs_and_nothing_is_fetched(zoo, chromium, tmp_path):
    server = Server(tmp_path / "log", ZOO_SOURCES=str(zoo))
    alive, page = [], chromium.new_page()
    page.on("dialog", lambda dialog: (alive.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: alive.append(conftest._abroad(request.url, server.url)))
    try:
        names = ("manifest-injection", "card-script", "card-pictures", "card-links", "history-names")
        for query in ("", *(f"?entry={name}" for name in names)):
            page.goto(f"{server.url}/{query}")
            settle(page)
            closed = page.locator("details:not([open]) > summary")
            for _ in range(closed.count()):
                closed.first.click()
            page.wait_for_timeout(300)
            links = page.eval_on_selector_all("a", "found => found.map(a => a.href.baseVal ?? a.href)")
            assert not [link for link in links if re.match(r"\s*(javascript|data|vbscript):", link, re.IGNORECASE)]
            inside = page.eval_on_selector_all("svg a", "found => found.map(a => a.outerHTML)")
            assert not [link for link in inside if "evil" in link]
    finally:
        page.close()
        server.stop()
    assert not [what for what in alive if what]


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """How reading each hostile Keras file ended."""
    pytest.importorskip("h5py")
    folder = tmp_path_factory.mktemp("foreign")
    for name, attack in hostile.foreign_attacks().items():
        (folder / name).mkdir()
        attack.make(folder / name)
    return _endings(folder, "--foreign")


@pytest.mark.parametrize("name", hostile.foreign_attacks())
def test_a_hostile_keras_file_is_refused_with_its_reason(foreign, name):
    found, reason = foreign[name], hostile.foreign_attacks()[name].reason
    assert found["kind"] == ("Refused" if reason else ""), found
    assert re.search(reason, found["message"])
    assert not reason or (found["message"].endswith(".") and "\n" not in found["message"])
    assert found["grown"] < GROWTH
