"""What a line of text names, and how pages show what they cannot have."""

import dataclasses
import threading
import time

import numpy as np
import pytest
import streamlit as st
import tiny_entries as tiny
from conftest import DEFAULT, ROOT, cards
from streamlit.testing.v1 import AppTest

from zoo import background
from zoo.entries import catalog, entry, sources
from zoo.entries import remote as hub
from zoo.entries.sources import Source
from zoo.errors import Cancelled, SourceError
from zoo.hub.cache import Snapshot
from zoo.hub.origin import Origin

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("owner/name", Source("repository", "owner/name")),
        (" owner/na.me-2@v1.0 ", Source("repository", "owner/na.me-2", "v1.0")),
        ("owner/name@main", Source("repository", "owner/name")),
        (f"owner/name@{COMMIT}", Source("repository", "owner/name", COMMIT)),
        ("owner/name@refs/pr/1", Source("repository", "owner/name", "refs/pr/1")),
        ("hf://owner/name@v1", Source("repository", "owner/name", "v1")),
        ("{hub}/owner/name", Source("repository", "owner/name")),
        ("{hub}/owner/name/tree/v1", Source("repository", "owner/name", "v1")),
        ("{hub}/owner/name/tree/v1/onnx", Source("repository", "owner/name", "v1")),
        ("{hub}/owner/name/blob/v1/zoo.json?x=1#y", Source("repository", "owner/name", "v1")),
        ("{hub}/owner/", Source("owner", "owner")),
        ("{hub}/collections/owner/title-1f", Source("collection", "owner/title-1f")),
        ("collections/owner/title-1f", Source("collection", "owner/title-1f")),
        ("owner", Source("owner", "owner")),
        ("./folder", Source("folder", "./folder")),
        ("/some/folder", Source("folder", "/some/folder")),
        ("~/zoo", Source("folder", "~/zoo")),
        ("C:\\zoo", Source("folder", "C:\\zoo")),
        ("import:0123abcd", Source("import", "0123abcd")),
    ],
)
def test_a_line_names_a_source(text, expected):
    found = sources.parse(text.format(hub=sources.constants.ENDPOINT))
    assert found == expected
    assert sources.parse(found.text) == found


@pytest.mark.parametrize(
    "text",
    ["", "a/b/c", "owner/..", "owner/name@..", "owner/name@a..b", "owner/name@-x",
     "{hub}/datasets/owner/name", "{hub}/a/b/c/d", "http://elsewhere.example/owner/name", "hf://datasets/owner/name",
     "spaces/owner", "import:../x", "import:xyz", "<b>", "owner name", "-owner/name", "a//b", "ftp://x/y",
     "~nosuchuser/x", "./a\0b", "./" + "x" * 300, "x" * 300, "owner/name@" + "x" * 300, "http://[",
     "{hub}@evil.example/owner/name"],
)  # fmt: skip
def test_what_is_no_source_is_refused_in_one_sentence(text):
    with pytest.raises(SourceError) as refused:
        sources.parse(text.format(hub=sources.constants.ENDPOINT))
    assert str(refused.value).endswith(".") and len(str(refused.value)) < 240


def test_a_host_shows_visitors_no_folders_and_lends_no_token(monkeypatch, tmp_path):
    for hosted, own in (("", True), ("0", True), ("1", False)):
        monkeypatch.setenv("ZOO_HOSTED", hosted)
        assert sources.parse("owner/name", visitor=True).signed is own
        assert sources.parse("owner/name").signed
        assert sources.parse("./x").kind == "folder"
    told = set()
    for text in (str(tmp_path), "/no/such/folder", "~", ".", "../x"):
        with pytest.raises(SourceError, match="opens no folders of its server") as refused:
            sources.parse(text, visitor=True)
        told.add(str(refused.value))
    assert len(told) == 1


def test_the_environment_names_sources_between_commas(monkeypatch):
    monkeypatch.delenv("ZOO_SOURCES", raising=False)
    assert sources.environment() == ([], [])
    monkeypatch.setenv("ZOO_SOURCES", "owner, ,./folder,owner,a b, collections/owner/x-1")
    found, wrong = sources.environment()
    assert [source.text for source in found] == ["owner", "./folder", "collections/owner/x-1"]
    assert len(wrong) == 1 and "'a b'" in wrong[0] and wrong[0].startswith("ZOO_SOURCES: ")


def opened(**query):
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception and not app.error
    return app


def keys(app):
    return {button.key for button in app.button}


def captions(app):
    return "\n".join(caption.value for caption in app.caption).replace("\\", "")


def test_a_folder_in_the_url_adds_to_the_zoo_and_stays_over_pages(wall, tmp_path):
    tiny.vae(wall / "ours")
    tiny.vae(tmp_path / "theirs" / "ours")
    tiny.gan(tmp_path / "theirs" / "other")
    where = str(tmp_path / "theirs")
    app = opened(source=where)
    assert set(cards(app)) == {"ours", "ours-2", "other"}
    app.query_params.clear()
    app.switch_page("pages/explore/generation.py").run()
    assert app.query_params["source"] in (where, [where])
    assert not app.error and len(app.multiselect(key="entries").options) == 3
    app.switch_page(DEFAULT).run()
    app.multiselect(key="source").set_value([]).run()
    assert "other" not in cards(app) and "source" not in app.query_params


def test_two_visitors_do_not_see_each_others_zoos(wall, tmp_path):
    tiny.vae(wall / "ours")
    tiny.vae(tmp_path / "theirs" / "other")
    assert "other" in cards(opened(source=str(tmp_path / "theirs")))
    assert "other" not in cards(opened())


def test_a_hosted_app_refuses_folders_and_shows_the_rest(wall, tmp_path, monkeypatch):
    tiny.vae(wall / "ours")
    tiny.vae(tmp_path / "host" / "own")
    tiny.vae(tmp_path / "theirs" / "other")
    monkeypatch.setenv("ZOO_HOSTED", "1")
    monkeypatch.setenv("ZOO_SOURCES", str(tmp_path / "host"))
    app = opened(source=[str(tmp_path / "theirs"), "a b"])
    assert set(cards(app)) >= {"ours", "own"} and "other" not in cards(app)
    assert "opens no folders" in captions(app) and "names no source" in captions(app)
    assert str(tmp_path) not in captions(app)


def test_what_is_on_the_hub_is_told_in_the_sidebar_when_there_is_no_network(wall):
    tiny.vae(wall / "ours")
    app = opened(source=["owner/name", "import:0123abcd"], entry="ours")
    assert "owner/name is not on this machine and HF_HUB_OFFLINE forbids" in captions(app)
    assert app.title[0].value == "VAE · ours"
    assert {"again-owner/name"} <= keys(app)
    app = opened(source="import:0123abcd")
    assert "import the model again" in "\n".join(markdown.value for markdown in app.markdown)


def test_results_are_kept_within_a_bound_of_bytes(monkeypatch):
    monkeypatch.setattr(background, "LIMIT", 3000)
    tasks = background.Tasks()
    for name in "abc":
        task, _ = tasks.get(name, lambda report, cancelled: {"codes": [np.zeros(100), "x" * 200]}, 10)
        assert task.wait(10)  # each holds 1,000 bytes
    assert tasks.known("a")
    tasks.get("d", lambda report, cancelled: (np.zeros(300),), 10)[0].wait(10)
    tasks.get("e", lambda report, cancelled: None, 10)
    assert [tasks.known(name) for name in "abcde"] == [False, False, False, True, True]


def test_a_task_ends_by_itself_by_hand_or_at_its_deadline():
    tasks = background.Tasks(most=2)
    good, fresh = tasks.get("good", lambda report, cancelled: report(0.5) or 7, 60)
    assert fresh and good.wait(60) and (good.result, good.part, good.failure) == (7, 0.5, None)
    assert tasks.get("good", None, 60) == (good, False)

    def stuck(report, cancelled):
        while not cancelled():
            pass
        raise Cancelled

    task, _ = tasks.get("stuck", stuck, 60)
    assert not task.over and task.failure is None
    task.cancel()
    assert task.over and isinstance(task.failure, Cancelled)
    assert task.ended <= time.monotonic()
    again, fresh = tasks.get("stuck", stuck, 60)  # another visitor may want it
    assert fresh and again is not task
    for who in ("one", "two"):
        again.join(who)
    again.leave("one")
    assert not again.over
    again.leave("two")
    assert again.cancelled
    late, _ = tasks.get("late", stuck, 0.0)
    assert late.over and isinstance(late.failure, TimeoutError)
    assert late._done.wait(60)  # the work was told
    assert isinstance(late.failure, TimeoutError) and not late.cancelled
    bad, _ = tasks.get("bad", lambda report, cancelled: 1 / 0, 60)
    assert bad.wait(60) and isinstance(bad.failure, ZeroDivisionError)
    assert tasks.get("bad", None, 60) == (bad, False)
    bad.ended -= background.RESTING + 1
    assert tasks.get("bad", lambda report, cancelled: 8, 60)[1]
    assert tasks.get("good", lambda report, cancelled: 9, 60)[1]  # the oldest are forgotten


def pressed(app, key):
    app.button(key=key).click().run()
    assert not app.exception and not app.error
    return app


def test_who_stops_waiting_stops_it_for_nobody_else(wall, monkeypatch):
    tiny.vae(wall / "ours")
    ready, given = threading.Event(), []

    def pull(source, again, report, cancelled):
        given.append(cancelled)
        assert ready.wait(60)
        return []

    monkeypatch.setattr(catalog, "pull", pull)
    one, two = opened(source="owner/name"), opened(source="owner/name")
    pressed(one, "stop-reading")
    assert "was given up" in captions(one) and "again-owner/name" in keys(one)
    two.run()
    assert "stop-reading" in keys(two) and "was given up" not in captions(two)
    assert len(given) == 1 and not given[0]()
    ready.set()
    one.run(), two.run()
    for app in (one, two):
        app.run()
        assert "0 entries" in captions(app) and "was given up" not in captions(app)


def test_a_stopped_download_waits_until_this_visitor_asks_again(tmp_path, monkeypatch):
    tiny.vae(tmp_path / "some")
    found = dataclasses.replace(entry.read(tmp_path / "some"), storage=Snapshot(Origin("owner/name", COMMIT)))
    network = next(iter(found.manifest.networks.values())).file
    (tmp_path / "some" / network).unlink()
    begun = []
    monkeypatch.setattr(hub, "fetch", lambda *arguments: begun.append(arguments))

    def script(found, network):
        from zoo import widgets

        widgets.fetch_files([found], [network])

    one, two = (AppTest.from_function(script, args=(found, network), default_timeout=60) for _ in range(2))
    one.session_state["stopped-downloads"] = {("fetch", found.origin, (network,))}
    assert [button.label for button in one.run().button] == ["Download"] and "was stopped" in captions(one)
    assert not two.run().button and len(begun) == 1
    assert not one.button[0].click().run().button and len(begun) == 2


def test_a_wait_outlives_what_ends_while_it_looks():
    """A task that is over between two looks at it ends the wait."""
    script = """
import streamlit as st
from zoo.entries.sources import Source
from zoo.widgets import zoos

class Task:
    looks, part = 0, 1.0

    @property
    def over(self):
        self.looks += 1
        return self.looks > 2

    def wait(self, seconds):
        return False

zoos._wait({Source("owner", "x"): Task()})
"""
    assert not AppTest.from_string(script, default_timeout=60).run().exception


@pytest.fixture(autouse=True)
def fresh():
    st.cache_resource.clear()
