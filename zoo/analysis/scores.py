"""Sets of images held against the test images of a dataset: the figures that `evaluate` stores and the page measures.

A figure says little alone: `floors` holds the same figures for real images nobody generated.
"""

import csv
import functools
import io
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import numpy as np

from zoo import images, models
from zoo.data import datasets
from zoo.entries import Entry
from zoo.metrics import cas, duplicates, frechet, kernel, prdc, random_features, sliced_wasserstein
from zoo.metrics.classes import histogram, missing, total_variation
from zoo.metrics.figures import FIGURES

COUNT = 10_000  # images on each side of a comparison, fewer where the test split is smaller
SEEDS = 3  # draws that a stored figure is the mean of


T = TypeVar("T")


class View(NamedTuple):
    """Images (N, H, W, C), labels (N,) or None, and what the networks see: the classifier's features and its choice
    of a class (both None without one), random features."""

    images: np.ndarray
    labels: np.ndarray | None
    features: np.ndarray | None
    classes: np.ndarray | None
    random: np.ndarray


class Real:
    """Real images of a dataset and what comparisons need of them, each computed when it is first asked for."""

    def __init__(
        self,
        dataset,
        shape: tuple[int, int, int],
        classifier: Entry | None,
        seed: int,
        count: int | None = None,
        rounds: int = SEEDS,
        **reading,
    ):
        """
        Args:
            dataset: what datasets.load takes.
            shape: (H, W, C) that the real images are fitted to.
            classifier: gives features and classes; without one these are not compared.
            count: test images that are drawn by the seed; None takes the first COUNT in stored order.
            rounds: draws of as many training images, for the floors, by this seed and those that follow it.
            reading: what else datasets.load is told.
        """
        self.dataset, self.shape, self.classifier, self.seed = dataset, shape, classifier, seed
        self.count, self.rounds, self.reading = count, rounds, reading

    @functools.cached_property
    def test(self) -> datasets.Split:
        drawn = {} if self.count is None else {"count": self.count, "seed": self.seed}
        return datasets.load(self.dataset, "test", **drawn, **self.reading)

    @functools.cached_property
    def view(self) -> View:
        labels = self.test.labels
        return self.see(self.fitted(self.test.images[:COUNT]), None if labels is None else labels[:COUNT])

    @functools.cached_property
    def training(self) -> list[View]:
        """As many training images as there are test images, for each of the rounds."""
        splits = (
            datasets.load(self.dataset, "train", count=len(self.view.images), seed=self.seed + offset, **self.reading)
            for offset in range(self.rounds)
        )
        return [self.see(self.fitted(split.images), split.labels) for split in splits]

    @functools.cached_property
    def floors(self) -> list[dict[str, float]]:
        """`compare` of training images with the test images, for each of the rounds."""
        return [self.compare(view) for view in self.training]

    @functools.cached_property
    def shares(self) -> np.ndarray | None:
        """Test images of each class (K,), equal shares where they are not labelled; None without a classifier."""
        if self.classifier is None:
            return None
        classes = len(self.classifier.classes)
        if self.view.labels is None:
            return np.ones(classes)
        return histogram(self.view.labels, classes)

    @property
    def features(self) -> np.ndarray:
        """The classifier's features (N, F) of the test images; raises ValueError without a classifier."""
        return _needed(self.view.features, "a classifier")

    @functools.cached_property
    def gaussian(self) -> frechet.Statistics:
        return frechet.statistics(self.features)

    @functools.cached_property
    def random_gaussian(self) -> frechet.Statistics:
        return frechet.statistics(self.view.random)

    @functools.cached_property
    def radii(self) -> np.ndarray:
        return prdc.radii(self.features)

    @functools.cached_property
    def near(self) -> float:
        return duplicates.threshold(self.view.random)

    @functools.cached_property
    def test_features(self) -> np.ndarray:
        """What the classification accuracy score is tested on."""
        return cas.features(self.view.images)

    @functools.cached_property
    def training_scores(self) -> list[float]:
        """Classification accuracy score of training images, for each of the rounds."""
        return [
            self.classification_accuracy(training.images, _needed(training.labels, "labels"))
            for training in self.training
        ]

    def fitted(self, pictures: np.ndarray) -> np.ndarray:
        return images.fit(pictures, self.shape)[0]

    def see(self, pictures: np.ndarray, labels: np.ndarray | None = None) -> View:
        features = chosen = None
        if self.classifier is not None:
            probabilities, features = models.classify(self.classifier, images.fit(pictures, self.classifier.shape)[0])
            chosen = probabilities.argmax(1)
        return View(pictures, labels, features, chosen, random_features.features(pictures))

    def compare(self, other: View) -> dict[str, float]:
        """Every distance and score of a set of images against the test images."""
        found = {}
        if other.features is not None:
            found["frechet"] = frechet.distance(frechet.statistics(other.features), self.gaussian)
            found["kid"] = kernel.distance(self.features, other.features)
            found |= prdc.scores(self.features, other.features, real_radii=self.radii)._asdict()
        found["frechet_random"] = frechet.distance(frechet.statistics(other.random), self.random_gaussian)
        found["sliced_wasserstein"] = sliced_wasserstein.distance(self.view.images, other.images)
        found["duplicates"] = duplicates.pairs(other.random, self.near)
        return found

    def score(self, other: View) -> dict[str, float]:
        """`compare`, with Fréchet distances also as multiples of their floors, and how the classes differ."""
        found = self.compare(other)
        for name in ("frechet", "frechet_random"):
            if name in found and self.floors:
                found[f"{name}_ratio"] = found[name] / float(np.mean([floor[name] for floor in self.floors]))
        return found | self.class_scores(other)

    def class_scores(self, other: View) -> dict[str, float]:
        """How the classes of a set differ from those of the data; {} without a classifier."""
        if other.classes is None:
            return {}
        counts, shares = self.counts(other), _needed(self.shares, "a classifier")
        return {
            "class_distance": total_variation(counts, shares),
            "missing_classes": len(missing(counts, shares)),
        }

    def counts(self, other: View) -> np.ndarray:
        """Images of each class (K,) that the classifier sees in a set; raises ValueError without a classifier."""
        classifier = _needed(self.classifier, "a classifier")
        return histogram(_needed(other.classes, "a classifier"), len(classifier.classes))

    def classification_accuracy(self, pictures: np.ndarray, labels: np.ndarray) -> float:
        """Classification accuracy score of images with the classes they were asked for."""
        return cas.score(cas.features(pictures), labels, self.test_features, _needed(self.view.labels, "labels"))


def _needed(value: T | None, what: str) -> T:
    if value is None:
        raise ValueError(f"This comparison needs {what}.")
    return value


class Scored(NamedTuple):
    """The figures of a set, and its images of each class (K,), None without a classifier."""

    figures: dict[str, float]
    counts: np.ndarray | None


def best(name: str, values: Mapping[str, float]) -> set[str]:
    """Return which of the values of a figure, by name of their set, are the best as they are written; none where all
    are alike."""
    row = FIGURES[name]
    if not values:
        return set()
    lowest = row.written(min(values.values(), key=row.cost))
    found = {key for key, value in values.items() if row.written(value) == lowest}
    return found if len(found) < len(values) else set()


def table(found: Mapping[str, Scored], dataset: str, count: int, seed: int) -> str:
    """Return the figures as CSV, a row for each set; count images of each were compared with as many test images."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [name for name in FIGURES if any(name in scored.figures for scored in found.values())]
    writer.writerow(["set", "dataset", "images", "seed", *names])
    for title, (figures, _) in found.items():
        writer.writerow([title, dataset, count, seed, *(figures.get(name, "") for name in names)])
    return out.getvalue()
