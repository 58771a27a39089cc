"""Cached summaries of real and generated images of one dataset."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import images, models
from zoo.analysis import comparison
from zoo.analysis.comparison import Summary
from zoo.charts import REAL_NAME
from zoo.charts.layout import subset
from zoo.data import datasets, fruits
from zoo.data.pools import as_float
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.known import DATASETS, ColumnNames
from zoo.widgets.columns import column_inputs, columns
from zoo.widgets.distributions.uploads import YOURS
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import entries
from zoo.widgets.loading import available, cached, dataset
from zoo.widgets.real_images import at_hand, side
from zoo.widgets.safety import plain

SPLIT = "test"


def summaries(chosen: Sequence[Entry], count: int, seed: int, own: np.ndarray | None = None) -> dict[str, Summary]:
    """Return the summary of the real images, where they can be had, and of what each entry draws, by its label.

    All entries were trained on one dataset; images are brought to the shape of the first. Shows what is being done.

    Args:
        own: a visitor's images, uint8 (N, *shape of the first entry), summarised under the name YOURS.
    """
    first = chosen[0]
    name, shape = first.dataset, first.shape
    classifier = classifier_for(first, entries())
    found = {}
    who = "the entries are compared with each other" if len(chosen) > 1 else "the entry is shown on its own"
    if at_hand(name, SPLIT, f"Meanwhile, {who}.", key=f"{name}-{SPLIT}"):
        with st.spinner(f"Reading {plain(dataset_title(name))} …"):
            found[REAL_NAME] = _real(name, shape, count, seed, classifier, first.balanced, columns(name))
    for entry in chosen:
        with st.spinner(f"{plain(entry.label)} draws {count:,} images …"):
            found[entry.label] = _drawn(entry, shape, count, seed, classifier)
    if own is not None:
        found[YOURS] = _own(own[:count], name, classifier)
    return found


def real_columns(name: str) -> None:
    """Say where the images of a dataset are from, and let other columns of its table be chosen (?real_image, …)."""
    if name not in DATASETS and available(name, SPLIT):
        column_inputs(dataset(name, SPLIT, 1), name, "real")


@cached(max_entries=16)
def _real(
    dataset: str,
    shape: tuple[int, int, int],
    count: int,
    seed: int,
    classifier: Entry | None,
    balanced: bool,
    read: ColumnNames,
) -> Summary:
    split = datasets.load(dataset, SPLIT, count, seed, size=side(dataset, shape), balanced=balanced, **read)
    pictures = images.fit(split.images, shape)[0]
    return comparison.summarise(pictures, classifier, _measurable(dataset, shape), split.factors)


@cached
def _drawn(entry: Entry, shape: tuple[int, int, int], count: int, seed: int, classifier: Entry | None) -> Summary:
    pictures = images.fit(models.sample(entry, count, seed).images, shape)[0]
    return comparison.summarise(pictures, classifier, _measurable(entry.dataset, shape))


@cached(max_entries=4, spinner="Looking at your images …")
def _own(pictures: np.ndarray, dataset: str, classifier: Entry | None) -> Summary:
    return comparison.summarise(as_float(pictures), classifier, _measurable(dataset, pictures.shape[1:]))


def pictures(
    names: Sequence[str], chosen: Sequence[Entry], count: int, seed: int, own: np.ndarray | None
) -> np.ndarray:
    """Return the images (N, H, W, C) behind the points of charts, for the sets of these names one after the other."""
    first, found = chosen[0], []
    for name in names:
        if name == REAL_NAME:
            part = real_pictures(first, count, seed, first.balanced)
        elif name == YOURS and own is not None:
            part = as_float(own[:count])
        else:
            entry = next(entry for entry in chosen if entry.label == name)
            part = images.fit(models.sample(entry, count, seed).images, first.shape)[0]
        found.append(part[subset(len(part))])
    return np.concatenate(found)


def real_pictures(entry: Entry, count: int, seed: int, balanced: bool = False) -> np.ndarray:
    """Return the test images (N, *shape) that are held against those of an entry."""
    reading = {"size": side(entry.dataset, entry.shape), "balanced": balanced}
    return images.fit(datasets.load(entry.dataset, SPLIT, count, seed, **reading).images, entry.shape)[0]


def _measurable(dataset: str, shape: tuple[int, int, int]) -> bool:
    return dataset == "fruits" and shape == (fruits.SIDE, fruits.SIDE, 3)


@cached(spinner="Comparing features …")
def overlap(features: dict[str, np.ndarray]) -> str:
    """Return `comparison.overlap(features)`, cached."""
    return comparison.overlap(features)
