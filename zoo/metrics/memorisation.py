"""Memorisation: are samples nearer to the training images than to images nobody trained on? (after Meehan, Chaudhuri
and Dasgupta 2020, "A non-parametric test to detect data-copying in generative models")
"""

import numpy as np

from zoo.metrics import distances


def ratio(generated: np.ndarray, training: np.ndarray, held_out: np.ndarray) -> float:
    """Median distance of samples to their nearest training image, divided by that to their nearest held-out image.

    All are features (S, D), (N, D), (N, D). 1 means no memorisation, 0 that at least half of the samples are copies.
    Both sets must be equally large, for in a larger one something near is found more easily: ValueError otherwise.
    """
    if len(training) != len(held_out):
        raise ValueError(
            f"{len(training)} training and {len(held_out)} held-out images cannot be compared: take as many of both."
        )
    near, far = (np.median(distances.kth_nearest(generated, images)) for images in (training, held_out))
    if far == 0:
        return 1.0 if near == 0 else float("inf")
    return float(near / far)
