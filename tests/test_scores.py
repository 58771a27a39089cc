"""Figures of sets of images whose properties are known: copies, lost classes, duplicates; and how they are told."""

import csv
import io

import linear_entries as linear
import numpy as np
import pytest

from zoo.analysis import comparison, scores
from zoo.analysis.scores import Scored
from zoo.data import datasets
from zoo.metrics.figures import FIGURES


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    classifier = linear.classifier(tmp_path_factory.mktemp("scores") / "reader", "digits")
    return scores.Real("digits", (8, 8, 1), classifier, seed=0, count=300, rounds=1)


@pytest.fixture(scope="module")
def training():
    return datasets.load("digits", "train")


def measured(real, pictures):
    seen = real.see(pictures)
    return Scored(real.score(seen), real.counts(seen))


def told(real, **found):
    return comparison.verdicts(found, real.shares, real.classifier.classes)


def test_the_count_is_drawn_by_the_seed(real):
    drawn = datasets.load("digits", "test", 300, 0)
    np.testing.assert_array_equal(real.view.images, drawn.images)
    assert len(real.training) == len(real.floors) == 1 and len(real.training[0].images) == 300
    assert real.shares.tolist() == np.bincount(drawn.labels, minlength=10).tolist()


def test_the_test_images_themselves_are_below_the_floor(real):
    same, floor = measured(real, real.view.images), real.floors[0]
    for name in ("frechet", "frechet_random", "sliced_wasserstein"):
        assert same.figures[name] <= 1e-6 < floor[name]
    assert same.figures["kid"] < floor["kid"] and same.figures["coverage"] == 1
    assert same.figures["frechet_ratio"] == pytest.approx(0, abs=1e-6)
    assert real.score(real.training[0])["frechet_ratio"] == pytest.approx(1)


def test_a_lost_class_is_named(real, training):
    kept = training.images[training.labels != 4][:300]
    lost, whole = measured(real, kept), measured(real, training.images[:300])
    assert lost.figures["missing_classes"] == 1 and whole.figures["missing_classes"] == 0
    assert lost.figures["frechet"] > 1.2 * whole.figures["frechet"]
    assert lost.figures["coverage"] < whole.figures["coverage"]
    sentence = told(real, **{"a/b": lost})
    assert sentence.startswith("a/b covers 9 of 10 classes, missing: 4, and lies ")
    assert sentence.endswith(f"lies {lost.figures['frechet_ratio']:.3g} times as far from the test images as training "
                             "images do.")  # fmt: skip
    assert "covers all 10 classes" in told(real, whole=whole)


def test_repeated_images_are_seen(real, training):
    repeated = measured(real, np.repeat(training.images[:30], 10, 0))
    assert repeated.figures["duplicates"] >= 30 * 45  # each image is there ten times: 45 pairs
    assert repeated.figures["duplicates"] > 10 * real.floors[0]["duplicates"]
    assert repeated.figures["recall"] < real.floors[0]["recall"]


def test_without_training_images_there_is_no_ratio(real):
    alone = scores.Real("digits", (8, 8, 1), None, seed=0, count=100, rounds=0)
    figures = alone.score(alone.see(alone.view.images))
    assert set(figures) == {"frechet_random", "sliced_wasserstein", "duplicates"}
    assert comparison.verdicts({"x": Scored(figures, None)}, None, ()) == ""


def test_every_figure_has_a_label(real):
    assert set(measured(real, real.view.images).figures) == {row.name for row in FIGURES.values() if row.compared}


@pytest.mark.parametrize(
    ("figure", "values", "leaders"),
    [
        ("frechet", {"a": 0.5, "b": 0.4}, {"b"}),
        ("coverage", {"a": 0.5, "b": 0.4}, {"a"}),
        ("density", {"a": 1.5, "b": 0.8}, {"b"}),
        ("coverage", {"a": 0.501, "b": 0.502}, set()),  # written alike
        ("missing_classes", {"a": 0, "b": 0, "c": 2}, {"a", "b"}),
        ("frechet", {"a": 0.5}, set()),
        ("frechet", {}, set()),
    ],
)
def test_the_better_one(figure, values, leaders):
    assert scores.best(figure, values) == leaders


def test_figures_as_csv(real):
    found = {"one, two": Scored({"frechet": 0.5, "kid": -0.1}, None), "floor": Scored({"frechet": 0.25}, None)}
    rows = list(csv.reader(io.StringIO(scores.table(found, "digits", 300, 7))))
    assert rows == [
        ["set", "dataset", "images", "seed", "frechet", "kid"],
        ["one, two", "digits", "300", "7", "0.5", "-0.1"],
        ["floor", "digits", "300", "7", "0.25", ""],
    ]
