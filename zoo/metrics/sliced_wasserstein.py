"""Sliced Wasserstein distance (Rabin et al. 2011; Bonneel et al. 2015) between sets of images, on their pixels.

On a line, optimal transport is sorting: the distance is the root mean square, over random directions, of the
2-Wasserstein distance between the two sets as they lie on that direction. No network takes part in it.
"""

import numpy as np

DIRECTIONS = 512
SEED = 20_111_201  # the same directions for all, so that numbers can be compared


def distance(real: np.ndarray, generated: np.ndarray, directions: int = DIRECTIONS, seed: int = SEED) -> float:
    """Distance between sets (N, …) and (M, …) of the same shape, in the unit of their values.

    A shift of all values of D-dimensional images by s gives about s, since it has length s·√D, of which a random
    direction sees 1/√D: 0.01 is one hundredth of the grey scale. Raises ValueError when shapes differ, a set is empty
    or a value is not finite.
    """
    a, b = (np.asarray(images, np.float32).reshape(len(images), -1) for images in (real, generated))
    if np.shape(real)[1:] != np.shape(generated)[1:] or not (len(a) and len(b)):
        raise ValueError(f"Both sets must have images of one shape, not {np.shape(real)} and {np.shape(generated)}.")
    # RandomState's stream is frozen for good, default_rng's is not.
    axes = np.random.RandomState(seed).standard_normal((directions, a.shape[1]))
    axes = (axes / np.linalg.norm(axes, axis=1, keepdims=True)).astype(np.float32)
    along_a, along_b = (axes @ images.T for images in (a, b))
    for along in (along_a, along_b):
        along.sort(axis=1)
        # What is not finite in an image is not finite along any direction, and sorting takes it to an end.
        if not np.isfinite(along[:, [0, -1]]).all():
            raise ValueError("The images hold values that are not finite.")
    if len(a) == len(b):
        return float(np.sqrt(np.square(along_a - along_b).mean(dtype=float)))
    # Where the counts differ, both step functions are constant between the multiples of 1/N and 1/M.
    steps = np.union1d(np.arange(len(a) + 1) * len(b), np.arange(len(b) + 1) * len(a))
    shares = np.diff(steps) / (len(a) * len(b))
    gaps = along_a[:, steps[:-1] // len(b)] - along_b[:, steps[:-1] // len(a)]
    return float(np.sqrt((np.square(gaps, dtype=float) @ shares).mean()))
