"""Metrics of codes: likelihood bounds, information of dimensions, disentanglement."""

import math

import numpy as np
import pytest
from scipy.special import expit, logsumexp

from zoo.metrics import dci, likelihood, mig, posterior, purity, sap

# Likelihood: with a single latent dimension the integral over it can be had

RNG = np.random.default_rng(0)
WEIGHTS, BIAS = 2 * RNG.normal(size=(1, 12)), RNG.normal(size=12)


def decode(latents, rows):
    return expit(latents @ WEIGHTS + BIAS).reshape(-1, 3, 4, 1)


def true_likelihood(images):
    """log ∫ p(x|z) N(z; 0, 1) dz on a fine grid."""
    grid = np.linspace(-9, 9, 4001)
    p = decode(grid[:, None], None).reshape(len(grid), -1)
    flat = images.reshape(len(images), 1, -1)
    joint = (flat * np.log(p) + (1 - flat) * np.log(1 - p)).sum(2) - grid**2 / 2 - math.log(2 * math.pi) / 2
    return logsumexp(joint, axis=1) + math.log(grid[1] - grid[0])


def test_importance_weighted_bound_reaches_the_integral_and_elbo_stays_below():
    images = likelihood.binarise(RNG.random((20, 3, 4, 1)), 0)
    prior = np.zeros((20, 1), np.float32), np.ones((20, 1), np.float32)
    truth = true_likelihood(images)
    one, many = (likelihood.bounds(images, *prior, decode, draws, 1) for draws in (20, 20_000))
    assert many.weighted == pytest.approx(truth, abs=0.1)
    assert many.weighted.mean() == pytest.approx(truth.mean(), abs=0.02)
    assert (many.elbo < truth).all() and one.weighted.mean() < many.weighted.mean()
    # From the prior the ELBO is the mean of log p(x|z).
    z = np.random.default_rng(2).normal(size=(200_000, 1))
    p = decode(z, None).reshape(len(z), -1)
    first = images[0].ravel()
    assert many.elbo[0] == pytest.approx((np.log(p) @ first + np.log(1 - p) @ (1 - first)).mean(), abs=0.15)


def test_the_bounds_are_tight_for_the_true_posterior():
    # A decoder that ignores the code: p(x|z) = p(x) for every z, and the prior is the posterior.
    images = likelihood.binarise(RNG.random((5, 2, 2, 1)), 1)
    bounds = likelihood.bounds(
        images, np.zeros((5, 3)), np.ones((5, 3)), lambda z, rows: np.full((len(z), 2, 2, 1), 0.25), 7, 0
    )
    expected = (images * math.log(0.25) + (1 - images) * math.log(0.75)).sum((1, 2, 3))
    assert bounds.elbo == pytest.approx(expected, abs=1e-5) and bounds.weighted == pytest.approx(expected, abs=1e-5)
    # With a posterior off by μ the ELBO loses KL = μ²/2 for each of three dimensions.
    off = likelihood.bounds(
        images, np.full((5, 3), 0.5), np.ones((5, 3)), lambda z, rows: np.full((len(z), 2, 2, 1), 0.25), 20_000, 0
    )
    assert off.elbo == pytest.approx(expected - 3 * 0.125, abs=0.05)
    assert off.weighted == pytest.approx(expected, abs=0.05)


def test_rows_tell_whose_latents_they_are_whatever_the_batch(monkeypatch):
    images = likelihood.binarise(RNG.random((6, 3, 4, 1)), 2)
    shift = np.arange(6)
    parts = []

    def labelled(latents, rows):
        return decode(latents + 0.1 * shift[rows][:, None], rows)

    arguments = images, np.zeros((6, 1)), np.ones((6, 1)), labelled, 50, 3
    whole = likelihood.bounds(*arguments, parts.append)
    assert parts == [1]
    monkeypatch.setattr(likelihood, "_BATCH", 7)
    pieces = likelihood.bounds(*arguments, parts.append)
    assert pieces.weighted == pytest.approx(whole.weighted, abs=1e-5) and parts[-1] == 1 and len(parts) > 40


def test_likelihood_refuses():
    with pytest.raises(ValueError, match="binarise"):
        likelihood.bounds(np.full((2, 2, 2, 1), 0.5), np.zeros((2, 1)), np.ones((2, 1)), decode, 1, 0)
    with pytest.raises(ValueError, match="as many posteriors"):
        likelihood.bounds(np.zeros((2, 3, 4, 1)), np.zeros((3, 1)), np.ones((3, 1)), decode, 1, 0)


def test_binarised_pixels_have_the_grey_value_as_mean():
    grey = np.linspace(0, 1, 9).reshape(1, 3, 3, 1)
    thrown = likelihood.binarise(np.repeat(grey, 4000, 0), 0)
    assert set(np.unique(thrown)) == {0, 1}
    assert thrown.mean(0) == pytest.approx(grey[0], abs=0.03)
    assert not thrown[:, 0, 0].any() and thrown[:, 2, 2].all()
    assert np.array_equal(likelihood.binarise(grey, 5), likelihood.binarise(grey, 5))


def test_the_difference_estimator_is_better_than_a_plain_mean():
    rng = np.random.default_rng(0)
    cheap = rng.normal(-90, 25, 10_000)
    dear = cheap + 4 + rng.normal(size=10_000)
    errors = []
    for _ in range(100):
        rows = rng.choice(10_000, 100, replace=False)
        errors.append(likelihood.extended(cheap, dear[rows], rows) - dear.mean())
    assert np.std(errors) < 0.2 and abs(np.mean(errors)) < 0.05
    assert likelihood.extended(cheap, dear, np.arange(10_000)) == pytest.approx(dear.mean())


# Information of dimensions


def test_divergence_in_closed_form():
    mean, deviation = np.array([[0.0, 2, 0], [0, -2, 0]]), np.array([[1.0, 1, 0.5], [1, 1, 0.5]])
    told = posterior.divergence(mean, deviation)
    assert told == pytest.approx([0, 2, 0.5 * (0.25 - 1) + math.log(2)])
    assert posterior.dead(told) == 1 and posterior.dead(np.array([0.0099, 0.0101])) == 1
    assert posterior.divergence(mean.reshape(2, 1, 3), deviation.reshape(2, 1, 3)).shape == (3,)
    with pytest.raises(ValueError, match="above 0"):
        posterior.divergence(mean, 0 * deviation)


# Disentanglement: planted factors


def planted(count=3000):
    rng = np.random.default_rng(0)
    factors = {"kind": rng.integers(0, 2, count), "size": rng.random(count), "place": rng.normal(size=count)}
    code = np.column_stack([factors["size"] * 3 + 1, -factors["place"], factors["kind"] * 2.0 - 1])
    return rng, factors, code


def scores(codes, factors):
    return {"mig": mig.score(codes, factors), "sap": sap.score(codes, factors), **dci.scores(codes, factors)._asdict()}


def test_one_dimension_for_each_factor_is_perfect():
    rng, factors, code = planted()
    found = scores(np.column_stack([code, 0.1 * rng.normal(size=len(code))]), factors)
    assert found["mig"] > 0.95 and found["disentanglement"] > 0.95 and found["completeness"] > 0.95
    assert found["informativeness"] > 0.97
    # R² of the two numbers is 1; the class goes from chance, 1/2, to 1.
    assert found["sap"] == pytest.approx((1 + 1 + 0.5) / 3, abs=0.03)


def test_a_rotated_code_knows_everything_and_disentangles_nothing():
    _, factors, code = planted()
    code = (code - code.mean(0)) / code.std(0)
    rotation = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]]) / np.sqrt([[3], [2], [6]])
    straight, turned = scores(code, factors), scores(code @ rotation, factors)
    for name in ("mig", "sap", "disentanglement", "completeness"):
        assert turned[name] < 0.5 * straight[name], name
    assert turned["informativeness"] > 0.8


def test_each_factor_twice_is_disentangled_but_not_complete():
    _, factors, code = planted()
    found = scores(np.column_stack([code, code]), factors)
    assert found["disentanglement"] > 0.95 and found["completeness"] < 0.8
    assert found["mig"] == pytest.approx(0, abs=1e-9) and found["sap"] == pytest.approx(0, abs=1e-9)


def test_noise_tells_nothing():
    rng, factors, code = planted()
    found = scores(rng.normal(size=code.shape), factors)
    assert found["mig"] < 0.02 and found["sap"] < 0.05 and found["informativeness"] < 0.25
    assert found["disentanglement"] < 0.2


def test_mig_by_hand():
    kind = np.array([0, 0, 1, 1] * 50)
    half = np.array([0, 1, 1, 1] * 50)  # I = log 2 - (3/4) H(1/3) nats
    told = math.log(2) - 0.75 * (-(1 / 3) * math.log(1 / 3) - (2 / 3) * math.log(2 / 3))
    codes = np.column_stack([kind, half]).astype(float)
    assert mig.score(codes, {"kind": kind}) == pytest.approx(1 - told / math.log(2))
    assert mig.score(codes[:, :1], {"kind": kind}) == pytest.approx(1)
    with pytest.raises(ValueError, match="does not vary"):
        mig.score(codes, {"kind": 0 * kind})
    with pytest.raises(ValueError, match="3 values for 200"):
        mig.score(codes, {"kind": kind[:3]})


def test_dci_of_importances_by_hand():
    assert dci.from_importances(np.eye(3)) == pytest.approx((1, 1))
    assert dci.from_importances(np.ones((3, 3))) == pytest.approx((0, 0))
    # A dead dimension has no weight; one dimension for two factors: disentanglement 0 there, completeness 1.
    mixed = np.array([[1.0, 1, 0], [0, 0, 2], [0, 0, 0]])
    focus = 1 - math.log(2) / math.log(3)
    assert dci.from_importances(mixed) == pytest.approx(((2 * focus + 2) / 4, 1))
    assert dci.from_importances(np.zeros((2, 2))) == (0, 0)


@pytest.mark.parametrize("measure", [mig.score, sap.score, dci.scores])
def test_lengths_must_agree(measure):
    with pytest.raises(ValueError, match="4 values for 8"):
        measure(np.random.default_rng(0).normal(size=(8, 2)), {"a": np.arange(4) / 4})


def test_purity_is_one_for_categories_of_one_class_each_whatever_their_numbers():
    classes = np.repeat(np.arange(10), 20)
    assert purity.score((classes * 3 + 1) % 10, classes) == 1.0
    assert purity.score(np.arange(200), classes) == 1.0


def test_purity_of_categories_that_tell_nothing_is_the_share_of_the_commonest_class():
    classes = np.tile([0, 0, 0, 1, 2], 40)
    assert purity.score(np.repeat(np.arange(4), 50), classes) == pytest.approx(0.6)


def test_purity_counts_planted_errors():
    classes = np.repeat(np.arange(4), 100)
    found = classes.copy()
    found[::20] = (found[::20] + 1) % 4
    assert purity.score(found, classes) == pytest.approx(0.95)
    with pytest.raises(ValueError, match="at least one image"):
        purity.score(np.zeros(0, int), np.zeros(0, int))
