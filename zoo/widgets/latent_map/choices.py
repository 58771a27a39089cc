"""What is mapped, how, and in which colours."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from zoo import models
from zoo.analysis import clusters, embedding
from zoo.analysis.cloud import SPACES
from zoo.entries import Entry, opening
from zoo.entries.catalog import classifier_for
from zoo.widgets.listing import entries
from zoo.widgets.loading import available
from zoo.widgets.picking import entry_picker
from zoo.widgets.urls import bound

COUNTS = (500, 1000, 2000, 5000, 10_000)
MAX_PIXELS = 1 << 24  # of the images that are mapped
COLOURS = {"class": "Class", "cluster": "Cluster", "density": "Density", "origin": "Real or generated"}
# Pixels of a choice, a letter, a label, the entry: what has its width from the start moves nothing.
WIDTH, LETTER, LEAST, ENTRY = 34, 8, 120, 240
NO_UMAP = "UMAP is not installed here: `pip install umap-learn` on the server adds it."


@dataclass(frozen=True)
class View:
    """One view of the page: an entry, the vectors that are its points, their map, and what gives them colour.

    space: "codes" of its encoder or "features" of `classifier`. real: images of the test split. colour: one of COLOURS.
    """

    entry: Entry
    classifier: Entry | None
    space: str
    real: int
    settings: embedding.Settings
    colour: str
    clusters: clusters.Settings

    @property
    def adds(self) -> bool:
        """Whether generated images are among the points."""
        return self.space == "features" and "generate" in self.entry.capabilities


def entry_choice() -> Entry:
    """Let an entry be chosen (?entry) that can be mapped: one that encodes, or whose dataset has a classifier."""
    every = entries()
    found = [entry for entry in every if "encode" in entry.capabilities or classifier_for(entry, every)]
    coding = [entry for entry in found if "encode" in entry.capabilities]
    coding.sort(key=lambda entry: -len(entry.classes))  # many classes make a map worth looking at first
    with st.container(width=ENTRY):
        return entry_picker(among=found, default="".join(opening.first(coding or found, available)))


def view_choice(entry: Entry, classes: int) -> View:
    """Let all else be chosen; `classes` is the number of clusters at first."""
    classifier = classifier_for(entry, entries())
    spaces = [name for name, can in (("codes", "encode" in entry.capabilities), ("features", classifier)) if can]
    space = spaces[0]
    if len(spaces) > 1:
        space = _segments("Points are", spaces, "space", spaces[0], SPACES)
    raw = space == "codes" and _size(entry) <= embedding.MAX_RAW
    methods = [name for name in embedding.METHODS if name != "raw" or raw]
    method = _segments("Projection", methods, "projection", methods[0], embedding.METHODS)
    adds = space == "features" and "generate" in entry.capabilities
    colours = [name for name in COLOURS if name != "origin" or adds]
    colour = _segments("Colour", colours, "colour", colours[0], COLOURS)
    with st.popover("Settings", icon=":material/tune:"):
        count = bound(
            st.segmented_control, "Test images", COUNTS, key="images", default=1000, required=True,
            format_func=lambda number: f"{number:,}",
        )  # fmt: skip
        seed = bound(st.number_input, "Seed", key="seed", default=0, min_value=0, max_value=9999, step=1)
        settings = _projection(method, 2 if space == "codes" and _size(entry) <= 2 else 3, seed)
        grouping = _grouping(classes, seed) if colour == "cluster" else clusters.Settings(seed=seed)
    return View(entry, classifier, space, models.affordable(entry, count, MAX_PIXELS), settings, colour, grouping)


def _size(entry: Entry) -> int:
    size = 1
    for side in entry.latent_shape:
        size *= side
    return size


def _segments(label: str, options: Sequence[str], key: str, default: str, titles: dict[str, str]) -> str:
    wide = sum(WIDTH + LETTER * len(titles[option]) for option in options)
    return bound(
        st.segmented_control, label, options, key=key, default=default, required=True, format_func=titles.get,
        width=max(wide, LEAST),
    )  # fmt: skip


def _projection(method: str, most: int, seed: int) -> embedding.Settings:
    """Return the settings of a method, which is asked for those that it has."""
    found: dict = {"method": method, "seed": seed}
    if method != "tsne" and most > 2:
        sides = {2: "plane", 3: "room that turns"}
        found["dimensions"] = bound(
            st.segmented_control, "Dimensions of the map", [2, 3], key="axes", default=2, required=True,
            format_func=sides.get,
        )  # fmt: skip
    if method == "tsne":
        found["perplexity"] = bound(
            st.slider, "Perplexity", key="perplexity", default=30, min_value=5, max_value=100,
            help="About how many neighbours each point is to keep near.",
        )  # fmt: skip
    if method == "umap":
        found["neighbours"] = bound(
            st.slider, "Neighbours", key="neighbours", default=15, min_value=2, max_value=100,
            help="How many neighbours each point is to keep near: few show details, many the whole.",
        )  # fmt: skip
        found["distance"] = bound(
            st.slider, "Least distance", key="distance", default=0.1, min_value=0.0, max_value=0.99, step=0.01,
            help="How closely points may be packed on the map.",
        )  # fmt: skip
    return embedding.Settings(**found)


def _grouping(classes: int, seed: int) -> clusters.Settings:
    method = _segments("Clusters by", list(clusters.METHODS), "cluster", "kmeans", clusters.METHODS)
    if method == "hdbscan":
        limits = {"min_value": 2, "max_value": 500, "step": 1}
        smallest = bound(st.number_input, "Smallest cluster", key="smallest", default=20, **limits)
        return clusters.Settings(method, smallest=smallest)
    limits = {"min_value": 2, "max_value": 50, "step": 1}
    count = bound(st.number_input, "Clusters", key="clusters", default=min(max(2, classes), 50), **limits)
    return clusters.Settings(method, count, seed=seed)
