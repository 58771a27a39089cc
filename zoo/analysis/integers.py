"""An image as a grid of integers, single integers of it changed, and what each paints. No Streamlit."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from zoo import models
from zoo.entries import Entry
from zoo.latent import codes

MOST_CODES = 256  # of a codebook that are shown
VISIBLE = 0.02  # change of a pixel that counts


@dataclass(frozen=True)
class Change:
    """The integers of one image before and after (h, w), and the image (H, W, C) that each gives."""

    before: np.ndarray
    after: np.ndarray
    decoded: np.ndarray
    changed: np.ndarray

    @property
    def share(self) -> float:
        """The share of pixels that differ by more than VISIBLE in a channel."""
        return float((np.abs(self.decoded - self.changed).max(-1) > VISIBLE).mean())


def discrete(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that turn an image into integers and these into an image."""
    return [e for e in entries if e.discrete and not e.conditional and {"encode", "decode"} <= e.capabilities]


def patches(entry: Entry) -> np.ndarray:
    """Return what each integer paints: (K, h, w, C), at most MOST_CODES.

    The decoder sees neighbours, so an integer has no picture of its own: this is the middle of the image whose grid
    holds the integer everywhere, twice as wide and high as one place of the grid.
    """
    count = models.affordable(entry, min(codes.vocabulary(entry), MOST_CODES))
    grid = entry.latent_shape[:2]
    everywhere = np.broadcast_to(np.arange(count)[:, None, None], (count, *grid))
    decoded = models.decode(entry, codes.lookup(entry, everywhere))
    half = [max(1, size // places) for size, places in zip(entry.shape[:2], grid, strict=True)]
    middle = [size // 2 for size in entry.shape[:2]]
    rows, columns = (slice(max(0, m - h), m + h) for m, h in zip(middle, half, strict=True))
    return decoded[:, rows, columns]


def change(entry: Entry, image: np.ndarray, edits: Mapping[int, int]) -> Change:
    """Turn an image (H, W, C) into integers, change some, and decode both.

    edits: place, counted row by row from 0, to its new integer below `codes.vocabulary`.
    """
    before = codes.nearest(models.encode(entry, image[None]), codes.codebook(entry))[0]
    after = before.copy()
    for place, code in edits.items():
        after[np.unravel_index(place, before.shape)] = code
    decoded, changed = models.decode(entry, codes.lookup(entry, np.stack([before, after])))
    return Change(before, after, decoded, changed)


def places(entry: Entry) -> int:
    """Return how many integers an image becomes."""
    return math.prod(entry.latent_shape[:2])


def table(integers: np.ndarray) -> str:
    """Return integers (h, w) as CSV, row by row."""
    return "".join(",".join(map(str, row)) + "\n" for row in integers.tolist())
