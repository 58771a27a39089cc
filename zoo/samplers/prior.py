"""The prior: N(0, I), U(-1, 1), or for an entry whose codes are integers its own network of that role."""

import numpy as np

from zoo import networks
from zoo.entries import Entry
from zoo.latent import codes, sampling
from zoo.samplers import Sampler


def draw(entry: Entry, count: int, seed: int, temperature: float, truncation: float | None) -> np.ndarray:
    """Draw latents (count, *latent_shape); a prior network divides its logits by the temperature and cuts nothing."""
    if entry.discrete:
        return codes.lookup(entry, draw_codes(entry, count, seed, temperature))
    if entry.prior == "uniform":
        return sampling.uniform(count, entry.latent_shape, seed, temperature, truncation)
    return sampling.normal(count, entry.latent_shape, seed, temperature, truncation)


def draw_codes(entry: Entry, count: int, seed: int, temperature: float = 1.0) -> np.ndarray:
    """Draw integers (count, H, W) with the entry's prior network, one pass through it per integer; see codes.draw."""

    def logits(drawn: np.ndarray) -> np.ndarray:
        return networks.run(entry, "prior", codes=drawn)["logits"]

    height, width = entry.latent_shape[:2]
    return codes.draw(logits, (height, width), count, seed, temperature)


SAMPLER = Sampler(
    "prior", "Prior", "prior", 0, lambda entry: entry.prior in ("normal", "uniform", "autoregressive"), draw
)
