"""The pictures of a two-dimensional latent space, decoded on a grid and blended between its points.

A browser that has the grid as one sheet shows the picture of any place without asking the server: bilinear blending of
the four neighbours stands in for the decoder while one drags. `deviation` measures how far that is from the truth.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo import models
from zoo.entries import Entry
from zoo.images import difference, fit, open_picture, webp
from zoo.latent import aggregate

REACH = 2.5  # standard deviations of the prior to each side: 97.5 % of all codes lie in this square
SIDE = 33  # grid points on a side; tests/benchmarks/live.py compares others
MAX_PIXELS = 1 << 23  # of all pictures of a grid
QUALITY = 92  # of the WebP sheet: at 85 the coarser colours alone cost fruits-vae-2d more than 0.01


@dataclass(frozen=True, slots=True)
class Deviation:
    """Mean |difference| per picture between blending and decoding, over random places: mean and 95th percentile."""

    mean: float
    high: float


def mapped(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries whose latent space is a plane under a normal prior, decoded without a class; colour first."""
    found = [
        entry
        for entry in entries
        if entry.prior == "normal" and entry.latent_shape == (2,) and "decode" in entry.capabilities
    ]
    return sorted((e for e in found if not e.conditional), key=lambda e: (-e.shape[2], -e.shape[0]))


def places(side: int = SIDE) -> np.ndarray:
    """Return the latents of the grid, float32 (side, side, 2): z1 grows from left to right, z2 from bottom to top."""
    line = np.linspace(-REACH, REACH, side, dtype=np.float32)
    return np.stack(np.meshgrid(line, line[::-1]), axis=-1)


def decoded(entry: Entry, side: int = SIDE) -> np.ndarray:
    """Return the image at each place of the grid: (side, side, H, W, C) in [0, 1].

    Of large images the grid has fewer places, MAX_PIXELS pixels together."""
    side = max(3, min(side, math.isqrt(models.affordable(entry, side**2, MAX_PIXELS))))
    return models.decode(entry, places(side).reshape(-1, 2)).reshape(side, side, *entry.shape)


def sharpest(grid: np.ndarray) -> tuple[float, float]:
    """Return where to begin: the place (z1, z2) in the inner half of a square grid whose picture has most contrast.

    Contrast is the mean |difference| of neighbouring pixels of (Y, X, H, W, C): blurred mixtures have little.
    """
    down, across = (np.abs(np.diff(grid, axis=axis)).mean(axis=(2, 3, 4)) for axis in (2, 3))
    contrast = down + across
    at = places(len(grid))
    row, column = np.unravel_index(np.where(np.abs(at).max(-1) <= REACH / 2, contrast, -1).argmax(), contrast.shape)
    return round(float(at[row, column, 0]), 2), round(float(at[row, column, 1]), 2)


def beginning(entry: Entry, grid: np.ndarray, classifier: Entry) -> tuple[float, float]:
    """Return where to begin: of the centres (z1, z2) of the mixture fitted to the codes that lie in the plane, the one
    whose picture the classifier is surest of; the sharpest place of the grid where there is none."""
    centres = (aggregate.load(entry) or {}).get("gmm_means", np.zeros((0, 2), np.float32))
    centres = centres[(np.abs(centres) <= REACH).all(1)]
    if not len(centres):
        return sharpest(grid)
    _, certainty = read(classifier, models.decode(entry, centres)[None])
    best = centres[certainty[0].argmax()]
    return round(float(best[0]), 2), round(float(best[1]), 2)


def tiled(grid: np.ndarray) -> np.ndarray:
    """Return a grid (Y, X, H, W, C) as one picture (Y·H, X·W, C), without gaps."""
    rows, columns, height, width, channels = grid.shape
    return grid.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)


def sheet(grid: np.ndarray, quality: int = QUALITY) -> bytes:
    """Return a grid (Y, X, H, W, C) as one WebP picture, tiled."""
    return webp(tiled(grid), quality)


def tiles(content: bytes, rows: int, columns: int, channels: int) -> np.ndarray:
    """Return what a browser reads from a sheet: (Y, X, H, W, C) in [0, 1]; the inverse of `sheet` but for its loss."""
    picture = open_picture(content).convert("RGB" if channels == 3 else "L")
    pixels = np.asarray(picture, np.float32).reshape(picture.height, picture.width, channels) / 255
    height, width = picture.height // rows, picture.width // columns
    return pixels.reshape(rows, height, columns, width, channels).transpose(0, 2, 1, 3, 4)


def blended(grid: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Blend each picture from its four neighbours in a grid (Y, X, H, W, C), as blend.js does: (N, H, W, C).

    Args:
        across, down: (N,) in [0, 1], from the first to the last column and row.
    """
    rows, columns = grid.shape[:2]
    x, y = np.asarray(across) * (columns - 1), np.asarray(down) * (rows - 1)
    left, top = (np.clip(np.floor(v).astype(int), 0, max(n - 2, 0)) for v, n in ((x, columns), (y, rows)))
    right, low = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    a, b = ((v - first)[:, None, None, None].astype(np.float32) for v, first in ((x, left), (y, top)))
    upper = (1 - a) * grid[top, left] + a * grid[top, right]
    return (1 - b) * upper + b * ((1 - a) * grid[low, left] + a * grid[low, right])


def deviation(entry: Entry, grid: np.ndarray, count: int = 500, seed: int = 0) -> Deviation:
    """Compare blending in a square grid with the decoder at `count` places drawn evenly from the square."""
    at = np.random.default_rng(seed).uniform(-REACH, REACH, (count, 2)).astype(np.float32)
    across, down = (at[:, 0] + REACH) / (2 * REACH), (REACH - at[:, 1]) / (2 * REACH)
    each = difference(blended(grid, across, down), models.decode(entry, at)).mean(axis=(1, 2, 3))
    return Deviation(float(each.mean()), float(np.percentile(each, 95)))


def read(classifier: Entry, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the class that a classifier sees at each place of a grid, and its probability: both (Y, X)."""
    flat = grid.reshape(-1, *grid.shape[2:])
    probabilities, _ = models.classify(classifier, fit(flat, classifier.shape)[0])
    return probabilities.argmax(1).reshape(grid.shape[:2]), probabilities.max(1).reshape(grid.shape[:2])
