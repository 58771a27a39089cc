"""Cached loaders of entries, datasets and what models compute."""

import hashlib
import math
from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np
import streamlit as st

from zoo import images, models
from zoo.data import datasets
from zoo.data.datasets import Split
from zoo.entries import Entry
from zoo.entries.catalog import MAX_SHEET_BYTES, SHEET
from zoo.errors import DatasetUnavailable, EntryError
from zoo.known import DATASETS, ColumnNames
from zoo.widgets.columns import columns
from zoo.widgets.progress import progress

F = TypeVar("F", bound=Callable[..., Any])
POOL = 1000
MAX_POOL_BYTES = 64 << 20  # of a split's first images: eight are kept
MAX_SPLIT_BYTES = 256 << 20  # of a larger part: two are kept


def _array_hash(array: np.ndarray) -> str:
    # Streamlit samples large arrays, and a sample may miss the stroke that someone has just drawn.
    return f"{array.shape}{array.dtype}{hashlib.sha1(np.ascontiguousarray(array).tobytes()).hexdigest()}"


@overload
def cached(function: F, *, max_entries: int = ..., spinner: str | bool = ...) -> F: ...
@overload
def cached(*, max_entries: int = ..., spinner: str | bool = ...) -> Callable[[F], F]: ...
def cached(function: Any = None, *, max_entries: int = 32, spinner: str | bool = False) -> Any:
    """Decorate a function of entries, arrays and plain values: results are kept by entry name and revision, bounded.

    The cached value is returned as a copy, so that callers may change it.
    """
    hashes = {Entry: lambda entry: f"{entry.folder}@{entry.revision}", np.ndarray: _array_hash}
    keep = st.cache_data(max_entries=max_entries, show_spinner=spinner, hash_funcs=hashes)
    return keep if function is None else keep(function)


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
    read = columns(name)
    shape = known.shape if known else _pool(name, split, 1, 0, read).images.shape[1:]
    if count <= POOL:
        return _pool(name, split, min(count, capacity(shape, MAX_POOL_BYTES)), seed, read)
    return _large(name, split, min(count, capacity(shape)), seed, read)


@st.cache_data(ttl=60, max_entries=16, show_spinner=False)
def _fetch(name: str, split: str) -> str | None:
    """Download a split into the cache of the Hub's client; return the reason when that fails."""
    with progress(f"Looking for {name} …") as report:
        try:
            datasets.load(name, split, 1, progress=report, **columns(name))
        except DatasetUnavailable as error:
            return str(error)
    return None


@st.cache_resource(max_entries=8, show_spinner="Reading images …")
def _pool(name: str, split: str, count: int, seed: int, read: ColumnNames) -> Split:
    return _read(name, split, count, seed, read)


@st.cache_resource(max_entries=2, show_spinner="Reading images …")
def _large(name: str, split: str, count: int, seed: int, read: ColumnNames) -> Split:
    return _read(name, split, count, seed, read)


def _read(name: str, split: str, count: int, seed: int, read: ColumnNames) -> Split:
    result = datasets.load(name, split, count, seed, **read)
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
        return images.open_sheet(content, MAX_SHEET_BYTES, width)
    except ValueError as error:
        raise EntryError(f"The samples of {entry.name} cannot be shown: {error}") from error


@cached
def samples(entry: Entry, count: int, seed: int, **options: Any) -> models.Samples:
    """Return `models.sample(entry, count, seed, **options)`, cached."""
    return models.sample(entry, count, seed, **options)
