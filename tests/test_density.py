"""Densities and scores against distributions that are known."""

import math

import numpy as np
import pytest
import tiny_entries as tiny
from conftest import isolate
from scipy.stats import multivariate_normal

from zoo import models
from zoo.analysis import anomalies
from zoo.analysis.anomalies import Setting
from zoo.errors import Cancelled
from zoo.latent import aggregate, density, flow
from zoo.metrics import likelihood
from zoo.metrics.auroc import auroc

# A factor model, x = W z + b + noise of deviation SIGMA, is a VAE whose log p(x) is known: N(x; b, W Wᵀ + SIGMA² I).
RNG = np.random.default_rng(0)
SIGMA, LATENT, PIXELS = 0.3, 2, 12
W, B = 0.5 * RNG.normal(size=(PIXELS, LATENT)), RNG.normal(size=PIXELS)
X = (RNG.normal(size=(40, LATENT)) @ W.T + B + SIGMA * RNG.normal(size=(40, PIXELS))).astype(np.float32)
TRUTH = multivariate_normal(B, W @ W.T + SIGMA**2 * np.eye(PIXELS)).logpdf(X)


def factor_bounds(draws, looser=1.0):
    """Bounds from the true posterior, N((W Wᵀ/σ² + I)⁻¹ …), its covariance cut to the diagonal and made wider."""
    covariance = np.linalg.inv(W.T @ W / SIGMA**2 + np.eye(LATENT))
    mean = ((X - B) @ W / SIGMA**2) @ covariance
    deviation = np.tile(looser * np.sqrt(np.diag(covariance)), (len(X), 1))

    def decode(latents, rows):
        return (latents @ W.T + B).reshape(-1, 3, 4, 1)

    return likelihood.bounds(X.reshape(-1, 3, 4, 1), mean, deviation, decode, draws, 0, sigma=SIGMA)


def test_the_bound_of_a_factor_model_reaches_its_known_likelihood_and_stays_below():
    few, many = factor_bounds(5, looser=1.5), factor_bounds(5000, looser=1.5)
    assert many.weighted == pytest.approx(TRUTH, abs=0.15)
    assert many.weighted.mean() == pytest.approx(TRUTH.mean(), abs=0.02)
    # In expectation both are below the truth, and the one with more draws is closer.
    assert many.elbo.mean() < few.weighted.mean() < many.weighted.mean() <= TRUTH.mean() + 0.02
    assert (many.elbo < TRUTH).all()


def test_a_gaussian_likelihood_refuses_no_deviation_and_takes_grey_images():
    with pytest.raises(ValueError, match="positive standard deviation"):
        likelihood.bounds(
            np.full((1, 2, 2, 1), 0.5), np.zeros((1, 1)), np.ones((1, 1)), lambda z, r: z, 1, 0, sigma=0.0
        )


def test_auroc_of_planted_scores():
    assert auroc(np.array([1, 2, 3]), np.array([4, 5])) == 1
    assert auroc(np.array([4, 5]), np.array([1, 2, 3])) == 0
    assert auroc(np.array([1, 1]), np.array([1, 1, 1])) == 0.5
    assert auroc(np.array([1, 3]), np.array([2, 3])) == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    draws = np.random.default_rng(1).normal(size=(2, 20_000))
    # P(N(1, 1) > N(0, 1)) = Φ(1/√2)
    assert auroc(draws[0], draws[1] + 1) == pytest.approx(0.7602, abs=0.01)
    with pytest.raises(ValueError, match="both sets"):
        auroc(np.array([]), np.array([1.0]))
    with pytest.raises(ValueError, match="no numbers"):
        auroc(np.array([math.nan]), np.array([1.0]))


def test_a_mixture_has_the_density_of_its_formula():
    rng = np.random.default_rng(3)
    statistics = aggregate.fit(np.concatenate([rng.normal(size=(300, 2)), rng.normal(size=(300, 2)) * 0.2 + 4]))
    points = rng.normal(size=(50, 2)) * 3
    parts = zip(*(statistics[f"gmm_{name}"] for name in ("weights", "means", "covariances")), strict=True)
    expected = np.log(sum(w * multivariate_normal(m, c).pdf(points) for w, m, c in parts))
    assert density.log_density(statistics, points) == pytest.approx(expected, abs=1e-3)


@pytest.fixture(scope="module")
def ring():
    """A flow fitted to points near a circle of radius 3, and points that it has not seen."""
    rng = np.random.default_rng(0)
    angle = 2 * np.pi * rng.random(12_000)
    codes = (3 + 0.1 * rng.normal(size=(12_000, 1))) * np.stack([np.cos(angle), np.sin(angle)], 1)
    statistics = aggregate.fit(codes[:6000])
    return codes[6000:], statistics | flow.fit(codes[:6000], statistics)


def test_the_density_of_a_flow_integrates_to_one_and_is_higher_than_the_mixture_where_codes_are(ring):
    codes, statistics = ring
    axis = np.linspace(-6, 6, 400)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    mass = np.exp(density.log_density(statistics, grid)).sum() * (axis[1] - axis[0]) ** 2
    assert mass == pytest.approx(1, abs=0.02)
    mixture = {name: array for name, array in statistics.items() if not name.startswith("flow")}
    found = [density.log_density(part, codes).mean() for part in (mixture, statistics)]
    entropy = math.log(2 * math.pi * 3) + math.log(0.1 * math.sqrt(2 * math.pi * math.e))
    assert found[0] < found[1] <= -entropy + 0.03  # no density is likelier, on average, than the true one


def test_the_volume_of_a_flow_is_its_numerical_jacobian(ring):
    _, statistics = ring
    values, step = np.random.default_rng(5).normal(size=(30, 2)), 1e-6
    forward, stretched = flow.log_volume(statistics, 0, values)
    assert forward == pytest.approx(flow.forward(statistics, 0, values))
    columns = [(flow.forward(statistics, 0, values + step * unit) - forward) / step for unit in np.eye(2)]
    assert stretched == pytest.approx(np.log(np.abs(np.linalg.det(np.stack(columns, 2)))), abs=1e-3)


def test_the_distance_counts_standard_deviations_along_the_covariance():
    statistics = {"mean": np.array([1.0, 0.0]), "covariance": np.array([[4.0, 0.0], [0.0, 0.25]])}
    assert density.distance(statistics, np.array([[1, 0], [5, 0], [1, 1], [3, 0.5]])) == pytest.approx(
        [0, 2, 2, math.sqrt(2)]
    )
    # A direction that no code uses has a floor.
    flat = {"mean": np.zeros(2), "covariance": np.diag([1.0, 0.0])}
    assert density.distance(flat, np.array([[0, 0.01]])) == pytest.approx([1])


@pytest.fixture
def zoo(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path / "zoo", tmp_path / "hub")
    return tmp_path / "zoo"


def told(**options):
    return {"provenance": {"options": options}}


def test_an_entry_offers_the_likelihood_that_it_was_trained_with(zoo):
    gaussian = tiny.vae(zoo / "gaussian", **told(likelihood="gaussian", sigma=0.2))
    assert anomalies.sigma(gaussian) == 0.2 and "bound" in anomalies.offered(gaussian)
    bernoulli = tiny.vae(zoo / "bernoulli", **told(likelihood="bernoulli", sigma=0.1))
    assert anomalies.sigma(bernoulli) is None and "bound" in anomalies.offered(bernoulli)
    for name, options in {
        "none": {},
        "odd": {"likelihood": "gaussian", "sigma": "x"},
        "far": {"likelihood": 3},
    }.items():
        assert "bound" not in anomalies.offered(tiny.vae(zoo / name, **told(**options)))
    assert anomalies.offered(tiny.gan(zoo / "gan")) == ()


def test_scores_of_an_entry_are_those_of_its_networks(zoo):
    entry = tiny.vae(zoo / "some", **told(likelihood="gaussian", sigma=0.2))
    pictures = np.random.default_rng(0).random((9, *tiny.SHAPE), np.float32)
    parts = []
    found = anomalies.score(entry, pictures, Setting(8, 1), report=parts.append)
    assert tuple(found.scores) == anomalies.offered(entry) and parts[-1] == 1
    rebuilt = models.reconstruct(entry, pictures)
    assert found.scores["error"] == pytest.approx(np.square(rebuilt - pictures).mean((1, 2, 3)), abs=1e-6)
    expected = likelihood.bounds(
        pictures, *models.posterior(entry, pictures), lambda z, rows: models.decode(entry, z), 8, 1, sigma=0.2
    )
    assert found.scores["bound"] == pytest.approx(expected.weighted)
    with pytest.raises(Cancelled):
        anomalies.score(entry, pictures, Setting(8, 1), cancelled=lambda: True)


def test_integers_are_as_likely_as_their_prior_says(zoo):
    entry = tiny.vqvae(zoo / "integers")
    pictures = np.random.default_rng(0).random((20, *tiny.SHAPE), np.float32)
    found = anomalies.score(entry, pictures, Setting(1, 0))
    assert tuple(found.scores) == ("code", "error")
    latents = models.encode(entry, pictures)
    integers = np.square(latents[..., None, :] - tiny.CODEBOOK).sum(-1).argmin(-1).reshape(20, 4)
    before = np.concatenate([np.full((20, 1), 3), integers[:, :-1]], 1)  # the first is drawn by the last row
    assert found.scores["code"] == pytest.approx(tiny.CHAIN[before, integers].sum(1), abs=1e-4)


def test_the_surprise_is_said_where_it_is_and_nowhere_else():
    assert "shows here" in anomalies.surprise({"bound": 0.3, "error": 0.9}, "A", "B")
    assert "does not show here" in anomalies.surprise({"bound": 0.9, "error": 0.1}, "A", "B")
    assert "does not tell" in anomalies.surprise({"bound": 0.5}, "A", "B")
    assert "Nalisnick" not in anomalies.surprise({"code": 0.3}, "A", "B")
    assert "log p(x) tells them" in anomalies.best({"bound": 0.9, "error": 0.8}, "A", "B")
    assert "log p(x) and Reconstruction error tell" in anomalies.best({"bound": 0.9, "error": 0.9}, "A", "B")
    assert "70 % of all pairs the image of B" in anomalies.surprise({"bound": 0.3}, "A", "B")
    assert anomalies.percent(0.9995) == "> 99.9 %" and anomalies.percent(1.0) == "100 %"


def test_ranks_and_ends_go_by_what_is_unusual():
    values = np.array([3.0, 1.0, 2.0])
    assert [list(end) for end in anomalies.ranked("bound", values, 2)] == [[0, 2], [1, 2]]
    assert [list(end) for end in anomalies.ranked("error", values, 1)] == [[1], [0]]
    assert list(anomalies.rank("error", np.array([0.0, 2.5, 9.0]), values)) == pytest.approx([0, 2 / 3, 1])
    assert list(anomalies.rank("bound", np.array([0.0, 9.0]), values)) == [1, 0]
    areas = anomalies.separation({"bound": values, "error": values}, {"bound": values - 5, "error": values + 5})
    assert areas == {"bound": 1, "error": 1}
