"""Summaries of sets of images, and the sentences about them, on sets whose properties are known."""

import dataclasses

import linear_entries as linear
import numpy as np
import pytest

from zoo import models
from zoo.analysis import comparison
from zoo.charts import REAL_NAME
from zoo.data import datasets, fruits
from zoo.entries import catalog


@pytest.fixture(scope="module")
def real():
    return datasets.load("digits", "test")


def summaries(**sets):
    return {name: comparison.summarise(pictures) for name, pictures in sets.items()}


def test_a_summary_holds_the_moments_and_the_classes(real, tmp_path):
    classifier = linear.classifier(tmp_path / "reader", "digits")
    found = comparison.summarise(real.images, classifier)
    np.testing.assert_allclose(found.mean, real.images.mean(0), atol=1e-6)
    np.testing.assert_allclose(found.variance, real.images.var(0), atol=1e-6)
    probabilities, features = models.classify(classifier, real.images)
    np.testing.assert_array_equal(found.labels, probabilities.argmax(1))
    np.testing.assert_array_equal(found.features, features)
    assert (found.count, len(found.shown), found.measured) == (360, comparison.SHOWN, None)


def test_many_pixels_are_thinned_without_bias():
    pictures = np.zeros((500, 32, 32, 3), np.float32)
    pictures[..., 1] = 1  # a stride in step with the channels would see one of them only
    pixels = comparison.summarise(pictures).pixels
    assert len(pixels) == comparison.PIXELS
    assert abs(pixels.mean() - 1 / 3) < 0.01


def test_images_of_another_shape_reach_the_classifier(real, tmp_path):
    classifier = linear.classifier(tmp_path / "reader", "digits")
    doubled = real.images.repeat(2, 1).repeat(2, 2)
    labels = comparison.summarise(doubled, classifier).labels
    assert (labels == comparison.summarise(real.images, classifier).labels).mean() > 0.9


def test_principal_axes_find_a_planted_direction():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2000, 1)) * 3 @ [[0.6, 0.8, 0]] + rng.normal(size=(2000, 3)) * [[0, 0, 1]] + 5
    axes = comparison.principal_axes(features)
    np.testing.assert_allclose(axes.directions[:, 0], [0.6, 0.8, 0], atol=0.02)
    np.testing.assert_allclose(axes.explained, [0.9, 0.1], atol=0.02)
    points = axes.project(features)
    np.testing.assert_allclose(points.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(points.T)[0, 1], 0, atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 4), (10, 1), (10,)])
def test_axes_of_too_little_are_refused(shape):
    with pytest.raises(ValueError, match="axes need"):
        comparison.principal_axes(np.zeros(shape))


def test_brightness_in_words(real):
    sets = summaries(**{REAL_NAME: real.images, "dim": real.images * 0.9, "same": real.images})
    assert comparison.brightness(sets) == "dim is 10 % darker than the data.\nsame is as bright as the data."


def test_variety_in_words(real):
    halfway = real.images.mean(0) + 0.5 * (real.images - real.images.mean(0))
    assert comparison.variety(summaries(first=real.images, still=halfway)) == "still has 25 % of the variance of first."


def test_missing_classes_are_named():
    counts = {REAL_NAME: np.array([100] * 3), "a": np.array([150, 150, 0]), "b": np.array([90, 100, 110])}
    assert comparison.covered(counts, ["cat", "dog", "cow"]) == (
        "a covers 2 of 3 classes, missing: cow; its shares differ from the data's by 33 %.\n"
        "b covers all 3 classes; its shares differ from the data's by 3 %."
    )
    assert comparison.covered({"a": np.array([9, 0, 0])}, ["cat", "dog", "cow"]) == (
        "a (9 images) covers 1 of 3 classes, missing: dog and cow."
    )


def test_overlap_of_equal_and_of_disjoint_sets():
    features = np.random.default_rng(0).normal(size=(300, 3))
    text = comparison.overlap({REAL_NAME: features, "twin": features + 0.0, "far": features + 100})
    assert text.startswith("twin: 95 % of its images lie where real images do, and 100 %")
    assert text.endswith("of them do.") and "\nOf the 300 real images, 93 %" in text
    assert "far: 0 % of its images lie where real images do, and 0 %" in text


def test_overlap_does_not_depend_on_how_many_images_cover_the_reference():
    rng = np.random.default_rng(0)
    real, drawn = rng.normal(size=(100, 3)), rng.normal(size=(2000, 3)) + 2
    found = comparison.overlap({REAL_NAME: real, "a": drawn})
    assert found == comparison.overlap({REAL_NAME: real, "a": drawn[:100]})
    assert found.splitlines()[0] == comparison.overlap({REAL_NAME: real, "a": drawn, "b": drawn}).splitlines()[0]


def test_the_reference_is_never_cut_to_a_small_set():
    rng = np.random.default_rng(0)
    real, drawn, few = rng.normal(size=(300, 3)), rng.normal(size=(300, 3)), rng.normal(size=(50, 3))
    alone, beside = (comparison.overlap({REAL_NAME: real, "a": drawn} | other) for other in ({}, {"few": few}))
    first, small, last = beside.splitlines()
    assert alone.splitlines() == [first, last]
    assert small.startswith("few (50 images): ") and last.startswith("Of the 300 real images, ")


@pytest.mark.parametrize("name", ["digits", "fruits"])
def test_noise_and_flat_grey_lie_where_no_real_images_do(name):
    classifier = catalog.find(f"{name}-classifier", [catalog.EMBEDDED])
    pictures, rng = datasets.load(name, "test", 360).images, np.random.default_rng(0)
    training = datasets.load(name, "train", 360).images
    sets = {REAL_NAME: pictures, "training": training, "noise": rng.random((60, *pictures.shape[1:]), np.float32)}
    sets["grey"], sets["black"] = (np.full((60, *pictures.shape[1:]), level, np.float32) for level in (0.5, 0))
    found = {key: comparison.summarise(values, classifier) for key, values in sets.items()}
    text = comparison.overlap({key: item.features for key, item in found.items()})
    inside = {line.partition(" (")[0].partition(":")[0]: int(line.split(": ")[1].split(" %")[0])
              for line in text.splitlines()[:-1]}  # fmt: skip
    assert inside["training"] > 75 and max(inside[key] for key in ("noise", "grey", "black")) <= 3
    assert "grey (60 images) is " in comparison.brightness(found)
    assert "grey (60 images) has 0 % of the variance" in comparison.variety(found)
    shown, others = (comparison.spread_images({key: found[key] for key in keys})[:2]
                     for keys in ([REAL_NAME, "training", "noise"], [REAL_NAME, "training"]))  # fmt: skip
    assert np.array_equal(shown, others)


def test_a_shifted_dimension_is_farthest_from_the_prior():
    codes = np.random.default_rng(0).normal(size=(5000, 3)) + [0, 3, 0]
    histograms = [np.histogram(column, 40) for column in codes.T]
    statistics = {
        "mean": codes.mean(0), "covariance": np.diag([1.0, 4.0, 9.0]), "kl": np.array([1.0, 2.0, 0.01]),
        "histogram_counts": np.stack([counts for counts, _ in histograms]),
        "histogram_edges": np.stack([edges for _, edges in histograms]),
    }  # fmt: skip
    assert comparison.against_prior(statistics, True) == (
        "z1 is farthest from the prior: 87 % of its mass lies elsewhere.\n"
        "2 of 3 dimensions carry information (more than 0.1 nats)."
    )
    assert "run from 1 to 3." in comparison.against_prior(statistics, False)


def test_fruits_in_words():
    pictures, truth = fruits.render(60, 1, kind=1)
    found = comparison.summarise(pictures, measure=True, truth=truth)
    assert "the ruler is off by" in comparison.measuring(found)
    sets = {REAL_NAME: found.truth, "seen": found.measured, "grey": fruits.measure(np.full((3, 32, 32, 3), 0.5))}
    text = comparison.colours_and_sizes(sets)
    assert text.startswith("Real (60 images): 0 % red, 100 % orange, 0 % green, radius 9.")
    assert "seen (60 images): 0 % red, 100 % orange" in text
    assert text.endswith("grey (3 images) draws nothing that can be measured as a fruit.")


def test_spread_images_share_one_scale(real):
    flat = real.images.mean(0) + 0.5 * (real.images - real.images.mean(0))
    first, second = comparison.spread_images(summaries(a=real.images, b=flat))
    assert first.max() == 1
    np.testing.assert_allclose(second, first / 2, atol=1e-3)


def test_what_sheets_have_in_common(tmp_path):
    vae = linear.autoencoder(tmp_path / "vae", "digits", 4)
    gan = linear.autoencoder(tmp_path / "gan", "digits", 4, encoder=False)
    wide = linear.autoencoder(tmp_path / "wide", "digits", 5, encoder=False)
    assert comparison.sharing([vae], ["prior"]) == ""
    assert "same latents" in comparison.sharing([vae, gan], ["prior", "prior"])
    assert "its own distribution" in comparison.sharing([vae, gan], ["gmm", "prior"])
    assert "4 and 5 numbers" in comparison.sharing([vae, wide], ["prior", "prior"])


def test_percentages_are_short():
    assert [comparison.percent(share) for share in (0, 0.0001, 0.004, 0.0094, 0.0096, 0.5, 1.2)] == [
        "0 %", "less than 0.1 %", "0.4 %", "0.9 %", "1 %", "50 %", "120 %",
    ]  # fmt: skip


def test_a_summary_is_small(real):
    found = comparison.summarise(np.repeat(real.images, 20, 0))
    arrays = [value for value in dataclasses.astuple(found) if isinstance(value, np.ndarray)]
    assert sum(array.nbytes for array in arrays) < 4 << 20
