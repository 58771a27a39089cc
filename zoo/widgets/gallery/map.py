"""The live map on top of the Gallery: a latent space of two dimensions that one moves in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from zoo import images, models
from zoo.analysis import manifold
from zoo.charts.palette import class_style
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import entries, here
from zoo.widgets.live import Axis, Frames, live
from zoo.widgets.loading import available, cached, dataset
from zoo.widgets.safety import guard, plain
from zoo.widgets.urls import bound

INTRODUCTION = (
    "**What is this?** A network that makes a picture out of two numbers, and all its pictures in one map, like beside "
    "like. **What can I move?** The ring: drag it, touch the map anywhere or use the arrow keys."
)
REACH = manifold.REACH


@st.fragment
def latent_map() -> None:
    """Draw the map of a two-dimensional latent space (?map, z1, z2), or nothing where no entry has one."""
    found = {entry.id: entry for entry in manifold.mapped(entries()) if not entry.origin}
    if not found:
        return
    with guard():
        st.markdown(INTRODUCTION)
        entry = found[next(iter(found))]
        if len(found) > 1:
            name = bound(
                st.segmented_control, "Map of", list(found), key="map", default=entry.id, required=True,
                label_visibility="collapsed",
                format_func=lambda name: _named(found, name), on_change=lambda: _begin(found),
            )  # fmt: skip
            entry = found[name]
        entry_map(entry)


def prepare_map() -> None:
    """Make what the map of a visitor's first look at the start page needs."""
    found = [item for item in here() if isinstance(item, Entry)]
    if mapped := manifold.mapped(found):
        _points(mapped[0])
        _prepared(mapped[0], classifier_for(mapped[0], found))


def _named(found: dict[str, Entry], name: str) -> str:
    """Return the dataset of a map, or the entry's label where several have the same."""
    same = [entry for entry in found.values() if entry.dataset == found[name].dataset]
    return plain(dataset_title(found[name].dataset) if len(same) == 1 else found[name].label)


def _begin(found: dict[str, Entry]) -> None:
    """Let another map begin at its own place."""
    entry = found[st.session_state["map"]]
    _, (st.session_state["z1"], st.session_state["z2"]), _ = _prepared(entry, classifier_for(entry, entries()))


def entry_map(entry: Entry) -> None:
    """Draw the map of one entry (?z1, z2)."""
    classifier = classifier_for(entry, entries())
    points, labels, classes, total = _points(entry)
    frames, (z1, z2), reads = _prepared(entry, classifier)
    classes = classes or (classifier.classes if classifier else ())
    kinds = [_kind(index, name) for index, name in enumerate(classes)] if labels is not None or reads else []
    labels = np.zeros(len(points), int) if labels is None else labels
    plane = {
        "label": f"Place in the latent plane of {entry.label}",
        "points": [[*at, kind] for at, kind in zip(np.round(points, 3).tolist(), labels.tolist(), strict=True)],
        "kinds": kinds or [_kind(0, "test image")],
    }

    def exact(at: list[float]) -> tuple[np.ndarray, list[str]]:
        return models.decode(entry, np.array([at], np.float32)), [""]

    axes = (Axis("z1", "z₁", -REACH, REACH, z1, 0.05), Axis("z2", "z₂", -REACH, REACH, z2, 0.05, up=True))
    live(frames, axes, exact, key="map", plane=plane, reads=reads, grey=entry.shape[2] == 1)
    st.caption(_explained(entry, len(points), total, classifier))


def _explained(entry: Entry, points: int, total: int, classifier: Entry | None) -> str:
    """Say what one sees in the map, and how its pictures are made."""
    title = plain(dataset_title(entry.dataset))
    if points:
        seen = (
            f"coloured points are images of the test split of {title} where the encoder puts them, the {points:,} of "
        )
        seen += f"{total:,} that lie in this square (hover one to see what its code decodes to)"
    elif classifier:
        seen = f"colours say what {plain(classifier.name)} sees in them (no test split of {title} is on this machine)"
    else:
        seen = f"points of the test split are missing, for {title} is not on this machine"
    return (
        f"The small pictures are what {plain(entry.label)} decodes at their places; the {seen}. While you drag, the "
        f"picture is blended between {manifold.SIDE} × {manifold.SIDE} decoded ones; when you let go, the exact place "
        "is decoded, and the link of this page leads back to it."
    )


def _kind(index: int, name: str) -> dict[str, Any]:
    colour, symbol = class_style(index)
    return {"name": name, "colour": colour, "symbol": symbol, "rgb": [int(colour[i : i + 2], 16) for i in (1, 3, 5)]}


def _points(entry: Entry) -> tuple[np.ndarray, np.ndarray | None, Sequence[str], int]:
    """Return where the encoder puts images of the test split, (N, 2) inside the plane, with their labels and the
    classes, and how many were encoded."""
    if "encode" not in entry.capabilities or not available(entry.dataset):
        return np.zeros((0, 2)), None, (), 0
    split = dataset(entry.dataset)
    at = _encoded(entry, split.name)
    inside = (np.abs(at) <= REACH).all(1)
    labels = None if split.labels is None else split.labels[: len(at)][inside]
    return at[inside], labels, split.classes, len(at)


@cached(max_entries=8)
def _encoded(entry: Entry, name: str) -> np.ndarray:
    shown = dataset(name).images
    return models.encode(entry, images.fit(shown[: models.affordable(entry, len(shown))], entry.shape)[0])


@cached(max_entries=8)
def _prepared(entry: Entry, classifier: Entry | None) -> tuple[Frames, tuple[float, float], dict[str, Any] | None]:
    """Return what is sent once, where to begin, and what the classifier sees in the pictures that are drawn behind."""
    grid = manifold.decoded(entry)
    frames = Frames(manifold.sheet(grid), *grid.shape[:4], titles=("Decoded",))
    if classifier is None:
        return frames, manifold.sharpest(grid), None
    index, probability = manifold.read(classifier, grid[::2, ::2])
    reads = {
        "by": classifier.name,
        "classes": list(classifier.classes),
        "side": len(index),
        "index": index.ravel().tolist(),
        "percent": np.rint(100 * probability).astype(int).ravel().tolist(),
    }
    return frames, manifold.beginning(entry, grid, classifier), reads
