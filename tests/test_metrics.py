"""Every metric on inputs whose value is known."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from zoo.metrics import classes, frechet, kernel, modes, prdc, reconstruction


def images(count=6, shape=(28, 28, 1), seed=0):
    return np.random.default_rng(seed).random((count, *shape), dtype=np.float32)


# Reconstruction


def test_mse_and_psnr_of_a_constant_offset():
    a = np.full((3, 8, 8, 1), 0.5, np.float32)
    b = a + np.array([0.0, 0.1, 0.5], np.float32).reshape(3, 1, 1, 1)
    assert reconstruction.mse(a, b) == pytest.approx([0, 0.01, 0.25], rel=1e-6)
    assert reconstruction.mse(a, b).dtype == np.float64
    assert reconstruction.psnr(a, b) == pytest.approx([100, 20, 10 * math.log10(4)], rel=1e-6)
    assert np.isinf(reconstruction.psnr(a, b, ceiling=math.inf)[0])


def direct_ssim(a, b, size, sigma):
    """Wang et al. 2004, eq. 13, written as loops over the windows of one channel."""
    offsets = np.arange(size) - size // 2
    weights = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * sigma**2))
    weights /= weights.sum()
    values = []
    for top in range(a.shape[0] - size + 1):
        for left in range(a.shape[1] - size + 1):
            x, y = a[top : top + size, left : left + size], b[top : top + size, left : left + size]
            mx, my = (weights * x).sum(), (weights * y).sum()
            vx, vy = (weights * (x - mx) ** 2).sum(), (weights * (y - my) ** 2).sum()
            cov = (weights * (x - mx) * (y - my)).sum()
            values.append((2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4)))
    return np.mean(values)


@pytest.mark.parametrize(
    ("shape", "size", "sigma"), [((28, 28, 1), 11, 1.5), ((16, 20, 3), 11, 1.5), ((8, 8, 1), 7, 1.5 * 7 / 11)]
)
def test_ssim_equals_the_formula(shape, size, sigma):
    a = images(2, shape)
    b = np.clip(a + 0.2 * images(2, shape, seed=1), 0, 1)
    channels = range(shape[2])
    expected = [
        np.mean([direct_ssim(x[..., c], y[..., c], size, sigma) for c in channels]) for x, y in zip(a, b, strict=True)
    ]
    assert reconstruction.ssim(a, b) == pytest.approx(expected, abs=1e-6)


def test_ssim_known_answers():
    a = images()
    assert reconstruction.ssim(a, a) == pytest.approx(np.ones(6))
    black, white = np.zeros((1, 28, 28, 1)), np.ones((1, 28, 28, 1))
    assert reconstruction.ssim(black, white) == pytest.approx([1e-4 / (1 + 1e-4)])
    assert np.all(reconstruction.ssim(a, 1 - a) < -0.5)
    assert reconstruction.ssim(a[:1, :1, :1], a[:1, :1, :1]) == pytest.approx([1])


def test_reconstruction_does_not_depend_on_the_chunks(monkeypatch):
    a, b = images(7), images(7, seed=1)
    whole = reconstruction.ssim(a, b)
    monkeypatch.setattr(reconstruction, "_CHUNK_PIXELS", 2000)
    assert np.array_equal(reconstruction.ssim(a, b), whole)


@pytest.mark.parametrize("measure", [reconstruction.mse, reconstruction.psnr, reconstruction.ssim])
def test_reconstruction_of_other_shapes_and_of_nothing(measure):
    with pytest.raises(ValueError, match=r"\(2, 28, 28, 1\) and \(2, 32, 32, 1\)"):
        measure(images(2), images(2, (32, 32, 1)))
    assert measure(images(0), images(0)).shape == (0,)


# Fréchet


def gaussian(mean, covariance):
    return frechet.Statistics(np.asarray(mean, float), np.asarray(covariance, float), 1000)


def test_frechet_of_gaussians_in_closed_form():
    identity = np.eye(3)
    assert frechet.distance(gaussian([0, 0, 0], identity), gaussian([3, 4, 0], identity)) == pytest.approx(25)
    a, b = gaussian([0, 0], np.diag([1, 4])), gaussian([0, 0], np.diag([9, 25]))
    assert frechet.distance(a, b) == pytest.approx((1 - 3) ** 2 + (2 - 5) ** 2)
    # Covariances that do not commute: tr (AB)^½ of 2 × 2 matrices is √(tr AB + 2 √det AB).
    p, q = np.array([[2, 1], [1, 3]]), np.array([[1, -0.5], [-0.5, 2]])
    overlap = math.sqrt(np.trace(p @ q) + 2 * math.sqrt(np.linalg.det(p @ q)))
    expected = np.trace(p) + np.trace(q) - 2 * overlap
    assert frechet.distance(gaussian([0, 0], p), gaussian([0, 0], q)) == pytest.approx(expected)


def test_frechet_is_symmetric_and_zero_for_identical_sets_even_when_singular():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(40, 100)) @ rng.normal(size=(100, 100))  # rank 39 of 100
    b = a[:30] + 1
    a, b = frechet.statistics(a), frechet.statistics(b)
    assert frechet.distance(a, a) == pytest.approx(0, abs=1e-9 * np.trace(a.covariance))
    assert frechet.distance(a, b) == pytest.approx(frechet.distance(b, a))
    assert frechet.distance(a, b) > 1


def test_frechet_statistics():
    features = np.random.default_rng(0).normal(1000, 1, size=(500, 5)).astype(np.float32)
    found = frechet.statistics(features)
    assert found.number == 500
    assert found.mean == pytest.approx(features.astype(float).mean(axis=0))
    assert found.covariance == pytest.approx(np.cov(features.astype(float).T))
    with pytest.raises(ValueError, match="2 or more"):
        frechet.statistics(features[:1])
    with pytest.raises(ValueError, match="not finite"):
        frechet.statistics(np.full((3, 2), np.nan))
    with pytest.raises(ValueError, match="5 and 4"):
        frechet.distance(frechet.statistics(features), frechet.statistics(features[:, :4]))


# Precision, recall, density, coverage


def direct_prdc(real, generated, k):
    real, generated = real.astype(float), generated.astype(float)
    rr, gg = np.sort(cdist(real, real))[:, k], np.sort(cdist(generated, generated))[:, k]
    d = cdist(real, generated)
    inside = d < rr[:, None]
    return inside.any(0).mean(), (d < gg).any(1).mean(), inside.sum() / (k * len(generated)), inside.any(1).mean()


def test_prdc_by_hand():
    real = np.array([[0.0], [1.0], [2.0], [10.0]])  # radii 1, 1, 1, 8 for k = 1
    generated = np.array([[0.5], [5.0], [30.0]])  # radii 4.5, 4.5, 25
    # 0.5 lies in the balls of 0 and 1, 5 in the ball of 10, 30 in none; the ball of 2 is empty.
    # 0, 1, 2 lie in the ball of 0.5, all but 0 in that of 5 or 30.
    assert prdc.radii(real, k=1) == pytest.approx([1, 1, 1, 8])
    assert prdc.scores(real, generated, k=1) == pytest.approx((2 / 3, 1, 1, 3 / 4))


def test_prdc_of_identical_disjoint_and_collapsed_sets():
    real = np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float32)
    assert prdc.scores(real, real) == (1, 1, 1, 1)
    assert prdc.scores(real, real + 100) == (0, 0, 0, 0)
    collapsed = prdc.scores(real, np.repeat(real[:1], 300, axis=0))
    assert collapsed.precision == 1 and collapsed.recall == 0 and collapsed.coverage < 0.02


def test_prdc_sees_a_missing_mode():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(2000, 8)) + 50 * rng.integers(0, 2, size=(2000, 1))
    half = rng.normal(size=(2000, 8))
    result = prdc.scores(real, half)
    assert result.precision > 0.9
    assert result.recall == pytest.approx(0.5, abs=0.06) and result.coverage == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("offset", [0, 300])
@pytest.mark.parametrize(("n", "m", "dimensions"), [(700, 900, 2), (2500, 2000, 64)])
def test_prdc_equals_the_definition(n, m, dimensions, offset):
    rng = np.random.default_rng(1)
    real = (rng.normal(size=(n, dimensions)) + offset).astype(np.float32)
    generated = (1.1 * rng.normal(size=(m, dimensions)) + offset).astype(np.float32)
    assert prdc.radii(real) == pytest.approx(np.sort(cdist(real, real))[:, 5], rel=1e-12)
    assert prdc.scores(real, generated) == pytest.approx(direct_prdc(real, generated, 5), abs=1e-12)


def test_prdc_is_exact_where_float32_is_not():
    # Two tight clusters far apart: in float32 the distances inside a cluster drown in rounding.
    rng = np.random.default_rng(2)
    centres = 1e4 * rng.integers(0, 2, size=(600, 1))
    real, generated = (centres + 1e-3 * rng.normal(size=(600, 4)) for _ in range(2))
    assert prdc.radii(real) == pytest.approx(np.sort(cdist(real, real))[:, 5], rel=1e-6)
    assert prdc.scores(real, generated) == pytest.approx(direct_prdc(real, generated, 5), abs=1e-12)


def test_prdc_refuses():
    points = np.zeros((5, 2))
    with pytest.raises(ValueError, match="k = 5"):
        prdc.scores(points, points)
    with pytest.raises(ValueError, match="2 and 3"):
        prdc.scores(np.zeros((9, 2)), np.zeros((9, 3)))
    with pytest.raises(ValueError, match="not finite"):
        prdc.radii(np.full((9, 2), np.inf))


# Kernel distance


def test_kernel_distance_by_hand():
    # D = 1, k(x, y) = (xy + 1)³: within {0, 1} 1, within {2, 3} 343, across 1, 1, 27, 64.
    assert kernel.distance(np.array([[0], [1]]), np.array([[2], [3]])) == pytest.approx(1 + 343 - 2 * 93 / 4)


def test_kernel_distance_is_unbiased():
    rng = np.random.default_rng(0)
    draws = [kernel.distance(rng.normal(size=(50, 8)), rng.normal(size=(60, 8))) for _ in range(200)]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / math.sqrt(200)
    # For a point mass at μ against a point mass at ν the kernel means are exact.
    x, y = np.full((300, 2), 1.0), np.full((400, 2), 2.0)
    assert kernel.distance(x, y) == pytest.approx(2.0**3 + 5.0**3 - 2 * 3.0**3)


def test_kernel_distance_needs_equal_dimensions():
    with pytest.raises(ValueError, match="8 and 7"):
        kernel.distance(np.zeros((3, 8)), np.zeros((3, 7)))


# Classes


def test_class_histogram_and_missing_classes():
    labels = np.array([0] * 50 + [1] * 48 + [3] * 2)
    counts = classes.histogram(labels, 4)
    assert counts.tolist() == [50, 48, 0, 2]
    assert classes.missing(counts) == (2, 3)  # class 3 has 2 % where 25 % are expected
    assert classes.missing(counts, ratio=0.05) == (2,)
    assert classes.missing(counts, reference=np.array([10, 10, 0, 1])) == ()
    with pytest.raises(ValueError, match="0 … 3"):
        classes.histogram(np.array([4]), 4)


def test_total_variation():
    assert classes.total_variation([10, 10], [1, 1]) == 0
    assert classes.total_variation([5, 0], [0, 7]) == 1
    assert classes.total_variation([50, 25, 25], [25, 25, 50]) == pytest.approx(0.25)
    with pytest.raises(ValueError, match="no images"):
        classes.total_variation([0, 0], [1, 1])
    with pytest.raises(ValueError, match="2 and 3"):
        classes.total_variation([1, 1], [1, 1, 1])


# Modes


def test_modes_of_digits():
    assert modes.number([[0, 0, 7], [9, 9, 9], [1, 2, 0]]).tolist() == [7, 999, 120]
    for wrong in ([[0, 10, 0]], [[-1, 0, 0]], [1, 2]):
        with pytest.raises(ValueError, match="from 0 to 9"):
            modes.number(wrong)


def test_planted_missing_modes_are_counted_and_cost_their_logarithm():
    even = np.full(1000, 26)
    assert modes.covered(even) == 1000 and modes.divergence(even) == pytest.approx(0, abs=1e-12)
    lost = even.copy()
    lost[[3, 500, 999]] = 0
    lost[7] = 1
    assert modes.covered(lost) == 997
    half = np.where(np.arange(1000) % 2, 52, 0)
    assert modes.covered(half) == 500 and modes.divergence(half) == pytest.approx(math.log(2))
    assert modes.divergence(np.eye(1000)[0]) == pytest.approx(math.log(1000))
    assert modes.divergence([3, 1], [1, 1]) == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    assert modes.divergence([30, 10], [3, 1]) == pytest.approx(0, abs=1e-12)
    assert modes.divergence([1, 1], [1, 0]) == math.inf
    with pytest.raises(ValueError, match="2 modes and the reference 3"):
        modes.divergence([1, 1], [1, 1, 1])
