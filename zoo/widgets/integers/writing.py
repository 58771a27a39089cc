"""A number that entries write."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from zoo import charts, images
from zoo.analysis import numerals
from zoo.entries import Entry
from zoo.widgets.charts import download
from zoo.widgets.loading import cached
from zoo.widgets.matrix import Row, image_matrix
from zoo.widgets.picking import HOW_TO_FILL, entries_picker
from zoo.widgets.urls import bound

NUMBER = "721041"
SEEDS = 10_000


@dataclass(frozen=True)
class Written:
    """A number, and what each entry made of it (digits, H, W, C); hand and seed of the latents."""

    number: str
    pictures: dict[Entry, np.ndarray]
    hand: str
    seed: int


def number_to_image(entries: Sequence[Entry]) -> Written:
    """Let a number be typed (?number) and written by entries that can be asked for a digit; without any, say so."""
    st.header("From number to image")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        text = bound(st.text_input, "Number", key="number", default=NUMBER, width=180)
        hand = bound(
            st.segmented_control, "Handwriting", list(numerals.HANDS), key="hand", default="one",
            format_func=numerals.HANDS.get, required=True,
        )  # fmt: skip
        limits = {"min_value": 0, "max_value": SEEDS - 1, "step": 1, "width": 160}
        seed = bound(st.number_input, "Seed", key="seed", default=0, **limits)
    number = numerals.cleaned(text) or NUMBER
    if number != text:
        st.caption(f":material/info: A number has one to {numerals.LONGEST} digits from 0 to 9: {number} is written.")
    if not entries:
        st.info(f"No entry here can be asked for a digit yet. {HOW_TO_FILL}", icon=":material/info:")
        return Written(number, {}, hand, seed)
    chosen = entries_picker(among=entries, default=[entry.id for entry in entries[:3]], most=4)
    pictures = {entry: _digits(entry, number, hand, seed) for entry in chosen}
    rows = [Row(entry.label, found) for entry, found in pictures.items()]
    names = [f"digit {index + 1}, a {digit}" for index, digit in enumerate(number)]
    image_matrix(rows, names, key="written")
    st.caption(
        "Each row is one entry. It was told the digits of the number one after the other, as classes, and drew an "
        "image for each. In one hand slant and stroke are shared, because the latent code is; in many hands each digit "
        "has a code of its own. Another seed is another hand."
    )
    name = f"{number}-{hand}-{seed}"
    with st.container(horizontal=True):
        download("PNG", lambda: _stacked(list(pictures.values())), f"{name}.png")
        download("PNG with names", lambda: charts.poster(number, rows, list(number)), f"{name}-named.png")
    return Written(number, pictures, hand, seed)


@cached(max_entries=64)
def _digits(entry: Entry, number: str, hand: str, seed: int) -> np.ndarray:
    return numerals.write(entry, [number], hand, seed)[0]


def _stacked(pictures: Sequence[np.ndarray]) -> bytes:
    """A PNG file of rows of digits under each other, each enlarged to the width of the widest."""
    rows = [images.strip([found], scale=8, gap=0) for found in pictures]
    widest = max(row.shape[1] for row in rows)
    return images.png(np.concatenate([images.enlarge(row, max(1, widest // row.shape[1]))[:, :widest] for row in rows]))
