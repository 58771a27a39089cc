"""Grids of tiles that share one choice."""

from collections.abc import Sequence

import streamlit as st

from zoo.widgets.safety import plain


def shared_tile(key: str, grids: Sequence[str], count: int) -> int:
    """Return the index of the tile that several grids show as chosen, 0 at first; the URL keeps it as ?key=….

    Call it before the grids are drawn, and draw each by `image_grid(key=grid, select="one", selected=[index])`: a click
    in any of them then moves the choice in all of them.

    Args:
        grids: keys of the grids; count: tiles in each of them.
    """
    for grid in grids:
        if clicked := st.query_params.get_all(grid):
            st.query_params[key] = clicked[-1]
            del st.query_params[grid]
    text = st.query_params.get(key, "")
    chosen = int(text) if text.isdecimal() and len(text) < 6 else 0
    index = chosen if chosen < count else 0
    if text and (not index or str(index) != text):
        del st.query_params[key]
    if text and str(index) != text:
        st.caption(f":material/link_off: The link asks for tile {plain(text[:20])}, but there are {count} tiles.")
    return index
