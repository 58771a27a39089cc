"""Inversion on generators whose inverse is known."""

from dataclasses import replace

import linear_entries as linear
import numpy as np
import pytest
import tiny_entries as tiny

from zoo import models
from zoo.analysis import inversion
from zoo.analysis.inversion import Settings, Space
from zoo.errors import Cancelled

SHAPE, SIZE = (4, 5, 1), 6
WEIGHTS = np.random.default_rng(0).normal(size=(SIZE, 20)).astype(np.float32)
QUICK = Settings(draws=32, starts=4, steps=8)


def affine(latents, labels=None):
    return (latents @ WEIGHTS + (0 if labels is None else 3 * labels[:, None])).reshape(-1, *SHAPE)


def bent(latents, labels=None):
    return np.tanh(affine(latents) / 3)


def latent(length: float = 2.0) -> np.ndarray:
    found = np.random.default_rng(5).normal(size=SIZE)
    return (length * found / np.linalg.norm(found)).astype(np.float32)


@pytest.mark.parametrize("decode", [affine, bent])
def test_the_latent_of_a_generator_whose_inverse_is_known_is_found(decode):
    found = inversion.search(decode, decode(latent()[None])[0], Space(SIZE), QUICK)
    assert found.latent == pytest.approx(latent(), abs=1e-3)
    assert found.error < 1e-7


def test_the_nearest_image_of_an_affine_generator_is_the_projection():
    target = np.random.default_rng(3).normal(size=SHAPE).astype(np.float32)
    best = np.linalg.lstsq(WEIGHTS.T, target.ravel(), rcond=None)[0]
    found = inversion.search(affine, target, Space(SIZE), QUICK)
    assert found.latent == pytest.approx(best, abs=2e-3)
    assert found.error == pytest.approx(inversion.mse(affine(best[None])[0], target), rel=1e-5)


def test_what_is_returned_belongs_together():
    target = np.random.default_rng(4).normal(size=SHAPE).astype(np.float32)
    found = inversion.search(bent, target, Space(SIZE), Settings(draws=16, starts=3, steps=3))
    assert (found.image == bent(found.latent[None])[0]).all()
    assert found.error == pytest.approx(np.square(found.image - target).mean(), rel=1e-6)
    assert len(found.curve) == 4 and list(found.curve) == sorted(found.curve, reverse=True)
    assert found.curve[-1] == pytest.approx(found.error, rel=1e-5)
    assert found.made == 16 + (3 + 3 + 2) * (SIZE + len(inversion.FACTORS))


def test_the_seed_decides():
    target = np.random.default_rng(4).normal(size=SHAPE).astype(np.float32)
    one, same, other = (
        inversion.search(bent, target, Space(SIZE), Settings(16, 2, 1, seed=seed)).latent for seed in (0, 0, 1)
    )
    assert (one == same).all() and not np.allclose(one, other)


def test_the_class_is_told_or_tried():
    target = affine(latent()[None], np.array([2]))[0]
    space = Space(SIZE, classes=4)
    tried = inversion.search(affine, target, space, QUICK)
    assert tried.label == 2 and tried.error < 1e-7
    told = inversion.search(affine, target, space, QUICK, label=1)
    assert told.label == 1 and told.error > 0.1


def test_latents_stay_where_the_prior_draws():
    far = affine(latent(100)[None])[0]
    found = inversion.search(affine, far, Space(SIZE), QUICK)
    # The 99.9 % quantile of the chi-squared distribution with six degrees of freedom is 22.458.
    assert np.linalg.norm(found.latent) == pytest.approx(22.458**0.5, rel=0.01)
    cube = inversion.search(affine, far, Space(SIZE, "uniform"), QUICK)
    assert np.abs(cube.latent).max() == 1


def test_a_start_that_is_given_is_followed():
    def hidden(latents, labels=None):  # flat but near one place, which no draw hits
        near = np.linalg.norm(latents - latent(), axis=1, keepdims=True) < 0.5
        return np.where(near, latents @ WEIGHTS, 9).reshape(-1, *SHAPE)

    target = hidden(latent()[None])[0]
    assert inversion.search(hidden, target, Space(SIZE), QUICK).error > 1
    assert inversion.search(hidden, target, Space(SIZE), QUICK, start=latent() + 0.05).error < 1e-7


def test_time_limit_and_cancel_end_a_search():
    target = affine(latent()[None])[0]
    found = inversion.search(affine, target, Space(SIZE), Settings(16, 2, 8, seconds=-1))
    assert found.cut and len(found.curve) == 1
    with pytest.raises(Cancelled):
        inversion.search(affine, target, Space(SIZE), QUICK, cancelled=lambda: True)
    with pytest.raises(ValueError, match="too many"):
        inversion.search(affine, np.zeros((8000, 8000, 1), np.float32), Space(SIZE), QUICK)


def test_an_entry_finds_its_own_images_and_not_others(tmp_path):
    entry = linear.autoencoder(tmp_path / "digits-gan", "digits", 8, encoder=False, family="dcgan")
    parts = []
    limit = inversion.bar(inversion.own(entry, QUICK, parts.append))
    assert parts == sorted(parts) and parts[-1] == 1
    noise = np.random.default_rng(0).random((2, *entry.shape), np.float32)
    made = models.sample(entry, 2, 7).images
    errors = [found.error for found in inversion.invert(entry, np.concatenate([made, noise]), None, QUICK)]
    assert max(limit, *errors[:2]) < 1e-6 < 1e-3 < min(errors[2:])
    assert "cannot make 2 of these 4 images" in inversion.verdict(errors, max(limit, *errors[:2]), "It")
    assert "can make this image" in inversion.verdict([limit], limit, "It")
    assert "cannot make this image exactly" in inversion.verdict([2 * limit], limit, "It")
    assert inversion.beside([1, 2], [2, 3], "AE") == "It comes nearer than AE all the same."
    assert "in 1 of them" in inversion.beside([1, 4], [2, 3], "AE")
    assert "in none of them" in inversion.beside([4], [3], "AE")


def test_what_was_dropped_is_what_all_nearest_images_lack():
    originals, nearest = np.full((3, 2, 2, 1), 0.5), np.full((3, 2, 2, 1), 0.5)
    nearest[:, 0, 0], nearest[:, 1, 1] = 0.25, 0.75
    originals[0, 0, 1], originals[1, 0, 1] = 0.75, 0.25  # one lacks, one adds
    lacking, added, white = inversion.dropped(originals, nearest)
    assert white == pytest.approx(0.25, abs=0.01)
    assert lacking[..., 0] == pytest.approx(np.array([[1, 1 / 3], [0, 0]]), abs=0.02)
    assert added[..., 0] == pytest.approx(np.array([[0, 1 / 3], [0, 1]]), abs=0.02)


def test_conditional_entries_are_told_or_try_their_classes(tmp_path):
    entry = tiny.gan(tmp_path / "cgan")
    drawn = models.sample(entry, 3, 1)
    told = inversion.invert(entry, drawn.images, drawn.labels, QUICK)
    assert [found.label for found in told] == list(drawn.labels if drawn.labels is not None else ())
    tried = inversion.invert(entry, drawn.images, None, QUICK)
    assert max(found.error for found in told + tried) < 0.01


def test_the_bar_is_what_95_percent_stay_below():
    assert inversion.bar(np.arange(20.0)[::-1]) == 18
    assert inversion.bar(np.arange(100.0)) == 94


def test_neighbours_are_autoencoders_of_the_dataset_with_codes_of_like_size(tmp_path):
    gan = linear.autoencoder(tmp_path / "gan", "digits", 8, encoder=False)
    two, six = (linear.autoencoder(tmp_path / f"vae-{size}", "digits", size) for size in (2, 6))
    elsewhere = six.manifest.dataset.model_copy(update={"id": "fruits"})
    fruits = replace(six, manifest=six.manifest.model_copy(update={"dataset": elsewhere}))
    assert inversion.neighbour(gan, [gan, two, six, fruits]) == six
    assert inversion.neighbour(gan, [gan, fruits]) is None
    assert inversion.adversarial(gan) and not inversion.adversarial(six)
    assert inversion.invertible(gan) and not inversion.invertible(tiny.autoencoder(tmp_path / "ae"))
