"""The picker of two entries of one dataset, and of how many images they draw."""

from collections.abc import Sequence

import streamlit as st

from zoo import models
from zoo.entries import Entry, opening
from zoo.widgets.fetching import fetch_files
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import entries
from zoo.widgets.picking import entry_picker
from zoo.widgets.urls import bound

NOBODY = "none"
COUNTS = (500, 1000, 2000, 5000)
MAX_PIXELS = 5000 * 64 * 64  # of the images that an entry draws
FIRST = ("fruits", "digits")  # always on this machine


def pair_picker() -> list[Entry]:
    """Let a dataset (?dataset) be chosen, then one or two entries that generate it (?a, ?b).

    ?a alone selects its dataset. Without any such entry, say so and stop the page.
    """
    able = {entry.id: entry for entry in entries("generate")}
    linked = able.get(st.query_params.get("a", ""))
    if linked and "dataset" not in st.query_params:
        st.query_params["dataset"] = linked.dataset
    found = list(dict.fromkeys(entry.dataset for entry in able.values())) or [NOBODY]
    default = next((name for name in FIRST if name in found), found[0])
    data = default
    if len(found) > 1:
        data = bound(
            st.segmented_control, "Dataset", found, key="dataset", default=default, required=True,
            format_func=dataset_title,
        )  # fmt: skip
    among = [entry for entry in able.values() if entry.dataset == data]
    left, right = st.columns(2, gap="medium")
    with left:
        first = entry_picker("Entry A", key="a", needs=["generate"], among=among)
    others = {entry.id: entry for entry in among if entry != first}
    with right:
        second = bound(
            st.selectbox, "Entry B", [*others, NOBODY], key="b",
            default=opening.beside(first, list(others.values())) or NOBODY,
            format_func=lambda name: others[name].label if name in others else "No second entry",
        )  # fmt: skip
    return [first, *fetch_files([others[second]])] if second in others else [first]


def count_inputs(chosen: Sequence[Entry]) -> tuple[int, int]:
    """Let be chosen how many images of each set are looked at and by which seed they are drawn (?images, seed); fewer
    where those of an entry are large."""
    with st.container(horizontal=True, gap="medium"):
        count = bound(
            st.segmented_control, "Images of each", COUNTS, key="images", default=1000, required=True,
            format_func=lambda number: f"{number:,}", width="content",
        )  # fmt: skip
        seed = bound(st.number_input, "Seed", key="seed", default=0, min_value=0, max_value=9999, step=1, width=140)
    return min(models.affordable(entry, count, MAX_PIXELS) for entry in chosen), seed
