"""What latents are drawn from. One file per sampler: each module here holds SAMPLER, and needs no other line of code.

A sampler's name stands in links, in figures measured with it ("frechet@gmm") and on the leaderboard.
"""

import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from zoo.entries import Entry


class Sampler(NamedTuple):
    """One way to draw latents.

    `offered` says whether an entry that can decode offers it. `draw` takes the entry, the count, the seed, the
    temperature (factor on the standard deviation) and the truncation (in standard deviations, or None), and returns
    float32 (count, *latent_shape); with the same seed a larger count adds latents at the end. Samplers that an entry
    offers are preferred by `rank`, the lowest first.
    """

    name: str
    label: str
    description: str  # in a protocol, after "samples"
    rank: int
    offered: Callable[[Entry], bool]
    draw: Callable[[Entry, int, int, float, float | None], np.ndarray]


SAMPLERS: dict[str, Sampler] = {}


def register(sampler: Sampler) -> None:
    """Add a sampler; raises ValueError for a name that is taken."""
    if sampler.name in SAMPLERS:
        raise ValueError(f"The sampler {sampler.name} is registered already.")
    SAMPLERS[sampler.name] = sampler
    for name in sorted(SAMPLERS, key=lambda name: SAMPLERS[name].rank):
        SAMPLERS[name] = SAMPLERS.pop(name)


def offered(entry: Entry) -> tuple[str, ...]:
    """Return the names of the samplers that an entry offers, the best default first; () when it cannot generate."""
    if "generate" not in entry.capabilities:
        return ()
    return tuple(name for name, sampler in SAMPLERS.items() if sampler.offered(entry))


for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    register(importlib.import_module(_module.name).SAMPLER)
