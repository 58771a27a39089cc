"""Figures with their caption, and downloads."""

import mimetypes
from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import streamlit as st


def figure(fig: go.Figure, *, key: str, caption: str, filename: str | None = None, **options: Any) -> Any:
    """Draw a plotly figure with one plain sentence on how to read it; return Streamlit's state, for `on_select`.

    The toolbar saves it as SVG under `filename`: sharp on a slide of any size.
    """
    image = {"format": "svg", "filename": filename or key}
    config = {"displaylogo": False, "toImageButtonOptions": image, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}
    state = st.plotly_chart(fig, width="stretch", key=key, config=config, alt=caption, **options)
    st.caption(caption)
    return state


def download(label: str, make: Callable[[], bytes | str], filename: str, *, key: str | None = None) -> None:
    """Draw a button that makes and saves a file (PNG, GIF, ZIP, CSV) only when it is pressed."""
    mime = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    st.download_button(
        label, make, filename, mime, key=key or f"download-{filename}", icon=":material/download:", on_click="ignore"
    )
