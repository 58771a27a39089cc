"""Which generator is searched, how, and which classes it is told."""

import math

import numpy as np
import streamlit as st

from zoo.analysis import inversion
from zoo.analysis.conditions import labels_for
from zoo.analysis.inversion import Settings
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.widgets.inputs import Picked
from zoo.widgets.listing import entries
from zoo.widgets.loading import available
from zoo.widgets.picking import entry_picker
from zoo.widgets.urls import bound

TOLD = {"known": "Told the class", "every": "All classes tried"}


def entry_choice() -> Entry:
    """Let an entry be chosen (?entry) whose latents can be searched: at first a GAN of small images."""
    found = sorted(filter(inversion.invertible, entries()), key=lambda entry: not inversion.adversarial(entry))

    def order(entry: Entry) -> tuple:
        return not inversion.adversarial(entry), not available(entry.dataset), entry.conditional, math.prod(entry.shape)

    first = min(found, key=order, default=None)
    return entry_picker("Generator", among=found, default=first.id if first else None)


def settings_choice(entry: Entry) -> tuple[Settings, bool]:
    """Let the search be set; return also whether a conditional entry is told the class, instead of trying all."""
    with st.popover("Settings", icon=":material/tune:"):
        starts = bound(
            st.segmented_control, "Starts", [1, 2, 4, 8, 16], key="starts", default=8, required=True,
            help="How many of 512 random codes are followed; the worse half is given up after 1, 3 and 6 steps.",
        )  # fmt: skip
        steps = bound(st.slider, "Steps", key="steps", default=14, min_value=1, max_value=40)
        seconds = bound(
            st.slider, "Time limit (seconds for one image)", key="seconds", default=20, min_value=1, max_value=120
        )
        seed = bound(st.number_input, "Seed", key="seed", default=0, min_value=0, max_value=9999, step=1)
        by = "known"
        if entry.conditional:
            by = bound(
                st.segmented_control, "Class", list(TOLD), key="told", default="known", required=True,
                format_func=TOLD.get,
                help="The class from the dataset, or the one that the classifier sees, or the best of all.",
            )  # fmt: skip
    return Settings(starts=starts, steps=steps, seed=seed, seconds=float(seconds)), by == "known"


def told(entry: Entry, picked: Picked, known: bool) -> tuple[np.ndarray | None, str]:
    """Return the classes (N,) that an entry is told, and where they are from; None where it tries all or takes none."""
    if not entry.conditional:
        return None, ""
    classifier = classifier_for(entry, entries())
    if known and (picked.labels is not None or classifier):
        labels, origin = labels_for(entry, picked.images, picked.labels, picked.classes, classifier)
        if "for want of" not in origin:
            return labels, f"It is told {origin}."
    return None, "All classes are tried."


def source(entry: Entry) -> str:
    """Return the dataset of an entry, or what is always here and stands in for it."""
    return entry.dataset if available(entry.dataset) else "digits" if entry.shape[2] == 1 else "fruits"
