"""Download what an entry on the Hub still lacks, in sight and with a way out."""

import uuid
from collections.abc import Sequence

import streamlit as st

from zoo.background import Task
from zoo.entries import Entry, remote
from zoo.hub import cache, errand
from zoo.latent import flow
from zoo.manifest import STATISTICS
from zoo.widgets.listing import reason, tasks
from zoo.widgets.safety import plain


def fetch_files(entries: Sequence[Entry], files: Sequence[str] | None = None) -> list[Entry]:
    """Return those of the entries whose files are here; what is on the Hub is downloaded first, with progress.

    Of the others it is said why not, with a button to try again.

    Args:
        files: what is needed where an entry lists it; None stands for its networks and the statistics of its codes.
    """
    found, waiting = [], []
    for entry in entries:
        wanted = tuple(
            files or (*(network.file for network in entry.manifest.networks.values()), STATISTICS, flow.FILE)
        )
        if entry.origin is None or all(entry.here(file) for file in wanted if entry.has(file)):
            found.append(entry)
        else:
            waiting.append((entry, wanted))
    place = st.empty()
    for entry, wanted in waiting:
        if _fetched(entry, wanted, place):
            found.append(entry)
    return [entry for entry in entries if entry in found]


def _fetched(entry: Entry, files: tuple[str, ...], place) -> bool:
    key, title = ("fetch", entry.origin, files), plain(entry.label)
    stopped = st.session_state.setdefault("stopped-downloads", set())
    task = None if key in stopped else _awaited(entry, files, key, place)
    if task and task.failure is None:
        tasks().drop(key)
        return True
    key_, icon = f"fetch-{entry.id}", ":material/download:"
    if task is None or task.cancelled:
        st.caption(f":material/info: The download of {title} was stopped.")
        st.button("Download", on_click=stopped.discard, args=[key], key=key_, icon=icon)
    else:
        st.warning(plain(reason(task, entry.place)), icon=":material/info:")
        st.button("Try again", on_click=_anew, args=[entry, key], key=key_, icon=icon)
    return False


def _awaited(entry: Entry, files: tuple[str, ...], key: tuple, place) -> Task:
    """Return the task of a download once it is over; visitors who want the same share it."""
    size = sum(entry.manifest.files[file].size for file in files if entry.has(file) and not entry.here(file))
    seconds = 2 * errand.QUESTION_SECONDS * len(files) + size / errand.SLOWEST
    task, _ = tasks().get(key, lambda report, cancelled: remote.fetch(entry, files, report, cancelled), seconds)
    if not task.over:
        visitor = st.session_state.setdefault("visitor", uuid.uuid4().hex)
        task.join(visitor)
        with place.container():
            text = f"Downloading {plain(entry.label)} from {plain(entry.place)}"
            bar = st.progress(0.0, text=f"{text} …")
            st.button("Cancel", key=f"cancel-{entry.id}", on_click=_stop, args=[task, visitor, key])
            while not task.wait(0.2):
                bar.progress(task.part, text=f"{text}, {task.part * size / 1e6:.1f} of {size / 1e6:.1f} MB")
        place.empty()
    return task


def _stop(task: Task, visitor: str, key: tuple) -> None:
    st.session_state["stopped-downloads"].add(key)
    task.leave(visitor)


def _anew(entry: Entry, key: tuple) -> None:
    cache.forget([entry.place])
    tasks().drop(key)
