"""Stacked MNIST: three random digits as the colour channels of one image, which makes 1,000 modes to be covered.

Metz et al. 2017, arXiv:1611.02163, section 3.3.1.
"""

import math

import numpy as np

from zoo.metrics import modes

CHANNELS = 3
CLASSES = tuple(f"{number:03d}" for number in range(10**CHANNELS))
VALUES = math.prod((28, 28, CHANNELS))  # numbers in one image


def stack(images: np.ndarray, labels: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` images (N, H, W, 3) and their labels (N,), the number that the three digits spell.

    From digits (M, H, W, 1) with labels (M,), with replacement; a larger count with the same seed begins with the
    smaller one's images.
    """
    rows = np.random.default_rng(seed).integers(len(images), size=(count, CHANNELS))
    stacks = np.empty((count, *images.shape[1:3], CHANNELS), np.float32)
    for channel in range(CHANNELS):
        stacks[..., channel] = images[rows[:, channel], ..., 0]
    return stacks, modes.number(labels[rows])
