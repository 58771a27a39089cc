"""Discrete latents (van den Oord et al. 2017, arXiv:1711.00937): images as grids of integers, drawn one by one.

An entry whose latent.prior is "autoregressive" has a codebook of K vectors. Its codes are integers (N, H, W) below K,
its latents (N, H, W, D) the vectors of these numbers, or any others: the decoder takes the nearest.
"""

from collections.abc import Callable

import numpy as np

from zoo.entries import Entry, npz
from zoo.errors import EntryError
from zoo.latent.aggregate import MAX_BYTES, MAX_VALUE
from zoo.manifest import STATISTICS

CHUNK = 256  # images drawn at once: what the logits of all would take grows with the count


def vocabulary(entry: Entry) -> int:
    """Return K, the number of vectors in the codebook of a discrete entry: its integers lie below."""
    return entry.manifest.networks["prior"].outputs["logits"][-1]


def codebook(entry: Entry) -> np.ndarray:
    """Return the vectors (K, D) that an entry with an autoregressive prior chooses its codes from.

    Raises:
        EntryError: latents.npz is missing, cannot be read or holds no such codebook.
    """
    found = npz.read(entry, STATISTICS, ["codebook"], MAX_BYTES).get("codebook")
    expected = (entry.manifest.networks["prior"].outputs["logits"][-1], entry.latent_shape[-1])
    if found is None or found.shape != expected or not (np.abs(found) < MAX_VALUE).all():
        raise EntryError(
            f"The entry {entry.name} is refused: {STATISTICS} holds no codebook of {expected} finite numbers."
        )
    return found.astype(np.float32, copy=False)


def nearest(latents: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Return the number of the nearest vector of the codebook (K, D) for each vector of latents (..., D)."""
    return (2 * latents @ codebook.T - np.square(codebook).sum(1)).argmax(-1)


def lookup(entry: Entry, codes: np.ndarray) -> np.ndarray:
    """Return the latents (N, H, W, D) of integers (N, H, W)."""
    return codebook(entry)[codes]


def draw(
    logits: Callable[[np.ndarray], np.ndarray],
    grid: tuple[int, int],
    count: int,
    seed: int,
    temperature: float = 1.0,
) -> np.ndarray:
    """Draw integers in raster order, each given those before it.

    Uniform numbers go through the inverse distribution function: one seed gives one set of images, and a larger count
    adds images at the end.

    Args:
        logits: integers (N, H, W) -> (N, H, W, K); those of a place may depend on earlier places only.
        grid: (H, W).
        temperature: the logits are divided by it; at 0 always the most probable integer is taken.

    Returns:
        (count, H, W) integers.
    """
    if count < 1 or temperature < 0:
        raise ValueError("Sampling needs a count of at least 1 and a temperature of at least 0.")
    uniform = np.random.default_rng(seed).random((count, *grid))
    codes = np.zeros((count, *grid), np.int64)
    for start in range(0, count, CHUNK):
        part = codes[start : start + CHUNK]
        for row, column in np.ndindex(*grid):
            here = logits(part)[:, row, column].astype(np.float64)
            part[:, row, column] = _chosen(here, uniform[start : start + CHUNK, row, column], temperature)
    return codes


def _chosen(logits: np.ndarray, uniform: np.ndarray, temperature: float) -> np.ndarray:
    """Return one integer (N,) for each row of logits (N, K) and uniform number (N,)."""
    if temperature == 0:
        return logits.argmax(1)
    # Differences first: dividing large logits by a small temperature would overflow.
    summed = np.cumsum(np.exp((logits - logits.max(1, keepdims=True)) / temperature), axis=1)
    return (uniform[:, None] * summed[:, -1:] >= summed).sum(1).clip(max=logits.shape[1] - 1)
