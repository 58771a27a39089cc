"""A progress bar that is gone when its work is."""

import contextlib
from collections.abc import Callable, Iterator

import streamlit as st

from zoo.widgets.safety import plain


@contextlib.contextmanager
def progress(text: str = "") -> Iterator[Callable[[float, str], None]]:
    """Give a function that shows the part done (0 to 1) and a text; nothing is shown before, unless `text` is given."""
    bar = st.empty()

    def report(part: float, text: str) -> None:
        bar.progress(min(max(part, 0.0), 1.0), text=plain(text))

    try:
        if text:
            report(0.0, text)
        yield report
    finally:
        bar.empty()
