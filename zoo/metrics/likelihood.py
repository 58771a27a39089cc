"""Log-likelihood of images under a VAE: the evidence lower bound (Kingma & Welling 2014) and the importance-weighted
bound, which grows towards log p(x) with the number of draws (Burda, Grosse and Salakhutdinov 2016).

All in nats per image, for the prior N(0, I) and a Bernoulli likelihood of pixels that are 0 or 1, or a Gaussian one.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

EDGE = 1e-6  # pixels are probabilities in [EDGE, 1 - EDGE]: one impossible pixel costs 14 nats, not all of them
_BATCH = 4096  # decoded at once
_VALUES = 1 << 22  # of the images that are decoded at once


class Bounds(NamedTuple):
    """Lower bounds on log p(x) in nats, (N,) float64: the mean of the log weights, and the log of their mean."""

    elbo: np.ndarray
    weighted: np.ndarray


def binarise(images: np.ndarray, seed: int) -> np.ndarray:
    """Draw each pixel as a coin with its grey value (Salakhutdinov and Murray 2008): float32 of the same shape."""
    uniform = np.random.default_rng(seed).random(np.shape(images), np.float32)
    return (uniform < images).astype(np.float32)


def bounds(
    images: np.ndarray,
    mean: np.ndarray,
    deviation: np.ndarray,
    decode: Callable[[np.ndarray, np.ndarray], np.ndarray],
    draws: int,
    seed: int,
    report: Callable[[float], None] = lambda part: None,
    sigma: float | None = None,
) -> Bounds:
    """Both bounds of each image from `draws` latents out of its posterior.

    Args:
        images: (N, H, W, C), each value 0 or 1 where sigma is None. mean, deviation: (N, *latent) of the Gaussian
            q(z|x).
        decode: takes latents (B, *latent) and the rows of the images (B,) they belong to, gives (B, H, W, C): the
            probabilities of a 1, or with sigma the means of the pixels.
        report: called with the part that is done, in (0, 1].
        sigma: standard deviation of each pixel given its mean, for a Gaussian likelihood N(decode(z), sigma² I); its
            constants count, so that the bound is of a density of the images. None is the Bernoulli likelihood.

    Raises ValueError when the images of a Bernoulli likelihood are not binary, sigma is not positive or the numbers of
    images and posteriors differ.
    """
    flat = np.asarray(images, np.float32).reshape(len(images), -1)
    if sigma is not None and not 0 < sigma < math.inf:
        raise ValueError(f"A Gaussian likelihood needs a positive standard deviation, not {sigma}.")
    if sigma is None and not ((flat == 0) | (flat == 1)).all():
        raise ValueError("A Bernoulli likelihood is of pixels that are 0 or 1: binarise the images first.")
    if not len(images) == len(mean) == len(deviation):
        raise ValueError(f"{len(images)} images need as many posteriors, not {len(mean)} and {len(deviation)}.")
    rng = np.random.default_rng(seed)
    weights = np.empty(len(flat) * draws)
    batch = max(1, min(_BATCH, _VALUES // max(1, flat.shape[1])))
    for start in range(0, len(weights), batch):
        rows = np.arange(start, min(start + batch, len(weights))) // draws
        noise = rng.standard_normal((len(rows), *mean.shape[1:]), np.float32)
        latents = (mean[rows] + deviation[rows] * noise).astype(np.float32)
        seen = _log_likelihood(flat[rows], np.asarray(decode(latents, rows), np.float32).reshape(len(rows), -1), sigma)
        # log p(z) - log q(z|x): the constants of the two Gaussians cancel.
        ratio = (noise.astype(float) ** 2 - latents.astype(float) ** 2) / 2 + np.log(deviation[rows], dtype=float)
        weights[start : start + len(rows)] = seen + ratio.reshape(len(rows), -1).sum(1)
        report((start + len(rows)) / len(weights))
    weights = weights.reshape(len(flat), draws)
    return Bounds(weights.mean(1), np.logaddexp.reduce(weights, axis=1) - np.log(draws))


def _log_likelihood(flat: np.ndarray, decoded: np.ndarray, sigma: float | None) -> np.ndarray:
    """log p(x|z) (B,) of pixels (B, D) given what was decoded (B, D)."""
    if sigma is None:
        # |p - (1 - x)| is p where x is 1 and 1 - p where it is 0.
        return np.log(np.abs(decoded.clip(EDGE, 1 - EDGE) - (1 - flat))).sum(1, dtype=float)
    squares = np.square(flat - decoded).sum(1, dtype=float)
    return -squares / (2 * sigma**2) - flat.shape[1] * (math.log(sigma) + math.log(2 * math.pi) / 2)


def extended(cheap: np.ndarray, dear: np.ndarray, rows: np.ndarray) -> float:
    """Mean over all images of a bound that was computed for few of them, by the difference estimator (Cochran 1977).

    cheap (N,) is a bound with few draws for every image, dear (R,) one with many for the images `rows` (R,). The two
    rise and fall together, so the mean of their difference is known from far fewer images than the bound itself: a
    hundred give what a plain mean needs tens of thousands for.
    """
    return float(np.mean(cheap) + np.mean(dear - cheap[rows]))
