"""The window around a page: its style, where it is scrolled to, and how it looks to an audience."""

import streamlit as st

from zoo.widgets.components import component

PRESENT = "present"
LARGE = ":root { font-size: 125%; } [data-testid=stSidebar] { display: none; }"


def presenting() -> bool:
    """Whether the page is shown to an audience, in large type and without a sidebar (?present); a visit keeps it."""
    if PRESENT in st.query_params:
        st.session_state[PRESENT] = st.query_params[PRESENT].casefold() not in ("0", "false", "no")
    if found := st.session_state.get(PRESENT, False):
        st.query_params[PRESENT] = st.query_params.get(PRESENT, "1")
    return found


def style(present: bool) -> None:
    """Style the page for an audience; for one who sits before it, the server did."""
    if present:
        st.html(f"<style>{LARGE}</style>")


def place(page: str) -> None:
    """Keep the place of the page, by its URL path: a view begins at the top, and Back leads to where it was left.

    The gallery is another view for each entry that it opens, a tour for each of its stops.
    """
    view = page + f"?stop={st.query_params['stop']}" if "stop" in st.query_params else page
    view = view or f"?entry={st.query_params.get('entry', '')}"
    with st.sidebar:
        component("frame", "<span></span>")(key="frame", data={"view": view})
