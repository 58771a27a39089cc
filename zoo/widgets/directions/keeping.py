"""A move as a file: saved, and opened again."""

import hashlib

import streamlit as st

from zoo.analysis import moves
from zoo.analysis.directions import Found
from zoo.widgets.directions.mixer import KEY
from zoo.widgets.safety import plain
from zoo.widgets.uploads import Limit, uploader

FILE = Limit(1, 1)
LAST = "move opened last"


def keeping(found: Found) -> None:
    """Let a move be opened from a file that this page has saved; call it before the mixer draws the move."""
    known = [direction.key for direction in found.directions if direction.vector is not None]
    files = uploader("A move that was saved (JSON)", ["json"], FILE, key="move_file")
    if not files:
        st.session_state.pop(LAST, None)
        return
    content = files[0].content
    this = hashlib.sha1(content).hexdigest()
    try:
        move = moves.opened(content, known)
    except ValueError as error:
        st.warning(f"{plain(files[0].name)}: {plain(str(error))}", icon=":material/broken_image:")
        return
    if st.session_state.get(LAST) != this:  # later the sliders have the say
        st.session_state[LAST] = this
        st.session_state[KEY] = moves.written(move)
    st.caption(f":material/check: {plain(files[0].name)} was opened: {plain(moves.written(move))}.")
