"""What is asked of a dataset and what it gives; which of its rows belong to a split and to a count."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from zoo.errors import DatasetUnavailable

Progress = Callable[[float, str], None]

MAX_ROWS = 2_000_000
HELD_OUT = 0.1


@dataclass(frozen=True)
class Request:
    """What is asked of a split; `classes` are the names to use where the files bring none, `revision` a commit of
    the Hub in place of the pinned one."""

    split: str
    count: int | None
    seed: int
    size: int | None
    image_column: str | None
    label_column: str | None
    classes: tuple[str, ...]
    revision: str | None = None


@dataclass(frozen=True)
class Columns:
    """The columns of a table that images and labels were read from (None for none), and those that could be."""

    image: str
    label: str | None
    images: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """Images float32 (N, H, W, C) in [0, 1], labels int64 (N,) or None; `source` is one sentence on their origin, what
    was left out and what was chosen; `columns` are those of a table."""

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    factors: dict[str, np.ndarray] | None
    revision: str | None
    source: str
    columns: Columns | None = None


def subset(total: int, request: Request) -> np.ndarray:
    """Row numbers to return, in the order in which to return them."""
    if request.count is None:
        return np.arange(total)
    return np.random.default_rng(request.seed).permutation(total)[: request.count]


def rows(total: int, held_out: bool, request: Request) -> np.ndarray:
    """As `subset`, out of the part of `total` stored rows that belongs to the split."""
    if not 0 < total <= MAX_ROWS:
        raise DatasetUnavailable(f"The split has {total:,} images, and between 1 and {MAX_ROWS:,} can be read.")
    if not held_out:
        return subset(total, request)
    order = np.random.default_rng(0).permutation(total)
    cut = max(1, round(total * HELD_OUT))
    part = np.sort(order[:cut] if request.split == "test" else order[cut:])
    return part[subset(len(part), request)]
