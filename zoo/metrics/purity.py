"""Purity: do the categories that a model found by itself agree with the classes? (Manning et al. 2008, section 16.3)

InfoGAN's paper matches each category to a class and counts the errors (Chen et al. 2016, arXiv:1606.03657, 7.2).
"""

import numpy as np


def score(categories: np.ndarray, classes: np.ndarray) -> float:
    """Share of images whose class is the commonest one of their category, in [0, 1].

    categories (N,) and classes (N,): integers from 0. 1 when every category is of one class; for categories that tell
    nothing the share of the commonest class.
    """
    categories, classes = np.asarray(categories), np.asarray(classes)
    if not len(categories) or categories.shape != classes.shape:
        raise ValueError("Purity needs a category and a class for each of at least one image.")
    counts = np.zeros((categories.max() + 1, classes.max() + 1))
    np.add.at(counts, (categories, classes), 1)
    return float(counts.max(1).sum() / len(categories))
