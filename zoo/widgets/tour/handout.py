"""A tour on paper: all stops with text, formula, a still picture, question and answer, and notes, without controls."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import charts, images
from zoo.analysis.tour import Setting, Stop, Tour
from zoo.errors import DatasetUnavailable, EntryError
from zoo.widgets.loading import cached
from zoo.widgets.progress import progress
from zoo.widgets.safety import plain
from zoo.widgets.tour.stop import formula, references, words
from zoo.widgets.tour.views import drawn_papers, shown

WIDTH = 660  # pixels, of a page of A4 within its margins: charts are as wide on the screen as on paper


def handout(tour: Tour, setting: Setting, notes: bool) -> None:
    """Draw all stops of a tour below each other, to be printed by the browser."""
    st.title(plain(tour.heading.title))
    st.markdown(words(tour.heading.description, setting))
    with progress() as report:
        for index, here in enumerate(tour.stops.values()):
            report(index / len(tour.stops), f"Stop {index + 1} of {len(tour.stops)} …")
            with st.container(key=f"sheet-{index + 1}", width=WIDTH):
                _stop(here, index + 1, setting, notes)


def _stop(here: Stop, number: int, setting: Setting, notes: bool) -> None:
    st.header(f"{number}. {plain(here.title)}")
    st.markdown(words(here.text, setting))
    formula(here.formula, setting)
    try:
        _still(here, number, setting)
    except (EntryError, DatasetUnavailable) as error:
        st.caption(plain(str(error)))
    st.caption(words(here.view.caption, setting))
    asked = here.prediction
    letters = "abcde"[: len(asked.choices)]
    choices = "; ".join(f"({a}) {words(text, setting)}" for a, text in zip(letters, asked.choices, strict=True))
    st.markdown(f"**Predict.** {words(asked.question, setting)} {choices}.")
    st.markdown(f"**Answer: ({letters[asked.answer - 1]}).** {words(asked.reason, setting)}")
    if here.references:
        references(here)
    if notes:
        st.markdown(f"*For the speaker.* {words(here.notes, setting)}")


@cached(max_entries=64)
def _poster(rows: Sequence[charts.Row]) -> bytes:
    """Return rows as a picture; rows of one picture each stand side by side, a single one stays as large as it is."""
    if len(rows) == len(rows[0].pictures) == 1:
        return images.png(images.to_uint8(rows[0].pictures[0]))
    if all(row.pictures.shape == rows[0].pictures.shape and len(row.pictures) == 1 for row in rows):
        titles = [row.title for row in rows]
        rows = [charts.Row("", np.concatenate([row.pictures for row in rows]), "", titles)]
    return charts.poster("", rows)


def _still(here: Stop, number: int, setting: Setting) -> None:
    """Draw what the view shows before anybody moves anything."""
    if here.view.kind == "papers":
        drawn_papers(setting)
        return
    found = shown(here.view.kind, here.view.parameters, setting)
    if found.rows:
        st.image(_poster(found.rows[:8]), width="stretch", alt=f"What stop {number} shows")
    for index, (caption, chart) in enumerate(found.figures.items()):
        st.plotly_chart(chart, width="stretch", key=f"still-{number}-{index}", config={"staticPlot": True})
        st.caption(plain(caption))
    if found.text:
        st.markdown(found.text)
    if found.note:
        st.caption(plain(found.note))
