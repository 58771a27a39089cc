"""Paths through latent space: straight lines, great circles, single dimensions that move, and sums of latents."""

from typing import Literal

import numpy as np

Kind = Literal["linear", "spherical"]


def lerp(a: np.ndarray, b: np.ndarray, t: float | np.ndarray) -> np.ndarray:
    """Interpolate linearly: (1 - t)·a + t·b.

    Args:
        a, b: latents of one shape.
        t: a number, or an array (T,) that adds a leading axis to the result; 0 gives a, 1 gives b.
    """
    a, b, t = _pair(a, b, t)
    return ((1 - t) * a + t * b).astype(np.float32)


def slerp(a: np.ndarray, b: np.ndarray, t: float | np.ndarray) -> np.ndarray:
    """Interpolate spherically (Shoemake 1985, "Animating rotation with quaternion curves").

    The formula acts on the directions of a and b; the norm goes linearly from ‖a‖ to ‖b‖. Codes of N(0, I) have
    nearly the same norm √L, so a path between two of them stays where the decoder was trained. Latents that are
    parallel, opposite or zero define no arc: they are interpolated linearly.

    Args:
        a, b: latents of one shape, seen as flat vectors.
        t: a number, or an array (T,) that adds a leading axis to the result; 0 gives a, 1 gives b.
    """
    straight = lerp(a, b, t)
    a, b, t = _pair(a, b, t)
    norm_a, norm_b = np.linalg.norm(a), np.linalg.norm(b)
    if min(norm_a, norm_b) < 1e-12:
        return straight
    direction_a, direction_b = a / norm_a, b / norm_b
    angle = np.arccos(np.clip(np.vdot(direction_a, direction_b), -1, 1))
    sine = np.sin(angle)
    if sine < 1e-6:
        return straight
    direction = (np.sin((1 - t) * angle) * direction_a + np.sin(t * angle) * direction_b) / sine
    return (((1 - t) * norm_a + t * norm_b) * direction).astype(np.float32)


def traversal(latent: np.ndarray, dimension: int, values: np.ndarray) -> np.ndarray:
    """Repeat one latent and set one of its (flat) dimensions to each value; returns (len(values), *latent)."""
    latent, values = np.asarray(latent, np.float32), np.asarray(values, np.float32)
    if not 0 <= dimension < latent.size:
        raise ValueError(f"Dimension {dimension} is not among the {latent.size} dimensions of this latent space.")
    rows = np.tile(latent.reshape(1, -1), (len(values), 1))
    rows[:, dimension] = values
    return rows.reshape(-1, *latent.shape)


def analogy(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Return a - b + c, latents of one shape: what makes a differ from b is added to c (Radford et al. 2015)."""
    a, b, c = (np.asarray(latent, np.float64) for latent in (a, b, c))
    if not a.shape == b.shape == c.shape:
        raise ValueError(f"Latents of shape {a.shape}, {b.shape} and {c.shape} cannot be added.")
    return (a - b + c).astype(np.float32)


def _pair(a: np.ndarray, b: np.ndarray, t: float | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b, t = (np.asarray(array, np.float64) for array in (a, b, t))
    if a.shape != b.shape:
        raise ValueError(f"Latents of shape {a.shape} and {b.shape} cannot be interpolated.")
    return a, b, t.reshape(t.shape + (1,) * a.ndim) if t.ndim else t
