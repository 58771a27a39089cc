"""The handwritten digits that come with scikit-learn: 8×8 pixels, always at hand."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np

from zoo.data import records
from zoo.data.records import Progress, Request, Split
from zoo.errors import DatasetUnavailable
from zoo.known import DATASETS

NAME = "digits"


def load(request: Request, report: Progress, other: Callable[..., Split]) -> Split:
    """Read a split; the test images are always the same 36 of each class. Raises DatasetUnavailable."""
    if request.split == "validation":
        raise DatasetUnavailable("The digits have no validation split: use train or test.")
    # The file is read directly: importing scikit-learn for it takes seconds, and the first page shows digits.
    found = importlib.util.find_spec("sklearn")
    if found is None or found.origin is None:
        raise DatasetUnavailable("The digits come with scikit-learn, which is not installed: pip install scikit-learn.")
    file = Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"
    table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    images, labels = table[:, :-1], table[:, -1].astype(np.int64)
    rng = np.random.default_rng(0)  # never the caller's seed
    test = np.sort(np.concatenate([rng.permutation(np.flatnonzero(labels == k))[:36] for k in range(10)]))
    rows = test if request.split == "test" else np.setdiff1d(np.arange(len(labels)), test)
    rows = rows[records.subset(len(rows), request)]
    images = (images[rows] / 16).reshape(-1, *DATASETS[NAME].shape)
    source = "The handwritten digits that come with scikit-learn (UCI, 1998)."
    return Split(NAME, request.split, images, labels[rows], DATASETS[NAME].classes, None, None, source)
