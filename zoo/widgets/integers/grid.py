"""An image as a grid of integers that can be changed."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import images
from zoo.analysis import comparison, integers
from zoo.entries import Entry
from zoo.latent import codes
from zoo.widgets.charts import download
from zoo.widgets.inputs import image_source
from zoo.widgets.integers.writing import Written
from zoo.widgets.loading import cached
from zoo.widgets.picking import entry_picker
from zoo.widgets.tiles import chosen, image_grid
from zoo.widgets.urls import bound, linked_expander

KINDS = {"number": "A digit of the number above", "other": "Another image"}


@st.fragment
def integer_grid(entries: Sequence[Entry], written: Written) -> None:
    """Show an image as integers (?entry), each to be changed (?place, and ?z0, z1, … for what it became); nothing
    without a discrete entry."""
    if not entries:
        return
    st.header("An image as a grid of integers")
    left, right = st.columns([1, 2], gap="large")
    with left:
        entry = entry_picker("Entry", among=entries)
    with right:
        image, name = _image(entry, written)
    patches, count = _patches(entry), integers.places(entry)
    edits = {place: code for place in range(count) for code in chosen(_key(place), len(patches))[:1]}
    found = integers.change(entry, image, edits)
    _pictures(entry, image, name, found)
    left, right = st.columns(2, gap="large")
    with left:
        place = _places(entry, found, patches)
    with right:
        _codebook(found, patches, place)
    size = codes.vocabulary(entry)
    st.caption(
        f"The encoder turns the image into {count} integers below {size:,}, the decoder turns these into an image. "
        "Each integer is the index of a vector in the codebook. A vector has no picture of its own, since the decoder "
        "looks at neighbours too: each tile is the middle of the image whose grid holds this integer everywhere."
        + (f" The first {len(patches)} are shown." if len(patches) < size else "")
    )


def _image(entry: Entry, written: Written) -> tuple[np.ndarray, str]:
    """Return an image (H, W, C) of the entry's shape and what it shows."""
    pictures = next((found for found in written.pictures.values() if found.shape[1:] == entry.shape), None)
    if pictures is not None:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            kind = bound(
                st.segmented_control, "Image", list(KINDS), key="image", default="number",
                format_func=KINDS.get, required=True,
            )  # fmt: skip
            if kind == "number":
                limits = {"min_value": 1, "max_value": len(pictures), "step": 1, "width": 140}
                index = bound(st.number_input, "Digit", key="digit", default=1, **limits) - 1
                return pictures[index], f"digit {index + 1} of {written.number}"
    with linked_expander("Image: from a dataset, uploaded, drawn or sampled", "input_", icon=":material/image:"):
        picked = image_source("input", entry.shape, prefer=entry.dataset, count=1, most=1)
    return picked.images[0], f"{picked.description}: {picked.names()[0]}"


def _pictures(entry: Entry, image: np.ndarray, name: str, found: integers.Change) -> None:
    """Show the image, what its integers give, what the changed ones give, and the difference of these two."""
    difference = images.difference(found.decoded, found.changed)
    captions = ["image", "from its integers", "from the changed integers", "difference"]
    alts = [name, f"{name}, from its integers", f"{name}, from the changed integers", "Difference of the last two"]
    pictures = np.stack([image, found.decoded, found.changed, difference])
    image_grid(pictures, captions, alts=alts, key="painted", size=200, columns=4)
    moved = int((found.before != found.after).sum())
    text = "Click an integer, then another tile of the codebook: the image changes."
    if moved:
        text = (
            f"{moved} of {found.before.size} integers changed; {comparison.percent(found.share)} of the pixels differ "
            f"by more than {integers.VISIBLE:g}."
        )
    st.caption(text)
    with st.container(horizontal=True):
        download("Image", lambda: images.png(found.changed, 16), f"{entry.name}-changed.png")
        download("Integers", lambda: integers.table(found.after), f"{entry.name}-integers.csv")
        st.button("Undo all changes", icon=":material/undo:", disabled=not moved, on_click=_undo, args=[entry])


def _places(entry: Entry, found: integers.Change, patches: np.ndarray) -> int:
    """Draw the grid of integers; return the place that is chosen."""
    rows, columns = found.after.shape
    flat = found.after.ravel()
    st.subheader("The grid")
    alts = [f"Row {i // columns + 1}, column {i % columns + 1}: {code}" for i, code in enumerate(flat)]
    captions = [f"{code} ←" if code != was else str(code) for code, was in zip(flat, found.before.ravel(), strict=True)]
    shown = patches[np.minimum(flat, len(patches) - 1)]
    middle = rows // 2 * columns + columns // 2
    picked = image_grid(
        shown, captions, alts=alts, key="place", size=52, columns=columns, select="one", selected=[middle],
        leads_to="codebook",
    )  # fmt: skip
    return picked[0] if picked else middle


def _codebook(found: integers.Change, patches: np.ndarray, place: int) -> None:
    """Draw the codebook; a click puts another integer at the place."""
    columns = found.after.shape[1]
    was = int(found.before.flat[place])
    with st.container(key="codebook"):
        st.subheader("The codebook")
        alts = [f"Integer {code}" for code in range(len(patches))]
        image_grid(
            patches, [str(code) for code in range(len(patches))], alts=alts, key=_key(place), size=40,
            select="one", selected=[was],
        )  # fmt: skip
        st.caption(f"What stands at row {place // columns + 1}, column {place % columns + 1}; the encoder gave {was}.")


def _key(place: int) -> str:
    return f"z{place}"


def _undo(entry: Entry) -> None:
    for place in range(integers.places(entry)):
        st.query_params.pop(_key(place), None)


@cached(max_entries=8)
def _patches(entry: Entry) -> np.ndarray:
    return integers.patches(entry)
