"""What follows the hand: one position of a walk, on a path or between four corners; all dimensions at a time."""

import math
from collections.abc import Sequence

import numpy as np

from zoo import models
from zoo.analysis import manifold, walk
from zoo.analysis.walk import Anchor
from zoo.entries import Entry
from zoo.widgets.live import Axis, Frames, live
from zoo.widgets.loading import cached

ALONG, SQUARE, MOVED = 33, 13, 17  # frames of a path, on each side of a square, of a dimension that moves
TITLES = tuple(walk.TITLES[kind] for kind in walk.KINDS)


def position(entry: Entry, anchors: Sequence[Anchor]) -> None:
    """Let a position be chosen (?x, between four corners also ?y), and show each kind of interpolation there."""
    four = len(anchors) == 4
    axes = [Axis("x", "Across, from A to B" if four else "Position, from A to B", 0, 1, 0.5, ends=("A", "B"))]
    if four:
        axes.append(Axis("y", "Down, from A to C", 0, 1, 0.5))

    def exact(at: list[float]) -> tuple[np.ndarray, list[str]]:
        here = walk.walk(entry, anchors, at[:1], at[1:] or [0.0])
        norms = [f"‖z‖ = {here.norms[kind][0, 0]:.2f}" if kind in here.norms else "" for kind in walk.KINDS]
        return np.concatenate([here.frames[kind][0] for kind in walk.KINDS]), norms

    plane = {"label": "Position between the corners A, B, C and D", "points": [], "kinds": []} if four else None
    live(_frames(entry, anchors), axes, exact, key="place", plane=plane, grey=entry.shape[2] == 1)


def movement(entry: Entry, anchor: Anchor, ranked: Sequence[tuple[int, float]], typical: np.ndarray) -> None:
    """Let dimensions be moved (?along, in standard deviations), each in a picture of its own, all at once."""
    ends = (f"-{walk.REACH:g} σ", f"+{walk.REACH:g} σ")
    axis = Axis("along", "Moved by standard deviations", -walk.REACH, walk.REACH, 0.0, 0.05, ends=ends)

    def exact(at: list[float]) -> tuple[np.ndarray, list[str]]:
        moves = walk.traverse(entry, anchor, ranked, typical, at)
        return np.concatenate([move.frames for move in moves]), [f"{move.values[0]:+.2f}" for move in moves]

    live(_moved(entry, anchor, ranked, typical), [axis], exact, key="along")


@cached(max_entries=16)
def _moved(entry: Entry, anchor: Anchor, ranked: Sequence[tuple[int, float]], typical: np.ndarray) -> Frames:
    steps = max(3, models.affordable(entry, MOVED * len(ranked)) // len(ranked))
    moves = walk.traverse(entry, anchor, ranked, typical, np.linspace(-walk.REACH, walk.REACH, steps))
    grid = np.stack([move.frames for move in moves])
    return Frames(manifold.sheet(grid), 1, *grid.shape[1:4], titles=tuple(f"z{move.dimension}" for move in moves))


@cached(max_entries=16)
def _frames(entry: Entry, anchors: Sequence[Anchor]) -> Frames:
    four = len(anchors) == 4
    most = models.affordable(entry, SQUARE**2 if four else ALONG)
    t = np.linspace(0, 1, max(3, math.isqrt(most) if four else most))
    frames = walk.walk(entry, anchors, t, t if four else [0.0]).frames
    grid = np.concatenate([frames[kind] for kind in walk.KINDS])
    rows = len(grid) // len(walk.KINDS)
    return Frames(manifold.sheet(grid), rows, *grid.shape[1:4], titles=TITLES)


def ranked_dimensions(entry: Entry, anchors: Sequence[Anchor]) -> tuple[list[tuple[int, float]], np.ndarray]:
    """Return (dimension, effect), strongest first, and the typical latents (N, *latent) on which it was measured."""
    typical, labels = walk.around(entry, anchors)
    return _ranked(entry, typical, labels), typical


_ranked = cached(models.rank_dimensions, spinner="Measuring what each dimension does …")
