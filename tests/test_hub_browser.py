"""The way of a visitor: a link to somebody's zoo on a Hub, an entry of it, pictures that it draws, and faults."""

import shutil

import pytest
from conftest import ROOT, Server, complaints, settle

from zoo.hub import loopback

CARD = b"---\ntags: [latent-zoo]\n---\n# An entry\n"
EMBEDDED = ROOT / "zoo" / "pretrained"


def entry(name):
    """Return the files of an embedded entry; its card is another one, as for whatever is published with a new card."""
    found = {path.relative_to(EMBEDDED / name).as_posix(): path for path in (EMBEDDED / name).rglob("*")}
    return {name: path for name, path in found.items() if path.is_file()} | {"README.md": CARD}


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with loopback.Hub(tmp_path_factory.mktemp("hub")) as server:
        for repo, name in (("friend/digits", "digits-vae"), ("friend/judge", "digits-classifier")):
            server.put(repo, entry(name))
        server.put("friend/keras", {"README.md": CARD})
        yield server


@pytest.fixture(scope="module")
def visited(hub, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    server = Server(home / "log", **hub.environment(home))
    server.home = home
    yield server
    server.stop()


def test_a_zoo_on_the_hub_is_opened_and_draws(hub, visited, tab):
    page = tab(visited.url)
    page.goto(f"{visited.url}/?source=friend")
    page.get_by_role("heading", name="From the Hub").wait_for()
    page.get_by_role("heading", name="From this machine").wait_for()
    settle(page)
    page.get_by_text("2 entries, 1 that cannot be shown").wait_for()
    page.get_by_text("friend/digits, main at").wait_for()
    assert not any("onnx" in request or "weights" in request for request in hub.requests)
    page.get_by_role("link", name="friend/digits").click()
    page.get_by_text("friend/digits/tree/").wait_for()
    settle(page)
    page.get_by_test_id("stPageLink").filter(has_text="Generate").click()
    page.get_by_role("heading", name="Generation", exact=True).wait_for()
    page.get_by_role("button", name="Image 24 by").wait_for()
    settle(page)
    assert "source=friend" in page.url and "entries=friend%2Fdigits" in page.url
    assert complaints(page) == []

    other = tab(visited.url)  # another visitor, without a source
    other.goto(visited.url)
    settle(other)
    assert other.get_by_role("heading", name="From the Hub").count() == 0

    hub.requests.clear()
    linked = tab(visited.url)  # the link that the first one may have sent
    linked.goto(page.url)
    linked.get_by_role("button", name="Image 24 by").wait_for()
    settle(linked)
    assert linked.url == page.url
    assert hub.requests == []


def test_a_zoo_is_added_by_name_and_taken_away(hub, visited, tab):
    page = tab(visited.url)
    page.goto(visited.url)
    settle(page)
    page.get_by_test_id("stExpandSidebarButton").click()
    field = page.get_by_role("combobox", name="Add models")
    field.fill("friend/digits")
    field.press("Enter")
    field.press("Escape")  # the open list hides the rest from assistive technology, and from the next line
    page.get_by_role("heading", name="From the Hub").wait_for()
    page.wait_for_url("**source=friend%2Fdigits")
    settle(page)
    page.locator("button[aria-label='Remove friend/digits']").last.click()
    page.get_by_role("heading", name="From the Hub").wait_for(state="detached")
    assert "source" not in page.url
    assert complaints(page) == []


def test_a_slow_hub_holds_nothing_up_and_a_download_can_be_cancelled(hub, visited, tab):
    shutil.rmtree(visited.home / "hub" / "models--friend--digits")
    hub.fail(r"/api/models/friend/digits/revision/slow", "slow")
    hub.put("friend/digits", entry("digits-vae"), branch="slow")
    page = tab(visited.url)
    page.goto(f"{visited.url}/?source=friend/digits@slow")
    page.get_by_text("Reading friend/digits@slow").wait_for()
    page.locator("a.card").nth(3).wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_test_id("stSidebar").get_by_text("was given up").wait_for()
    hub.heal()
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("heading", name="From the Hub").wait_for()
    settle(page)

    hub.fail("GET .*onnx/decoder.onnx", "slow")
    page.goto(f"{visited.url}/generation?source=friend/digits@slow&entries=friend/digits@slow&entries=digits-vae")
    page.get_by_text("Downloading").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("was stopped").wait_for()
    page.get_by_role("button", name="Image 24 by").first.wait_for()  # the other entry draws
    hub.heal()
    page.get_by_role("button", name="Download", exact=True).click()
    page.get_by_role("button", name="Image 24 by").nth(1).wait_for()
    settle(page)
    assert complaints(page) == []
