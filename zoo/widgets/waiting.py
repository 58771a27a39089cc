"""Work in the background that a page waits for: in sight, with a way out, and shared by visitors who want the same."""

import logging
import uuid
from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

from zoo.background import Task
from zoo.errors import ZooError
from zoo.widgets.listing import tasks
from zoo.widgets.safety import plain

STOPPED = "stopped-work"


def known(key: Hashable) -> bool:
    """Whether the work of this key has been done for anybody and is kept, or is being done now."""
    return tasks().known(key)


def awaited(key: Hashable, work: Callable, text: str, seconds: float, *, again: str) -> Any:
    """Return the result of `work(report, cancelled)`, with progress and Cancel while it runs; None where there is none.

    Then it is said why, with a button labelled `again` that begins anew. The key says all that the result depends on.
    """
    stopped = st.session_state.setdefault(STOPPED, set())
    task = None if key in stopped else _over(key, work, text, seconds)
    if task and task.failure is None:
        return task.result
    if task is None or task.cancelled:
        st.caption(f":material/info: {plain(text)}: stopped before it was done.")
    else:
        st.warning(plain(_why(task, text)), icon=":material/info:")
    st.button(again, on_click=_anew, args=[key], key=f"again-{hash(key)}", icon=":material/replay:")
    return None


def _over(key: Hashable, work: Callable, text: str, seconds: float) -> Task:
    task, _ = tasks().get(key, work, seconds)
    if not task.over:
        visitor = st.session_state.setdefault("visitor", uuid.uuid4().hex)
        task.join(visitor)
        place = st.empty()
        with place.container(key=f"waiting-{hash(key)}"):
            bar = st.progress(0.0, text=f"{plain(text)} …")
            st.button("Cancel", key=f"cancel-{hash(key)}", on_click=_stop, args=[task, visitor, key])
            while not task.wait(0.2):
                bar.progress(task.part, text=f"{plain(text)} …")
        place.empty()
    return task


def _why(task: Task, text: str) -> str:
    """Say in one sentence why a task failed; what was not foreseen is logged in full."""
    if isinstance(task.failure, ZooError):
        return str(task.failure)
    if isinstance(task.failure, TimeoutError):
        return f"{text}: this took too long and was given up. Choose fewer images."
    logging.getLogger(__name__).error("A task failed", exc_info=task.failure)
    return f"{text}: this failed ({type(task.failure).__name__}); the server's log says where."


def _stop(task: Task, visitor: str, key: Hashable) -> None:
    st.session_state[STOPPED].add(key)
    task.leave(visitor)


def _anew(key: Hashable) -> None:
    st.session_state[STOPPED].discard(key)
    tasks().drop(key)
