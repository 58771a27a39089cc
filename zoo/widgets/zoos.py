"""The picker of zoos in the sidebar: where entries come from, how far they were read, at which commits."""

import time
from collections.abc import Sequence

import streamlit as st

from zoo.background import Task
from zoo.entries import Entry, sources
from zoo.entries.catalog import Broken
from zoo.entries.sources import Source
from zoo.settings import hosted
from zoo.widgets.listing import KEY, chosen, reading, reason
from zoo.widgets.safety import plain
from zoo.widgets.urls import bound

QUICK = 1.5  # seconds that a page waits for new sources before it is painted without them
HELP = (
    "On the Hugging Face Hub: `owner/name`, `owner/name@v1`, a whole `owner`, `collections/owner/title`, or a web "
    "address; on this machine `./folder`. Only what is looked at is downloaded."
)
HOSTED_HELP = HELP.replace("; on this machine `./folder`", "")


def zoo_picker() -> None:
    """Let models be added by their source (?source=…) and show the state of each; a link that names a view waits.

    Call it in the frame, before the page asks for entries.
    """
    known = [*st.query_params.get_all(KEY), *st.session_state.get(KEY, [])]
    linked = bool(st.query_params.keys() - {KEY})
    with st.sidebar:
        bound(
            st.multiselect, "Add models", list(dict.fromkeys(text[:200] for text in known)), key=KEY, default=[],
            accept_new_options=True, max_selections=sources.MOST, placeholder="owner/name",
            help=HOSTED_HELP if hosted() else HELP,
        )  # fmt: skip
    found, refused = chosen()
    begun = {source: reading(source) for source in found if source.on_the_hub}
    until = time.monotonic() + QUICK
    for task, fresh in begun.values():
        if fresh:
            task.wait(until - time.monotonic())
    tasks = {source: task for source, (task, _) in begun.items()}
    _stopped().intersection_update(source for source, task in tasks.items() if not task.over)
    if linked:
        _wait(tasks)
    with st.sidebar:
        pending = _pending(tasks)
        if pending:
            _watch(tasks)
        for source, task in tasks.items():
            if source not in pending:
                _state(source, task)
        for item in refused:
            st.caption(f":material/error: {plain(item.reason)}")
        if all(task.over for task in tasks.values()) and any(task.failure is None for task in tasks.values()):
            st.button(
                "Check for updates", icon=":material/refresh:", type="tertiary", on_click=_again, args=[list(tasks)],
                help="Entries stay at the commits at which they were first read until you ask the Hub again.",
            )  # fmt: skip


def _stopped() -> set[Source]:
    """What this visitor waits for no longer; it goes on for others, and is shown when it is read after all."""
    return st.session_state.setdefault("stopped-sources", set())


def _pending(tasks: dict[Source, Task]) -> dict[Source, Task]:
    return {source: task for source, task in tasks.items() if not task.over and source not in _stopped()}


def _wait(tasks: dict[Source, Task]) -> None:
    """Hold the page until everything is read: it may have been asked to show some of it."""
    pending = _pending(tasks)
    if not pending:
        return
    place = st.empty()
    with place.container():
        names = plain(", ".join(source.text for source in pending))
        bar = st.progress(0.0, text=f"Reading {names} …")
        st.button("Continue without", key="go-on", on_click=_stop, args=[list(pending)])
        while left := [task for task in pending.values() if not task.over]:
            left[0].wait(0.2)
            bar.progress(sum(task.part for task in pending.values()) / len(pending), text=f"Reading {names} …")
    place.empty()


@st.fragment(run_every=0.5)
def _watch(tasks: dict[Source, Task]) -> None:
    """Show how far the sources are read, and once they are, run the page again."""
    pending = _pending(tasks)
    if not pending:
        st.rerun()
    for source, task in pending.items():
        st.progress(task.part, text=f"Reading {plain(source.text)} …")
    st.button("Stop", key="stop-reading", on_click=_stop, args=[list(pending)], type="tertiary")


def _state(source: Source, task: Task) -> None:
    if task.failure or not task.over:
        why = reason(task, source.text) if task.over else f"{source.text} was given up before everything had arrived."
        st.caption(f":material/error: {plain(why)}")
        st.button(
            "Try again", key=f"again-{source.text}", icon=":material/replay:", type="tertiary", on_click=_again,
            args=[[source]],
        )  # fmt: skip
        return
    found = [item for item in task.result or [] if isinstance(item, Entry)]
    failed = [item for item in task.result or [] if isinstance(item, Broken)]
    origin = found[0].origin if found else None
    if source.kind == "repository" and origin:
        text = f"{origin.asked} at {origin.commit[:12]}"
    else:
        text = f"{len(found)} {'entry' if len(found) == 1 else 'entries'}"
    if source.kind == "repository" and failed:
        st.caption(f":material/error: {plain(failed[0].reason)}")
    elif failed:
        text += f", {len(failed)} that cannot be shown"
    if found or not failed:
        st.caption(f":material/check: **{plain(source.text)}**  \n{plain(text)}")


def _again(found: Sequence[Source]) -> None:
    for source in found:
        _stopped().discard(source)
        reading(source, again=True)


def _stop(found: Sequence[Source]) -> None:
    _stopped().update(found)
