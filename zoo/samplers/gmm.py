"""The mixture of ten Gaussians fitted to the codes of training images (Ghosh et al. 2020, arXiv:1903.12436)."""

import numpy as np

from zoo.entries import Entry
from zoo.latent import aggregate, sampling
from zoo.samplers import Sampler


def draw(entry: Entry, count: int, seed: int, temperature: float, truncation: float | None) -> np.ndarray:
    """Draw latents (count, *latent_shape). Raises EntryError where the statistics cannot be read."""
    flat = sampling.gmm(aggregate.required(entry), count, seed, temperature, truncation)
    return flat.reshape(count, *entry.latent_shape)


SAMPLER = Sampler("gmm", "Mixture", "Gaussian mixture", 1, aggregate.stored, draw)
