"""Nearest neighbours in pixel space: is a generated image new, or one of the training images?

Pixel distance finds copies, not look-alikes: a training image shifted by two pixels is already far away.
"""

from collections.abc import Callable

import numpy as np

BLOCK_VALUES = 1 << 23  # numbers of the training images that are compared at once


def nearest(
    images: np.ndarray, training: np.ndarray, count: int, progress: Callable[[float, str], None] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the training images that are nearest to each image, by root mean squared difference of the pixels.

    Args:
        images: float (Q, H, W, C) in [0, 1].
        training: uint8 (N, H, W, C), of the same image shape; it is read in blocks, so it may be large.
        count: neighbours per image; fewer come back when there are fewer training images.
        progress: called with a fraction in [0, 1] and a short text.

    Returns:
        Indices into training (Q, count) and distances (Q, count) in [0, 1], nearest first, ties by index.

    Raises:
        ValueError: the images have different shapes, or there is nothing to search in.
    """
    if images.shape[1:] != training.shape[1:]:
        raise ValueError(f"Images of shape {images.shape[1:]} cannot be sought among {training.shape[1:]}.")
    if not len(training):
        raise ValueError("There are no training images to search in.")
    queries = np.asarray(images, np.float32).reshape(len(images), -1)
    squares = np.empty((len(queries), len(training)), np.float32)
    rows = max(1, BLOCK_VALUES // queries.shape[1])
    for start in range(0, len(training), rows):
        block = training[start : start + rows].reshape(-1, queries.shape[1]) / np.float32(255)
        # |a - b|² as |a|² + |b|² - 2 a·b would lose the small distances of copies to rounding.
        for row, query in enumerate(queries):
            difference = block - query
            squares[row, start : start + rows] = np.einsum("nd,nd->n", difference, difference)
        if progress:
            progress(min(1.0, (start + rows) / len(training)), "Comparing with the training images")
    order = np.argsort(squares, axis=1, kind="stable")[:, :count]
    return order, np.sqrt(np.take_along_axis(squares, order, 1) / queries.shape[1])
