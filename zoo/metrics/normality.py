"""How far the histograms of codes lie from a standard normal distribution."""

import numpy as np


def total_variation(counts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return for each dimension the total variation (L,) between its histogram and N(0, 1), in [0, 1].

    Args:
        counts: (L, B), how many codes lie in each bin.
        edges: (L, B + 1), rising; what N(0, 1) has outside of them counts as missing.
    """
    from scipy.special import ndtr  # imported where it is used: it costs more than a page

    expected = np.diff(ndtr(edges), axis=1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return 0.5 * (np.abs(shares - expected).sum(axis=1) + 1 - expected.sum(axis=1))
