"""Cached summaries of real and generated images of one dataset."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import comparison, datasets, fruits, images, models
from zoo.catalog import classifier_for
from zoo.comparison import Summary
from zoo.entry import Entry
from zoo.plots import REAL_NAME
from zoo.widgets.loading import cached, entries, plain
from zoo.widgets.placards import dataset_title
from zoo.widgets.training_data import at_hand

SPLIT = "test"


def summaries(chosen: Sequence[Entry], count: int, seed: int) -> dict[str, Summary]:
    """Return the summary of the real images, where they can be had, and of what each entry draws, by its name.

    All entries were trained on one dataset; images are brought to the shape of the first. Shows what is being done.
    """
    first = chosen[0]
    dataset, shape = first.dataset, first.shape
    classifier = classifier_for(first, entries())
    found = {}
    who = "the entries are compared with each other" if len(chosen) > 1 else "the entry is shown on its own"
    if at_hand(dataset, SPLIT, f"Meanwhile, {who}.", key=f"{dataset}-{SPLIT}"):
        with st.spinner(f"Reading {plain(dataset_title(dataset))} …"):
            found[REAL_NAME] = _real(dataset, shape, count, seed, classifier)
    for entry in chosen:
        with st.spinner(f"{plain(entry.title)} draws {count:,} images …"):
            found[entry.name] = _drawn(entry, shape, count, seed, classifier)
    return found


@cached(max_entries=16)
def _real(dataset: str, shape: tuple[int, int, int], count: int, seed: int, classifier: Entry | None) -> Summary:
    split = datasets.load(dataset, SPLIT, count, seed, size=None if dataset in datasets.NAMES else shape[0])
    pictures = images.fit(split.images, shape)[0]
    return comparison.summarise(pictures, classifier, _measurable(dataset, shape), split.factors)


@cached
def _drawn(entry: Entry, shape: tuple[int, int, int], count: int, seed: int, classifier: Entry | None) -> Summary:
    pictures = images.fit(models.sample(entry, count, seed).images, shape)[0]
    return comparison.summarise(pictures, classifier, _measurable(entry.dataset, shape))


def _measurable(dataset: str, shape: tuple[int, int, int]) -> bool:
    return dataset == "fruits" and shape == (fruits.SIDE, fruits.SIDE, 3)


@cached(spinner="Comparing features …")
def overlap(features: dict[str, np.ndarray]) -> str:
    """Return `comparison.overlap(features)`, cached."""
    return comparison.overlap(features)
