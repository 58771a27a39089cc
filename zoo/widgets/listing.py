"""What entries there are: the embedded zoo and folders at once, what is on the Hub as soon as it was read."""

import logging
from collections.abc import Callable

import streamlit as st

from zoo.background import Task, Tasks
from zoo.entries import Entry, catalog, sources
from zoo.entries.catalog import Broken
from zoo.entries.sources import Source
from zoo.errors import Cancelled, EntryError, SourceError
from zoo.hub import cache
from zoo.settings import SOURCES

KEY = "source"
READING_SECONDS = 90.0  # seconds until a thread that reads a source is left behind


def entries(*needs: str) -> list[Entry]:
    """Return all valid entries with the given capabilities; a folder added on disk appears within five seconds."""
    return [entry for entry in _listed() if isinstance(entry, Entry) and entry.capabilities >= set(needs)]


def broken() -> list[Broken]:
    """Return what could not be read, with the reasons."""
    return [entry for entry in _listed() if isinstance(entry, Broken)]


@st.cache_resource(max_entries=1, show_spinner=False)
def tasks() -> Tasks:
    """Return the work in the background, shared by all visitors: its keys say what may be shared."""
    return Tasks()


def chosen() -> tuple[list[Source], list[Broken]]:
    """Return the sources of the host and of this visitor, and what is wrong with the others."""
    found, wrong = sources.environment()
    refused = [Broken(SOURCES.name, None, reason) for reason in wrong]
    for text in st.session_state.get(KEY, []):
        try:
            found.append(sources.parse(text, visitor=True))
        except SourceError as error:
            refused.append(Broken(text, None, str(error)))
    # Where the host names a source, everybody reads it as the host does.
    unique = {source.text: source for source in reversed(found)}
    return list(reversed(unique.values())), refused


def reading(source: Source, again: bool = False) -> tuple[Task, bool]:
    """Return the task that lists a source on the Hub, and whether it was begun just now; `again` asks the Hub anew."""
    key = ("source", source)
    if again:
        cache.forget()
        tasks().drop(key)
    return tasks().get(key, _work(source, again), READING_SECONDS)


def reason(task: Task, what: str) -> str:
    """Say in one sentence why a task failed; what was not foreseen is logged in full."""
    if isinstance(task.failure, EntryError):
        return str(task.failure)
    if isinstance(task.failure, Cancelled):
        return f"{what} was given up before everything had arrived."
    if isinstance(task.failure, TimeoutError):
        return f"The Hub did not answer in time for {what}: try again later."
    logging.getLogger(__name__).error("A task failed", exc_info=task.failure)
    return f"{what} cannot be read ({type(task.failure).__name__}); the server's log says where."


def _work(source: Source, again: bool) -> Callable:
    def work(report: Callable[[float], None], cancelled: Callable[[], bool]) -> list[Entry | Broken]:
        if not again:
            return catalog.pull(source, False, report, cancelled)
        try:
            return catalog.pull(source, True, report, cancelled)
        except EntryError as error:  # what was known before stays
            return [*catalog.pull(source, False, report, cancelled), Broken(source.text, None, str(error))]

    return work


def here() -> list[Entry | Broken]:
    """Return the embedded entries, for everybody the same."""
    return _folders(str(catalog.EMBEDDED))


def _listed() -> list[Entry | Broken]:
    found, refused = chosen()
    folders = _folders(str(catalog.EMBEDDED), *(str(folder) for folder in map(sources.folder, found) if folder))
    items = []
    for source in found:
        if source.on_the_hub:
            task, _ = reading(source)
            if task.failure:
                items.append(Broken(source.text, None, reason(task, source.text)))
            elif task.over:
                items += task.result or []
        elif sources.folder(source) is None:
            items.append(Broken(source.text, None, f"{source.text} is not here: import the model again."))
    return catalog.ordered([*folders, *items, *refused]) if items or refused else folders


@st.cache_resource(ttl=5, max_entries=16, show_spinner=False)
def _folders(*folders: str) -> list[Entry | Broken]:
    return catalog.load(folders)
