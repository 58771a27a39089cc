"""Duplicates among samples by the birthday paradox (Arora, Risteski and Zhang 2018, "Do GANs learn the distribution?").

A distribution over N distinct images shows about S² / 2N equal pairs among S draws. Images are never quite equal, so
a pair counts as one image when it is closer than all but the closest pairs of real images.
"""

import numpy as np

from zoo.metrics import distances

SHARE = 0.01  # of the real images that have such a close neighbour: enough of them to count, few enough to be alike


def threshold(real: np.ndarray, share: float = SHARE) -> float:
    """Distance below which `share` of the real images, features (N, D), have another one."""
    return float(np.quantile(distances.kth_nearest(real), share))


def pairs(features: np.ndarray, threshold: float) -> int:
    """Number of unordered pairs among features (S, D) that are closer than the threshold.

    Compare it with the number among as many real images; ten times as many mean a tenth of their variety.
    Raises ValueError when there are fewer than two vectors or a value is not finite.
    """
    features = distances.checked(features, 2)
    limit = np.array([[threshold**2]])
    return sum(len(distances.inside(block, limit)[0]) for block in distances.blocks(features)) // 2
