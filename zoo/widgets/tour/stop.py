"""One stop of a tour: its text, its formula, a prediction to make, and a live view."""

import streamlit as st
from streamlit.errors import StreamlitAPIException

from zoo.analysis.tour import Setting, Stop, filled
from zoo.analysis.tour.reading import Formula, Link, Prediction
from zoo.widgets.card import harmless
from zoo.widgets.safety import guard, plain
from zoo.widgets.tour.views import view
from zoo.widgets.urls import bound

GUESS = "guess"


def stop(here: Stop, number: int, setting: Setting, notes: bool) -> None:
    """Draw a stop: words and prediction on the left, the live view on the right, notes for the speaker below."""
    st.title(plain(here.title))
    left, right = st.columns([5, 7], gap="large")
    with left:
        st.markdown(words(here.text, setting))
        formula(here.formula, setting)
        with st.container(border=True, key="prediction"):
            _prediction(here.prediction, setting)
    with right, st.container(key=f"view-{number}"):
        with guard():
            view(here.view, setting)
        st.caption(words(here.view.caption, setting))
        page_link(here.link)
    if here.references:
        references(here)
    if notes:
        with st.container(border=True, key="speaker-notes"):
            st.markdown(f":material/speaker_notes: **For the speaker.** {words(here.notes, setting)}")


def words(text: str, setting: Setting) -> str:
    """Return a text of a tour as harmless Markdown, the numbers of entries in their places."""
    return filled(harmless(text), setting.entries, plain)


def formula(of: Formula, setting: Setting) -> None:
    """Draw a formula with its symbols explained; reading refused what is more than a formula."""
    st.latex(of.tex)
    st.markdown("\n".join(f"- ${symbol.tex}$: {words(symbol.meaning, setting)}" for symbol in of.symbols))


def page_link(link: Link) -> None:
    """Draw the link to a page in the state that the stop asks for."""
    try:
        st.page_link(
            f"pages/{link.page}.py", label=plain(link.label), icon=":material/open_in_full:",
            query_params=link.parameters,
        )  # fmt: skip
    except StreamlitAPIException:
        st.caption(f":material/link_off: The page {plain(link.page)} is not in this app.")


def references(here: Stop) -> None:
    """List what to read elsewhere."""
    lines = [f"- [{plain(reference.title)}]({reference.url})" for reference in here.references]
    st.markdown("\n".join(lines))


def _prediction(asked: Prediction, setting: Setting) -> None:
    """Ask for a guess (?guess, counted from 1), and give the answer with its reason once there is one."""
    st.markdown(f":material/psychology_alt: **Predict.** {words(asked.question, setting)}")
    choices = [str(number) for number in range(1, len(asked.choices) + 1)]
    texts = dict(zip(choices, (words(choice, setting) for choice in asked.choices), strict=True))
    guess = bound(
        st.radio, "Your prediction", ["", *choices], key=GUESS, default="", label_visibility="collapsed",
        format_func=lambda choice: texts.get(choice, "Not yet"),
    )  # fmt: skip
    if guess:
        right = texts[str(asked.answer)]
        verdict = (
            ":material/check: **Right.**" if guess == str(asked.answer) else f":material/close: **It is: {right}.**"
        )
        st.markdown(f"{verdict} {words(asked.reason, setting)}")
