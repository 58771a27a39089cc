"""Discrete latents: the nearest vector, the draw code by code, and what a hostile codebook or prior comes to."""

import numpy as np
import pytest
import tiny_entries as tiny
from scipy.special import softmax

from zoo import models, networks, samplers
from zoo.analysis import fidelity
from zoo.errors import EntryError
from zoo.latent import codes
from zoo.networks import trial
from zoo.samplers.prior import draw_codes

SURE = np.full((4, 3), -50, np.float32)  # 2 first, then 1, then 0, then 2 again
SURE[[3, 2, 1, 0], [2, 1, 0, 2]] = 50


@pytest.fixture(scope="module")
def entry(tmp_path_factory):
    return tiny.vqvae(tmp_path_factory.mktemp("zoo") / "vq")


def test_the_nearest_vector_is_the_one_of_least_distance():
    rng = np.random.default_rng(0)
    vectors, book = rng.normal(size=(5, 4, 3)), 3 * rng.normal(size=(7, 3))
    distances = np.linalg.norm(vectors[..., None, :] - book, axis=-1)
    np.testing.assert_array_equal(codes.nearest(vectors, book), distances.argmin(-1))
    np.testing.assert_array_equal(codes.nearest(book, book), np.arange(7))


def test_the_codebook_is_that_of_the_decoder(entry):
    np.testing.assert_array_equal(codes.codebook(entry), tiny.CODEBOOK)
    z = np.random.default_rng(0).normal(size=(20, *tiny.GRID_LATENT)).astype(np.float32)
    integers = codes.nearest(z, tiny.CODEBOOK)
    assert integers.shape == (20, 2, 2)
    np.testing.assert_allclose(models.decode(entry, z), models.decode(entry, codes.lookup(entry, integers)), atol=1e-6)


def test_an_image_becomes_integers_and_they_become_an_image(entry):
    images = tiny.images(5)
    found = fidelity.reconstruct(entry, images, images)
    vectors = (images.reshape(5, -1) @ tiny.TO_GRID).reshape(5, 2, 2, 2)
    np.testing.assert_array_equal(found.codes, codes.nearest(vectors, tiny.CODEBOOK))
    np.testing.assert_allclose(found.outputs, models.decode(entry, tiny.CODEBOOK[found.codes]), atol=1e-6)
    assert fidelity.bottleneck(entry) == (16, 4, 4)
    assert "16 → 4 integers below 3, 4:1" in fidelity.note(entry, found)


def test_a_draw_follows_the_prior(entry):
    assert samplers.offered(entry) == ("prior",)
    drawn = draw_codes(entry, 4000, seed=0).reshape(-1, 4)
    expected = softmax(tiny.CHAIN, axis=1)
    np.testing.assert_allclose(np.bincount(drawn[:, 0]) / 4000, expected[3], atol=0.03)
    for before in range(3):
        after = drawn[:, 1:][drawn[:, :-1] == before]
        np.testing.assert_allclose(np.bincount(after) / len(after), expected[before], atol=0.03)


def test_temperature_sharpens_and_flattens(entry):
    cold, hot = (draw_codes(entry, 2000, 0, temperature).reshape(-1, 4) for temperature in (0, 1e6))
    np.testing.assert_array_equal(cold, np.tile([1, 2, 0, 0], (2000, 1)))
    np.testing.assert_allclose(np.bincount(hot.ravel()) / hot.size, 1 / 3, atol=0.03)
    np.testing.assert_array_equal(draw_codes(entry, 9, 0, 1e-9), cold[:9].reshape(-1, 2, 2))


def test_one_seed_is_one_set_of_images(entry, monkeypatch):
    many = models.sample(entry, 11, seed=3)
    assert many.latents.shape == (11, *tiny.GRID_LATENT)
    np.testing.assert_allclose(many.images, models.decode(entry, many.latents), atol=1e-6)
    monkeypatch.setattr(codes, "CHUNK", 4)
    np.testing.assert_array_equal(models.sample(entry, 11, seed=3).latents, many.latents)
    np.testing.assert_array_equal(models.sample(entry, 5, seed=3).latents, many.latents[:5])
    assert not np.array_equal(models.sample(entry, 11, seed=4).latents, many.latents)


def test_each_code_is_drawn_given_those_before_it(tmp_path):
    sure = tiny.vqvae(tmp_path / "sure", chain=SURE)
    np.testing.assert_array_equal(draw_codes(sure, 3, seed=0), np.tile([[2, 1], [0, 2]], (3, 1, 1)))


def test_without_a_codebook_nothing_is_drawn(tmp_path):
    bare = tiny.vqvae(tmp_path / "bare", codebook=None)
    assert "generate" not in bare.capabilities and samplers.offered(bare) == ()
    with pytest.raises(EntryError, match=r"no file 'latents.npz'"):
        codes.codebook(bare)


@pytest.mark.parametrize(
    "book", [np.zeros((4, 2)), np.zeros((3, 3)), np.full((3, 2), np.nan), np.full((3, 2), 1e20), np.zeros(())]
)
def test_a_wrong_codebook_is_refused(tmp_path, book):
    wrong = tiny.vqvae(tmp_path / "wrong", codebook=book)
    with pytest.raises(EntryError, match=r"wrong is refused: latents.npz holds no codebook of \(3, 2\)"):
        models.sample(wrong, 1, seed=0)


def test_a_prior_without_numbers_is_refused(tmp_path):
    wrong = tiny.vqvae(tmp_path / "wrong", chain=np.full((4, 3), np.nan, np.float32))
    with pytest.raises(EntryError, match="prior of wrong is refused: its network gave logits with values that are not"):
        models.sample(wrong, 1, seed=0)


def test_a_prior_that_would_draw_for_hours_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(trial, "DRAWING", -1)  # processor time comes in ticks: a small network takes 0
    with pytest.raises(EntryError, match="seconds of computing to draw"):
        models.sample(tiny.vqvae(tmp_path / "slow"), 1, seed=0)


def test_what_makes_no_sense_is_refused(entry):
    for wrong in ({"count": 0}, {"count": 1, "temperature": -1}):
        with pytest.raises(ValueError, match="Sampling needs"):
            codes.draw(lambda given: given, (2, 2), seed=0, **wrong)
    with pytest.raises(ValueError, match="codes for vq must lie between 0 and 2"):
        networks.run(entry, "prior", codes=np.full((1, 2, 2), 3))
    with pytest.raises(EntryError, match="cannot sample by 'gmm'"):
        models.sample(entry, 1, seed=0, sampler="gmm")
