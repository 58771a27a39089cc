"""Paths, priors and posterior statistics against values known beforehand."""

import io
import zipfile

import numpy as np
import pytest
import tiny_entries as tiny

from zoo.errors import EntryError
from zoo.latent import aggregate, geometry, sampling

X, Y = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


@pytest.mark.parametrize("interpolate", [geometry.lerp, geometry.slerp])
def test_interpolation_starts_and_ends_at_its_anchors(interpolate):
    a, b = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    points = interpolate(a, b, np.array([0, 0.5, 1]))
    assert points.shape == (3, 3, 4)
    assert points.dtype == np.float32
    np.testing.assert_allclose(points[[0, 2]], [a, b], atol=1e-6)
    np.testing.assert_array_equal(interpolate(a, b, 0.5), points[1])


def test_slerp_by_hand():
    half = np.sqrt(0.5)
    np.testing.assert_allclose(geometry.slerp(X, Y, 0.5), [half, half], atol=1e-6)
    np.testing.assert_allclose(geometry.slerp(X, Y, 1 / 3), [np.cos(np.pi / 6), 0.5], atol=1e-6)
    np.testing.assert_allclose(geometry.slerp(X, 3 * Y, 0.5), [2 * half, 2 * half], atol=1e-6)
    np.testing.assert_allclose(geometry.lerp(X, Y, 0.25), [0.75, 0.25], atol=1e-6)


def test_slerp_stays_on_the_sphere_where_lerp_does_not():
    a, b = sampling.normal(2, (64,), seed=0)
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    t = np.linspace(0, 1, 11)
    np.testing.assert_allclose(np.linalg.norm(geometry.slerp(a, b, t), axis=1), 1, atol=1e-6)
    assert np.linalg.norm(geometry.lerp(a, b, 0.5)) < 0.8


@pytest.mark.parametrize(("a", "b"), [(X, 2 * X), (X, -X), (X, 0 * X), (0 * X, 0 * X), (X, X)])
def test_slerp_without_an_arc_is_linear(a, b):
    t = np.linspace(0, 1, 5)
    np.testing.assert_allclose(geometry.slerp(a, b, t), geometry.lerp(a, b, t), atol=1e-6)


def test_the_uniform_prior_is_uniform_from_minus_one_to_one():
    draws = sampling.uniform(20_000, (4,), seed=0)
    assert -1 <= draws.min() < -0.99 and 0.99 < draws.max() <= 1
    np.testing.assert_allclose(np.histogram(draws, 10, (-1, 1))[0] / draws.size, 0.1, atol=0.004)
    assert np.array_equal(sampling.uniform(4, (3,), 5), sampling.uniform(9, (3,), 5)[:4])
    assert np.abs(sampling.uniform(200, (3,), 5, truncation=0.5)).max() < 0.39


def test_the_normal_prior_is_normal():
    draws = sampling.normal(20_000, (4,), seed=0).astype(np.float64)
    np.testing.assert_allclose(draws.mean(0), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(draws.T), np.eye(4), atol=0.04)
    np.testing.assert_allclose((np.abs(draws) < 1.96).mean(), 0.95, atol=0.005)


def test_one_seed_is_one_set_of_tiles():
    few, many = sampling.normal(4, (3, 2), seed=5), sampling.normal(9, (3, 2), seed=5)
    np.testing.assert_array_equal(few, many[:4])
    assert not np.array_equal(few, sampling.normal(4, (3, 2), seed=6))
    np.testing.assert_allclose(sampling.normal(4, (3, 2), 5, temperature=0.5), few / 2, atol=1e-6)
    np.testing.assert_allclose(sampling.normal(4, (3, 2), 5, truncation=6.0), few, atol=1e-4)


def test_truncation_bounds_and_keeps_the_shape_of_the_bell():
    draws = sampling.normal(20_000, (1,), seed=0, temperature=2.0, truncation=0.5)
    assert 0.99 < np.abs(draws).max() <= 1.0
    # Var of N(0, 1) cut to ±a: 1 - 2aφ(a) / (2Φ(a) - 1); 0.0806 for a = 0.5.
    np.testing.assert_allclose(draws.std() / 2, np.sqrt(0.08063), rtol=0.02)


def test_a_traversal_moves_one_dimension():
    latent = sampling.normal(1, (2, 3), seed=0)[0]
    rows = geometry.traversal(latent, 4, np.array([-2, 0, 2]))
    assert rows.shape == (3, 2, 3)
    np.testing.assert_array_equal(rows[:, 1, 1], [-2, 0, 2])
    rows[:, 1, 1] = latent[1, 1]
    np.testing.assert_array_equal(rows, np.stack([latent] * 3))


@pytest.mark.parametrize(
    "call",
    [
        lambda: geometry.lerp(X, np.zeros(3), 0.5),
        lambda: sampling.normal(0, (2,), 0),
        lambda: sampling.normal(1, (2,), 0, temperature=-1),
        lambda: sampling.normal(1, (2,), 0, truncation=0),
        lambda: geometry.traversal(X, 2, np.zeros(1)),
        lambda: aggregate.fit(np.zeros((1, 2))),
        lambda: aggregate.fit(np.zeros((4, 2)), means=np.zeros((4, 2))),
        lambda: aggregate.fit(np.zeros((2, 1025))),
    ],
)
def test_what_makes_no_sense_is_refused(call):
    with pytest.raises(ValueError, match=r"\.$"):
        call()


@pytest.fixture(scope="module")
def codes():
    """Two clusters at ±(3, 1) with a third, dead dimension."""
    rng = np.random.default_rng(0)
    sign = rng.choice([-1, 1], (4000, 1))
    return np.hstack([sign * [3, 1] + 0.5 * rng.normal(size=(4000, 2)), np.zeros((4000, 1))])


@pytest.fixture(scope="module")
def statistics(codes):
    return aggregate.fit(codes)


def test_fit_describes_the_codes(codes, statistics):
    np.testing.assert_allclose(statistics["mean"], codes.mean(0), atol=1e-6)
    np.testing.assert_allclose(statistics["covariance"], np.cov(codes.T), atol=1e-5)
    assert statistics["gmm_covariances"].shape == (10, 3, 3)
    assert statistics["histogram_counts"].shape == (3, 60)
    assert statistics["histogram_edges"].shape == (3, 61)
    np.testing.assert_array_equal(statistics["histogram_counts"].sum(1), 4000)
    assert all(array.dtype == np.float32 for array in statistics.values())
    assert "kl" not in statistics


def test_kl_of_each_dimension_by_hand():
    means, log_vars = np.array([[0, 2], [0, -2]]), np.log([[1, 0.25], [1, 0.25]])
    kl = aggregate.fit(np.eye(2), means, log_vars)["kl"]
    np.testing.assert_allclose(kl, [0, 0.5 * (4 + 0.25 - 1 - np.log(0.25))], atol=1e-6)


@pytest.mark.parametrize("draw", [sampling.gaussian, sampling.gmm])
def test_samplers_have_the_moments_of_the_codes(draw, codes, statistics):
    draws = draw(statistics, 20_000, seed=0)
    assert draws.dtype == np.float32
    np.testing.assert_allclose(draws.mean(0), codes.mean(0), atol=0.1)
    np.testing.assert_allclose(np.cov(draws.T), np.cov(codes.T), atol=0.3)
    np.testing.assert_array_equal(draw(statistics, 5, seed=0), draws[:5])


def test_the_mixture_knows_the_gap_between_clusters_and_the_gaussian_does_not(statistics):
    gap = {
        draw: (np.abs(draw(statistics, 5000, seed=0)[:, 0]) < 1).mean() for draw in (sampling.gaussian, sampling.gmm)
    }
    assert gap[sampling.gmm] < 0.01 < 0.2 < gap[sampling.gaussian]


def test_cold_samples_lie_at_the_centres(statistics):
    draws = sampling.gmm(statistics, 50, seed=0, temperature=0)
    distances = np.linalg.norm(draws[:, None] - statistics["gmm_means"], axis=2)
    np.testing.assert_allclose(distances.min(1), 0, atol=1e-6)


def entry_with(folder, content):
    folder.mkdir()
    return tiny.write(folder, tiny.plain_encoder(), tiny.decoder(), files={"latents.npz": content})


def archive(**arrays):
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


@pytest.fixture(scope="module")
def flat():
    return aggregate.fit(np.random.default_rng(0).normal(size=(200, 2)))


def test_load_returns_what_fit_made(tmp_path, flat):
    flat = flat | {"gmm_means": np.asfortranarray(flat["gmm_means"])}
    loaded = aggregate.load(entry_with(tmp_path / "tiny", archive(**flat, unknown=np.zeros(3))))
    assert loaded.keys() == flat.keys()
    for name, array in flat.items():
        np.testing.assert_array_equal(loaded[name], array)
    assert aggregate.load(tiny.vae(tmp_path / "vae")) is None


def lying_header():
    """Return an npz whose array claims 8 TB."""
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(stream, header)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("mean.npy", stream.getvalue() + bytes(64))
    return packed.getvalue()


def bomb():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mean.npy", bytes((64 << 20) + 1))
    return packed.getvalue()


HOSTILE = {
    "no archive": lambda flat: b"no zip at all",
    "cut archive": lambda flat: archive(**flat)[:-40],
    "damaged archive": lambda flat: archive(**flat)[:200] + bytes(50) + archive(**flat)[250:],
    "empty": lambda flat: archive(),
    "pickle": lambda flat: archive(**flat | {"mean": np.array([{}, {}], object)}),
    "text": lambda flat: archive(**flat | {"mean": np.array(["a", "b"])}),
    "lying header": lambda flat: lying_header(),
    "bomb": lambda flat: bomb(),
    "array missing": lambda flat: archive(**{name: flat[name] for name in flat if name != "covariance"}),
    "other dimensions": lambda flat: archive(**flat | {"mean": np.zeros(3)}),
    "mixture of one axis": lambda flat: archive(**flat | {"gmm_means": np.zeros(20)}),
    "too many components": lambda flat: archive(**flat | {"gmm_weights": np.full(65, 1 / 65)}),
    "not finite": lambda flat: archive(**flat | {"covariance": np.full((2, 2), np.nan)}),
    "no probabilities": lambda flat: archive(**flat | {"gmm_weights": flat["gmm_weights"] * 2}),
    "scalar": lambda flat: archive(**flat | {"gmm_weights": np.float32(1)}),
    "scalar histogram": lambda flat: archive(**flat | {"histogram_counts": np.float32(1)}),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_statistics_are_refused(tmp_path, flat, attack):
    entry = entry_with(tmp_path / "tiny", HOSTILE[attack](flat))
    with pytest.raises(EntryError, match=r"The entry tiny is refused: latents.npz"):
        aggregate.load(entry)
