"""Kernel distance: unbiased squared MMD with the cubic kernel (x·y / D + 1)³ (Bińkowski et al. 2018).

On Inception features this is the KID. It needs no Gaussian assumption and, unlike the Fréchet distance, its
expectation does not depend on the number of images; it can come out slightly below 0 for equal distributions.
"""

import numpy as np

_ROWS = 256


def distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Unbiased squared MMD between features (N, D) and (M, D), over all pairs.

    Raises ValueError when a set has fewer than two vectors, dimensions differ or a value is not finite.
    """
    real, generated = _checked(real), _checked(generated)
    dimensions = real.shape[1] - 1, generated.shape[1] - 1
    if dimensions[0] != dimensions[1]:
        raise ValueError(f"The features have {dimensions[0]} and {dimensions[1]} dimensions; they must be equal.")
    n, m = len(real), len(generated)
    within = _within(real) / (n * (n - 1)) + _within(generated) / (m * (m - 1))
    return within - 2 * _sum(real, generated) / (n * m)


def _checked(features: np.ndarray) -> np.ndarray:
    """Features as float64 (N, D + 1) whose inner products are x·y / D + 1."""
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"Features must have shape (N, D) with N of 2 or more, not {features.shape}.")
    if not np.isfinite(features).all():
        raise ValueError("The features hold values that are not finite.")
    return np.column_stack([features / np.sqrt(features.shape[1]), np.ones(len(features))])


def _sum(x: np.ndarray, y: np.ndarray) -> float:
    """Sum of the cubed inner products of all pairs."""
    total = 0.0
    for start in range(0, len(x), _ROWS):
        inner = x[start : start + _ROWS] @ y.T
        total += float(np.vdot(np.square(inner), inner))
    return total


def _within(x: np.ndarray) -> float:
    """Sum of the kernel over all ordered pairs of different vectors, each unordered pair computed once."""
    total = 0.0
    for start in range(0, len(x), _ROWS):
        rows = x[start : start + _ROWS]
        inner = rows @ rows.T
        np.fill_diagonal(inner, 0)
        total += float(np.vdot(np.square(inner), inner)) + 2 * _sum(rows, x[start + _ROWS :])
    return total
