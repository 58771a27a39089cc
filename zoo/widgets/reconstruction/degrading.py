"""Noise and a hidden part, added by hand while the reconstructions of one image follow."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import images, models
from zoo.analysis import fidelity, manifold
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.widgets.inputs import Picked
from zoo.widgets.listing import entries
from zoo.widgets.live import Axis, Frames, live
from zoo.widgets.loading import cached
from zoo.widgets.safety import plain
from zoo.widgets.urls import bound

STEPS = 13
AXES = {
    axis.key: axis
    for axis in (
        Axis("noise", "Added noise", 0.0, 0.6, 0.0, ends=("none", "σ = 0.6")),
        Axis("hidden", "Hidden part", 0.0, 0.6, 0.0, ends=("none", "60 %")),
    )
}


def degrading(chosen: Sequence[Entry], picked: Picked) -> tuple[float, float]:
    """Let noise or a hidden part be moved (?noise, hidden; ?moved says which is at hand), and show the first image and
    what each entry makes of it; return both."""
    names = {key: axis.label for key, axis in AXES.items()}
    key = bound(
        st.segmented_control, "Moved by hand", list(AXES), key="moved", default="noise", required=True,
        format_func=names.get, label_visibility="collapsed",
    )  # fmt: skip
    axis, degrees = AXES[key], {name: each.value() for name, each in AXES.items()}
    classifiers = tuple(classifier_for(entry, entries()) for entry in chosen)

    def exact(at: list[float]) -> tuple[np.ndarray, list[str]]:
        shown, errors = _given_back(chosen, classifiers, picked, [degrees | {key: at[0]}])
        return shown[:, 0], ["", *(f"MSE {error:.4f}" for error in errors[:, 0])]

    others = degrees | {key: axis.default}
    frames = _frames(tuple(chosen), classifiers, picked.images, picked.labels, picked.classes, others, axis)
    live(frames, [axis], exact, key=f"degrading-{key}", grey=chosen[0].shape[2] == 1)
    st.caption(
        f"The first image ({plain(picked.names()[0])}) with noise or a grey box, and what each entry makes of it; "
        "errors are against the clean image."
    )
    return degrees["noise"], degrees["hidden"]


@cached(max_entries=16)
def _frames(
    chosen: Sequence[Entry],
    classifiers: Sequence[Entry | None],
    clean: np.ndarray,
    labels: np.ndarray | None,
    classes: tuple[str, ...],
    degrees: dict[str, float],
    axis: Axis,
) -> Frames:
    picked = Picked(clean, labels, classes, "")
    most = min(models.affordable(entry, STEPS * (1 + len(chosen))) for entry in chosen) // (1 + len(chosen))
    places = np.linspace(axis.low, axis.high, max(3, most)).tolist()
    grid, _ = _given_back(chosen, classifiers, picked, [degrees | {axis.key: place} for place in places])
    titles = ("Degraded input", *(entry.label for entry in chosen))
    return Frames(manifold.sheet(grid), 1, *grid.shape[1:4], titles=titles)


def _given_back(
    chosen: Sequence[Entry], classifiers: Sequence[Entry | None], picked: Picked, path: Sequence[dict[str, float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first image at each degree of a path and its reconstructions in one shape, (1 + entries, degrees, H,
    W, C), and the mean squared errors (entries, degrees)."""
    # All images are degraded, for where a box lies depends on how many there are.
    seen = np.concatenate([fidelity.degrade(picked.images, at["noise"], at["hidden"])[:1] for at in path])
    clean = picked.images[:1].repeat(len(path), axis=0)
    labels = None if picked.labels is None else picked.labels[:1].repeat(len(path))
    found = [
        fidelity.reconstruct(entry, clean, seen, labels, picked.classes, classifier)
        for entry, classifier in zip(chosen, classifiers, strict=True)
    ]
    shape = fidelity.largest([entry.shape for entry in chosen])
    shown = [images.fit(part, shape)[0] for part in (seen, *(each.outputs for each in found))]
    return np.stack(shown), np.stack([each.errors["mse"] for each in found])
