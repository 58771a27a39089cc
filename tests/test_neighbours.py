"""Nearest neighbours against brute force and planted copies."""

import numpy as np
import pytest

from zoo import images
from zoo.data import datasets
from zoo.metrics import neighbours


@pytest.fixture(scope="module")
def training():
    return images.to_uint8(datasets.load("digits", "train").images)


def test_a_planted_copy_is_found_at_distance_zero(training):
    index, distance = neighbours.nearest(training[[7, 1400]] / np.float32(255), training, 3)
    assert index[:, 0].tolist() == [7, 1400]
    np.testing.assert_allclose(distance[:, 0], 0, atol=1e-7)
    assert (np.diff(distance) >= 0).all()


def test_as_brute_force_across_blocks(training, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK_VALUES", 100 * 64)
    queries = datasets.load("digits", "test", 5).images
    seen = []
    index, distance = neighbours.nearest(queries, training, 4, lambda part, text: seen.append(part))
    all_of_them = np.sqrt(((queries[:, None] - training[None] / np.float32(255)) ** 2).mean((2, 3, 4)))
    np.testing.assert_allclose(distance, np.sort(all_of_them)[:, :4], rtol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(all_of_them, index, 1), distance, rtol=1e-5)
    assert seen[-1] == 1
    assert len(seen) == 15


def test_black_and_white_are_one_apart():
    _, distance = neighbours.nearest(np.ones((1, 2, 2, 1)), np.zeros((1, 2, 2, 1), np.uint8), 5)
    assert distance.tolist() == [[1.0]]


def test_what_does_not_fit_is_refused(training):
    with pytest.raises(ValueError, match="shape"):
        neighbours.nearest(np.zeros((1, 4, 4, 1)), training, 1)
    with pytest.raises(ValueError, match="no training images"):
        neighbours.nearest(np.zeros((1, 8, 8, 1)), training[:0], 1)
