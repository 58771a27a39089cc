"""Log-density of codes under what was fitted to the codes of training images, and their distance from its centre.

Both are of the code, not of the image: an image that the encoder puts among those of training images has a likely code,
whatever it shows.
"""

import math

import numpy as np

from zoo.latent import flow


def log_density(statistics: dict[str, np.ndarray], codes: np.ndarray) -> np.ndarray:
    """Natural log of the density of codes (N, *latent), in nats: (N,) float64.

    statistics are those of aggregate.load, whose Gaussian mixture is taken, or those of flow.load, whose flows bend
    each component of it (Laparra et al. 2011): log Σ wₖ N(f(z)) |det ∂f/∂z|, by the change of variables.
    """
    flat = np.asarray(codes, np.float64).reshape(len(codes), -1)
    parts = np.full((len(flat), len(statistics["gmm_weights"])), -np.inf)
    for component, weight in enumerate(statistics["gmm_weights"]):
        if weight <= 0:
            continue
        mean, root = flow.frame(statistics, component)
        noise, stretched = np.linalg.solve(root, (flat - mean).T).T, -np.linalg.slogdet(root)[1]
        if "flow_tables" in statistics:
            noise, bent = flow.log_volume(statistics, component, noise)
            stretched = stretched + bent
        normal = -np.square(noise).sum(1) / 2 - flat.shape[1] * math.log(2 * math.pi) / 2
        parts[:, component] = math.log(weight) + normal + stretched
    return np.logaddexp.reduce(parts, axis=1)


def distance(statistics: dict[str, np.ndarray], codes: np.ndarray) -> np.ndarray:
    """Distance (N,) of codes (N, *latent) from the mean of the codes of training images, in standard deviations along
    their covariance (Mahalanobis 1936); statistics are those of aggregate.load.

    Directions that no code uses have a floor of a ten-thousandth of the largest variance, so that noise in them does
    not outweigh the others.
    """
    flat = np.asarray(codes, np.float64).reshape(len(codes), -1)
    values, vectors = np.linalg.eigh(statistics["covariance"].astype(np.float64))
    along = (flat - statistics["mean"]) @ vectors
    return np.sqrt((np.square(along) / np.maximum(values, max(values.max() * 1e-4, 1e-12))).sum(1))
