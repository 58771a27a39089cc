"""Latent space in numpy: geometry, sampling, statistics of the aggregate posterior, flows and codebooks."""

from zoo.latent import aggregate, codes, density, flow, geometry, sampling
from zoo.latent.geometry import lerp, slerp, traversal

__all__ = ["codes", "density", "flow", "geometry", "lerp", "sampling", "slerp", "aggregate", "traversal"]
