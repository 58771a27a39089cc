"""An invertible flow fitted to the codes of training images, one for each component of the mixture."""

import numpy as np

from zoo.entries import Entry
from zoo.latent import aggregate, flow
from zoo.samplers import Sampler


def offered(entry: Entry) -> bool:
    return aggregate.stored(entry) and entry.has(flow.FILE)


def draw(entry: Entry, count: int, seed: int, temperature: float, truncation: float | None) -> np.ndarray:
    """Draw latents (count, *latent_shape). Raises EntryError where the flow or the statistics cannot be read."""
    return flow.draw(flow.load(entry), count, seed, temperature, truncation).reshape(count, *entry.latent_shape)


SAMPLER = Sampler("flow", "Flow", "flow", 3, offered, draw)
