"""Interpolation: walks through latent space between anchors, and along one dimension at a time."""

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import charts, images, models, widgets
from zoo.analysis import walk
from zoo.analysis.walk import Anchor
from zoo.entries import Entry, opening
from zoo.entries.catalog import classifier_for
from zoo.widgets.interpolation import movement, position, ranked_dimensions


def main() -> None:
    st.title("Interpolation")
    st.markdown(
        "A mixture of the pixels of two images shows both at once. A mixture of their **latent codes**, decoded, is an "
        "image of its own: step by step one image becomes the other."
    )
    found = [entry for entry in widgets.entries("decode") if entry.capabilities & {"encode", "generate"}]
    left, right = st.columns(2, gap="medium")
    with left:
        first = "".join(opening.first(found, widgets.available))
        entry = widgets.entry_picker(needs=["decode"], among=found, default=first)
        count = widgets.bound(st.segmented_control, "Anchors", [2, 4], key="anchors", default=2, required=True)
        widgets.placard(entry)
    with widgets.guard():
        anchors, places = [], []
        for index in range(count):
            if index % 2 == 0:
                with right, st.container(key=f"side-anchors-{index}"):
                    places = st.columns(2, gap="medium")
            with places[index % 2]:
                anchors.append(widgets.anchor_picker(entry, index, count))
        between(entry, anchors)
        profile(entry, anchors)
        dimensions(entry, anchors)


@st.fragment
def between(entry: Entry, anchors: Sequence[Anchor]) -> None:
    """Show the walk in steps, one place of it enlarged, and its downloads."""
    st.header("From A to B" if len(anchors) == 2 else "Between four corners")
    limits = {"default": 9, "max_value": 16} if len(anchors) == 2 else {"default": 7, "max_value": 10}
    steps = widgets.bound(st.slider, "Steps", key="steps", min_value=3, width=320, **limits)
    with widgets.guard():
        most = models.affordable(entry, steps ** (len(anchors) // 2))
        t = np.linspace(0, 1, max(3, most if len(anchors) == 2 else math.isqrt(most))).tolist()
        found = walk.walk(entry, anchors, t, t if len(anchors) == 4 else [0.0])
        if len(anchors) == 2:
            rows, columns = walk.poster(found, t)
            widgets.image_matrix(rows, [f"{column} of the way" for column in columns], key="path")
        else:
            for column, kind in zip(st.columns(3), walk.KINDS, strict=True):
                picture = images.enlarge(walk.square(found, kind), max(1, 600 // (steps * entry.shape[0])))
                text = f"**{walk.TITLES[kind]}**, {walk.NOTES[kind]}"
                column.image(picture, width="stretch", alt=f"{walk.TITLES[kind]}: a square of pictures", caption=text)
        st.caption(walk.explain(entry, anchors))
        with st.container(horizontal=True):
            widgets.download(
                "PNG strip",
                lambda: charts.poster(f"{entry.label}: from A to B", *walk.poster(found, t)),
                f"{entry.name}-walk.png",
            )
            widgets.download("GIF", lambda: walk.film(entry, anchors), f"{entry.name}-walk.gif")
            widgets.download("MP4", lambda: walk.film(entry, anchors, kind="mp4"), f"{entry.name}-walk.mp4")
        st.subheader("One position")
        position(entry, anchors)


def profile(entry: Entry, anchors: Sequence[Anchor]) -> None:
    """Show the probabilities that the classifier of the dataset gives along the path."""
    classifier = classifier_for(entry, widgets.entries())
    if classifier is None or len(anchors) > 2:
        return
    st.header("Classifier along the path")
    found = walk.walk(entry, anchors, np.linspace(0, 1, models.affordable(entry, 41)).tolist())
    for column, kind in zip(st.columns(2, gap="large"), ("spherical", "pixels"), strict=True):
        with column:
            frames = images.fit(found.frames[kind][0], classifier.shape)[0]
            chart = charts.path_profile(models.classify(classifier, frames)[0], classifier.classes)
            st.markdown(f"**{walk.TITLES[kind]}**")
            widgets.figure(chart, key=f"profile-{kind}", caption=walk.PROFILES[kind])


@st.fragment
def dimensions(entry: Entry, anchors: Sequence[Anchor]) -> None:
    """Show what single latent dimensions do, the most effective first."""
    st.header("One dimension at a time")
    most = min(16, math.prod(entry.latent_shape))
    letters, shown = list("ABCD"[: len(anchors)]), min(6, most)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        start = widgets.bound(st.segmented_control, "Start from", letters, key="start", default="A", required=True)
        if most > 1:
            limits = {"min_value": 1, "max_value": most, "width": 320}
            shown = widgets.bound(st.slider, "Dimensions", key="dimensions", default=shown, **limits)
    with widgets.guard():
        ranked, typical = ranked_dimensions(entry, anchors)
        anchor = anchors[letters.index(start)]
        movement(entry, anchor, ranked[:shown], typical)
        moves = walk.traverse(entry, anchor, ranked[:shown], typical)
        rows = [widgets.Row(f"z{move.dimension}", move.frames, move.note) for move in moves]
        steps = [f"{at:+.2g} σ" for at in walk.TRAVERSAL]
        widgets.image_matrix(rows, steps, key="traversal")
        st.caption(walk.DIMENSIONS)
        filename = f"{entry.name}-dimensions"
        widgets.download(
            "Traversals",
            lambda: charts.poster(f"{entry.label}: one dimension at a time", rows, steps),
            f"{filename}.png",
        )
        widgets.figure(charts.effect_bars(ranked), key="effects", caption=walk.EFFECTS, filename=filename)


main()
