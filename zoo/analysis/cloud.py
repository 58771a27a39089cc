"""Many images as points: their codes or features, their places on a map, and what lies where on it."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from zoo import models
from zoo.analysis import embedding
from zoo.analysis.board import cell
from zoo.analysis.comparison import Axes, principal_axes
from zoo.analysis.conditions import labels_for
from zoo.entries import Entry
from zoo.errors import EntryError
from zoo.images import fit

MAX_NUMBERS = 1024  # of a code: the principal axes of longer ones take too long for a page
MARGIN = 1.06  # of the square that holds all points, so that none lies on its edge
AROUND = 5  # places on each side of the neighbourhood that is decoded
STEP = 0.12  # between them, of the half side of the map
SPACES = {"codes": "Codes", "features": "Features"}


@dataclass(frozen=True)
class Cloud:
    """Images as vectors (N, D): the real ones of a split first, then generated ones.

    labels: (N,), the true ones of the real images, of generated ones the class that they were asked for or that the
    classifier sees; None where nothing is known. given: the class that the encoder was told, in words.
    """

    codes: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    real: int
    given: str = ""

    @property
    def made(self) -> np.ndarray:
        """Whether each was generated (N,)."""
        return np.arange(len(self.codes)) >= self.real


def of_codes(
    entry: Entry, images: np.ndarray, labels: np.ndarray | None, classes: Sequence[str], classifier: Entry | None
) -> Cloud:
    """Return the codes of images (N, H, W, C) of any shape; a conditional encoder is told the class of each."""
    pictures = fit(images, entry.shape)[0]
    told, given = labels_for(entry, pictures, labels, classes, classifier)
    return Cloud(_flat(models.encode(entry, pictures, told)), labels, tuple(classes), len(images), given)


def of_features(classifier: Entry, images: np.ndarray, labels: np.ndarray | None, made: models.Samples | None) -> Cloud:
    """Return the features that a classifier has of images (N, H, W, C) and of generated ones.

    labels: the true ones (N,), of the classifier's classes; without them all labels are what the classifier sees.
    """
    sets = [images] if made is None else [images, made.images]
    found = [models.classify(classifier, fit(part, classifier.shape)[0]) for part in sets]
    seen = [np.asarray(probabilities.argmax(1), np.int64) for probabilities, _ in found]
    seen[0] = seen[0] if labels is None else np.asarray(labels, np.int64)
    if made is not None and made.labels is not None:
        seen[1] = np.asarray(made.labels, np.int64)
    codes = _flat(np.concatenate([features for _, features in found]))
    return Cloud(codes, np.concatenate(seen), classifier.classes, len(images))


def _flat(codes: np.ndarray) -> np.ndarray:
    codes = codes.reshape(len(codes), -1)
    if codes.shape[1] > MAX_NUMBERS:
        raise EntryError(f"A code of {codes.shape[1]:,} numbers is too long for a map: at most {MAX_NUMBERS:,} can be.")
    if not np.isfinite(codes).all():
        raise EntryError("The codes hold values that are not finite, so there is no map of them.")
    return np.asarray(codes, np.float32)


@dataclass(frozen=True)
class Map:
    """Places (N, K) of codes, K is 2 or 3, scaled to [-1, 1]: scaled = (place - centre) / half.

    titles: of the axes, or empty where axes mean nothing. axes: what leads to and fro where it is known.
    """

    scaled: np.ndarray
    centre: np.ndarray
    half: float
    titles: tuple[str, ...] = ()
    axes: Axes | None = field(default=None, repr=False)

    def codes(self, at: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the code (M, D) at each scaled place (M, K): exact on raw and principal axes, which leave the other
        components at their mean; else `embedding.local_inverse`."""
        if self.axes is None:
            return embedding.local_inverse(at, self.scaled, codes)
        return self.axes.restore(np.asarray(at, np.float64) * self.half + self.centre).astype(np.float32)


def linear(codes: np.ndarray, method: str, dimensions: int) -> Map:
    """Return the map of codes on their own axes ("raw", of codes of at most three numbers) or principal ones ("pca").

    A code of one number is drawn along a line; of several that never differ the axes are empty.
    """
    count, size = codes.shape
    shown = min(dimensions, size)
    if method == "raw":
        axes = Axes(np.zeros(size), np.eye(size)[:, :shown], np.full(shown, 1 / size))
        titles = [f"z{number}" for number in range(shown)]
    else:
        axes = principal_axes(codes, shown)
        titles = [f"component {n + 1} ({100 * part:.0f} %)" for n, part in enumerate(axes.explained)]
    missing = max(0, 2 - shown)
    if missing:
        axes = Axes(axes.mean, np.pad(axes.directions, [(0, 0), (0, missing)]), np.pad(axes.explained, (0, missing)))
    return placed(axes.project(codes), (*titles, *[""] * missing), axes)


def placed(places: np.ndarray, titles: Sequence[str] = (), axes: Axes | None = None) -> Map:
    """Return the map of places (N, K): the centre of their box becomes 0, its longest half side 1 / MARGIN."""
    low, high = places.min(0), places.max(0)
    centre, half = (low + high) / 2, max(float((high - low).max()) / 2 * MARGIN, 1e-9)
    return Map(((places - centre) / half).astype(np.float32), centre, half, tuple(titles), axes)


def neighbourhood(at: np.ndarray, around: int = AROUND, step: float = STEP) -> np.ndarray:
    """Return the places (around², K) of a square around a place (K,), row by row, the highest row first.

    The square lies in the first two dimensions; the middle one is the place itself."""
    line = (np.arange(around) - around // 2) * step
    grid = np.zeros((around, around, len(at)))
    grid[..., 0], grid[..., 1] = line[None, :], -line[:, None]
    return (np.asarray(at, np.float64) + grid).reshape(-1, len(at))


def nearest(at: np.ndarray, scaled: np.ndarray, count: int = 1) -> np.ndarray:
    """Return the rows (count,) of the points (N, K) nearest to a place (K,), the nearest first."""
    return np.argsort(np.square(scaled - np.asarray(at)).sum(1), kind="stable")[:count]


def turned(scaled: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """Return what one sees (N, 2) of points (N, 2 or 3) in a room that is turned, as cloud.js does; angles in degrees.

    First around the vertical axis, then the near side down; without perspective.
    """
    if scaled.shape[1] == 2:
        return scaled
    a, b = np.radians([yaw, pitch])
    x, y, z = np.asarray(scaled, np.float64).T
    across, deep = np.cos(a) * x + np.sin(a) * z, np.cos(a) * z - np.sin(a) * x
    return np.stack([across, np.cos(b) * y - np.sin(b) * deep], 1)


def inside(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Whether each point (N, 2) lies in a closed polygon (C, 2) that may cross itself: bool (N,), even-odd rule."""
    found = np.zeros(len(points), bool)
    x, y = points.T
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crossing = (ay > y) != (by > y)
        where = ax + (y[crossing] - ay) * (bx - ax) / (by - ay)
        found[crossing] ^= x[crossing] < where
    return found


def table(cloud: Cloud, chosen: Map, rows: np.ndarray, groups: Sequence[str]) -> str:
    """Return a CSV of points: number in its set, whether generated, class, group, place and code."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    axes, numbers = "xyz"[: chosen.scaled.shape[1]], range(cloud.codes.shape[1])
    writer.writerow(["image", "origin", "class", "group", *axes, *(f"value_{number}" for number in numbers)])
    places = chosen.scaled * chosen.half + chosen.centre
    for row in map(int, rows):
        made = row >= cloud.real
        name = "" if cloud.labels is None or not cloud.classes else cloud.classes[cloud.labels[row]]
        values = [f"{value:.6g}" for value in (*places[row], *cloud.codes[row])]
        origin = "generated" if made else "test"
        writer.writerow([row - cloud.real * made, origin, cell(name), cell(groups[row]), *values])
    return text.getvalue()
