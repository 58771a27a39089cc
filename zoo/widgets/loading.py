"""Cached loaders of entries, datasets and what models compute; the guard around everything that may fail."""

import contextlib
import functools
import hashlib
import json
import logging
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import streamlit as st

from zoo import images, models
from zoo.data import datasets
from zoo.data.datasets import Split
from zoo.entries import Entry
from zoo.entries.catalog import MAX_SHEET_BYTES, SHEET
from zoo.errors import DatasetUnavailable, EntryError
from zoo.known import DATASETS

POOL = 1000
MAX_POOL_BYTES = 64 << 20  # of a split's first images: eight are kept
MAX_SPLIT_BYTES = 256 << 20  # of a larger part: two are kept
MAX_TEXT_BYTES = 4 << 20
MAX_CARD_BYTES = 100_000
MAX_CURVES, MAX_MOMENTS = 64, 100_000  # of a history
TURNING = "[\u202a-\u202e\u2066-\u2069]"  # characters that turn the direction of what is written around them


@contextlib.contextmanager
def guard() -> Iterator[None]:
    """Show one sentence instead of a traceback; what was not foreseen is logged in full for the server's owner."""
    try:
        yield
    except (EntryError, DatasetUnavailable) as error:
        st.warning(plain(str(error)), icon=":material/info:")
    except Exception as error:
        logging.getLogger(__name__).exception("A page failed")
        st.error(
            f"This part of the page failed ({type(error).__name__}); the server's log says where. "
            "Choose another entry or image, or reload the page.",
            icon=":material/error:",
        )


def plain(text: str) -> str:
    """Escape text so that Markdown shows it as it is (no links, images, HTML, maths, icons or emphasis)."""
    # Names of files may hold bytes that are no text at all.
    text = re.sub(TURNING, "", " ".join(str(text).encode("utf-8", "replace").decode().split()))
    return re.sub(r"([\\`*_{}\[\]()#+\-!|<>~$:&])", r"\\\1", text)


def _array_hash(array: np.ndarray) -> str:
    # Streamlit samples large arrays, and a sample may miss the stroke that someone has just drawn.
    return f"{array.shape}{array.dtype}{hashlib.sha1(np.ascontiguousarray(array).tobytes()).hexdigest()}"


def cached(function: Callable[..., Any] | None = None, *, max_entries: int = 32, spinner: str | bool = False) -> Any:
    """Decorate a function of entries, arrays and plain values: results are kept by entry name and revision, bounded.

    The cached value is returned as a copy, so that callers may change it.
    """
    if function is None:
        return functools.partial(cached, max_entries=max_entries, spinner=spinner)
    hashes = {Entry: lambda entry: f"{entry.folder}@{entry.revision}", np.ndarray: _array_hash}
    return st.cache_data(function, max_entries=max_entries, show_spinner=spinner, hash_funcs=hashes)


@st.cache_data(ttl=5, max_entries=256, show_spinner=False)
def available(name: str, split: str = "test") -> bool:
    """Whether a split can be read without any network; on disk that is looked up at most every five seconds.

    Names come from entries, which are untrusted: a path is no dataset that they may offer.
    """
    return not name.startswith(("/", ".", "~")) and datasets.available(name, split)


def capacity(shape: tuple[int, ...], limit: int = MAX_SPLIT_BYTES) -> int:
    """Return how many images of a shape fit into `limit` bytes as float32, at least one."""
    return max(1, limit // (4 * math.prod(shape)))


def dataset(name: str, split: str = "test", count: int = POOL, seed: int = 0) -> Split:
    """Return up to `count` images of a split (shared and read-only); raises DatasetUnavailable with one sentence.

    Fewer than `count` where the split has fewer or they would not fit into MAX_POOL_BYTES, above POOL images
    MAX_SPLIT_BYTES. Downloads, with a progress bar, when the data is not on this machine: ask `available(name, split)`
    first where that would surprise. A failed download is not tried again for a minute.
    """
    if not available(name, split):
        if reason := _fetch(name, split):
            raise DatasetUnavailable(reason)
        available.clear()
    known = DATASETS.get(name)
    shape = known.shape if known else _pool(name, split, 1, 0).images.shape[1:]
    if count <= POOL:
        return _pool(name, split, min(count, capacity(shape, MAX_POOL_BYTES)), seed)
    return _large(name, split, min(count, capacity(shape)), seed)


@st.cache_data(ttl=60, max_entries=16, show_spinner=False)
def _fetch(name: str, split: str) -> str | None:
    """Download a split into the cache of the Hub's client; return the reason when that fails."""
    bar = st.progress(0.0, text=f"Looking for {plain(name)} …")

    def report(part: float, text: str) -> None:
        bar.progress(min(max(part, 0.0), 1.0), text=plain(text))

    try:
        datasets.load(name, split, 1, progress=report)
    except DatasetUnavailable as error:
        return str(error)
    finally:
        bar.empty()
    return None


@st.cache_resource(max_entries=8, show_spinner="Reading images …")
def _pool(name: str, split: str, count: int, seed: int) -> Split:
    return _read(name, split, count, seed)


@st.cache_resource(max_entries=2, show_spinner="Reading images …")
def _large(name: str, split: str, count: int, seed: int) -> Split:
    return _read(name, split, count, seed)


def _read(name: str, split: str, count: int, seed: int) -> Split:
    result = datasets.load(name, split, count, seed)
    for array in (result.images, result.labels):
        if array is not None:
            array.flags.writeable = False
    return result


@cached(max_entries=64)
def sample_sheet(entry: Entry, width: int = 720) -> np.ndarray | None:
    """Return the entry's samples.png as uint8 (H, W, C), enlarged by a whole factor to about `width`; None without one.

    Raises EntryError when the file differs from the manifest or is not an image.
    """
    if not entry.has(SHEET):
        return None
    content = entry.content(SHEET, MAX_SHEET_BYTES)
    try:
        picture = images.read_pixels(images.open_picture(content, max_pixels=images.MAX_SHEET_PIXELS))
    except ValueError as error:
        raise EntryError(f"The samples of {entry.name} cannot be shown: {error}") from error
    sheet = np.asarray(picture).reshape(picture.height, picture.width, -1)
    return images.enlarge(sheet, max(1, width // picture.width))


def snapshots(entry: Entry) -> bytes | None:
    """Return the entry's snapshots.gif for a browser, None without one; raises EntryError when it is no fit GIF."""
    if not entry.has("snapshots.gif"):
        return None
    content = entry.content("snapshots.gif", images.MAX_ANIMATION_BYTES)
    try:
        return images.animation(content)
    except ValueError as error:
        raise EntryError(f"The snapshots of {entry.name} cannot be shown: {error}") from error


def card_text(entry: Entry) -> str:
    """Return the entry's README.md as harmless Markdown: no front matter, no pictures, small headings; "" without one.

    Streamlit shows HTML as text; pictures are taken out, for they would be fetched from elsewhere.
    """
    if not entry.has("README.md"):
        return ""
    text = entry.content("README.md", MAX_CARD_BYTES).decode("utf-8", "replace")
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(TURNING, "", text)  # first of all, or it would join what the next lines keep apart
    # Bounded, since a card may hold nothing but "![": what is left of a picture after that is shown as text.
    text = re.sub(r"!\[[^\]\n]{0,100}\]\([^)\n]{0,300}\)", "", text).replace("![", r"!\[")
    # Links lead to the web only: no scripts, no data, whether written in place, as a reference or in angle brackets.
    text = re.sub(r"\]([(:])(?!\s*<?(?:https?://|mailto:|#))", r"]\\\1", text, flags=re.IGNORECASE)
    # No backslash here: after one that the card wrote it would be taken for text, and the bracket for a link's.
    text = re.sub(r"<(?!https?://|mailto:)(?=[a-z][a-z0-9+.-]{1,31}:)", "&lt;", text, flags=re.IGNORECASE)
    return re.sub(r"^#{1,6} ", "##### ", text, flags=re.MULTILINE).strip()


def history(entry: Entry) -> dict[str, list[float]]:
    """Return the entry's training history: finite numbers under each name, lists of equal length; {} without one."""
    if not entry.has("history.json"):
        return {}
    try:
        found = json.loads(entry.content("history.json", MAX_TEXT_BYTES))
        series = {str(name): np.asarray(values, float) for name, values in found.items()}
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        if isinstance(error, EntryError):
            raise
        raise EntryError(f"The training history of {entry.name} is not a table of numbers.") from error
    if len({values.shape for values in series.values()}) > 1 or any(values.ndim != 1 for values in series.values()):
        raise EntryError(f"The training history of {entry.name} has columns of different lengths.")
    longest = max((values.size for values in series.values()), default=0)
    if len(series) > MAX_CURVES or longest > MAX_MOMENTS or any(len(name) > 100 for name in series):
        raise EntryError(f"The training history of {entry.name} has more curves, points or letters than can be drawn.")
    if series and "images" not in series:
        raise EntryError(f"The training history of {entry.name} does not say at how many images it was written.")
    return {name: values.tolist() for name, values in series.items()}


@cached
def samples(entry: Entry, count: int, seed: int, **options: Any) -> models.Samples:
    """Return `models.sample(entry, count, seed, **options)`, cached."""
    return models.sample(entry, count, seed, **options)
