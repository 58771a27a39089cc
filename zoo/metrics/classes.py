"""Which classes a set of images holds: counts, classes that are missing, and the distance between class shares."""

import numpy as np

MISSING_RATIO = 0.1


def histogram(labels: np.ndarray, classes: int) -> np.ndarray:
    """Number of images of each class: labels (N,) integers in [0, classes) -> (classes,) int64.

    Raises ValueError when a label is outside this range.
    """
    labels = np.asarray(labels, dtype=np.int64)
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(f"Labels run from {labels.min()} to {labels.max()}; they must lie in 0 … {classes - 1}.")
    return np.bincount(labels, minlength=classes).astype(np.int64)


def missing(counts: np.ndarray, reference: np.ndarray | None = None, ratio: float = MISSING_RATIO) -> tuple[int, ...]:
    """Classes with less than `ratio` of the share they have in the reference.

    counts and reference are (K,) counts; without a reference all classes are expected equally often. The ratio is
    above 0 because a classifier gives even a class that is never drawn a few images by mistake. Classes that the
    reference does not hold are never missing.
    """
    expected = np.ones(len(counts)) if reference is None else np.asarray(reference)
    return tuple(int(i) for i in np.flatnonzero(shares(counts) < ratio * shares(expected)))


def total_variation(a: np.ndarray, b: np.ndarray) -> float:
    """Total variation distance ½ Σ |p - q| between the class shares of two counts (K,).

    0 for equal shares, 1 for no class in common: the share of images that would have to change class.
    """
    if len(a) != len(b):
        raise ValueError(f"The counts cover {len(a)} and {len(b)} classes; they must cover the same.")
    return float(0.5 * np.abs(shares(a) - shares(b)).sum())


def shares(counts: np.ndarray) -> np.ndarray:
    """Counts (K,) divided by their sum -> (K,) float64; ValueError when there is nothing to share."""
    counts = np.asarray(counts, dtype=np.float64)
    if counts.sum() <= 0:
        raise ValueError("There are no images to take class shares of.")
    return counts / counts.sum()
