"""The verbs of the pages, on entries small enough to compute by hand."""

import numpy as np
import pytest
import tiny_entries as tiny

from zoo import models, samplers
from zoo.entries.catalog import EMBEDDED, entries
from zoo.errors import EntryError
from zoo.latent import sampling


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("zoo")


@pytest.fixture(scope="module")
def vae(place):
    return tiny.vae(place / "vae")


@pytest.fixture(scope="module")
def gan(place):
    return tiny.gan(place / "gan")


@pytest.fixture(scope="module")
def classifier(place):
    return tiny.classifying(place / "classifier")


@pytest.fixture(scope="module")
def autoencoder(place):
    codes = np.random.default_rng(0).normal(size=(500, 2)) * [2, 0.5] + [5, -1]
    return tiny.autoencoder(place / "autoencoder", codes)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def test_posterior_of_a_vae(vae):
    images = tiny.images(5)
    mean, std = models.posterior(vae, images)
    np.testing.assert_allclose(mean, images.reshape(5, -1) @ tiny.ENCODE, atol=1e-5)
    np.testing.assert_allclose(std, np.exp(0.5 * images.reshape(5, -1) @ tiny.SPREAD), rtol=1e-4)
    np.testing.assert_array_equal(models.encode(vae, images), mean)


def test_posterior_of_a_plain_autoencoder_has_no_deviation(autoencoder):
    mean, std = models.posterior(autoencoder, tiny.images(2))
    assert std is None
    np.testing.assert_allclose(mean, tiny.images(2).reshape(2, -1) @ tiny.ENCODE, atol=1e-5)


def test_reconstruct_is_decode_after_encode(vae):
    images = tiny.images(3)
    expected = sigmoid(images.reshape(3, -1) @ tiny.ENCODE @ tiny.DECODE)
    np.testing.assert_allclose(models.reconstruct(vae, images).reshape(3, -1), expected, atol=1e-5)


def test_classify_gives_probabilities_and_features(classifier):
    images = tiny.images(4) * 1000
    probabilities, features = models.classify(classifier, images)
    flat = images.reshape(4, -1) @ tiny.FEATURE
    np.testing.assert_allclose(features, flat, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    np.testing.assert_array_equal(probabilities.argmax(1), (flat @ tiny.LOGIT).argmax(1))


def test_judge_gives_one_score_per_image(gan):
    images = tiny.images(3)
    np.testing.assert_allclose(models.judge(gan, images), (images.reshape(3, -1) @ tiny.SCORE)[:, 0], atol=1e-4)


def test_samplers_best_first(vae, gan, classifier, autoencoder, place):
    assert samplers.offered(vae) == samplers.offered(gan) == ("prior",)
    assert samplers.offered(autoencoder) == ("gmm", "gaussian")
    assert samplers.offered(classifier) == samplers.offered(tiny.autoencoder(place / "bare")) == ()


def test_samples_are_decoded_latents_of_the_seed(vae):
    few, many = models.sample(vae, 4, seed=3), models.sample(vae, 9, seed=3)
    assert few.labels is None
    np.testing.assert_array_equal(few.latents, sampling.normal(4, (2,), 3))
    np.testing.assert_allclose(few.images, models.decode(vae, few.latents), atol=1e-6)
    np.testing.assert_array_equal(many.latents[:4], few.latents)
    assert np.abs(models.sample(vae, 500, seed=0, truncation=0.5).latents).max() <= 0.5


def test_an_autoencoder_samples_where_its_codes_are(autoencoder):
    for sampler in (None, "gmm", "gaussian"):
        drawn = models.sample(autoencoder, 2000, seed=0, sampler=sampler).latents
        np.testing.assert_allclose(drawn.mean(0), [5, -1], atol=0.2)
        np.testing.assert_allclose(drawn.std(0), [2, 0.5], atol=0.2)


def test_conditional_samples_follow_their_class(gan):
    drawn = models.sample(gan, 10, seed=1)
    assert sorted(np.bincount(drawn.labels)) == [3, 3, 4]
    np.testing.assert_array_equal(models.sample(gan, 4, seed=1).labels, drawn.labels[:4])
    one = models.sample(gan, 4, seed=1, label=2)
    np.testing.assert_array_equal(one.labels, [2] * 4)
    np.testing.assert_array_equal(one.latents, drawn.latents[:4])
    expected = sigmoid(one.latents @ tiny.DECODE + tiny.EMBED[2])
    np.testing.assert_allclose(one.images.reshape(4, -1), expected, atol=1e-5)
    np.testing.assert_array_equal(models.sample(gan, 3, seed=1, label=np.array([2, 1, 0])).labels, [2, 1, 0])


def test_labels_are_required_only_where_they_are_used(gan, vae):
    with pytest.raises(ValueError, match="generator of gan is conditional"):
        models.decode(gan, np.zeros((1, 2)))
    assert models.decode(vae, np.zeros((1, 2)), labels=1).shape == (1, *tiny.SHAPE)
    assert models.judge(gan, tiny.images(1), labels=1).shape == (1,)


def test_dimensions_are_ranked_by_what_they_change(vae, autoencoder):
    for entry, mean, std in ((vae, np.zeros(2), np.ones(2)), (autoencoder, [5, -1], [2, 0.5])):
        anchors = np.random.default_rng(0).normal(size=(6, 2))
        effects = dict(models.rank_dimensions(entry, anchors))
        for dimension in range(2):
            low, high = anchors.copy(), anchors.copy()
            low[:, dimension], high[:, dimension] = (mean[dimension] + side * std[dimension] for side in (-2, 2))
            expected = np.abs(sigmoid(high @ tiny.DECODE) - sigmoid(low @ tiny.DECODE)).mean()
            np.testing.assert_allclose(effects[dimension], expected, atol=0.02)
        ranked = [effect for _, effect in models.rank_dimensions(entry, anchors)]
        assert ranked == sorted(ranked, reverse=True)


def test_ranking_takes_labels_and_does_not_depend_on_the_batch(gan, monkeypatch):
    anchors, labels = np.random.default_rng(0).normal(size=(3, 2)), np.array([0, 1, 2])
    whole = models.rank_dimensions(gan, anchors, labels)
    monkeypatch.setattr(models, "TRAVERSAL_BATCH", 1)
    np.testing.assert_allclose(models.rank_dimensions(gan, anchors, labels), whole, atol=1e-6)


def test_what_does_not_fit_is_refused(vae, gan, classifier, autoencoder):
    wrong = [
        (
            ValueError,
            r"images of shape \(4, 4, 1\), not \(5, 5, 1\)",
            lambda: models.encode(vae, np.zeros((1, 5, 5, 1))),
        ),
        (ValueError, r"latents of shape \(2,\), not \(3,\)", lambda: models.decode(vae, np.zeros((1, 3)))),
        (EntryError, "has no encoder", lambda: models.encode(gan, tiny.images(1))),
        (EntryError, "has no generator", lambda: models.decode(classifier, np.zeros((1, 2)))),
        (EntryError, "has no classifier", lambda: models.classify(vae, tiny.images(1))),
        (EntryError, "has no discriminator", lambda: models.judge(vae, tiny.images(1))),
        (EntryError, "offers nothing", lambda: models.sample(classifier, 1, seed=0)),
        (EntryError, "cannot sample by 'prior'", lambda: models.sample(autoencoder, 1, seed=0, sampler="prior")),
        (ValueError, "between 1 and", lambda: models.sample(vae, 0, seed=0)),
        (ValueError, "between 1 and", lambda: models.sample(vae, 10**9, seed=0)),
        (ValueError, "2 images need 2 labels", lambda: models.sample(gan, 2, seed=0, label=np.array([0, 1, 2]))),
        (ValueError, "between 0 and 2", lambda: models.sample(gan, 2, seed=0, label=7)),
    ]
    for kind, reason, call in wrong:
        with pytest.raises(kind, match=reason):
            call()


@pytest.mark.parametrize("entry", entries([EMBEDDED]) if EMBEDDED.is_dir() else [], ids=lambda entry: entry.name)
def test_every_embedded_entry_does_what_it_promises(entry):
    labels = 0 if entry.conditional else None
    images = np.random.default_rng(0).random((2, *entry.shape), np.float32)
    able = entry.capabilities
    if "generate" in able:
        for sampler in samplers.offered(entry):
            images = models.sample(entry, 2, seed=0, sampler=sampler).images
            assert images.shape == (2, *entry.shape)
            assert 0 <= images.min() < images.max() <= 1
    if "reconstruct" in able:
        assert models.reconstruct(entry, images, labels).shape == (2, *entry.shape)
    if "judge" in able:
        assert models.judge(entry, images, labels).shape == (2,)
    if "classify" in able:
        np.testing.assert_allclose(models.classify(entry, images)[0].sum(1), 1, atol=1e-5)
