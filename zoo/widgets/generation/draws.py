"""The inputs that define a draw of samples, for several entries at once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from zoo import models, samplers
from zoo.entries import Entry
from zoo.models import Samples
from zoo.samplers import SAMPLERS
from zoo.widgets.loading import samples
from zoo.widgets.urls import bound, linked_expander

CUTS = (0.5, 1.0, 1.5, 2.0, 3.0, math.inf)
SEEDS = 10_000
EVERY = "all"
OPTIONS = ("count", "class", "temperature", "truncation", "sampler")


@dataclass(frozen=True)
class Draw:
    """How many images are drawn, from which codes, and of which class (EVERY for all)."""

    count: int
    seed: int
    sampler: str
    temperature: float
    truncation: float
    wanted: str

    def sampler_for(self, entry: Entry) -> str:
        """Return the chosen sampler where the entry offers it, else the entry's best."""
        offered = samplers.offered(entry)
        return self.sampler if self.sampler in offered else offered[0]

    def samples(self, entry: Entry) -> Samples:
        """Return what the entry draws, cached."""
        named = entry.conditional and self.wanted in entry.classes
        return samples(
            entry,
            self.count,
            self.seed,
            sampler=self.sampler_for(entry),
            temperature=self.temperature,
            truncation=self.truncation,
            label=entry.classes.index(self.wanted) if named else None,
        )


def draw_inputs(entries: Sequence[Entry]) -> Draw:
    """Let a draw be chosen: ?seed, count, sampler, temperature, truncation and class.

    Offers what at least one of the entries can do; the first entry's best sampler is the default.
    """
    offered = [name for name in SAMPLERS if any(name in samplers.offered(entry) for entry in entries)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        limits = {"min_value": 0, "max_value": SEEDS - 1, "step": 1, "width": 160}
        seed = bound(st.number_input, "Seed", key="seed", default=0, **limits)
        st.button("Next seed", icon=":material/casino:", on_click=_next_seed)
    with linked_expander("Count, class and how codes are drawn", *OPTIONS, icon=":material/tune:"):
        left, middle, right = st.columns([9, 9, 12], gap="large")  # four samplers stand in one line
    with left:
        count = bound(st.slider, "Count", key="count", default=24, min_value=4, max_value=96, step=4)
        classes = list(dict.fromkeys(name for entry in entries if entry.conditional for name in entry.classes))
        wanted = bound(
            st.selectbox, "Class", [EVERY, *classes], key="class", default=EVERY,
            format_func=lambda name: "All classes" if name == EVERY else name,
            help="For entries that can be asked for a class." if classes else "None of these can be asked for a class.",
        )  # fmt: skip
    with middle:
        temperature = bound(
            st.slider, "Temperature", key="temperature", default=1.0, min_value=0.0, max_value=2.0, step=0.05,
            help="Factor on the spread of the codes: 0 gives the centre, above 1 leaves what training has seen.",
        )  # fmt: skip
        truncation = bound(
            st.select_slider, "Truncation", CUTS, key="truncation", default=math.inf, format_func=_cut,
            help="Codes farther out are never drawn: fewer failures, less variety (Brock et al. 2019).",
        )  # fmt: skip
    with right:
        sampler = bound(
            st.segmented_control, "Codes drawn from", offered, key="sampler", default=samplers.offered(entries[0])[0],
            format_func=lambda name: SAMPLERS[name].label, required=True,
            help="The prior, or what was fitted to the codes of training images: a Gaussian, a mixture of "
            "Gaussians, or an invertible flow that bends each of these to the shape of its codes.",
        )  # fmt: skip
    most = min(models.affordable(entry, count) for entry in entries)
    if most < count:
        st.caption(f":material/info: {most} at a time: the images of one of the entries are large.")
    return Draw(most, seed, sampler, temperature, truncation, wanted)


def _next_seed() -> None:
    st.session_state["seed"] = (st.session_state["seed"] + 1) % SEEDS


def _cut(limit: float) -> str:
    return "none" if limit == math.inf else f"±{limit:g} σ"
