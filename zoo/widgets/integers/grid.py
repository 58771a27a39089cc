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
    size, count = codes.vocabulary(entry), integers.places(entry)
    shown = min(size, integers.MOST_CODES)
    edits = {place: code for place in range(count) for code in chosen(_key(place), shown)[:1]}
    found = integers.change(entry, image, edits)
    _pictures(entry, image, name, found)
    left, right = st.columns(2, gap="large")
    with left:
        place = _places(found)
    with right:
        _codebook(entry, found, place)
    st.caption(
        f"The encoder turns the image into {count} integers below {size:,}, the decoder turns these into an image. "
        "Each integer is the index of a vector in the codebook. A vector has no picture of its own, since the decoder "
        "looks at neighbours too: the tiles of the codebook show the chosen place with its neighbours, as each integer "
        "would paint it." + (f" The first {shown} are shown." if shown < size else "")
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
    with st.container(key="painted"):
        image_grid(pictures, captions, alts=alts, key="compared", size=200, columns=4)
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


def _places(found: integers.Change) -> int:
    """Draw the changed image, cut into the places of its integers; return the place that is chosen."""
    rows, columns = found.after.shape
    flat = found.after.ravel()
    st.subheader("The integers")
    alts = [f"Row {i // columns + 1}, column {i % columns + 1}: {code}" for i, code in enumerate(flat)]
    captions = [f"{code} ←" if code != was else str(code) for code, was in zip(flat, found.before.ravel(), strict=True)]
    tiles = integers.pieces(found.changed, (rows, columns))
    liveliest = int(integers.pieces(found.decoded, (rows, columns)).std((1, 2, 3)).argmax())
    picked = image_grid(
        tiles, captions, alts=alts, key="place", size=52, columns=columns,
        select="one", selected=[liveliest], leads_to="codebook",
    )  # fmt: skip
    return picked[0] if picked else liveliest


def _codebook(entry: Entry, found: integers.Change, place: int) -> None:
    """Draw the codebook; a click puts another integer at the place."""
    columns, was = found.after.shape[1], int(found.before.flat[place])
    with st.container(key="codebook"):
        st.subheader("The codebook")
        st.caption(
            f"Click what shall stand at row {place // columns + 1}, column {place % columns + 1}. "
            f"The encoder gave {was}."
        )
        tiles = _choices(entry, found.after, place)
        numbers = [str(code) for code in range(len(tiles))]
        image_grid(
            tiles, numbers, alts=[f"Integer {number}" for number in numbers], key=_key(place), size=52, columns=8,
            select="one", selected=[was], leads_to="painted",
        )  # fmt: skip


def _key(place: int) -> str:
    return f"z{place}"


def _undo(entry: Entry) -> None:
    for place in range(integers.places(entry)):
        st.query_params.pop(_key(place), None)


@cached(max_entries=64)
def _choices(entry: Entry, found: np.ndarray, place: int) -> np.ndarray:
    return integers.choices(entry, found, place)
