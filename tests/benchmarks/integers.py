"""How well integers are read: python tests/benchmarks/integers.py [ROWS [NUMBERS]]

ROWS rows of six test digits of MNIST, drawn with replacement by seed 0, laid side by side in several ways, are found
digit by digit and read by mnist-classifier; beside it how many rows the classifier reads when it is given the images of
MNIST themselves, which is what finding and normalising can reach at most. Then NUMBERS numbers of six digits, seed 0,
are written by each entry that can be asked for a digit, and read back. Then the twenty rows of tests/strokes.json are
drawn by the mouse on the pad of the page, in Chromium, and read as the page says it: shapes that were set down for the
tests, not the pens of people. Needs MNIST (ZOO_DATA or the Hub's cache). Prints a table and, as its last line, JSON.
"""

import json
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np
import pens
from conftest import CHROMIUM, MISSING, Server, settle

from zoo import models
from zoo.analysis import numerals
from zoo.data import datasets
from zoo.entries import Entry, catalog

SEED, LENGTH = 0, 6


def side_by_side(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The images of MNIST as they are, edge to edge: 28 × 168."""
    return numerals.row(digits)


def spaced(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two to eight columns between the digits, each moved up or down by at most six rows."""
    canvas, at = np.zeros((52, 300, 1), np.float32), 12
    for digit in digits:
        columns = np.flatnonzero(digit.any((0, 2)))
        cut = digit[:, columns[0] : columns[-1] + 1]
        top = int(rng.integers(6, 19))
        canvas[top : top + 28, at : at + cut.shape[1]] = cut
        at += cut.shape[1] + int(rng.integers(2, 9))
    return canvas[:, : at + 12]


def enlarged(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As spaced, four times as large, by cubic interpolation."""
    from scipy import ndimage

    return np.clip(ndimage.zoom(spaced(digits, rng)[..., 0], 4, order=3), 0, 1)[..., None].astype(np.float32)


def on_paper(digits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As enlarged, dark on paper that the light reaches unevenly (0.85 to 0.4), with noise of 0.02."""
    ink = enlarged(digits, rng)
    light = np.linspace(0.85, 0.4, ink.shape[1])[None, :, None] + np.linspace(0, 0.1, len(ink))[:, None, None]
    return np.clip(light * (1 - 0.7 * ink) + rng.normal(0, 0.02, ink.shape), 0, 1).astype(np.float32)


COMPOSITIONS = (side_by_side, spaced, enlarged, on_paper)


def composed(reader: Entry, count: int) -> list[dict]:
    """Rows read right, by way of composition."""
    split = datasets.load(reader.dataset, "test")
    chosen = np.random.default_rng(SEED).integers(len(split.images), size=(count, LENGTH))
    probabilities = models.classify(reader, split.images[chosen.ravel()])[0]
    given = probabilities.argmax(1).reshape(count, LENGTH) == split.labels[chosen]
    print(f"{'given the images of MNIST':28}{given.all(1).mean():>10.1%} of rows{given.mean():>10.2%} of digits")
    rows = [{"composition": "none", "rows": float(given.all(1).mean()), "digits": float(given.mean())}]
    for compose in COMPOSITIONS:
        rng, asked, found = np.random.default_rng(SEED), [], []
        for index in chosen:
            asked.append("".join(map(str, split.labels[index])))
            found.append(numerals.read(reader, compose(split.images[index], rng)).digits)
        rows.append({"composition": compose.__name__} | figures(numerals.Trip(asked, found)))
        tell(compose.__name__, rows[-1])
    return rows


def figures(trip: numerals.Trip) -> dict:
    """Shares of rows read right, of rows in which another number of digits was found, and of digits read right."""
    confusion = trip.confusion()
    return {
        "rows": trip.same / len(trip.asked),
        "miscounted": trip.miscounted / len(trip.asked),
        "digits": float(np.trace(confusion) / confusion.sum()),
    }


def tell(name: str, found: dict) -> None:
    print(f"{name:28}{found['rows']:>10.1%} of rows{found['digits']:>10.2%} of digits"
          f"{found['miscounted']:>10.1%} miscounted", flush=True)  # fmt: skip


def on_the_pad() -> list[dict] | None:
    """What the page reads of rows drawn on its pad; None where there is no Chromium."""
    if MISSING:
        print(f"Nothing is drawn on the pad: {' and '.join(MISSING)} is not installed.")
        return None
    from playwright.sync_api import sync_playwright

    found = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder) / "log")
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 950})
            page.set_default_timeout(120_000)
            page.goto(f"{server.url}/integers?row_from=drawing&entries=mnist-cvae")
            for row in pens.ROWS:
                settle(page)
                pens.draw(page, row)
                page.wait_for_timeout(1500)
                settle(page)
                alt = page.get_by_role("img", name="The digits that were found").get_attribute("alt")
                found.append({"asked": row["number"], "read": re.findall(r"\d+", alt or "")[-1]})
                page.get_by_role("button", name="Clear", exact=True).click()
                page.get_by_text("Draw a row of digits").wait_for()
        finally:
            server.stop()
    same = sum(row["asked"] == row["read"] for row in found)
    print(f"{same} of {len(found)} rows drawn on the pad by shapes set down for the tests are read as they were meant")
    return found


def main(rows: int = 200, numbers: int = 1000) -> None:
    reader = catalog.find("mnist-classifier", [catalog.EMBEDDED])
    result = {"benchmark": "integers", "reader": reader.name, "accuracy": reader.manifest.metrics["accuracy"].value}
    print(f"{rows} rows of six test digits, read by {reader.name} (accuracy {result['accuracy']:.2%})")
    result |= {"rows": rows, "composed": composed(reader, rows), "numbers": numbers, "round trip": []}
    print(f"{numbers} numbers of six digits, written and read back")
    for writer in numerals.writers(catalog.entries([catalog.EMBEDDED])):
        for hand in numerals.HANDS:
            trip = numerals.there_and_back(writer, reader, numbers, SEED, hand)
            result["round trip"].append({"writer": writer.name, "hand": hand} | figures(trip))
            tell(f"{writer.name}, {hand} hand" + "s" * (hand == "many"), result["round trip"][-1])
    result["pad"] = on_the_pad()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
