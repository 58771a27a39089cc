"""Latent space in numpy: geometry, sampling, statistics of the aggregate posterior, flows and codebooks."""
