"""The inputs that define a draw of samples, for several entries at once."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import streamlit as st

from zoo import models, samplers
from zoo.entries import Entry
from zoo.models import Samples
from zoo.samplers import SAMPLERS
from zoo.widgets.live import Axis
from zoo.widgets.loading import samples
from zoo.widgets.urls import bound, linked_expander

TEMPERATURE = Axis("temperature", "Temperature", 0.0, 2.0, 1.0, 0.05, ends=("0", "2"))
# A cut at four standard deviations takes one number of 16,000: it stands for none.
TRUNCATION = Axis("truncation", "Truncation in σ", 0.5, 4.0, 4.0, 0.05, ends=("0.5", "none"))
SEEDS = 10_000
EVERY = "all"
OPTIONS = ("count", "class", "sampler")


@dataclass(frozen=True)
class Draw:
    """How many images are drawn, from which codes, and of which class (EVERY for all)."""

    count: int
    seed: int
    sampler: str
    temperature: float
    truncation: float
    wanted: str

    def at(self, axis: str, place: float) -> "Draw":
        """Return this draw at another temperature or truncation."""
        return replace(self, **{axis: place})

    def sampler_for(self, entry: Entry) -> str:
        """Return the chosen sampler where the entry offers it, else the entry's best."""
        offered = samplers.offered(entry)
        return self.sampler if self.sampler in offered else offered[0]

    def samples(self, entry: Entry, sample: Callable[..., Samples] = samples) -> Samples:
        """Return what the entry draws; cached, unless another `sample` is given than that of the loaders."""
        named = entry.conditional and self.wanted in entry.classes
        return sample(
            entry,
            self.count,
            self.seed,
            sampler=self.sampler_for(entry),
            temperature=self.temperature,
            truncation=self.truncation if self.truncation < TRUNCATION.high else math.inf,
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
        left, right = st.columns([1, 1], gap="large")  # four samplers stand in one line
    with left:
        count = bound(st.slider, "Count", key="count", default=24, min_value=4, max_value=96, step=4)
        classes = list(dict.fromkeys(name for entry in entries if entry.conditional for name in entry.classes))
        wanted = bound(
            st.selectbox, "Class", [EVERY, *classes], key="class", default=EVERY,
            format_func=lambda name: "All classes" if name == EVERY else name,
            help="For entries that can be asked for a class." if classes else "None of these can be asked for a class.",
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
    return Draw(most, seed, sampler, TEMPERATURE.value(), TRUNCATION.value(), wanted)


def _next_seed() -> None:
    st.session_state["seed"] = (st.session_state["seed"] + 1) % SEEDS
