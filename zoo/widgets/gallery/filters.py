"""Search and filters of the gallery."""

from collections.abc import Sequence

import streamlit as st

from zoo.entries import Entry
from zoo.widgets.labels import dataset_title
from zoo.widgets.picking import CAPABILITIES
from zoo.widgets.urls import bound


def entry_filter(found: Sequence[Entry]) -> list[Entry]:
    """Draw search and filters (?search, dataset, family, can) and a button that clears them; return what passes."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        text = bound(st.text_input, "Search", key="search", default="", icon=":material/search:", width=312)
        ids = list(dict.fromkeys(entry.dataset for entry in found))
        chosen = bound(
            st.pills, "Dataset", ids, key="dataset", default=[], selection_mode="multi",
            format_func=dataset_title, width="content",
        )  # fmt: skip
        with st.popover("More filters", icon=":material/tune:"):
            titles = {entry.manifest.family: entry.manifest.family_title for entry in found}
            families = bound(st.multiselect, "Family", list(titles), key="family", default=[], format_func=titles.get)
            needs = bound(
                st.multiselect, "Capabilities", list(CAPABILITIES), key="can", default=[],
                format_func=CAPABILITIES.get,
            )  # fmt: skip
        if text or chosen or families or needs:
            st.button("Clear filters", icon=":material/filter_alt_off:", type="tertiary", on_click=_clear)
    words = text.casefold().split()
    return [
        entry
        for entry in found
        if (not chosen or entry.dataset in chosen)
        and (not families or entry.manifest.family in families)
        and entry.capabilities >= set(needs)
        and all(word in _described(entry) for word in words)
    ]


def _clear() -> None:
    st.session_state["search"] = ""
    for key in ("dataset", "family", "can"):
        st.session_state[key] = []


def _described(entry: Entry) -> str:
    """Return the text that search looks in."""
    made = entry.manifest
    parts = [
        entry.id,
        entry.name,
        entry.title,
        made.family,
        made.family_title,
        made.description,
        entry.dataset,
        *made.tags,
    ]
    return " ".join([*parts, dataset_title(entry.dataset), str(made.year)]).casefold()
