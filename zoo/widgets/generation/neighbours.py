"""The training images nearest to a generated one."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import images
from zoo.data import datasets
from zoo.entries import Entry
from zoo.known import DATASETS, ColumnNames
from zoo.metrics import neighbours
from zoo.widgets.columns import columns
from zoo.widgets.loading import MAX_POOL_BYTES, capacity
from zoo.widgets.progress import progress
from zoo.widgets.real_images import at_hand, side
from zoo.widgets.tiles import image_grid
from zoo.widgets.urls import bound

FIRST = 2000
BLOCK = 1000  # images that are fitted at once, fewer where they are large


def search_everything(entries: Sequence[Entry]) -> bool:
    """Let a search go through all training images (?everything) where they are more than FIRST."""
    known = [DATASETS.get(entry.dataset) for entry in entries]
    if all(item and item.counts["train"] <= FIRST for item in known):
        return False
    label = f"Look for neighbours among all training images, not only {FIRST:,}"
    return bound(st.toggle, label, key="everything", default=False, help="The first time this takes up to a minute.")


def nearest_images(entry: Entry, picture: np.ndarray, everything: bool, count: int = 8) -> None:
    """Draw the training images of an entry that are nearest to one image (H, W, C), with progress where it takes time.

    Raises DatasetUnavailable when the data turns out to be unreadable.
    """
    meanwhile = "Without it, the nearest training images cannot be shown."
    if not at_hand(entry.dataset, "train", meanwhile, key=entry.id):
        return
    known, most = DATASETS.get(entry.dataset), capacity(entry.shape)
    everywhere = None if known and known.shape == entry.shape else most
    wanted = everywhere if everything else min(FIRST, most)
    found, labels, classes = _training(entry.dataset, entry.shape, wanted, columns(entry.dataset))
    with progress() as report:
        index, distance = neighbours.nearest(picture[None], found, count, report)
    rows = index[0]
    names = ["" if labels is None else f"{classes[labels[row]]}, " for row in rows]
    captions = [f"{name}{100 * away:.1f} %" for name, away in zip(names, distance[0], strict=True)]
    st.caption(
        f"The nearest of {len(found):,} training images, with how far they are (root mean square of the pixels' "
        "difference): a copy would be at 0 %."
    )
    pictures = found[rows] / np.float32(255)
    image_grid(pictures, captions, alts="Nearest training image", key=f"nearest_{entry.id}", size=96)


@st.cache_resource(max_entries=3, show_spinner=False)
def _training(
    name: str, shape: tuple[int, int, int], count: int | None, read: ColumnNames
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Read training images once, as uint8 (N, *shape): a quarter of the memory of float32."""
    with progress("Reading training images …") as report:
        split = datasets.load(name, "train", count, size=side(name, shape), progress=report, **read)
    block = min(BLOCK, capacity(shape, MAX_POOL_BYTES))
    starts = range(0, len(split.images), block)
    fitted = [images.to_uint8(images.fit(split.images[start : start + block], shape)[0]) for start in starts]
    return np.concatenate(fitted), split.labels, tuple(split.classes)
