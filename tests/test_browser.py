"""Every page in a real browser: light and dark, wide, on a projector and on a phone; and what only a browser can show
of the widgets.

Skipped where there is no Chromium, as `conftest.chromium` says.
"""

import io

import numpy as np
import pytest
from conftest import PAGES, SIZES, Server, complaints, settle, url_path
from PIL import Image

WIDGETS = """
import numpy as np
import streamlit as st
from zoo import widgets
widgets.enter("x")
st.title("Widgets")
chosen = widgets.image_grid(np.random.default_rng(0).random((5, 4, 4, 1)), alts="Tile", key="tile", select="many")
drawing = widgets.draw_pad("pad", (8, 8, 3))
number = widgets.bound(st.slider, "Number", key="n", default=3, min_value=0, max_value=10)
st.text(f"chosen {chosen}")
ink = "" if drawing is None else "inked" if drawing.min() < 0.8 else "blank"
st.text("no drawing" if drawing is None else f"drawing {drawing.shape} {ink}")
st.text(f"number {number}")
"""


SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => list.getEntries().forEach((one) => (shifts += one.hadRecentInput ? 0 : one.value)))
  .observe({ type: "layout-shift", buffered: true });
"""
# Pictures of which a part lies outside the window or of a part of the page that scrolls sideways.
CUT = """
() => {
  const cut = [], parent = (one) => one.parentElement ?? one.getRootNode().host;
  const look = (root) => root.querySelectorAll("*").forEach((one) => {
    if (one.shadowRoot) look(one.shadowRoot);
    if (!["IMG", "CANVAS"].includes(one.tagName)) return;
    const box = one.getBoundingClientRect();
    let left = 0, right = innerWidth;
    for (let above = parent(one); above && above !== document.body; above = parent(above))
      if (getComputedStyle(above).overflowX !== "visible") {
        const around = above.getBoundingClientRect();
        [left, right] = [Math.max(left, around.left), Math.min(right, around.right)];
      }
    const out = box.left < left - 1 || box.right > right + 1;
    if (box.width > 2 && out) cut.push(one.getAttribute("aria-label") ?? one.alt);
  });
  look(document);
  return cut;
}
"""

AXE = (("wide", "dark"), ("phone", "light"))  # what axe-core looks at: each theme, each width
# What axe-core finds in Streamlit's own parts, by rule and by the test id of the part.
STREAMLITS = {
    "list": "stSidebarNavItems",
    "listitem": "stSidebarNav",
    "scrollable-region-focusable": "stTable",
    "presentation-role-conflict": "stFileUploaderDropzone",
}


def violations(page) -> list[str]:
    """Return what axe-core finds on a page, without what is Streamlit's own."""
    from axe_playwright_python.sync_playwright import Axe

    found = []
    for rule in Axe().run(page).response["violations"]:
        for node in rule["nodes"]:
            part = STREAMLITS.get(rule["id"])
            if not part or not page.evaluate(
                "([place, part]) => document.querySelector(place)?.closest(`[data-testid=${part}]`) != null",
                [node["target"][-1], part],
            ):
                found.append(f"{rule['id']}: {node['html'][:200]}")
    return found


def test_the_reader_of_what_is_cut_sees_it(app, tab):
    page = tab(app.url)
    page.set_content('<div style="width:50px;overflow:auto"><img alt="half" width="100" height="9"></div>')
    assert page.evaluate(CUT) == ["half"]


def calmly_loaded(page, url: str) -> None:
    """Open a page until nothing of it moved while it loaded, at most four times; fails where something always does.

    Code that comes for the first time, and a busy machine that delivers the style after what it styles, move things.
    """
    page.add_init_script(SHIFTS)
    shifts = []
    while len(shifts) < 4 and min(shifts, default=1) > 0.1:
        page.goto(url)
        settle(page)
        shifts.append(page.evaluate("shifts"))
    assert min(shifts) <= 0.1


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_worth_showing(app, tab, path):
    page = tab(app.url, "projector")
    calmly_loaded(page, f"{app.url}/{url_path(path)}")
    assert page.evaluate(CUT) == []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for size in ("wide", "phone"):
            width, height = SIZES[size]
            page.set_viewport_size({"width": width, "height": height})
            settle(page)
            assert page.get_by_test_id("stException").count() == 0
            assert page.get_by_test_id("stAlertContentError").all_inner_texts() == []
            assert complaints(page) == []
            pixels = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"))
            assert pixels.std() > 5, "the screenshot is blank"
            assert (np.median(pixels) > 128) == (scheme == "light")
            box = page.evaluate("(e => [e.scrollWidth, e.clientWidth])(document.querySelector('[data-testid=stMain]'))")
            assert box[0] <= box[1], f"the page is {box[0]} pixels wide and scrolls sideways"
            unnamed = page.evaluate("[...document.querySelectorAll('img:not([alt]):not([data-testid=stLogo])')].length")
            assert unnamed == 0, "an image has no alternative text"
            if (size, scheme) in AXE:
                assert violations(page) == []


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A small app of our widgets."""
    folder = tmp_path_factory.mktemp("bench")
    (folder / "bench.py").write_text(WIDGETS)
    server = Server(folder / "log", str(folder / "bench.py"))
    yield server
    server.stop()


def test_tiles_are_chosen_by_mouse_and_keyboard_and_kept_in_the_url(bench, tab):
    page = tab(bench.url)
    page.goto(bench.url)
    settle(page)
    page.get_by_role("button", name="Tile 2").click()
    page.get_by_text("chosen [1]").wait_for()
    page.get_by_role("button", name="Tile 2").press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("chosen [1, 2]").wait_for()
    page.get_by_role("button", name="Tile 2").click()
    page.get_by_text("chosen [2]").wait_for()
    page.goto(f"{bench.url}/?tile=4&tile=9&tile=x")
    page.get_by_text("chosen [4]").wait_for()
    page.get_by_role("button", name="Tile 5", pressed=True).wait_for()
    assert complaints(page) == []


def test_tiles_are_enlarged_without_smoothing(bench, tab):
    page = tab(bench.url)
    page.goto(bench.url)
    settle(page)
    shot = page.get_by_role("button", name="Tile 1").screenshot()
    pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("L"))[12:-12, 12:-12]
    assert len(np.unique(pixels)) <= 16


def test_a_drawing_comes_back_and_can_be_cleared(bench, tab):
    page = tab(bench.url)
    page.goto(bench.url)
    settle(page)
    box = page.get_by_label("Drawing pad").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 160, steps=6)
    page.mouse.up()
    page.get_by_text("drawing (8, 8, 3) inked").wait_for()
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("no drawing").wait_for()
    assert complaints(page) == []


def test_a_choice_enters_the_history_of_the_browser(bench, tab):
    page = tab(bench.url)
    page.goto(f"{bench.url}/?n=5")
    page.get_by_text("number 5").wait_for()
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_text("number 6").wait_for()
    page.wait_for_url("**n=6")
    page.go_back()
    page.get_by_text("number 5").wait_for()
