"""Learn: a tour through the zoo in the order of a lecture, one idea a stop, each with something to move."""

import streamlit as st

from zoo import widgets
from zoo.analysis.tour.notebook import notebook
from zoo.widgets.tour import handout, setting, steps, stop, toggle_handout, tour_picker
from zoo.widgets.tour.steps import HANDOUT, NOTES, PRINT


def main() -> None:
    st.html(PRINT)
    with widgets.guard():
        tour, here = tour_picker(), setting()
        if HANDOUT in st.query_params:
            toggle_handout("Back to the tour", ":material/arrow_back:")
            handout(tour, here, st.session_state.get(NOTES, True))
            return
        at = steps(tour)
        if not here.entries:
            st.info(f"The zoo is empty, so nothing can be shown live. {widgets.HOW_TO_FILL}", icon=":material/info:")
        stop(list(tour.stops.values())[at], at + 1, here, st.session_state.get(NOTES, False))
        with st.container(key="leave", horizontal=True):
            toggle_handout("Handout to print", ":material/print:")
            widgets.download("Notebook", lambda: notebook(tour), f"{tour.name}.ipynb")


main()
