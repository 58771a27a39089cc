"""The picker of input images."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from zoo import images
from zoo.data.datasets import Split
from zoo.errors import DatasetUnavailable
from zoo.known import DATASETS
from zoo.widgets.columns import column_inputs
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import entries
from zoo.widgets.loading import available, dataset, samples
from zoo.widgets.pad import draw_pad
from zoo.widgets.picking import entry_picker
from zoo.widgets.safety import plain
from zoo.widgets.tiles import image_grid
from zoo.widgets.uploads import PICTURES, uploader
from zoo.widgets.urls import bound

LIGHT = 0.6  # mean of the upper and lower edge of pictures on a light ground
INVERT = "For dark ink on light paper: the digits and clothes that these networks know are light on black."


@dataclass(frozen=True)
class Picked:
    """Images (N, H, W, C), never empty; labels int64 (N,) or None; classes; where they are from."""

    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    description: str

    def names(self) -> list[str]:
        """Return one short name per image: its class where it is known, else its number."""
        if self.labels is None or not self.classes:
            return [f"image {index + 1}" for index in range(len(self.images))]
        return [self.classes[label] for label in self.labels]


def image_source(
    key: str,
    shape: tuple[int, int, int],
    *,
    prefer: str | None = None,
    count: int = 8,
    most: int = 32,
    kind: str = "dataset",
    native: bool = False,
) -> Picked:
    """Let input images be chosen: from a dataset, by upload, drawn, or sampled from another entry.

    All choices are in the URL under names that start with `key`. Nothing is downloaded unless a dataset marked so is
    chosen; until an upload or a drawing is there, images of the dataset stand in, so that the page is never empty.

    Args:
        shape: (H, W, C) that the images are fitted to, with a notice where that changes them.
        prefer: dataset shown first where it can be had, e.g. what the entry was trained on.
        count: how many images at first; most: how many at most (`most == count` hides the slider).
        kind: "dataset", "upload", "drawing" or "entry", the source shown first.
        native: whether images of datasets and entries keep the shape they have, for the caller to fit.
    """
    kinds = {"dataset": "Dataset", "upload": "Upload", "drawing": "Drawing", "entry": "Another entry"}
    if not entries("generate"):
        del kinds["entry"]
    chosen = bound(
        st.segmented_control,
        "Images from",
        list(kinds),
        key=f"{key}_from",
        default=kind,
        format_func=kinds.get,
        required=True,
    )
    picked = {"upload": _uploaded, "drawing": _drawn}.get(chosen, lambda key, shape, most: None)(key, shape, most)
    if chosen == "entry":
        picked = _sampled(key, count, most)
    if picked is None:
        picked = _from_dataset(key, shape, prefer, count, most, controls=chosen == "dataset")
    if native:
        return picked
    fitted, notice = images.fit(picked.images, shape)
    if notice:
        st.caption(f":material/info: {plain(notice)}")
    return Picked(fitted, picked.labels, picked.classes, picked.description)


def _standin(shape: tuple[int, int, int]) -> str:
    return "digits" if shape[2] == 1 else "fruits"


def _from_dataset(
    key: str, shape: tuple[int, int, int], prefer: str | None, count: int, most: int, controls: bool
) -> Picked:
    # Entries are untrusted: a path is no dataset that they may offer.
    others = (entry.dataset for entry in entries() if not entry.dataset.startswith(("/", ".", "~")))
    ids = list(dict.fromkeys([*DATASETS, *others]))
    here = prefer if prefer in ids and available(prefer) else _standin(shape)
    if not controls:
        return _pick(dataset(here), np.arange(count))
    left, right = st.columns(2)
    with left:
        name = bound(st.selectbox, "Dataset", ids, key=f"{key}_dataset", default=here, format_func=_dataset_option)
        split = bound(
            st.segmented_control, "Split", ["test", "train"], key=f"{key}_split", default="test", required=True
        )
    try:
        pool = dataset(name, split)
    except DatasetUnavailable as error:
        st.caption(f":material/info: {plain(str(error))} {plain(dataset_title(_standin(shape)))} stand in.")
        pool = dataset(_standin(shape), split)
    if pool.name == name and column_inputs(pool, name, key):
        pool = dataset(name, split)
    if name == here != prefer and prefer:
        st.caption(
            f":material/info: {plain(dataset_title(prefer))} is not on this machine, so {plain(dataset_title(here))} "
            "stands in. Drawings and uploads work too."
        )
    with right:
        wanted: list[str] = []
        if pool.labels is not None:
            wanted = bound(
                st.multiselect, "Classes", list(pool.classes), key=f"{key}_class", default=[], placeholder="All classes"
            )
        numbers = st.columns(2)
        with numbers[0]:
            seed = bound(st.number_input, "Seed", key=f"{key}_seed", default=0, min_value=0, max_value=9999, step=1)
        with numbers[1]:
            if most > count or most > 1:
                count = bound(
                    st.number_input, "Count", key=f"{key}_count", default=count, min_value=1, max_value=most, step=1
                )
    index = np.arange(len(pool.images))
    if wanted and pool.labels is not None:
        index = index[np.isin(pool.labels, [pool.classes.index(name) for name in wanted])]
    if not len(index):
        st.caption(":material/info: No image of that class is among those read; all classes are shown.")
        index = np.arange(len(pool.images))
    index = np.random.default_rng(seed).permutation(index) if seed else index
    if bound(st.toggle, "Choose one by one", key=f"{key}_choose", default=False):
        index = _one_by_one(key, pool, index[:60], count)
    return _pick(pool, index[:count])


def _one_by_one(key: str, pool: Split, index: np.ndarray, count: int) -> np.ndarray:
    st.caption(f"Click up to {count} of these {len(index)} images; another seed shows others.")
    names = _pick(pool, index).names()
    select = "one" if count == 1 else "many"
    chosen = image_grid(pool.images[index], alts=names, key=f"{key}_pick", size=56, select=select)
    return index[chosen] if chosen else index


def _dataset_option(name: str) -> str:
    return dataset_title(name) if available(name) else f"{dataset_title(name)} (download)"


def _pick(pool: Split, index: np.ndarray) -> Picked:
    labels = None if pool.labels is None else pool.labels[index]
    title = dataset_title(pool.name)
    return Picked(pool.images[index], labels, tuple(pool.classes), f"{title}, {pool.split} split")


def _uploaded(key: str, shape: tuple[int, int, int], most: int) -> Picked | None:
    limit = PICTURES._replace(files=min(most, PICTURES.files))
    suffixes = [suffix[1:] for suffix in images.SUFFIXES]
    found, notices = [], {}
    for file in uploader("Image files", suffixes, limit, key=f"{key}_upload"):
        try:
            picture, notice = images.decode_upload(file.content, shape)
        except ValueError as error:
            st.warning(f"{plain(file.name)}: {plain(str(error))}", icon=":material/broken_image:")
            continue
        found.append(picture)
        notices.setdefault(notice, file.name)
    for notice, name in notices.items():
        if notice:
            st.caption(f":material/info: {plain(name)}: {plain(notice)}")
    if not found:
        st.caption("Links hold no uploads: until a file is here, images of a dataset stand in.")
        return None
    pictures = np.concatenate(found)
    if shape[2] == 1:
        inverted = bound(st.toggle, "Invert", key=f"{key}_invert", default=False, help=INVERT)
        border = np.concatenate([pictures[:, edge] for edge in (0, -1)], axis=1)
        if not inverted and border.mean() > LIGHT:
            st.caption(":material/info: These are dark on light, and the networks know light on dark: **Invert** them.")
        pictures = 1 - pictures if inverted else pictures
    return Picked(pictures, None, (), "uploaded images")


def _drawn(key: str, shape: tuple[int, int, int], most: int) -> Picked | None:
    drawing = draw_pad(key, shape)
    if drawing is None:
        st.caption("Draw with mouse, pen or finger. Links hold no drawings: images of a dataset stand in.")
        return None
    return Picked(drawing[None], None, (), "your drawing")


def _sampled(key: str, count: int, most: int) -> Picked:
    left, right = st.columns([3, 1])
    with left:
        entry = entry_picker("Samples of", key=f"{key}_entry", needs=["generate"])
    with right:
        seed = bound(st.number_input, "Seed", key=f"{key}_seed", default=0, min_value=0, max_value=9999, step=1)
    sample = samples(entry, count, seed)
    labels = None if sample.labels is None else np.asarray(sample.labels, np.int64)
    return Picked(sample.images, labels, entry.classes, f"samples of {entry.label}, seed {seed}")
