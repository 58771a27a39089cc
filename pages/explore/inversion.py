"""Inversion: the image of a generator that is nearest to a given one, and what the generator cannot make."""

from collections.abc import Sequence

import streamlit as st

from zoo import charts, widgets
from zoo.analysis import inversion
from zoo.analysis.inversion import Settings
from zoo.entries import Entry
from zoo.widgets.inversion import (
    LACKED,
    class_images,
    compared,
    entry_choice,
    lacked,
    limit,
    said,
    searched,
    settings_choice,
)

HOW = (
    "Each column is one image: the original, the nearest image that was found, and where the two differ. The search "
    "begins at the nearest of 512 random codes and improves them step by step (Levenberg–Marquardt, with slopes "
    "measured by moving each number of the code a little); codes stay where the prior draws. An autoencoder finds its "
    "code in one step, but was trained to give images back; a GAN was not."
)
FALL = (
    "How the error of the nearest image falls while it is searched, one line for each image. The dotted line, where it "
    "is drawn, is what the same search reaches for images that the generator certainly can make: its own samples."
)
DROPPED = (
    "Test images of one class, and below each the nearest image that was found. What all nearest images lack, the "
    "generator has dropped (Bau et al. 2019): the means show it, with what the nearest images lack on average, and "
    "what they add."
)
FEW = 6  # images beside which the chart has its place


def main() -> None:
    st.title("Inversion")
    st.markdown(
        "A GAN has no encoder, so the code of a given image is not known. A search finds it: of all images that the "
        "generator can make, the one **nearest** to yours. Where even that one is far, the generator cannot make it."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        entry = entry_choice()
        settings, known = settings_choice(entry)
    board, bar = st.container(), None
    with widgets.linked_expander("Images: from a dataset, uploaded or drawn", "input_", icon=":material/image:"):
        picked = widgets.image_source("input", entry.shape, prefer=entry.dataset, count=4, most=12)
    with board, widgets.guard():
        bar = nearest(entry, picked, settings, known)
    st.header("What it has dropped")
    with widgets.guard():
        whole_class(entry, settings, known, bar)


def nearest(entry: Entry, picked: widgets.Picked, settings: Settings, known: bool) -> float | None:
    """Show images and their nearest ones, the verdict, and how the errors fell; return the bar of own samples."""
    names, few = picked.names(), len(picked.images) <= FEW
    left, right = st.columns([1, 1], gap="large") if few else (st.container(), st.container())
    with left:
        place, below = st.empty(), st.container()
    with place.container():
        widgets.image_matrix([widgets.Row("Original", picked.images, picked.description, names)], names, key="given")
    with below:
        found = searched(entry, picked, settings, known)
    if found is None:
        return None
    rows = compared(entry, found)
    with place.container():
        widgets.image_matrix(rows, names, key="found")
    with below:
        st.caption(HOW)
        if any(item.cut for item in found.found):
            st.caption(":material/timer: The time limit ended some searches: more seconds may bring them nearer.")
    with right:
        chart = st.container()
        bar = limit(entry, settings)
        if bar is not None:
            st.markdown(f":material/gavel: {widgets.plain(said(entry, found, bar))}")
    with chart:
        curves = charts.descent([item.curve for item in found.found], numbered(names), bar)
        widgets.figure(curves, key="descent", filename="inversion-error", caption=FALL)
    with st.container(horizontal=True):
        widgets.download("Matrix", lambda: charts.poster("Inversion", rows, names), "inversion.png")
        widgets.download("Errors and codes", lambda: inversion.table(names, found.found), "inversion.csv")
    return bar


def numbered(names: Sequence[str]) -> list[str]:
    """Return names under which two images of one class are two lines."""
    return [f"{index + 1}: {name}" for index, name in enumerate(names)]


def whole_class(entry: Entry, settings: Settings, known: bool, bar: float | None) -> None:
    """Show what a generator lacks of a class of test images."""
    picked = class_images(entry)
    names = picked.names()
    found = searched(entry, picked, settings, known, f"Search {len(names)} test images")
    if found is None:
        st.caption("Twelve test images of one class, searched one by one: what all nearest images lack was dropped.")
        return
    rows = compared(entry, found)[:2]
    widgets.image_matrix(rows, names, key="class-found")
    means = lacked(found)
    widgets.image_matrix(means, LACKED, key="class-means")
    st.caption(DROPPED)
    if bar is not None:
        st.markdown(f":material/gavel: {widgets.plain(said(entry, found, bar))}")
    with st.container(horizontal=True):
        widgets.download("Class", lambda: charts.poster("Test images and nearest", rows, names), "dropped.png")
        widgets.download("Means", lambda: charts.poster("What it has dropped", means, LACKED), "dropped-means.png")


main()
