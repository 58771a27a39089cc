"""What keeps a page safe from what entries contain: text that stays text, and one sentence instead of a traceback."""

import contextlib
import logging
import re
from collections.abc import Iterator

import streamlit as st

from zoo.errors import DatasetUnavailable, EntryError

TURNING = "[\u202a-\u202e\u2066-\u2069]"  # characters that turn the direction of what is written around them


@contextlib.contextmanager
def guard() -> Iterator[None]:
    """Show one sentence instead of a traceback; what was not foreseen is logged in full for the server's owner."""
    try:
        yield
    except (EntryError, DatasetUnavailable) as error:
        st.warning(plain(str(error)), icon=":material/info:")
    except Exception as error:
        logging.getLogger(__name__).exception("A page failed")
        st.error(
            f"This part of the page failed ({type(error).__name__}); the server's log says where. "
            "Choose another entry or image, or reload the page.",
            icon=":material/error:",
        )


def plain(text: str) -> str:
    """Escape text so that Markdown shows it as it is (no links, images, HTML, maths, icons or emphasis)."""
    # Names of files may hold bytes that are no text at all.
    text = re.sub(TURNING, "", " ".join(str(text).encode("utf-8", "replace").decode().split()))
    return re.sub(r"([\\`*_{}\[\]()#+\-!|<>~$:&])", r"\\\1", text)
