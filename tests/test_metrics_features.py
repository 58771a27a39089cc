"""Metrics of sets of images: random features, sliced Wasserstein, duplicates, memorisation, classification accuracy."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance_nd

from zoo.metrics import cas, distances, duplicates, frechet, memorisation, probe, random_features, sliced_wasserstein


def images(count, shape=(28, 28, 1), seed=0):
    return np.random.default_rng(seed).random((count, *shape), dtype=np.float32)


# Distances


@pytest.mark.parametrize("k", [1, 3])
def test_nearest_distances_equal_the_definition(k):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(300, 7)) + 50, rng.normal(size=(700, 7)) + 50
    assert distances.kth_nearest(a, b, k) == pytest.approx(np.sort(cdist(a, b))[:, k - 1], rel=1e-12)
    assert distances.kth_nearest(b, k=k) == pytest.approx(np.sort(cdist(b, b))[:, k], rel=1e-12)


def test_copies_are_at_distance_zero_whatever_the_rounding():
    a = 1e3 * np.random.default_rng(0).normal(size=(400, 20))
    assert not distances.kth_nearest(a[:50], a).any()
    with pytest.raises(ValueError, match="k = 3"):
        distances.kth_nearest(a[:2], a[:2], 3)
    with pytest.raises(ValueError, match="20 and 19"):
        distances.kth_nearest(a, a[:, :19])


# Random features


def direct_convolution(image, kernel):
    """Stride 2, zeros around, written as loops over one image (H, W, C)."""
    side, edge = len(kernel), len(kernel) // 2
    padded = np.pad(image, ((edge, edge), (edge, edge), (0, 0)))
    rows, columns = range(0, image.shape[0], 2), range(0, image.shape[1], 2)
    values = [[np.tensordot(padded[y : y + side, x : x + side], kernel, 3) for x in columns] for y in rows]
    return np.maximum(values, 0)


@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 14, 3), (4, 4, 1)])
def test_random_features_are_the_network_they_say(shape):
    batch = images(3, shape)
    *kernels, projection = random_features._weights(shape, 16)
    for image, found in zip(batch, random_features.features(batch, 16), strict=True):
        hidden = image - 0.5
        for kernel in kernels:
            hidden = direct_convolution(hidden, kernel)
        assert found == pytest.approx(hidden.ravel() @ projection, abs=1e-4)


def test_random_features_are_the_same_for_ever():
    ramp = np.linspace(0, 1, 2 * 28 * 28, dtype=np.float32).reshape(2, 28, 28, 1)
    found = random_features.features(ramp)
    assert found.shape == (2, random_features.DIMENSIONS) and found.dtype == np.float32
    # From the day the network was drawn: while these hold, numbers of then and now can be compared.
    drawn = np.array([[-0.1583, 0.2289, -0.078, -0.0313], [0.1278, 0.2079, -0.1957, 0.053]])
    assert found[:, :4] == pytest.approx(drawn, abs=2e-4)


def test_random_features_do_not_depend_on_the_batch(monkeypatch):
    batch = images(50)
    whole = random_features.features(batch)
    monkeypatch.setattr(random_features, "_WINDOW_VALUES", 20_000)
    assert random_features.features(batch) == pytest.approx(whole, abs=1e-5)
    assert random_features.features(batch[:0]).shape == (0, random_features.DIMENSIONS)
    with pytest.raises(ValueError, match=r"\(N, H, W, C\)"):
        random_features.features(batch[0])
    with pytest.raises(ValueError, match="not finite"):
        random_features.features(np.full((1, 8, 8, 1), np.nan))


def test_random_features_tell_pictures_apart():
    def distance(a, b):
        return frechet.distance(*(frechet.statistics(random_features.features(x, 32)) for x in (a, b)))

    a = images(600, (12, 12, 1))
    assert distance(a, 0.8 * images(600, (12, 12, 1), 1)) > 3 * distance(a, images(600, (12, 12, 1), 1))


# Sliced Wasserstein


def test_sliced_wasserstein_known_answers():
    a = images(200, (6, 6, 1))
    assert sliced_wasserstein.distance(a, a[::-1]) == pytest.approx(0, abs=1e-6)
    # A shift by s moves every projection by s · Σ of the direction, whose square is 1 in the mean.
    assert sliced_wasserstein.distance(a, a + 0.25, directions=4000) == pytest.approx(0.25, rel=0.03)
    # Point masses: the distance along a direction is |u · (x - y)|.
    x, y = np.zeros((1, 3)), np.array([[3.0, 0, 4.0]])
    assert sliced_wasserstein.distance(x, y, directions=20_000) == pytest.approx(5 / math.sqrt(3), rel=0.02)


def test_sliced_wasserstein_of_different_counts_is_that_of_repeated_images():
    a, b = images(6, (4, 4, 1)), images(4, (4, 4, 1), 1)
    repeated = sliced_wasserstein.distance(np.repeat(a, 2, 0), np.repeat(b, 3, 0))
    assert sliced_wasserstein.distance(a, b) == pytest.approx(repeated, rel=1e-5)
    assert sliced_wasserstein.distance(b, a) == pytest.approx(repeated, rel=1e-5)
    assert repeated <= wasserstein_distance_nd(a.reshape(6, -1), b.reshape(4, -1)) * 1.1
    with pytest.raises(ValueError, match="one shape"):
        sliced_wasserstein.distance(a, images(4, (4, 5, 1)))
    with pytest.raises(ValueError, match="not finite"):
        sliced_wasserstein.distance(a, a * np.nan)


# Duplicates


def test_planted_duplicates_are_counted():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(2000, 16))
    limit = duplicates.threshold(real)
    fresh = rng.normal(size=(1000, 16))
    few = duplicates.pairs(fresh, limit)
    assert few < 30
    planted = np.concatenate([fresh, fresh[:200] + 1e-6, fresh[:100] - 1e-6])
    # 200 pairs, and 100 images that are now there three times: two more pairs each. Nothing else came nearer.
    assert duplicates.pairs(planted, limit) >= few + 200 + 2 * 100
    assert duplicates.pairs(planted, 1e-3) == 200 + 2 * 100


def test_birthday_paradox_recovers_the_support():
    rng = np.random.default_rng(1)
    atoms = rng.normal(size=(5000, 8))
    drawn = atoms[rng.integers(5000, size=2000)]
    found = duplicates.pairs(drawn, 1e-6)
    assert 2000 * 1999 / 2 / found == pytest.approx(5000, rel=0.15), "so many pairs tell how many images there are"
    assert duplicates.pairs(np.zeros((30, 4)), 0.1) == 30 * 29 / 2
    with pytest.raises(ValueError, match="2 or more"):
        duplicates.pairs(atoms[:1], 1.0)


# Memorisation


def test_memorisation_of_fresh_and_of_copied_samples():
    rng = np.random.default_rng(0)
    training, held_out, fresh = rng.normal(size=(3, 1500, 8))
    assert memorisation.ratio(fresh, training, held_out) == pytest.approx(1, abs=0.05)
    assert memorisation.ratio(training[:700] + 1e-4 * fresh[:700], training, held_out) < 0.01
    some = np.concatenate([training[:600], fresh[:900]])
    assert 0.3 < memorisation.ratio(some, training, held_out) < 0.95
    assert memorisation.ratio(training, training, training) == 1
    assert memorisation.ratio(held_out, training, held_out) == math.inf
    with pytest.raises(ValueError, match="as many of both"):
        memorisation.ratio(fresh, training, held_out[:-1])


# Linear probe and classification accuracy score


def labelled(count, seed, spread=0.3):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, count)
    return np.eye(4)[labels] + spread * rng.normal(size=(count, 4)), labels


def test_probe_reads_what_is_linear_and_nothing_else():
    codes, labels = labelled(800, 0, 0.1)
    test, truth = labelled(400, 1, 0.1)
    assert probe.accuracy(codes, labels, test, truth) == 1
    useful = np.column_stack([codes * 1e4, np.zeros(800)]), np.column_stack([test * 1e4, np.ones(400)])
    assert probe.accuracy(useful[0], labels, useful[1], truth) == 1
    noise = np.random.default_rng(2).normal(size=(2, 800, 4))
    assert probe.accuracy(noise[0], labels, noise[1, :400], truth) == pytest.approx(0.25, abs=0.08)
    # A ring around a disc: no line parts them.
    angle = np.linspace(0, 40, 800)
    rings = np.column_stack([np.cos(angle), np.sin(angle)]) * np.where(np.arange(800) % 2, 1, 3)[:, None]
    assert probe.accuracy(rings, np.arange(800) % 2, rings, np.arange(800) % 2) < 0.6
    with pytest.raises(ValueError, match="two classes"):
        probe.accuracy(codes, np.zeros(800, int), test, truth)
    with pytest.raises(ValueError, match="do not go with"):
        probe.accuracy(codes, labels[:-1], test, truth)


def bars(count, seed, classes=4):
    """Pictures (12, 12, 1) of one bright row, whose place is the class."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    found = 0.3 * rng.random((count, 12, 12, 1), dtype=np.float32)
    for index, label in enumerate(labels):
        found[index, 2 + 2 * label] += 0.6
    return found, labels


def test_classification_accuracy_score():
    (real, labels), (test, truth), (made, asked) = (bars(400, seed) for seed in range(3))
    seen = cas.features(test)
    assert seen.shape == (400, 7 * 7 * 32)
    assert cas.score(cas.features(real), labels, seen, truth) == 1
    assert cas.score(cas.features(made), asked, seen, truth) == 1
    # A generator that ignores the class, and one that never draws the last.
    ignored = cas.score(cas.features(made), np.random.default_rng(0).permutation(asked), seen, truth)
    assert ignored < 0.5
    known = asked != 3
    missing = cas.score(cas.features(made[known]), asked[known], seen, truth)
    assert missing == pytest.approx((truth != 3).mean())
    assert cas.features(images(2, (4, 6, 3))).shape == (2, 4 * 6 * 32)
