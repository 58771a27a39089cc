"""The factors of rendered fruits as numbers to read and to change, and the picture that changed factors give."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.data import fruits

# Name -> what it is called, and what stands at both ends of its slider.
NAMES = {
    "hue": ("colour", ("red", "green")),
    "size": ("size", ("small", "large")),
    "kind": ("kind", ("apple", "orange")),
    "light": ("light", ("from left", "from right")),
    "x": ("place across", ("left", "right")),
    "y": ("place down", ("up", "down")),
    "leaf": ("leaf", ("without", "with")),
    "stem": ("stem", ("without", "with")),
    "background": ("background", ("cool", "warm")),
    "texture": ("texture", ("smooth", "rough")),
    "phase": ("piece of texture", ("one", "another")),
}


def numbers(known: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return factors as `fruits.draw` gives them, each an array (N,), in numbers that a line may go through.

    The hue is counted from red, in (-180, 180] degrees; the accessory becomes two: whether there is a stem, a leaf.
    """
    found = {name: np.asarray(values, float) for name, values in known.items() if name in NAMES}
    if "hue" in known:
        found["hue"] = 180 - np.mod(180 - found["hue"], 360)
    if "accessory" in known:
        found["stem"] = (np.asarray(known["accessory"]) > 0).astype(float)
        found["leaf"] = (np.asarray(known["accessory"]) == 2).astype(float)
    return {name: found[name] for name in NAMES if name in found}


def changed(
    known: Mapping[str, float], moves: Sequence[Mapping[str, float]], deviations: Mapping[str, float]
) -> np.ndarray:
    """Render one fruit anew for each of several moves: (M, 32, 32, 3).

    Args:
        known: the fruit's factors, as `fruits.draw` gives them. moves: strength in standard deviations by the name of
            the factor. What leaves the range that fruits have ends at its border; kind, stem and leaf are yes or no.
    """
    start = numbers({name: np.array([value]) for name, value in known.items()})
    there = {
        name: np.array([value[0] + move.get(name, 0.0) * deviations.get(name, 0.0) for move in moves])
        for name, value in start.items()
    }
    leaf, stem = there.pop("leaf") > 0.5, there.pop("stem") > 0.5
    given: dict[str, Any] = {"accessory": np.where(leaf, 2, np.where(stem, 1, 0))}
    for name, values in there.items():
        if name == "hue":
            given[name] = np.mod(values, 360)
        else:
            low, high = fruits.RANGES[name]
            values = np.clip(values, low, high)
            given[name] = np.rint(values) if name == "kind" else values
    return fruits.render(len(moves), 0, **given)[0]


def row(images: np.ndarray, known: Mapping[str, np.ndarray], image: np.ndarray) -> dict[str, float] | None:
    """Return the factors of that one of images (N, H, W, C) which is the same as this image (H, W, C), or None."""
    if image.shape != images.shape[1:]:
        return None
    same = np.flatnonzero((images == image).all((1, 2, 3)))
    return {name: float(values[same[0]]) for name, values in known.items()} if len(same) else None
