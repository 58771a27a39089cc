"""Classification accuracy score (Ravuri and Vinyals 2019): train on generated images, test on real ones.

A classifier learns from samples and the classes they were asked for. It does as well as one that learned from real
images only if the samples are right, and as different from each other as real ones.
"""

import numpy as np

from zoo.metrics import probe, random_features

FILTERS, SIDE = 32, 5
GRID = 7
SEED = 20_190_526  # once and for all
PENALTY = 0.01  # inverse strength: there are about as many features as images of a class


def features(images: np.ndarray) -> np.ndarray:
    """What the classifier sees of images (N, H, W, C) in [0, 1]: responses of random filters, averaged over a grid.

    A single layer, on which linear classifiers do well (Coates, Lee and Ng 2011): (N, 7 · 7 · 32) float32, less for
    images with a side below 7 pixels.
    """
    images = np.asarray(images, np.float32)
    # RandomState's stream is frozen for good, default_rng's is not.
    kernel = np.random.RandomState(SEED).standard_normal((SIDE, SIDE, images.shape[3], FILTERS))
    kernel -= kernel.mean((0, 1, 2))  # flat areas answer nothing
    kernel = (kernel / np.sqrt(np.square(kernel).sum((0, 1, 2)))).astype(np.float32)
    rows, columns = (np.linspace(0, side, min(GRID, side) + 1).astype(int) for side in images.shape[1:3])
    area = (np.diff(rows)[:, None] * np.diff(columns))[:, :, None]
    found = np.empty((len(images), area.size * FILTERS), np.float32)
    for chunk in random_features.chunks(images.shape, stride=1):
        answers = random_features.convolved(images[chunk], kernel, stride=1)
        pooled = np.add.reduceat(np.add.reduceat(answers, rows[:-1], axis=1), columns[:-1], axis=2) / area
        found[chunk] = pooled.reshape(len(pooled), -1)
    return found


def score(training: np.ndarray, labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray) -> float:
    """Accuracy on real images, features (M, D), after training on generated or real ones, features (N, D)."""
    return probe.accuracy(training, labels, test, test_labels, PENALTY)
