"""The Gaussian with mean and covariance of the codes of training images."""

import numpy as np

from zoo.entries import Entry
from zoo.latent import aggregate, sampling
from zoo.samplers import Sampler


def draw(entry: Entry, count: int, seed: int, temperature: float, truncation: float | None) -> np.ndarray:
    """Draw latents (count, *latent_shape). Raises EntryError where the statistics cannot be read."""
    flat = sampling.gaussian(aggregate.required(entry), count, seed, temperature, truncation)
    return flat.reshape(count, *entry.latent_shape)


SAMPLER = Sampler("gaussian", "Gaussian", "Gaussian fit", 2, aggregate.stored, draw)
