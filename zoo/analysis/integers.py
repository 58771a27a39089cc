"""An image as a grid of integers, single integers of it changed, and what others would paint. No Streamlit."""

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


def choices(entry: Entry, integers: np.ndarray, place: int) -> np.ndarray:
    """Return what each integer paints at a place: (K, h, w, C), K at most MOST_CODES.

    The decoder looks at neighbours, so an integer has no picture of its own: these are cut out of the images that would
    be decoded if it stood there among the others, two places of the grid wide and high.

    Args:
        integers: (h, w) of the whole image.
        place: counted row by row from 0.
    """
    count = models.affordable(entry, min(codes.vocabulary(entry), MOST_CODES))
    grids = np.repeat(integers[None], count, axis=0)
    row, column = divmod(place, integers.shape[1])
    grids[:, row, column] = np.arange(count)
    decoded = models.decode(entry, codes.lookup(entry, grids))
    return decoded[
        :, _around(row, integers.shape[0], entry.shape[0]), _around(column, integers.shape[1], entry.shape[1])
    ]


def _around(place: int, places: int, pixels: int) -> slice:
    """The pixels of a place and half of each neighbour along one axis, moved inside the image."""
    size = min(pixels, 2 * max(1, pixels // places))
    start = min(max(0, round((place + 0.5) * pixels / places - size / 2)), pixels - size)
    return slice(start, start + size)


def pieces(image: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Return an image (H, W, C) cut into the places of a grid, row by row: (places, h, w, C); what is left over at the
    right and below is cut off."""
    (height, width, channels), (rows, columns) = image.shape, grid
    h, w = max(1, height // rows), max(1, width // columns)
    cut = np.resize(image, (rows * h, columns * w, channels)) if h * rows > height or w * columns > width else image
    cut = cut[: rows * h, : columns * w].reshape(rows, h, columns, w, channels)
    return cut.swapaxes(1, 2).reshape(-1, h, w, channels)


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
