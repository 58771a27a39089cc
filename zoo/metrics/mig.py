"""Mutual information gap (Chen et al. 2018, "Isolating sources of disentanglement in VAEs").

For each factor: how much more the most informative dimension of the code tells about it than the second one.
"""

import numpy as np

BINS = 20


def score(codes: np.ndarray, factors: dict[str, np.ndarray], bins: int = BINS) -> float:
    """Mean over factors of (I(z₁; v) - I(z₂; v)) / H(v) in [0, 1], z₁ and z₂ the two best dimensions for factor v.

    codes: (N, L). factors: name -> (N,), integers for classes, floats are put into `bins` equally full bins, as are the
    codes. Raises ValueError when lengths differ or a factor does not vary.
    """
    codes = np.asarray(codes, np.float64)
    places = [discrete(column, bins) for column in codes.T]
    gaps = []
    for name, values in factors.items():
        if len(values) != len(codes):
            raise ValueError(f"The factor {name} has {len(values)} values for {len(codes)} codes.")
        values = discrete(values, bins)
        entropy = _information(values, values)
        if entropy == 0:
            raise ValueError(f"The factor {name} does not vary.")
        information = sorted([0.0, *(_information(column, values) for column in places)])
        gaps.append((information[-1] - information[-2]) / entropy)
    return float(np.mean(gaps))


def discrete(values: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Integers from 0 up: of integer values their rank, of floats the number of the equally full bin."""
    values = np.asarray(values)
    if values.dtype.kind in "biu":
        return np.unique(values, return_inverse=True)[1]
    return np.searchsorted(np.unique(np.quantile(values, np.arange(1, bins) / bins)), values, "right")


def _information(a: np.ndarray, b: np.ndarray) -> float:
    """Mutual information of two sequences of integers (N,), in nats."""
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (a, b), 1)
    joint /= len(a)
    apart = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    held = joint > 0
    return float((joint[held] * np.log(joint[held] / apart[held])).sum())
