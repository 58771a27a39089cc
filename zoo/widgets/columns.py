"""The columns of a dataset's table: what is read, told on the page, and what a visitor reads instead."""

import streamlit as st

from zoo.data.records import Split
from zoo.known import DATASETS
from zoo.widgets.listing import entries
from zoo.widgets.safety import plain
from zoo.widgets.urls import bound

CHOSEN = "columns of datasets"
UNKNOWN = "no labels"


def columns(name: str) -> dict[str, str]:
    """Return the columns that datasets.load is to read of a dataset: those chosen on this visit, else those of the
    recipe of its first entry, else {}, which leaves the choice to the table."""
    if name in DATASETS:
        return {}
    chosen = st.session_state.get(CHOSEN, {}).get(name)
    if chosen is not None:
        return chosen
    return next((entry.columns for entry in entries() if entry.dataset == name and entry.columns), {})


def column_inputs(found: Split, name: str, key: str) -> bool:
    """Say where the images of a dataset that is not known by name are from; where its table has several columns, let
    others be chosen (?key_image, ?key_label). Return whether the choice differs from what was read: read again."""
    if name in DATASETS:
        return False
    st.caption(f":material/table: {plain(found.source)}")
    if found.columns is None:
        return False
    read, chosen = found.columns, {}
    if len(read.images) > 1:
        chosen["image_column"] = bound(
            st.selectbox, "Image column", read.images, key=f"{key}_image", default=read.images[0]
        )
    if read.labels:
        default = st.session_state.setdefault(f"{CHOSEN} {name}", read.label or UNKNOWN)
        options = list(dict.fromkeys([default, *read.labels]))
        label = bound(st.selectbox, "Label column", options, key=f"{key}_label", default=default)
        if label != UNKNOWN:
            chosen["label_column"] = label
    now = {"image_column": read.image, "label_column": read.label or UNKNOWN}
    if all(now[column] == value for column, value in chosen.items()):
        return False
    st.session_state[CHOSEN] = st.session_state.get(CHOSEN, {}) | {name: chosen}
    return True
