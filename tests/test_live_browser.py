"""The live map in a real browser: what moves under the pointer, and what the server hears of it."""

import asyncio
import io
import math
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from conftest import CHROMIUM, complaints, settle
from PIL import Image

RATE = 30  # pictures a second
SECONDS = 3
# Counts the pictures that differ from the one before, as they are put on the canvas, the frames of the display, and
# those of them before which the pointer had moved.
COUNT = """
window.seen = {pictures: 0, frames: 0, moved: 0, last: 0};
const put = CanvasRenderingContext2D.prototype.putImageData;
CanvasRenderingContext2D.prototype.putImageData = function (image, ...place) {
  put.call(this, image, ...place);
  if (!this.canvas.closest(".picture")) return;
  const hash = image.data.reduce((sum, value) => (sum * 31 + value) | 0, 0);
  seen.pictures += hash !== seen.last;
  seen.last = hash;
};
let moves = 0;
addEventListener("pointermove", () => (moves += 1), true);
const tick = () => {
  seen.frames += 1;
  seen.moved += moves > 0;
  moves = 0;
  requestAnimationFrame(tick);
};
tick();
"""


@dataclass
class Drag:
    """What was counted while the pointer was down, per second, and what was sent over the websocket meanwhile."""

    pictures: float = 0
    frames: float = 0
    moved: float = 0
    messages: list = field(default_factory=list)
    url: str = ""


async def _drag(url: str, slower: int) -> Drag:
    """Drag through the map as a hand does: 60 events a second that do not wait until the page has dealt with them."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1400, "height": 950})
        page.set_default_timeout(120_000)  # a busy machine is slow to load, which is not what is tested
        found = Drag()
        page.on("websocket", lambda socket: socket.on("framesent", lambda sent: found.messages.append(sent)))
        await page.add_init_script(COUNT)
        await page.goto(url)
        slider = page.get_by_role("slider").first
        await page.wait_for_function("window.seen?.pictures || document.querySelector('[data-testid=stMain]')")
        await slider.wait_for()
        await page.wait_for_timeout(3000)
        box = await slider.bounding_box()
        tools = await page.context.new_cdp_session(page)
        await tools.send("Emulation.setCPUThrottlingRate", {"rate": slower})

        def event(kind: str, turn: float) -> asyncio.Task:
            x = box["x"] + box["width"] * (0.5 + 0.4 * math.sin(turn))
            y = box["y"] + box["height"] * (0.5 + 0.4 * math.cos(1.3 * turn))
            held = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
            return asyncio.ensure_future(tools.send("Input.dispatchMouseEvent", held))

        await event("mousePressed", 0)
        await page.wait_for_timeout(300)
        found.messages.clear()
        await page.evaluate("Object.assign(seen, {pictures: 0, frames: 0, moved: 0})")
        start = time.monotonic()
        sent = []
        while time.monotonic() - start < SECONDS:
            sent.append(event("mouseMoved", len(sent) / 20))
            await asyncio.sleep(1 / 60)
        seen = await page.evaluate("({...seen})")
        took = time.monotonic() - start
        found.pictures, found.frames, found.moved = (seen[name] / took for name in ("pictures", "frames", "moved"))
        quiet = list(found.messages)
        await asyncio.gather(*sent)
        await event("mouseReleased", len(sent) / 20)
        await page.wait_for_url(lambda url: parameters(url).keys() >= {"z1", "z2"})
        found.messages, found.url = quiet, page.url
        await browser.close()
        return found


def drag(url: str, slower: int) -> Drag:
    """Run `_drag` in a thread of its own: the session's browser has the event loop of this one."""
    result: list = []

    def run() -> None:
        try:
            result.append(asyncio.run(_drag(url, slower)))
        except BaseException as error:  # told to the test, which would not hear of it otherwise
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


@pytest.mark.parametrize("slower", [1, 4])
def test_a_drag_moves_the_picture_at_display_rate_without_the_server(app, chromium, slower):
    found = drag(app.url, slower)
    print(f"CPU slowed {slower} times: {found.pictures:.0f} pictures and {found.frames:.0f} frames a second")
    # On a machine that is busy with other work fewer frames have a move to show: the picture follows each of those.
    assert found.pictures >= min(RATE, 0.9 * found.moved) > 0
    assert found.messages == []


def parameters(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def opened(app, tab, size="wide", query="", scheme="light"):
    page = tab(app.url, size, scheme)
    page.goto(f"{app.url}/?{query}")
    settle(page)
    page.locator("[role=slider][aria-valuetext]").first.wait_for()
    return page


def place(page):
    return page.get_by_role("slider").first.get_attribute("aria-valuetext")


def comes_to(page, text: str) -> None:
    """Wait until the ring says that it is there: it is drawn with the next frame."""
    page.locator(f"[role=slider][aria-valuetext*='{text}']").wait_for()


def test_the_arrow_keys_move_and_the_link_leads_back(app, tab):
    page = opened(app, tab, query="z1=0.4&z2=-0.5")
    comes_to(page, "z₁ = 0.40, z₂ = −0.50")
    page.get_by_role("slider").first.press("ArrowRight")
    comes_to(page, "z₁ = 0.45, z₂ = −0.50")
    page.keyboard.press("Shift+ArrowUp")
    comes_to(page, "z₁ = 0.45, z₂ = −0.25")
    page.wait_for_url(lambda url: parameters(url) == {"z1": ["0.45"], "z2": ["-0.25"]})
    page.goto(page.url)
    settle(page)
    comes_to(page, "z₁ = 0.45, z₂ = −0.25")
    assert complaints(page) == []


def test_exact_pictures_replace_blended_ones_without_a_shift(app, tab):
    page = opened(app, tab)
    picture = page.locator(".picture canvas").first
    before = picture.bounding_box()
    page.get_by_role("slider").first.press("ArrowRight")
    blended = np.asarray(Image.open(io.BytesIO(picture.screenshot())).convert("L"), float)
    page.wait_for_selector(".stage:not(.moving)")
    page.wait_for_timeout(300)
    exact = np.asarray(Image.open(io.BytesIO(picture.screenshot())).convert("L"), float)
    assert 0 < np.abs(blended - exact).mean() / 255 <= 0.03
    assert picture.bounding_box() == before


def test_a_touch_moves_the_ring_and_the_page_stays(app, tab):
    page = opened(app, tab, size="phone")
    assert page.locator(".points").evaluate("e => getComputedStyle(e).touchAction") == "none"
    assert page.locator(".picture canvas").first.evaluate("e => getComputedStyle(e).touchAction") == "auto"
    page.locator(".points").scroll_into_view_if_needed()
    before, box = place(page), page.locator(".points").bounding_box()
    scrolled = "document.querySelector('[data-testid=stMain]').scrollTop"
    top = page.evaluate(scrolled)
    tools = page.context.new_cdp_session(page)
    for kind, part in (("touchStart", 0.3), ("touchMove", 0.4), ("touchMove", 0.6), ("touchEnd", None)):
        spots = [] if part is None else [{"x": box["x"] + part * box["width"], "y": box["y"] + part * box["height"]}]
        tools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})
    page.wait_for_url(lambda url: parameters(url).keys() >= {"z1", "z2"})
    assert place(page) != before
    assert page.evaluate(scrolled) == top


def test_it_plays_and_pauses_and_motion_can_be_reduced(app, tab):
    page = opened(app, tab)
    before = place(page)
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Pause").click()
    assert place(page) != before
    page.wait_for_url(lambda url: parameters(url).keys() >= {"z1", "z2"})
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(COUNT)
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("seen.pictures >= 2")
    seen = page.evaluate("({...seen})")
    assert seen["frames"] > 5 * seen["pictures"], "the picture moved in most of the frames"
