"""Draws from priors and from what was fitted to the codes of training images; one seed gives one set of latents."""

from collections.abc import Callable

import numpy as np


def normal(
    count: int, shape: tuple[int, ...], seed: int, temperature: float = 1.0, truncation: float | None = None
) -> np.ndarray:
    """Draw from N(0, temperature²·I), each value cut to ±truncation standard deviations when that is given.

    Uniform numbers go through the inverse distribution function. So one seed gives one set of tiles: a larger count
    adds tiles at the end, and a change of temperature or truncation (Brock et al. 2019, "truncation trick") moves
    every tile smoothly.

    Returns:
        (count, *shape) float32.
    """
    from scipy.special import ndtr, ndtri  # imported where it is used: it costs more than a page

    if count < 1 or temperature < 0 or (truncation is not None and truncation <= 0):
        raise ValueError("Sampling needs a count of at least 1, a temperature of at least 0 and a positive truncation.")
    low = 0.0 if truncation is None else ndtr(-truncation)
    # 2⁻⁵⁴ is half the spacing of the uniform numbers: it keeps 0 away from -∞ and the draw symmetric.
    uniform = np.random.default_rng(seed).random((count, *shape)) + 2.0**-54
    return (temperature * ndtri(low + (1 - 2 * low) * uniform)).astype(np.float32)


def uniform(
    count: int, shape: tuple[int, ...], seed: int, temperature: float = 1.0, truncation: float | None = None
) -> np.ndarray:
    """Draw from U(-1, 1) in each dimension: the normal draw of the same seed through its distribution function, so
    that temperature and truncation move every tile as they do there; returns (count, *shape) float32."""
    from scipy.special import ndtr  # imported where it is used: it costs more than a page

    return (2 * ndtr(normal(count, shape, seed, temperature, truncation)) - 1).astype(np.float32)


def gaussian(
    statistics: dict[str, np.ndarray],
    count: int,
    seed: int,
    temperature: float = 1.0,
    truncation: float | None = None,
) -> np.ndarray:
    """Draw (count, L) from the Gaussian with the posterior's mean and covariance; see normal for the arguments."""
    noise = normal(count, statistics["mean"].shape, seed, temperature, truncation)
    return (statistics["mean"] + noise @ _root(statistics["covariance"]).T).astype(np.float32)


def gmm(
    statistics: dict[str, np.ndarray],
    count: int,
    seed: int,
    temperature: float = 1.0,
    truncation: float | None = None,
) -> np.ndarray:
    """Draw (count, L) from the Gaussian mixture; temperature and truncation act within each component."""
    means = statistics["gmm_means"]

    def place(component: int, noise: np.ndarray) -> np.ndarray:
        return means[component] + noise @ _root(statistics["gmm_covariances"][component]).T

    return by_component(statistics, place, count, seed, temperature, truncation)


def by_component(
    statistics: dict[str, np.ndarray],
    place: Callable[[int, np.ndarray], np.ndarray],
    count: int,
    seed: int,
    temperature: float,
    truncation: float | None,
) -> np.ndarray:
    """Draw (count, L) codes, each of a component of the mixture: `place` turns that component's noise (N, L) into
    codes; see normal for the other arguments."""
    noise = normal(count, statistics["mean"].shape, seed, temperature, truncation)
    weights = statistics["gmm_weights"].astype(np.float64)
    # A stream of its own, so that the components stay the same when the count grows.
    uniform = np.random.default_rng([seed, 1]).random(count)
    chosen = np.minimum(np.searchsorted(np.cumsum(weights / weights.sum()), uniform, "right"), len(weights) - 1)
    codes = np.empty_like(noise)
    for component in np.unique(chosen):
        codes[chosen == component] = place(component, noise[chosen == component])
    return codes


def _root(covariance: np.ndarray) -> np.ndarray:
    """Return A with A·Aᵀ = covariance; by eigenvalues, since rounding can leave tiny negative ones."""
    values, vectors = np.linalg.eigh(covariance.astype(np.float64))
    return vectors * np.sqrt(np.clip(values, 0, None))
