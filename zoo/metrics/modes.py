"""Mode coverage: how many of the modes that a dataset is known to have do samples show, and how evenly?

StackedMNIST has 1,000 modes, the three-digit numbers (Metz et al. 2017, arXiv:1611.02163). A generator is asked for
26,000 images; a mode counts as covered when one image at least shows it (PacGAN, Lin et al. 2018, arXiv:1712.04086).
"""

import numpy as np

from zoo.metrics import classes

SAMPLES = 26_000  # images that are drawn to look for 1,000 modes


def number(digits: np.ndarray) -> np.ndarray:
    """The mode that digits spell: integers (N, C) in [0, 10), the first the most significant -> (N,) int64."""
    digits = np.asarray(digits, np.int64)
    if digits.ndim != 2 or (digits.size and not 0 <= digits.min() <= digits.max() <= 9):
        raise ValueError("Digits must be an array (N, C) of whole numbers from 0 to 9.")
    return digits @ 10 ** np.arange(digits.shape[1] - 1, -1, -1)


def covered(counts: np.ndarray) -> int:
    """Number of modes that at least one image shows: counts (K,)."""
    return int((np.asarray(counts) > 0).sum())


def divergence(counts: np.ndarray, reference: np.ndarray | None = None) -> float:
    """KL(p ‖ q) in nats, of the shares p of the modes in the images, counts (K,), from their true shares q.

    Without a reference (K,) all modes are equally frequent: 0 for even coverage, log(K / k) for an even coverage of k.
    Infinite when an image shows a mode that the reference lacks.
    """
    p = classes.shares(counts)
    q = np.full(len(p), 1 / len(p)) if reference is None else classes.shares(reference)
    if len(p) != len(q):
        raise ValueError(f"The counts cover {len(p)} modes and the reference {len(q)}; they must cover the same.")
    shown = p > 0
    with np.errstate(divide="ignore"):
        return float((p[shown] * np.log(p[shown] / q[shown])).sum())
