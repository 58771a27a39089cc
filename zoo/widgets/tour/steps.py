"""The way through a tour: which one, at which stop, by buttons, from a list, or by keys before an audience."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from zoo.analysis.tour import Tour, Wrong, tours
from zoo.errors import TourError
from zoo.settings import TOURS
from zoo.widgets.components import component
from zoo.widgets.frame import PRESENT, presenting
from zoo.widgets.listing import KEY
from zoo.widgets.safety import plain
from zoo.widgets.urls import MEMORY, bound

STOP, NOTES, TOUR, HANDOUT = "stop", "notes", "tour", "handout"
KEPT = (STOP, NOTES, TOUR, HANDOUT, PRESENT, KEY)  # parameters that every stop of a tour shares
PRINT = Path(__file__).with_name("print.css")


def tour_picker() -> Tour:
    """Let a tour be chosen (?tour) where there is more than one; raises TourError where there is none.

    What is no tour is named with its reason.
    """
    everything = _tours(TOURS.read())
    found = {tour.name: tour for tour in everything if isinstance(tour, Tour)}
    for wrong in everything:
        if isinstance(wrong, Wrong):
            st.caption(f":material/broken_image: {plain(wrong.reason)}")
    if not found:
        raise TourError("There is no tour here.")
    names = list(found)
    first = "lecture" if "lecture" in found else names[0]
    if len(names) == 1 and st.query_params.get(TOUR, first) == first:
        return found[first]
    return found[
        bound(
            st.selectbox,
            "Tour",
            names,
            key=TOUR,
            default=first,
            on_change=_begin,
            width=360,
            format_func=lambda name: plain(found[name].heading.title),
        )  # fmt: skip
    ]


@st.cache_resource(ttl=5, max_entries=2, show_spinner=False)
def _tours(folder: str) -> list[Tour | Wrong]:
    """Return all tours; what is changed on disk is read anew within five seconds."""
    return tours(folder)


def steps(tour: Tour) -> int:
    """Draw the way to the other stops, and return the number of the one that is open (?stop), counted from 0."""
    names = list(tour.stops)
    titles = {name: f"{index}. {stop.title}" for index, (name, stop) in enumerate(tour.stops.items(), 1)}
    with st.container(key="steps", horizontal=True, vertical_alignment="bottom", gap="small"):
        # What they lead to is known once the stop is: they are drawn first, and filled then.
        before, after = st.container(width="content"), st.container(width="content")
        name = bound(
            st.selectbox, "Stop", names, key=STOP, default=names[0], on_change=_leave,
            format_func=titles.get, width="stretch",
        )  # fmt: skip
        bound(st.toggle, "Speaker notes", key=NOTES, default=False, width="content")
    at = names.index(name)
    with before:
        st.button(
            "Previous",
            key="previous",
            icon=":material/arrow_back:",
            disabled=at == 0,
            on_click=_go,
            args=(names, at - 1),
        )
    with after:
        st.button(
            "Next", key="next", icon=":material/arrow_forward:", disabled=at == len(names) - 1, type="primary",
            on_click=_go, args=(names, at + 1),
        )  # fmt: skip
    st.progress((at + 1) / len(names), text=f"Stop {at + 1} of {len(names)}")
    _keys(names, at)
    return at


def toggle_handout(label: str, icon: str) -> None:
    """Draw the button that leads to the handout (?handout) and back."""
    st.button(label, key=f"toggle-{HANDOUT}", icon=icon, on_click=_toggle_handout, type="tertiary")


def _toggle_handout() -> None:
    if HANDOUT in st.query_params:
        del st.query_params[HANDOUT]
    else:
        _leave()
        st.query_params[HANDOUT] = "1"


def _keys(names: Sequence[str], at: int) -> None:
    """Listen to ← → PageUp PageDown, as presenters' remotes send them, and n for the notes, before an audience only."""
    component("tour/keys", "<span></span>")(
        key="keys",
        data={"at": at, "count": len(names), "presenting": presenting()},
        on_go_change=lambda: _go(names, st.session_state["keys"].go),
        on_notes_change=_toggle_notes,
    )


def _go(names: Sequence[str], to: object) -> None:
    """Open another stop; what is no number of a stop is not from our buttons or keys."""
    if isinstance(to, int) and 0 <= to < len(names):
        _leave()
        st.session_state[STOP] = st.query_params[STOP] = names[to]


def _toggle_notes() -> None:
    st.session_state[NOTES] = not st.session_state.get(NOTES, False)


def _begin() -> None:
    """Begin another tour at its first stop."""
    _leave()
    for name in (STOP, f"{STOP}{MEMORY}"):
        st.session_state.pop(name, None)
    st.query_params.pop(STOP, None)


def _leave() -> None:
    """Forget what was chosen in the view that is left: the next one is set up already."""
    for name in [name for name in st.query_params if name not in KEPT]:
        del st.query_params[name]
    for name in [str(name) for name in st.session_state if str(name).endswith(MEMORY)]:
        if (key := name.removesuffix(MEMORY)) not in KEPT:
            st.session_state.pop(name)
            st.session_state.pop(key, None)
