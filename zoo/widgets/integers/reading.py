"""A picture of a row of digits, read as an integer."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import charts, images
from zoo.analysis import comparison, handwriting, numerals
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.widgets.components import reserve
from zoo.widgets.integers.writing import Written
from zoo.widgets.labels import dataset_title
from zoo.widgets.loading import cached
from zoo.widgets.pad import draw_pad
from zoo.widgets.picking import HOW_TO_FILL, entry_picker
from zoo.widgets.safety import plain
from zoo.widgets.tiles import image_grid
from zoo.widgets.uploads import PICTURES, uploader
from zoo.widgets.urls import bound

SOURCES = {"number": "The number above", "drawing": "Drawing", "upload": "Upload", "camera": "Camera"}
PAD = (84, 336, 1)  # a row of six digits, each three times as high as in MNIST
MOST_ASPECT = 24
WIDEST, TALLEST = 960, 420  # pixels of the screen that the picture takes


@st.fragment
def image_to_number(entries: Sequence[Entry], written: Written) -> None:
    """Find the digits in a picture (?row_from) and have a classifier read each; without any, say so."""
    st.header("From image to number")
    if not entries:
        st.info(f"No entry here reads digits yet. {HOW_TO_FILL}", icon=":material/info:")
        return
    sources = [source for source in SOURCES if source != "number" or written.pictures]
    source = bound(
        st.segmented_control, "Picture", sources, key="row_from", default=sources[0],
        format_func=SOURCES.get, required=True,
    )  # fmt: skip
    left, right = st.columns(2, gap="medium")
    writers, writer = list(written.pictures), None
    if source == "number":
        with left:
            writer = entry_picker("Written by", key="of", among=writers)
    with right if writer else left:
        trained = classifier_for(writers[0], entries) if writers else None
        reader = entry_picker("Read by", key="classifier", among=entries, default=trained.id if trained else None)
    picture = numerals.row(written.pictures[writer]) if writer else _given(source)
    if picture is not None:
        _show(reader, picture, written.number if writer else "")


def _show(reader: Entry, picture: np.ndarray, asked: str) -> None:
    reading = _read(reader, picture)
    if not reading.boxes:
        st.caption(":material/info: No digit was found: write large and apart, with more contrast to the ground.")
        st.image(handwriting.reduced(picture), width=TALLEST, alt="The picture, in which no digit was found")
        return
    framed = charts.boxed(handwriting.reduced(picture), reading.boxes, list(reading.digits))
    aspect = framed.shape[1] / framed.shape[0]
    wide = round(min(WIDEST, TALLEST * aspect))
    reserve("found", f"aspect-ratio: {aspect:.4f}; max-width: {wide}px;")
    with st.container(key="found"):
        st.image(
            framed,
            width=wide,
            alt=f"The digits that were found in the picture, read as {' and '.join(reading.numbers)}",
        )
    same = "" if not asked else ", as asked" if [asked] == reading.numbers else f", not {asked}"
    st.markdown(f"Read as {', '.join(f'**{number}**' for number in reading.numbers)}{same}.")
    captions, names = [], []
    for index, (digit, row) in enumerate(zip(reading.digits, reading.probabilities, strict=True)):
        second, share = reading.second(index)
        captions.append(f"{digit}: {comparison.percent(float(row.max()))}\n{second}: {comparison.percent(share)}")
        names.append(f"digit {index + 1}, read as {digit}")
    image_grid(reading.images, captions, alts=names, key="read", size=84, columns=min(12, max(reading.lengths)))
    st.caption(
        f"What {plain(reader.label)} gets, and below each what it reads with its probability, and the runner-up. "
        "Connected strokes are found one by one, put together where a digit is in parts, and specks left out. Each is "
        f"then normalised as those of {plain(dataset_title(reader.dataset))}: {_normalising(reader)}. The classifier "
        "knows nothing but digits: it reads one in anything."
    )


def _normalising(reader: Entry) -> str:
    frame = handwriting.frame(reader.dataset, reader.shape)
    height, width = reader.shape[:2]
    middle = "its centre of mass" if frame.mass else "its centre"
    return f"its longer side becomes {frame.side} pixels, and {middle} the middle of {height}×{width}"


@cached(max_entries=64)
def _read(reader: Entry, picture: np.ndarray) -> numerals.Reading:
    return numerals.read(reader, picture)


def _given(source: str) -> np.ndarray | None:
    """Return the picture (H, W, C) that is drawn or sent, None until there is one."""
    if source == "drawing":
        picture = draw_pad("row", PAD)
        if picture is None:
            st.caption("Draw a row of digits with mouse, pen or finger, apart from each other. Links hold no drawings.")
        return picture
    content = _sent(source)
    if content is None:
        st.caption(
            "Digits in one row or several, apart from each other, on paper without lines. Links hold no pictures."
        )
        return None
    try:
        return _pixels(content)
    except ValueError as error:
        st.warning(plain(str(error)), icon=":material/broken_image:")
        return None


def _sent(source: str) -> bytes | None:
    if source == "camera":
        taken = st.camera_input("Photograph a row of digits", key="row_camera", width=480)
        return taken.getvalue() if taken else None
    suffixes = [suffix[1:] for suffix in images.SUFFIXES]
    files = uploader("A picture of a row of digits", suffixes, PICTURES._replace(files=1), key="row_upload")
    return files[0].content if files else None


def _pixels(content: bytes) -> np.ndarray:
    """Return a picture (H, W, C) in [0, 1] from the bytes of a file; ValueError, one sentence, for what is refused."""
    picture = images.open_picture(content)
    if max(picture.size) > MOST_ASPECT * min(picture.size):
        raise ValueError(f"The picture is more than {MOST_ASPECT} times as long as wide: cut it to the digits.")
    picture = images.read_pixels(picture, images.MAX_UPLOAD_PIXELS)
    return np.asarray(picture, np.float32).reshape(picture.height, picture.width, -1) / 255
