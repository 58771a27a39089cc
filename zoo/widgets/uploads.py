"""Files that visitors send: what each uploader takes, and what a visitor may hold in the server's memory.

How large one file may be for the server, `maxUploadSize` in .streamlit/config.toml, is the largest row here; a host who
lowers it lowers them all. Streamlit itself bounds neither the number of files nor their sum.
"""

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import streamlit as st
from streamlit import runtime
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from zoo import images
from zoo.data import archives
from zoo.widgets.safety import plain


class Limit(NamedTuple):
    """Megabytes (of one file, or of all together) and how many files."""

    megabytes: int
    files: int


PICTURES = Limit(images.MAX_BYTES >> 20, 32)
ARCHIVE = Limit(archives.MAX_BYTES >> 20, 1)
MODEL = Limit(300, 200)
SESSION = Limit(600, 300)  # of one visitor, on all pages together
EVERYBODY = Limit(4000, 20_000)

KEPT_BYTES = 64 << 20  # of the files of one input, kept while other pages are looked at

_lock = threading.Lock()


class Upload(NamedTuple):
    """A file by its name and its bytes."""

    name: str
    content: bytes


def uploader(label: str, types: Sequence[str], limit: Limit, *, key: str, help: str | None = None) -> list[Upload]:
    """Let files be sent; return at most `limit.files` of them, each of at most `limit.megabytes`, also on a later visit
    of the page.

    Streamlit forgets a file when its input is not on the page. So its bytes stay in the session, up to KEPT_BYTES,
    until the visitor takes them back or sends others."""
    megabytes, several = min(limit.megabytes, st.get_option("server.maxUploadSize")), limit.files > 1
    sent: Any = st.file_uploader(
        label, list(types), accept_multiple_files=several, key=key, max_upload_size=megabytes, help=help,
        on_change=_changed, args=[key],
    )  # fmt: skip
    files = sent if several else [sent] if sent else []
    if len(files) > limit.files:
        st.caption(f":material/info: The first {limit.files} files are used.")
    memory = _memory(key)
    if files:
        found = [Upload(file.name, file.getvalue()) for file in files[: limit.files]]
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


def limit_uploads() -> None:
    """Let the server refuse with status 413 what exceeds SESSION or EVERYBODY, whatever page it was sent to.

    Call it in the frame: a session may send files without any uploader."""
    manager: Any = runtime.get_instance().uploaded_file_mgr if runtime.exists() else None
    with _lock:
        if hasattr(manager, "file_storage") and "add_file" not in vars(manager):
            manager.add_file = functools.partial(_add, manager, manager.add_file)


def _add(manager: Any, add: Callable[..., None], session_id: str, file: UploadedFileRec) -> None:
    from starlette.exceptions import HTTPException

    with _lock:
        sizes = {
            (session, kept.file_id): len(kept.data)
            for session, files in list(manager.file_storage.items())
            for kept in list(files.values())
        } | {(session_id, file.file_id): len(file.data)}
        own = [size for (session, _), size in sizes.items() if session == session_id]
        for held, limit in ((own, SESSION), (list(sizes.values()), EVERYBODY)):
            if len(held) > limit.files or sum(held) > limit.megabytes << 20:
                whose = "one visitor" if limit is SESSION else "all visitors together"
                detail = f"The server keeps {limit.files} files of {limit.megabytes} MB of {whose}: remove some first."
                raise HTTPException(413, detail)
        add(session_id, file)
