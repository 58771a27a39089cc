"""How well directions do what they are called: python tests/benchmarks/directions.py [ENTRY …]

For each entry that encodes rendered fruits, and each factor: R² of reading it from codes (fitted to 750 test images,
measured on 250), and over IMAGES of these 250 the mean |difference| between the picture of the moved code and the one
that the renderer draws with the factor changed by ±1 standard deviation, or what is yes or no turned to the other.
Beside it the same for a code that is not moved, and that of the reconstruction against the image itself, which no move
can better by much. The last line is JSON.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np

from zoo import models
from zoo.analysis import directions, factors
from zoo.data import datasets
from zoo.entries import Entry, catalog
from zoo.images import difference

IMAGES = 64


def measure(entry: Entry, split: datasets.Split) -> dict[str, dict[str, float]]:
    """Return the figures of every factor by its name."""
    assert split.factors is not None
    labels = split.labels if entry.conditional else None
    codes = models.encode(entry, split.images, labels)
    flat = codes.reshape(len(codes), -1)
    found = directions.find(directions.Codes(flat, "", factors=factors.numbers(split.factors)))
    rows = slice(found.fitted, found.fitted + IMAGES)
    told = None if labels is None else labels[rows]
    still = models.decode(entry, codes[rows], told)
    given = [{name: float(values[row]) for name, values in split.factors.items()} for row in range(*rows.indices(1000))]
    result = {}
    for direction in found.directions:
        if direction.kind != "factors":
            continue
        figures = {"r2": round(direction.figure, 4)}
        if direction.vector is not None:
            apart, unmoved = [], []
            for strengths in steps(direction.key, given, found.deviations):
                truth = np.concatenate(
                    [
                        factors.changed(row, [{direction.key: strength}], found.deviations)
                        for row, strength in zip(given, strengths, strict=True)
                    ]
                )
                change = (strengths[:, None] * direction.vector).reshape(codes[rows].shape).astype(np.float32)
                apart.append(difference(models.decode(entry, codes[rows] + change, told), truth).mean())
                unmoved.append(difference(still, truth).mean())
            figures |= {"moved": round(float(np.mean(apart)), 4), "unmoved": round(float(np.mean(unmoved)), 4)}
        result[direction.key] = figures
    result["reconstruction"] = {"moved": round(float(difference(still, split.images[rows]).mean()), 4)}
    return result


def steps(key: str, given: list[dict[str, float]], deviations: dict[str, float]) -> list[np.ndarray]:
    """Return the strengths to try on each image: -1 and 1, or what turns a yes into a no and the other way round."""
    if key not in ("kind", "leaf", "stem"):
        return [np.full(len(given), sign) for sign in (-1.0, 1.0)]
    now = factors.numbers({name: np.array([row[name] for row in given]) for name in given[0]})[key]
    return [(1 - 2 * now) / deviations[key]]


def main() -> None:
    split = datasets.load("fruits", "test", 1000)
    wanted = sys.argv[1:]
    found = {}
    for entry in catalog.entries():
        if entry.dataset == "fruits" and "encode" in entry.capabilities and (not wanted or entry.name in wanted):
            found[entry.name] = measure(entry, split)
            print(f"{entry.name:<18}{'R²':>7}{'moved':>9}{'unmoved':>9}")
            for name, figures in found[entry.name].items():
                cells = (f"{figures[key]:>{width}.3f}" if key in figures else " " * width for key, width in COLUMNS)
                print(f"  {name:<16}{''.join(cells)}")
    print(json.dumps({"benchmark": "directions", "entries": found}))


COLUMNS = (("r2", 7), ("moved", 9), ("unmoved", 9))

if __name__ == "__main__":
    main()
