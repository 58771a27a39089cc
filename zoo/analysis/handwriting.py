"""Digits in rows, found one by one in a picture and normalised as those that a classifier has learned.

Light or dark ground, uneven light and specks are allowed; ruled paper and joined-up writing are not. No Streamlit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from zoo import images

MOST_PIXELS = 400_000  # of the picture that is searched: a larger one is reduced
MOST_DIGITS = 40
LEAST = 5  # pixels of a digit's height below which there is nothing to read
FAINT = 0.06  # contrast of the ink, of 1, below which nothing counts as written
WEAK, STRONG = 0.25, 0.5  # ink that belongs to a stroke, and that begins one (hysteresis, Canny 1986)
# Lengths are shares of the height of a digit.
SPECK, PART, WHOLE = 0.15, 0.5, 0.75
NEAR, BELOW, ALONE, BAND = 0.2, 0.4, 0.3, 0.25
WIDE = 1.35
OUTSIDE = 0.25  # of an edge of the picture
# Widths of strokes as shares of the digit's longer side: those of 99 of 100 digits of MNIST, and what others are given.
FAMILIAR, WANTED = (0.067, 0.21), (0.09, 0.19)


class Box(NamedTuple):
    """Edges in pixels of the searched picture; right and bottom are the first column and row outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True)
class Digit:
    """Where a digit stands, and its ink alone (height, width) in [0, 1], without what belongs to its neighbours."""

    box: Box
    ink: np.ndarray


class Frame(NamedTuple):
    """How a dataset frames a digit: its longer side in pixels, and whether the centre of mass, instead of that of the
    box, stands in the middle."""

    side: int
    mass: bool


def frame(dataset: str, shape: tuple[int, int, int]) -> Frame:
    """Return the frame of a dataset.

    MNIST: 20 of 28 pixels, by centre of mass (LeCun et al. 1998). The 8×8 digits of UCI fill the height (Garris et al.
    1994, NIST form-based handprint recognition system).
    """
    side = min(shape[:2])
    return Frame(side, False) if dataset == "digits" else Frame(max(1, round(20 * side / 28)), True)


def reduced(picture: np.ndarray) -> np.ndarray:
    """Return the picture that is searched: (H, W, C), where it is large its sides divided by one whole number."""
    height, width, channels = picture.shape
    factor = int(np.ceil(np.sqrt(height * width / MOST_PIXELS)))
    if factor < 2 or min(height, width) < 2 * factor:
        return picture
    whole = picture[: height // factor * factor, : width // factor * factor]
    return whole.reshape(height // factor, factor, width // factor, factor, channels).mean((1, 3))


def ink(picture: np.ndarray) -> np.ndarray:
    """Return how much ink there is at each pixel, float32 (H, W) in [0, 1], whichever of ink and ground is lighter.

    The ground is the median of a wide neighbourhood, so that a shadow is no ink. Where less stands out than FAINT or
    four standard deviations of the noise, there is none.

    Args:
        picture: (H, W, C) in [0, 1]; a large one is reduced to MOST_PIXELS.
    """
    grey = reduced(np.asarray(picture, np.float32))
    grey = grey @ np.array([0.299, 0.587, 0.114], np.float32) if grey.shape[2] == 3 else grey[..., 0]
    grey = np.rint(np.nan_to_num(grey) * 255).astype(np.float32) / 255
    difference = grey - _ground(grey)
    # Ink takes the smaller part of a picture and differs much: the third power has the sign of its side.
    difference *= 1 if (difference.astype(np.float64) ** 3).sum() >= 0 else -1
    noise = 1.4826 * float(np.median(np.abs(difference)))
    written = difference[difference > max(FAINT, 4 * noise)]
    if not len(written):
        return np.zeros_like(grey)
    most, least = float(np.percentile(written, 95)), min(2 * noise, FAINT)
    return np.clip((difference - least) / (most - least), 0, 1).astype(np.float32)


def rows(ink: np.ndarray) -> list[list[Digit]]:
    """Return the digits, row by row from above and in each from left to right, at most MOST_DIGITS together.

    Connected strokes are put together where they stand one above the other or nearly touch (a 5 whose bar is apart),
    cut where one is far wider than high, and left out where they are specks, or beside the paper. Rows are what a
    blank band parts.

    Args:
        ink: (H, W) in [0, 1], as `ink` gives it.
    """
    from scipy import ndimage

    labels = np.zeros(ink.shape, np.int32)
    ndimage.label(ink > WEAK, np.ones((3, 3)), output=labels)
    count = int(labels.max(initial=0))
    if not count:
        return []
    strong = ndimage.maximum(ink, labels, np.arange(1, count + 1)) >= STRONG
    mass = ndimage.sum_labels(ink, labels, np.arange(1, count + 1))
    boxes = {
        index + 1: Box(columns.start, rows.start, columns.stop, rows.stop)
        for index, (rows, columns) in enumerate(ndimage.find_objects(labels))
        if strong[index]
    }
    beyond = _beyond(labels)
    boxes = {index: box for index, box in boxes.items() if index not in beyond} or boxes
    height = _height([boxes[index] for index in boxes], [mass[index - 1] for index in boxes])
    if height < LEAST:
        return []
    parts = [([index], box) for index, box in boxes.items() if max(box.width, box.height) > SPECK * height]
    # Many specks cost time by their pairs: a picture of so many parts holds no rows of digits.
    parts = sorted(parts, key=lambda part: -mass[part[0][0] - 1])[: 2 * MOST_DIGITS]
    # Ink fainter than a stroke belongs to the nearest one.
    nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    owner = labels[tuple(np.asarray(nearest))]
    found, left = [], MOST_DIGITS
    for line in _lines(parts, height):
        groups = _joined(_joined(line, lambda a, b: _above(a, b, height)), lambda a, b: _beside(a, b, height))
        owned = [_own(ink, owner, members, box, height) for members, box in groups if _large(box, height)]
        digits = [digit for whole in owned for digit in _cut(whole, height)]
        found.append(sorted(digits, key=lambda digit: digit.box.left + digit.box.right)[:left])
        left -= len(found[-1])
    return [row for row in found if row]


def normalised(found: Sequence[Digit], shape: tuple[int, int, int], frame: Frame) -> np.ndarray:
    """Return digits as a classifier knows them: float32 (N, H, W, C), light on black.

    Each keeps its proportions, its longer side becomes `frame.side`, and its centre stands in the middle. Strokes that
    would be hair-thin or blots are first brought to WANTED.
    """
    result = np.zeros((len(found), *shape), np.float32)
    for index, digit in enumerate(found):
        cut = _with_stroke(digit.ink)
        if max(cut.shape) != frame.side:
            size = max(cut.shape)
            square = np.zeros((1, size, size, 1), np.float32)
            square[0, : cut.shape[0], : cut.shape[1], 0] = cut
            cut = images.fit(square, (frame.side, frame.side, 1))[0][0, :, :, 0]
            # What is reduced is paler; the ink of the datasets is saturated.
            brightest = float(np.percentile(cut[cut > WEAK], 90)) if (cut > WEAK).any() else 1.0
            cut = np.clip(cut / max(brightest, STRONG), 0, 1)
        result[index] = _centred(cut, shape, frame)[..., None]
    return result


def _ground(grey: np.ndarray) -> np.ndarray:
    """What the picture would be without ink: one value where most pixels have it, else medians of neighbourhoods."""
    values, counts = np.unique(grey, return_counts=True)
    if 2 * counts.max() > grey.size:
        return np.full_like(grey, values[counts.argmax()])
    from scipy import ndimage

    factor = max(1, max(grey.shape) // 64)
    whole = grey[: max(1, grey.shape[0] // factor) * factor, : max(1, grey.shape[1] // factor) * factor]
    blocks = (
        whole.reshape(whole.shape[0] // factor, factor, -1, factor)
        .swapaxes(1, 2)
        .reshape(whole.shape[0] // factor, -1, factor * factor)
    )
    coarse = np.median(blocks, axis=2)
    size = max(3, min(coarse.shape) * 2 // 3)
    smooth = ndimage.gaussian_filter(ndimage.median_filter(coarse, size, mode="nearest"), size / 6, mode="nearest")
    scale = (grey.shape[0] / coarse.shape[0], grey.shape[1] / coarse.shape[1])
    return np.asarray(ndimage.zoom(smooth, scale, order=1, mode="nearest", grid_mode=True), np.float32)


def _beyond(labels: np.ndarray) -> set[int]:
    """Numbers of the parts that are no digits but what lies beside the paper: they take OUTSIDE of one of the edges."""
    edges = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    shares = (np.bincount(edge, minlength=int(labels.max()) + 1)[1:] / len(edge) for edge in edges)
    return set((np.flatnonzero(np.max(list(shares), axis=0) > OUTSIDE) + 1).tolist())


def _height(boxes: Sequence[Box], mass: Sequence[float]) -> float:
    """Median of the heights, each weighted by its ink: specks do not matter, and a 1 counts little less than an 8."""
    if not boxes:
        return 0.0
    heights = np.array([box.height for box in boxes], float)
    order = np.argsort(heights)
    summed = np.cumsum(np.asarray(mass)[order])
    return float(heights[order][np.searchsorted(summed, summed[-1] / 2)])


def _joined(groups: list, belong) -> list:
    """Put groups together, two at a time, until none belong to each other."""
    groups = list(groups)
    for first in range(len(groups) - 1, -1, -1):
        for second in range(first):
            if belong(groups[first][1], groups[second][1]):
                members, box = groups.pop(first)
                groups[second] = (groups[second][0] + members, _around(box, groups[second][1]))
                return _joined(groups, belong)
    return groups


def _around(a: Box, b: Box) -> Box:
    return Box(min(a.left, b.left), min(a.top, b.top), max(a.right, b.right), max(a.bottom, b.bottom))


def _gaps(a: Box, b: Box) -> tuple[int, int]:
    """Columns and rows between two boxes; negative where they overlap."""
    return max(a.left, b.left) - min(a.right, b.right), max(a.top, b.top) - min(a.bottom, b.bottom)


def _above(a: Box, b: Box, height: float) -> bool:
    """Whether two parts stand one above the other: they share half of the narrower one's columns, and are not both
    as high as a digit."""
    across, down = _gaps(a, b)
    whole = min(a.height, b.height) > WHOLE * height
    return -across >= (0.9 if whole else 0.5) * min(a.width, b.width) and down < BELOW * height


def _beside(a: Box, b: Box, height: float) -> bool:
    """Whether one part is low, as the bar of a 5, and nearly touches the other."""
    return min(a.height, b.height) < PART * height and max(_gaps(a, b)) < NEAR * height


def _large(box: Box, height: float) -> bool:
    """Whether a part can be a digit of its own, not a dash or a hair."""
    return box.height > ALONE * height and (box.width > SPECK * height or box.height > WHOLE * height)


def _lines(parts: list, height: float) -> list[list]:
    """Part what a blank band of BAND lies between; what is too low for a row joins the nearest."""
    lines: list[tuple[list, float, float]] = []
    for part in sorted(parts, key=lambda part: part[1].top):
        top, bottom = part[1].top, part[1].bottom
        if lines and top - lines[-1][2] < BAND * height:
            members, start, end = lines.pop()
            lines.append(([*members, part], start, max(end, bottom)))
        else:
            lines.append(([part], top, bottom))
    whole = [line for line in lines if line[2] - line[1] > WHOLE * height] or lines[:1]
    for members, start, end in lines:
        if all(members is not line[0] for line in whole):
            min(whole, key=lambda line: max(line[1] - end, start - line[2]))[0].extend(members)
    return [members for members, _, _ in whole]


def _own(ink: np.ndarray, owner: np.ndarray, members: Sequence[int], box: Box, height: float) -> Digit:
    """The ink of a group, cut out with the faint pixels around it."""
    margin = max(1, round(0.06 * height))
    top, left = max(0, box.top - margin), max(0, box.left - margin)
    part = (slice(top, box.bottom + margin), slice(left, box.right + margin))
    return _tight(np.where(np.isin(owner[part], members), ink[part], 0), left, top)


def _tight(cut: np.ndarray, left: int, top: int) -> Digit:
    rows, columns = (np.flatnonzero((cut > 0.02).any(axis)) for axis in (1, 0))
    inner = cut[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    box = Box(left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1)
    return Digit(Box(*map(int, box)), np.ascontiguousarray(inner, np.float32))


def _cut(digit: Digit, height: float) -> list[Digit]:
    """Digits that touch, cut where the least ink is near equal parts."""
    count = round(digit.box.width / (0.75 * height))
    if digit.box.width <= WIDE * height or count < 2 or digit.box.height < PART * height:
        return [digit]
    columns = digit.ink.sum(0)
    places, reach = [0], digit.box.width / count / 3
    for part in range(1, count):
        ideal = part * digit.box.width / count
        near = np.arange(max(1, round(ideal - reach)), min(len(columns) - 1, round(ideal + reach) + 1))
        places.append(int(near[(columns[near] + 0.1 * np.abs(near - ideal) / reach).argmin()]))
    edges = zip(places, [*places[1:], digit.box.width], strict=True)
    return [_tight(digit.ink[:, a:b], digit.box.left + a, digit.box.top) for a, b in edges if digit.ink[:, a:b].any()]


def stroke(ink: np.ndarray) -> float:
    """Return the width of the strokes, in pixels: twice their area divided by the length of their outline, which is the
    total variation (Rudin et al. 1992) and so works on greys."""
    padded = np.pad(ink, 1)
    outline = np.hypot(np.diff(padded, axis=0)[:, :-1], np.diff(padded, axis=1)[:-1]).sum()
    return float(2 * padded.sum() / max(outline, 1e-6))


def _with_stroke(cut: np.ndarray) -> np.ndarray:
    """The ink; strokes beyond FAMILIAR are thickened or thinned to WANTED, by the distance to their edge."""
    from scipy import ndimage

    width, longest = stroke(cut), max(cut.shape)
    if FAMILIAR[0] * longest <= width <= FAMILIAR[1] * longest:
        return cut
    grow = (float(np.clip(width, WANTED[0] * longest, WANTED[1] * longest)) - width) / 2
    solid = np.pad(cut > WEAK, max(1, int(np.ceil(grow)) + 1))
    outside, inside = (np.asarray(ndimage.distance_transform_edt(part)) for part in (~solid, solid))
    moved = np.clip(grow + 0.5 - np.where(solid, 0.5 - inside, outside - 0.5), 0, 1)
    return _tight(moved, 0, 0).ink if moved.any() else cut


def _centred(cut: np.ndarray, shape: tuple[int, int, int], frame: Frame) -> np.ndarray:
    """Lay the ink onto a black ground, moved by whole pixels, so that its centre stands in the middle."""
    height, width = shape[:2]
    rows, columns = (np.flatnonzero((cut > 0).any(axis)) for axis in (1, 0))
    if not len(rows):
        return np.zeros((height, width), np.float32)
    if frame.mass:
        total = cut.sum()
        centre = (cut.sum(1) @ np.arange(len(cut)) / total, cut.sum(0) @ np.arange(cut.shape[1]) / total)
    else:
        centre = ((rows[0] + rows[-1] + 1) / 2, (columns[0] + columns[-1] + 1) / 2)
    result = np.zeros((3 * height, 3 * width), np.float32)
    # The middle is where the centres of mass of MNIST lie: pixel 14 of 0 to 27.
    top, left = (int(np.rint(size + size / 2 - at)) for size, at in zip((height, width), centre, strict=True))
    result[top : top + cut.shape[0], left : left + cut.shape[1]] = cut
    return result[height : 2 * height, width : 2 * width]
