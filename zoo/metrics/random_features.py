"""Features of a convolutional network with random weights (Naeem et al. 2020, section 4.2), written in numpy.

Nobody trained it and nobody can train against it: what improves in the features of a classifier and not in these
deserves a second look. A seed fixes the weights, so that numbers of different days and machines can be compared.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

DIMENSIONS = 256
SEED = 20_200_219  # once and for all
LAYERS = ((5, 32), (3, 64), (3, 128))  # (side of the kernel, channels); each halves the image
_WINDOW_VALUES = 1 << 20  # of all windows of one chunk of images: 4 MB stay in the cache


def features(images: np.ndarray, dimensions: int = DIMENSIONS) -> np.ndarray:
    """Map images (N, H, W, C) in [0, 1], of any size, to (N, dimensions) float32.

    Three convolutions with stride 2 and ReLU, weights drawn as by He et al. 2015, then a random projection of all that
    is left; sums of so many terms are nearly Gaussian, as the Fréchet distance wants them.
    Raises ValueError for another shape or values that are not finite.
    """
    images = np.asarray(images, np.float32)
    if images.ndim != 4 or not all(images.shape[1:]):
        raise ValueError(f"Images must have shape (N, H, W, C), not {images.shape}.")
    if not np.isfinite(images).all():
        raise ValueError("The images hold values that are not finite.")
    *kernels, projection = _weights(images.shape[1:], dimensions)
    found = np.empty((len(images), dimensions), np.float32)
    for rows in chunks(images.shape):
        hidden = images[rows] - np.float32(0.5)
        for kernel in kernels:
            hidden = convolved(hidden, kernel)
        found[rows] = hidden.reshape(len(hidden), -1) @ projection
    return found


def convolved(images: np.ndarray, kernel: np.ndarray, stride: int = 2) -> np.ndarray:
    """ReLU of the convolution with kernel (k, k, C, F) and a border of zeros: sizes divided by stride, rounded up."""
    side, edge = len(kernel), len(kernel) // 2
    count, height, width, channels = images.shape
    padded = np.zeros((count, height + 2 * edge, width + 2 * edge, channels), images.dtype)  # np.pad takes longer
    padded[:, edge : edge + height, edge : edge + width] = images
    windows = sliding_window_view(padded, (side, side), (1, 2))[:, ::stride, ::stride]  # (N, H, W, C, k, k)
    windows = windows.transpose(0, 1, 2, 4, 5, 3)
    flat = windows.reshape(-1, side * side * channels) @ kernel.reshape(-1, kernel.shape[3])
    return np.maximum(flat, 0, out=flat).reshape(*windows.shape[:3], -1)


def chunks(shape: tuple[int, ...], stride: int = 2) -> Iterator[slice]:
    """Slices of images of this shape (N, H, W, C) whose windows in the first two layers stay in the cache."""
    count, height, width, channels = shape
    pixels = height * width / stride**2
    step = max(1, int(_WINDOW_VALUES / (pixels * max(channels * LAYERS[0][0] ** 2, LAYERS[0][1] * 9 / 4))))
    return (slice(start, start + step) for start in range(0, count, step))


@lru_cache(maxsize=4)
def _weights(shape: tuple[int, int, int], dimensions: int) -> list[np.ndarray]:
    """Kernels (k, k, C, F) of the layers and the projection (rest, dimensions)."""
    height, width, channels = shape
    draw = np.random.RandomState(SEED).standard_normal  # its stream is frozen for good, default_rng's is not
    weights = []
    for side, wanted in LAYERS:
        deviation = np.sqrt(2 / (side * side * channels))
        weights.append((deviation * draw((side, side, channels, wanted))).astype(np.float32))
        height, width, channels = (height + 1) // 2, (width + 1) // 2, wanted
    rest = height * width * channels
    return [*weights, (draw((rest, dimensions)) / np.sqrt(rest)).astype(np.float32)]
