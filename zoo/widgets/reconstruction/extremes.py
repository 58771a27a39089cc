"""The reconstruction errors of a whole split."""

import numpy as np
import streamlit as st

from zoo import models
from zoo.analysis import fidelity
from zoo.entries import Entry
from zoo.known import DATASETS
from zoo.widgets.labels import dataset_title
from zoo.widgets.loading import available, cached, capacity, dataset
from zoo.widgets.progress import progress
from zoo.widgets.safety import plain
from zoo.widgets.urls import bound

SPLITS = ("test", "train")
CHUNK = 512
FEW, LARGEST = 1000, 10_000  # images searched unasked, and of a split of unknown size
MAX_PIXELS = 1 << 26  # of all reconstructions of a search


def searchable(entry: Entry) -> str:
    """Return the dataset to search: the one of the entry, or what can stand in for it on this machine."""
    if available(entry.dataset):
        return entry.dataset
    return "digits" if entry.shape[2] == 1 else "fruits"


def search_count(entry: Entry, name: str, split: str) -> int:
    """Let more than FEW images of a split be searched (?all); return how many are. Of large ones it is fewer."""
    count, larger = models.affordable(entry, FEW, MAX_PIXELS // 4), most(entry, name, split)
    if larger > count and bound(st.toggle, search_label(entry, name, split), key="all", default=False):
        return larger
    return count


def most(entry: Entry, name: str, split: str) -> int:
    """Return how many images of a split can be searched: all where their number is known and memory allows."""
    known = DATASETS.get(name)
    count = min(known.counts[split], capacity(known.shape)) if known else LARGEST
    return models.affordable(entry, count, MAX_PIXELS)


def search_label(entry: Entry, name: str, split: str) -> str:
    """Return what the choice to search more of a split says."""
    known, count = DATASETS.get(name), most(entry, name, split)
    share = "all" if known and known.counts[split] == count else "up to"
    return f"Search {share} {count:,} images"


def described(entry: Entry, name: str, split: str, count: int) -> str:
    """Return what was searched, as Markdown."""
    known = DATASETS.get(name)
    of = f" of {known.counts[split]:,}" if known and count < known.counts[split] else ""
    text = f"{count:,}{of} images of {plain(dataset_title(name))}, {split} split, were searched"
    if name != entry.dataset:
        text += f" ({plain(dataset_title(entry.dataset))}, on which the entry was trained, is not on this machine)"
    return f"{text}. What is common and plain comes back best; rare shapes and fine texture come back worst."


@cached(max_entries=16)
def split_errors(entry: Entry, name: str, split: str, count: int, classifier: Entry | None) -> dict[str, np.ndarray]:
    """Return mse, psnr and ssim (N,) of the entry on clean images of a split, with a progress bar."""
    pool = dataset(name, split, count)
    found = []
    with progress() as report:
        chunk = models.affordable(entry, CHUNK)
        for start in range(0, len(pool.images), chunk):
            part = slice(start, start + chunk)
            report(start / len(pool.images), f"{entry.label} reconstructs {len(pool.images):,} images …")
            labels = None if pool.labels is None else pool.labels[part]
            images = pool.images[part]
            found.append(fidelity.reconstruct(entry, images, images, labels, pool.classes, classifier).errors)
    return {metric: np.concatenate([errors[metric] for errors in found]) for metric in fidelity.METRICS}
