"""Stacked MNIST: three random digits as the colour channels of one image, which makes 1,000 modes to be covered.

Metz et al. 2017, arXiv:1611.02163, section 3.3.1.
"""

import math
from collections.abc import Callable

import numpy as np

from zoo.data.decoding import MAX_VALUES
from zoo.data.records import Progress, Request, Split
from zoo.known import DATASETS
from zoo.metrics import modes

NAME = "stacked_mnist"
CHANNELS = 3
VALUES = math.prod(DATASETS[NAME].shape)  # numbers in one image


def load(request: Request, report: Progress, other: Callable[..., Split]) -> Split:
    """Stack digits of MNIST, which `other` (zoo.data.datasets.load) reads; raises what that raises, and ValueError for
    a count beyond memory."""
    count = request.count or DATASETS[NAME].counts.get(request.split, 1)
    if count > (most := MAX_VALUES // VALUES):
        raise ValueError(f"At most {most:,} stacked digits fit into memory.")
    single = other("mnist", request.split, progress=report, revision=request.revision)
    if single.labels is None:
        raise ValueError("Digits without labels cannot be stacked.")
    images, labels = stack(single.images, single.labels, count, request.seed)
    source = f"Three digits, drawn at random, as the channels of each image. {single.source}"
    return Split(NAME, request.split, images, labels, DATASETS[NAME].classes, None, single.revision, source)


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
