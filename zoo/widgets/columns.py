"""The columns of a dataset's table: what is read, told on the page, and what a visitor reads instead."""

import streamlit as st

from zoo.data.records import Split
from zoo.known import DATASETS, ColumnNames
from zoo.widgets.listing import entries
from zoo.widgets.safety import plain
from zoo.widgets.urls import bound

CHOSEN = "columns of datasets"
UNKNOWN = "no labels"


def columns(name: str) -> ColumnNames:
    """Return the columns that datasets.load is to read of a dataset: those chosen on this visit, else those of the
    recipe of its first entry, else {}, which leaves the choice to the table."""
    if name in DATASETS:
        return ColumnNames()
    chosen = st.session_state.get(CHOSEN, {}).get(name)
    if chosen is not None:
        return chosen
    found = (entry.columns for entry in entries() if entry.dataset == name and entry.columns)
    return next(found, ColumnNames())


def column_inputs(found: Split, name: str, key: str) -> bool:
    """Say where the images of a dataset that is not known by name are from; where its table has several columns, let
    others be chosen (?key_image, ?key_label). Return whether the choice differs from what was read: read again."""
    if name in DATASETS:
        return False
    st.caption(f":material/table: {plain(found.source)}")
    if found.columns is None:
        return False
    read = found.columns
    image, label = now = read.image, read.label or UNKNOWN
    first = st.session_state.setdefault(f"{CHOSEN} {name}", now)  # before anything was chosen
    if len(read.images) > 1:
        image = bound(st.selectbox, "Image column", read.images, key=f"{key}_image", default=first[0])
    if read.labels:
        options = list(dict.fromkeys([first[1], *read.labels]))
        label = bound(st.selectbox, "Label column", options, key=f"{key}_label", default=first[1])
    if (image, label) == now:
        return False
    chosen = ColumnNames(image_column=image, label_column=None if label == UNKNOWN else label)
    st.session_state[CHOSEN] = st.session_state.get(CHOSEN, {}) | {name: chosen}
    return True
