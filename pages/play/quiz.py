"""Real or fake: a quiz of pictures from test images and from generators, for one visitor or a class."""

from collections.abc import Sequence

import streamlit as st

from zoo import models, widgets
from zoo.analysis import quiz
from zoo.entries import Entry
from zoo.errors import DatasetUnavailable
from zoo.widgets.quiz import CLASSIFIER, Round, answered, drawn, judges, wall
from zoo.widgets.real_images import at_hand

SEEDS = 9999
RULES = (
    "**Taken for real** counts, for each source, the pictures that a judge called real: of generated ones, those that "
    "deceived it. Machines see the same 20 pictures and never say “real” by themselves, so a bar is set for each: "
    "at least what 95 % of other test images reach. "
)
CLASSIFIERS = "For the **classifier** that is its confidence, the highest probability that it gives to a class. "
DISCRIMINATORS = "For **D**, an entry's discriminator, it is its score. "
PRIVATE = (
    "Nothing is stored about anybody: your answers stay in this browser until the last one, are then counted, and are "
    "gone when the page is closed. The link holds dataset, entries and seed: whoever opens it gets the same pictures."
)


def main() -> None:
    st.title("Real or fake?")
    found = [entry for entry in widgets.entries("generate") if models.affordable(entry, quiz.ROUNDS) == quiz.ROUNDS]
    names = list(dict.fromkeys(entry.dataset for entry in found))
    if not names:
        st.info(f"No entry here can draw new images yet. {widgets.HOW_TO_FILL}", icon=":material/info:")
        return
    st.markdown(
        "Twenty pictures, half of them real test images, half made by generators. Which are which? Answer with the "
        "buttons, or with the keys ← for real and → for fake."
    )
    board = st.container()
    with st.expander("Settings: dataset, generators, seed", icon=":material/tune:"):
        name, generators, seed = settings(found, names)
    with board, widgets.guard():
        if at_hand(name, "test", "Choose another dataset in the settings below.", "quiz"):
            try:
                made = drawn(name, generators, seed)
            except ValueError as error:
                raise DatasetUnavailable(str(error)) from error
            play(made, generators, seed)
    st.caption(PRIVATE)


def settings(found: Sequence[Entry], names: Sequence[str]) -> tuple[str, list[Entry], int]:
    """Let dataset, generators and seed be chosen."""
    first = next((name for name in names if widgets.available(name)), names[0])
    left, right = st.columns(2, gap="medium")
    with left:
        name = widgets.bound(
            st.selectbox, "Dataset", names, key="dataset", default=first, format_func=widgets.dataset_title
        )
        limits = {"min_value": 0, "max_value": SEEDS, "step": 1}
        seed = widgets.bound(st.number_input, "Seed", key="seed", default=0, **limits)
    members = quiz_order([entry for entry in found if entry.dataset == name])
    with right:
        default = [entry.id for entry in members[:3]]
        generators = widgets.entries_picker("Generators", among=members, default=default, most=5)
    return name, generators, seed


def quiz_order(members: Sequence[Entry]) -> list[Entry]:
    """Order entries by their Fréchet distance, the nearest to real images first."""
    metrics = {entry.id: entry.manifest.metrics.get("frechet_random") for entry in members}
    return sorted(members, key=lambda entry: found.value if (found := metrics[entry.id]) else float("inf"))


@st.fragment
def play(made: Round, generators: Sequence[Entry], seed: int) -> None:
    """Show the pictures, and after the last answer the result."""
    said = answered(made, "quiz")
    if said is None:
        return
    with widgets.guard():
        st.header(quiz.told(quiz.right(said, made.source)).partition(". ")[0])
        st.markdown(quiz.told(quiz.right(said, made.source)).partition(". ")[2])
        others = judges(made, generators)
        table = quiz.standings({"You": said} | others, made.source, [entry.label for entry in generators])
        st.table(table, hide_index=True, border="horizontal")
        rules = RULES + (CLASSIFIERS if CLASSIFIER in others else "")
        st.caption(rules + (DISCRIMINATORS if len(others) > (CLASSIFIER in others) else ""))
        wall(made, said, generators)
        st.caption("All pictures by where they are from, with your answer: ✓ right, ✗ wrong.")
        if st.button("Next round", icon=":material/skip_next:", on_click=forward, args=[seed]):
            st.rerun()


def forward(seed: int) -> None:
    """Go to the next seed."""
    st.session_state["seed"] = (seed + 1) % (SEEDS + 1)


main()
