"""Files that a visitor sends, kept while other pages are looked at."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from zoo.widgets.safety import plain

KEPT_BYTES = 64 << 20  # of the files of one input, in the memory of a session


class Upload(NamedTuple):
    """A file by its name and its bytes."""

    name: str
    content: bytes


def uploads(
    label: str, types: Sequence[str], *, key: str, megabytes: int, most: int = 1, help: str | None = None
) -> list[Upload]:
    """Let up to `most` files of at most so many megabytes be sent; return them, also on a later visit of the page.

    Streamlit forgets a file when its input is not on the page. So its bytes stay in the session, up to KEPT_BYTES,
    until the visitor takes them back or sends others.
    """
    memory = _memory(key)
    sent = st.file_uploader(
        label, list(types), accept_multiple_files=most > 1, key=key, max_upload_size=megabytes, help=help,
        on_change=_changed, args=[key],
    )  # fmt: skip
    files = sent if isinstance(sent, list) else [sent] if sent else []
    if len(files) > most:
        st.caption(f":material/info: The first {most} files are used.")
    if files:
        found = [Upload(file.name, file.getvalue()) for file in files[:most]]
        st.session_state[memory] = found if sum(len(file.content) for file in found) <= KEPT_BYTES else []
        return found
    if found := st.session_state.get(memory, []):
        names = ", ".join(plain(file.name) for file in found[:3]) + (", …" if len(found) > 3 else "")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f":material/inventory_2: Still here: {names}", width="content")
            st.button(
                "Take back", key=f"{key}-back", on_click=st.session_state.pop, args=[memory, None], type="tertiary"
            )
    return found


def kept(key: str) -> bool:
    """Whether files of this input are kept from before."""
    return bool(st.session_state.get(_memory(key)))


def _memory(key: str) -> str:
    return f"{key} kept"


def _changed(key: str) -> None:
    """Forget what was kept when the visitor takes a file back in the input itself."""
    if not st.session_state.get(key):
        st.session_state.pop(_memory(key), None)
