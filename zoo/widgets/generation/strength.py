"""Temperature and truncation, moved by hand while the first images of a draw follow."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from zoo import images, models
from zoo.analysis import fidelity, manifold
from zoo.entries import Entry
from zoo.widgets.generation.draws import TEMPERATURE, TRUNCATION, Draw
from zoo.widgets.live import Axis, Frames, live
from zoo.widgets.loading import cached
from zoo.widgets.urls import bound

SHOWN, STEPS = 6, 13  # images of all entries together, frames of a path
FEWER = 5  # frames of a path whose codes a prior network draws, one after the other
AXES = {axis.key: axis for axis in (TEMPERATURE, TRUNCATION)}
MEANINGS = {
    "temperature": "a factor on the spread of the codes: at 0 all are the centre, above 1 they leave what training has "
    "seen",
    "truncation": "codes farther out are never drawn: fewer failures, less variety (Brock et al. 2019)",
}


def strength(entries: Sequence[Entry], draw: Draw) -> None:
    """Let temperature or truncation be moved (?moved says which), and show the first images of each entry there."""
    offered = [key for key in AXES if key == "temperature" or not all(entry.discrete for entry in entries)]
    names = {key: AXES[key].label for key in offered}
    key = bound(
        st.segmented_control, "Moved by hand", offered, key="moved", default="temperature", required=True,
        format_func=names.get, label_visibility="collapsed",
    )  # fmt: skip
    axis, (count, steps) = AXES[key], _affordable(entries)
    few = replace(draw, count=count)

    def exact(at: list[float]) -> tuple[np.ndarray, list[str]]:
        found = _drawn(entries, few.at(key, at[0]))
        return found, [""] * len(found)

    grey = all(entry.shape[2] == 1 for entry in entries)
    frames = _frames(tuple(entries), few.at(key, axis.default), axis, steps)
    live(frames, [axis], exact, key=f"strength-{key}", grey=grey)
    whose = "the draw" if len(entries) == 1 else "each entry's draw"
    st.caption(f"The first images of {whose} along the {axis.label.lower()}, {MEANINGS[key]}.")


def _affordable(entries: Sequence[Entry]) -> tuple[int, int]:
    """Return how many images of each entry are shown, and in how many frames: fewer where they are large."""
    steps = FEWER if any(entry.discrete for entry in entries) else STEPS
    most = min(models.affordable(entry, SHOWN * steps) for entry in entries) // len(entries)
    count = max(1, min(SHOWN // len(entries), most // steps))
    return count, max(3, min(steps, most // count))


@cached(max_entries=16)
def _frames(entries: Sequence[Entry], few: Draw, axis: Axis, steps: int) -> Frames:
    places = np.linspace(axis.low, axis.high, steps).tolist()
    grid = np.stack([_drawn(entries, few.at(axis.key, place)) for place in places], axis=1)
    titles = [f"{entry.name}, image {index + 1}" for entry in entries for index in range(len(grid) // len(entries))]
    return Frames(manifold.sheet(grid), 1, *grid.shape[1:4], titles=tuple(titles))


def _drawn(entries: Sequence[Entry], draw: Draw) -> np.ndarray:
    """Return the images of all entries, one after the other, in the shape that holds each: (N, H, W, C)."""
    shape = fidelity.largest([entry.shape for entry in entries])
    batches = [draw.samples(entry, models.sample).images for entry in entries]
    return np.concatenate([images.fit(batch, shape)[0] for batch in batches])
