"""What a live map costs: python tests/benchmarks/live.py [ENTRY …] [--onnxruntime-web FOLDER]

For every map of the zoo, and several grids and ways to send them: milliseconds to decode the grid and to write the
sheet, kilobytes that are sent, and the mean |difference| between blending and decoding at 500 random places of the
square (mean and 95th percentile over places), with the sheet as a browser reads it. Then, in Chromium with the CPU as
it is and slowed four times, from an empty cache: milliseconds from the request of a page to the first picture by the
sheet, and, where FOLDER holds the files of the npm package onnxruntime-web (its folder `dist`), by the entry's own
decoder in WebAssembly; and milliseconds per picture. Prints tables and, as its last line, JSON. Times are medians of 3.
"""

import argparse
import functools
import http.server
import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from zoo import images
from zoo.analysis import manifold
from zoo.entries import Entry, catalog

SIDES = (17, 25, 33, 49)
QUALITIES = (75, 85, 92)
CALLS = 3
WEB = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
SHEET = """<script type=module>
const image = new Image(); image.src = "sheet.webp"; await image.decode();
const canvas = new OffscreenCanvas(image.width, image.height), pen = canvas.getContext("2d");
pen.drawImage(image, 0, 0); pen.getImageData(0, 0, image.width, image.height);
window.found = { first: performance.now(), each: 0 };
</script>"""
DECODER = """<script type=module>
import * as ort from "./ort.wasm.bundle.min.mjs";
ort.env.wasm.wasmPaths = "./"; ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create("decoder.onnx");
const run = () => session.run({ latent: new ort.Tensor("float32", new Float32Array([0.3, 0.4]), [1, 2]) });
await run();
const first = performance.now();
for (let i = 0; i < 50; i++) await run();
window.found = { first, each: (performance.now() - first) / 50 };
</script>"""


def timed(call: Callable) -> tuple:
    """Return the result of a call and the median of its milliseconds."""
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
    return result, 1e3 * statistics.median(seconds)


def sheets(entry: Entry) -> list[dict]:
    """Return one row for every grid and way to send it."""
    rows = []
    manifold.decoded(entry, 3)  # opens the session
    for side in SIDES:
        grid, decoding = timed(functools.partial(manifold.decoded, entry, side))
        ways = {f"WebP {quality}": functools.partial(manifold.sheet, grid, quality) for quality in QUALITIES}
        for way, write in (ways | {"PNG": lambda grid=grid: images.png(manifold.tiled(grid))}).items():
            content, writing = timed(write)
            found = manifold.deviation(entry, manifold.tiles(content, side, side, entry.shape[2]))
            rows.append({
                "entry": entry.name, "grid": f"{side}×{side}", "sent as": way, "decode ms": round(decoding),
                "write ms": round(writing), "kB": round(len(content) / 1e3), "mean": round(found.mean, 4),
                "95 %": round(found.high, 4),
            })  # fmt: skip
    return rows


def starts(entry: Entry, package: Path | None) -> list[dict]:
    """Return one row for every way to the first picture in the browser."""
    from playwright.sync_api import sync_playwright

    rows = []
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "sheet.webp").write_bytes(manifold.sheet(manifold.decoded(entry)))
        (folder / "sheet.html").write_text(SHEET)
        ways = {"sheet": ["sheet.webp"]}
        if package:
            (folder / "decoder.html").write_text(DECODER)
            shutil.copy(entry.path(entry.manifest.networks["decoder"].file), folder / "decoder.onnx")
            for file in WEB:
                shutil.copy(package / file, folder / file)
            ways["decoder"] = ["decoder.onnx", *WEB]
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=name))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for way, files in ways.items():
            size = sum((folder / file).stat().st_size for file in files)
            for slower in (1, 4):
                found = [
                    opened(browser, f"http://127.0.0.1:{server.server_port}/{way}.html", slower) for _ in range(CALLS)
                ]
                first, each = (statistics.median(one[name] for one in found) for name in ("first", "each"))
                rows.append({
                    "entry": entry.name, "by": way, "CPU slowed": slower, "kB": round(size / 1e3),
                    "first ms": round(first), "each ms": round(each, 1),
                })  # fmt: skip
        browser.close()
        server.shutdown()
    return rows


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *args) -> None:
        pass


def opened(browser, url: str, slower: int) -> dict:
    context = browser.new_context()
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    page.goto(url)
    page.wait_for_function("window.found", timeout=120_000)
    found = page.evaluate("window.found")
    context.close()
    return found


def table(rows: list[dict]) -> None:
    print("  ".join(f"{key:>15}" for key in rows[0]))
    for row in rows:
        print("  ".join(f"{value:>15}" for value in row.values()))
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", nargs="*", metavar="ENTRY")
    parser.add_argument("--onnxruntime-web", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    found = [catalog.find(name) for name in options.entries] or manifold.mapped(catalog.entries())
    grids = [row for entry in found if entry for row in sheets(entry)]
    table(grids)
    first = [row for entry in found if entry for row in starts(entry, options.onnxruntime_web)]
    table(first)
    print(json.dumps({"benchmark": "live", "grids": grids, "starts": first}))


if __name__ == "__main__":
    main()
