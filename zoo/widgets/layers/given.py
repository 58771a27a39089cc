"""What goes into the networks: two images or two random codes, so that a unit is seen on both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from zoo import images, models
from zoo.analysis import layers
from zoo.analysis.conditions import labels_for
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.widgets.inputs import image_source
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import entries
from zoo.widgets.loading import available, cached, dataset, samples
from zoo.widgets.urls import bound


@dataclass(frozen=True)
class Given:
    """Inputs (N, *shape), the classes (N,) that conditional entries ask for, and what they are called.

    pictures: (N, H, W, C), the images themselves or those that the codes become. of: where they, or their classes, are
    from. kinds: the class of each (N,) and the names of the classes, where they are known.
    """

    values: np.ndarray
    labels: np.ndarray | None
    pictures: np.ndarray
    names: tuple[str, ...]
    of: str = ""
    kinds: tuple[np.ndarray | None, tuple[str, ...]] = (None, ())


def given(entry: Entry, roles: Sequence[str]) -> Given:
    """Let two inputs of the first network be chosen: images from any source (?input_…), or seeds (?seed, ?seed_2)."""
    return _codes(entry) if layers.start(roles) == "latent" else _images(entry, roles)


def searched(entry: Entry, roles: Sequence[str], split: str, count: int) -> Given:
    """Return `count` inputs at most in which to look for what excites a unit: images of the entry's dataset, of what
    stands in for it, or random codes of seed 0."""
    if layers.start(roles) == "latent":
        drawn = samples(entry, count, 0)
        of = f"random codes of {entry.label}, seed 0,"
        kinds = drawn.labels, entry.classes
        return Given(drawn.latents, drawn.labels, drawn.images, _names(*kinds, len(drawn.images)), of, kinds)
    pool = dataset(_dataset(entry), split, count)
    pictures = images.fit(pool.images[:count], _shape(entry, roles))[0]
    known = None if pool.labels is None else pool.labels[:count]
    labels = _conditions(entry, pictures, known, tuple(pool.classes))[0] if entry.conditional else None
    kinds = known, tuple(pool.classes)
    of = f"images of {dataset_title(pool.name)}, {split} split,"
    return Given(pictures, labels, pictures, _names(*kinds, len(pictures)), of, kinds)


def _names(labels: np.ndarray | None, classes: tuple[str, ...], count: int) -> tuple[str, ...]:
    if labels is None or not classes:
        return tuple(f"number {index + 1}" for index in range(count))
    return tuple(classes[label] for label in labels)


@cached
def _conditions(
    entry: Entry, pictures: np.ndarray, known: np.ndarray | None, classes: tuple[str, ...]
) -> tuple[np.ndarray | None, str]:
    return labels_for(entry, pictures, known, classes, classifier_for(entry, entries()))


def _dataset(entry: Entry) -> str:
    return entry.dataset if available(entry.dataset) else "digits" if entry.shape[2] == 1 else "fruits"


def _shape(entry: Entry, roles: Sequence[str]) -> tuple[int, int, int]:
    return models.source_shape(entry) if roles[0] == "translator" else entry.shape


def _images(entry: Entry, roles: Sequence[str]) -> Given:
    shape = _shape(entry, roles)
    picked = image_source("input", shape, prefer=entry.dataset, count=2, most=2)
    pictures, known, names = picked.images[:2], picked.labels, picked.names()[:2]
    if len(pictures) < 2:  # one drawing or upload: beside it stands an image of the dataset
        pool = dataset(_dataset(entry), "test", 2)
        pictures = np.concatenate([pictures, images.fit(pool.images[:1], shape)[0]])
        known, names = None, [picked.description, "an image of the dataset"]
    known = None if known is None else known[:2]
    labels, of = _conditions(entry, pictures, known, tuple(picked.classes))
    return Given(pictures, labels, pictures, tuple(names), of)


def _codes(entry: Entry) -> Given:
    classes = list(entry.classes)
    found, names = [], []
    for index, (column, key) in enumerate(zip(st.columns(2, gap="medium"), ("seed", "seed_2"), strict=True)):
        which = "first" if index == 0 else "second"
        with column:
            limits = {"min_value": 0, "max_value": 9999, "step": 1}
            seed = bound(st.number_input, f"Seed of the {which} code", key=key, default=index, **limits)
            label = None
            if entry.conditional:
                wanted = bound(
                    st.selectbox, f"Class of the {which} code", classes, key=f"class_{key}", default=classes[0]
                )
                label = classes.index(wanted)
        found.append(samples(entry, 1, seed, label=label))
        names.append(f"seed {seed}" if label is None else f"{classes[label]}, seed {seed}")
    labels = np.concatenate([sample.labels for sample in found]) if entry.conditional else None
    latents, pictures = (np.concatenate([getattr(s, kind) for s in found]) for kind in ("latents", "images"))
    return Given(latents, labels, pictures, tuple(names))
