"""The plane of a two-dimensional latent space: its grid, its sheet, and what blending costs."""

import linear_entries as linear
import numpy as np
import pytest
import tiny_entries as tiny

from zoo import models
from zoo.analysis import manifold
from zoo.entries import catalog


@pytest.fixture
def plane(tmp_path):
    """An entry whose decoder is linear, as long as its images are not clipped."""
    return linear.autoencoder(tmp_path / "plane", "fruits", 2)


def test_the_grid_is_a_plane_with_z2_upwards():
    grid = manifold.places(5)
    assert grid.shape == (5, 5, 2)
    np.testing.assert_allclose(grid[0, 0], [-manifold.REACH, manifold.REACH])
    np.testing.assert_allclose(grid[4, 4], [manifold.REACH, -manifold.REACH])
    np.testing.assert_allclose(grid[2, 2], 0)


def test_each_tile_is_the_picture_of_its_place(plane):
    grid = manifold.decoded(plane, 5)
    np.testing.assert_allclose(grid[1, 3], models.decode(plane, manifold.places(5)[1, 3][None])[0], atol=1e-6)


def test_blending_a_linear_grid_is_exact():
    down, across = np.mgrid[0:1:4j, 0:1:6j]
    weights = np.random.default_rng(0).normal(size=(2, 3, 2, 1))
    grid = 0.1 + across[..., None, None, None] * weights[0] + down[..., None, None, None] * weights[1]
    x, y = np.random.default_rng(1).uniform(size=(2, 40))
    expected = 0.1 + x[:, None, None, None] * weights[0] + y[:, None, None, None] * weights[1]
    np.testing.assert_allclose(manifold.blended(grid, x, y), expected, atol=1e-6)
    # A bilinear function is one, too: each of the four corners has its own weight.
    product = (across * down)[..., None, None, None]
    np.testing.assert_allclose(manifold.blended(product, x, y)[:, 0, 0, 0], x * y, atol=1e-6)


def test_blending_a_path_and_the_ends():
    grid = np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1, 1)
    found = manifold.blended(grid, np.array([0, 0.5, 1]), np.zeros(3))
    np.testing.assert_allclose(found.ravel(), [0, 1.5, 3])


def test_a_linear_decoder_has_no_deviation(plane, monkeypatch):
    def decode(entry, latents):
        return 0.5 + latents.reshape(-1, 1, 1, 2) @ np.array([[0.05], [-0.1]])

    monkeypatch.setattr(models, "decode", decode)
    grid = decode(plane, manifold.places(3).reshape(-1, 2)).reshape(3, 3, 1, 1, 1)
    found = manifold.deviation(plane, grid)
    assert found.mean < 1e-6
    assert found.high < 1e-6
    assert manifold.deviation(plane, grid + 0.25).mean == pytest.approx(0.25)


def test_the_sharpest_picture_of_the_inner_half_is_found():
    grid = np.full((9, 9, 4, 4, 1), 0.5)
    grid[0, 0, ::2], grid[2, 5, ::2] = 1, 0.8
    assert manifold.sharpest(grid) == (pytest.approx(0.62, abs=0.01), pytest.approx(1.25))


def test_a_map_begins_at_the_centre_of_codes_that_the_classifier_is_surest_of(plane, tmp_path, monkeypatch):
    centres = np.array([[0, 1], [1, 0], [9, 9]], np.float32)
    monkeypatch.setattr(manifold.aggregate, "load", lambda entry: {"gmm_means": centres})
    monkeypatch.setattr(models, "decode", lambda entry, latents: np.zeros((len(latents), *tiny.SHAPE), np.float32))
    certain = {2: [[0.6, 0.4], [0.2, 0.8]]}
    monkeypatch.setattr(models, "classify", lambda entry, images: (np.array(certain[len(images)]), None))
    classifier = tiny.classifying(tmp_path / "judge")
    assert manifold.beginning(plane, np.zeros((3, 3, *tiny.SHAPE)), classifier) == (1, 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_sheet_holds_the_grid_tile_by_tile(channels):
    levels = np.linspace(0.1, 0.9, 6).reshape(2, 3, 1, 1, 1)
    grid = np.broadcast_to(levels, (2, 3, 16, 16, channels))
    content = manifold.sheet(grid)
    found = manifold.tiles(content, 2, 3, channels)
    assert found.shape == grid.shape
    np.testing.assert_allclose(found[..., 4:12, 4:12, :], grid[..., 4:12, 4:12, :], atol=0.02)


def test_a_classifier_reads_the_plane(tmp_path, plane):
    classifier = tiny.classifying(tmp_path / "judge")
    grid = manifold.decoded(plane, 3)
    index, probability = manifold.read(classifier, grid)
    assert index.shape == probability.shape == (3, 3)
    assert (probability >= 1 / len(classifier.classes)).all()


def test_entries_with_a_plane_come_colour_first(tmp_path, plane):
    grey = tiny.vae(tmp_path / "grey")
    assert grey.latent_shape == (2,)
    others = [tiny.classifying(tmp_path / "judge"), linear.autoencoder(tmp_path / "deep", "fruits", 3)]
    assert manifold.mapped([grey, *others, plane]) == [plane, grey]


@pytest.mark.parametrize("entry", manifold.mapped(catalog.entries()), ids=lambda entry: entry.name)
def test_blending_is_close_to_the_decoder_for_every_map_of_the_zoo(entry):
    grid = manifold.decoded(entry)
    sent = manifold.tiles(manifold.sheet(grid), *grid.shape[:2], entry.shape[2])
    assert manifold.deviation(entry, sent).mean <= 0.01
