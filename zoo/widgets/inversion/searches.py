"""Searches in the background: in sight, with a way out, and shared by who wants the same."""

import hashlib
from dataclasses import dataclass

import numpy as np
import streamlit as st

from zoo import images
from zoo.analysis import inversion
from zoo.analysis.inversion import Found, Settings
from zoo.entries import Entry
from zoo.widgets.inputs import Picked
from zoo.widgets.inversion.choices import source, told
from zoo.widgets.labels import dataset_title
from zoo.widgets.loading import dataset
from zoo.widgets.urls import bound
from zoo.widgets.waiting import awaited, known

ASKED = "searches that were asked for"
SPARE = 60.0  # seconds beyond the time limit of all images
CLASS_IMAGES = 12


@dataclass(frozen=True)
class Searched:
    """What was searched for, images in the entry's shape, and what was found.

    labels: the classes (N,) that the entry was told, None where it takes none or tried all; note: where they are from.
    """

    picked: Picked
    found: list[Found]
    labels: np.ndarray | None
    note: str

    @property
    def errors(self) -> list[float]:
        return [item.error for item in self.found]

    @property
    def nearest(self) -> np.ndarray:
        return np.stack([item.image for item in self.found])


def searched(entry: Entry, picked: Picked, settings: Settings, class_known: bool, ask: str = "") -> Searched | None:
    """Return the nearest images of an entry; None until they are there.

    ask: the label of a button that begins the search; without it, it begins at once.
    """
    labels, note = told(entry, picked, class_known)
    pictures = picked.images
    digest = hashlib.sha1(np.ascontiguousarray(pictures).tobytes()).hexdigest()
    key = ("inversion", _name(entry), digest, None if labels is None else tuple(labels.tolist()), settings)
    if ask and not _wanted(key, ask):
        return None

    def work(report, cancelled) -> list[Found]:
        return inversion.invert(entry, pictures, labels, settings, report, cancelled)

    text = f"{entry.label} searches for {len(pictures)} images"
    found = awaited(key, work, text, len(pictures) * settings.seconds + SPARE, again="Search")
    return None if found is None else Searched(picked, found, labels, note)


def limit(entry: Entry, settings: Settings) -> float | None:
    """Return the error that 95 % of an entry's own samples stay below under the same search; None until it is known."""
    key = ("inversion of own samples", _name(entry), settings)
    if not _wanted(key, "Judge by its own samples", f"{inversion.OWN} samples of its own are searched for, once."):
        return None

    def work(report, cancelled) -> np.ndarray:
        return inversion.own(entry, settings, report, cancelled)

    text = f"{entry.label} searches for {inversion.OWN} samples of its own"
    found = awaited(key, work, text, inversion.OWN * settings.seconds + SPARE, again="Judge by its own samples")
    return None if found is None else inversion.bar(found)


def class_images(entry: Entry) -> Picked:
    """Let a class be chosen (?class); return its first test images in the entry's shape, or of what stands in."""
    pool = dataset(source(entry), "test")
    index = np.arange(len(pool.images))
    if pool.labels is not None and len(pool.classes):
        present = [pool.classes[label] for label in np.unique(pool.labels)]
        wanted = bound(st.selectbox, "Class", present, key="class", default=present[0], width=240)
        index = index[pool.labels == list(pool.classes).index(wanted)]
    index = index[:CLASS_IMAGES]
    labels = None if pool.labels is None else pool.labels[index]
    pictures = images.fit(pool.images[index], entry.shape)[0]
    return Picked(pictures, labels, tuple(pool.classes), f"{dataset_title(pool.name)}, test split")


def _name(entry: Entry) -> str:
    return f"{entry.folder}@{entry.revision}"


def _wanted(key: tuple, label: str, note: str = "") -> bool:
    """Whether a search is there or was asked for; if not, offer to begin it."""
    asked = st.session_state.setdefault(ASKED, set())
    if known(key) or key in asked:
        return True
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(label, on_click=asked.add, args=[key], key=f"ask-{hash(key)}", icon=":material/search:")
        if note:
            st.caption(note)
    return False
