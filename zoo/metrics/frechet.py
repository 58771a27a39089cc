"""Fréchet distance between Gaussians fitted to features (Dowson and Landau 1982; Heusel et al. 2017).

On Inception features this is the FID; here the features are whatever the caller measured, so the number is only
comparable with others on the same features and with the same number of images.
"""

import functools
from dataclasses import dataclass

import numpy as np
from scipy.linalg import svdvals

_ROWS = 1024  # of one block: what is made of it stays in the cache


@dataclass(frozen=True)
class Statistics:
    """Gaussian fitted to `number` feature vectors: mean (D,) and unbiased covariance (D, D), both float64."""

    mean: np.ndarray
    covariance: np.ndarray
    number: int

    @functools.cached_property
    def root(self) -> np.ndarray:
        """The symmetric root (D, D) of the covariance; one of the real images serves all sets held against them."""
        values, vectors = np.linalg.eigh(self.covariance)
        return (vectors * np.sqrt(values.clip(min=0))) @ vectors.T


def statistics(features: np.ndarray) -> Statistics:
    """Mean and unbiased covariance of features (N, D), in float64.

    Raises ValueError when there are fewer than two vectors or a value is not finite.
    """
    features = np.asarray(features)
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"A Gaussian is fitted to features of shape (N, D) with N of 2 or more, not {features.shape}.")
    count, size = features.shape
    # One pass: seen from a point near the mean, the sums lose no digits.
    near = features[:_ROWS].mean(axis=0, dtype=np.float64)
    total, scatter, room = np.zeros(size), np.zeros((size, size)), np.empty((_ROWS, size))
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, count, _ROWS):
            part = features[start : start + _ROWS]
            shifted = np.subtract(part, near, out=room[: len(part)])
            total += np.ones(len(part)) @ shifted
            scatter += shifted.T @ shifted
        offset = total / count
        mean, covariance = near + offset, (scatter - count * np.outer(offset, offset)) / (count - 1)
    if not np.isfinite(mean).all():  # one value that is not makes the mean so
        raise ValueError("The features hold values that are not finite.")
    return Statistics(mean, covariance, count)


def distance(a: Statistics, b: Statistics) -> float:
    """Squared Fréchet (2-Wasserstein) distance |μa - μb|² + tr(Σa + Σb - 2 (Σa Σb)^½), at least 0.

    The trace of (Σa Σb)^½ is the sum of the singular values of Σa^½ Σb^½, with both roots from symmetric
    eigen-decompositions: real by construction and accurate for singular covariances, where the root of the
    product is not.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"The features have {a.mean.size} and {b.mean.size} dimensions; they must be the same.")
    overlap = np.asarray(svdvals(a.root @ b.root)).sum()
    shift = np.square(a.mean - b.mean).sum()
    return float(max(0.0, shift + np.trace(a.covariance) + np.trace(b.covariance) - 2 * overlap))
