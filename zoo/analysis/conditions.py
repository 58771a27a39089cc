"""The classes that conditional entries ask for beside each image."""

from collections.abc import Sequence

import numpy as np

from zoo import models
from zoo.entries import Entry
from zoo.images import fit


def labels_for(
    entry: Entry,
    images: np.ndarray,
    known: np.ndarray | None = None,
    classes: Sequence[str] = (),
    classifier: Entry | None = None,
) -> tuple[np.ndarray | None, str]:
    """Find the class that a conditional entry is told for each image, and say in a few words where it is from.

    Args:
        images: (N, H, W, C) of any shape. known: the images' labels (N,), or None; classes: the names they stand for.
        classifier: guesses where the labels are not known or not of this entry's classes.

    Returns:
        (N,) int64 and e.g. "the true class", or (None, "") for an entry that takes no class.
    """
    if not entry.conditional:
        return None, ""
    if known is not None and len(classes) and set(np.asarray(classes, object)[np.unique(known)]) <= set(entry.classes):
        return np.array([entry.classes.index(classes[label]) for label in known], np.int64), "the true class"
    if classifier is not None and set(classifier.classes) <= set(entry.classes):
        guessed = models.classify(classifier, fit(images, classifier.shape)[0])[0].argmax(1)
        labels = [entry.classes.index(classifier.classes[index]) for index in guessed]
        return np.array(labels, np.int64), f"the class that {classifier.label} sees in it"
    return np.zeros(len(images), np.int64), f"“{entry.classes[0]}” for want of a classifier"
