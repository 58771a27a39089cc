"""What a VAE's posterior tells: information of each latent dimension (Kingma & Welling 2014, appendix B)."""

import numpy as np

DEAD = 0.01  # nats


def divergence(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """KL(q(z|x) ‖ N(0, 1)) of each dimension in nats, mean over images: (N, *latent) twice -> (L,) float64.

    Raises ValueError when shapes differ or a deviation is not above 0.
    """
    mean, deviation = (np.asarray(x, np.float64).reshape(len(x), -1) for x in (mean, deviation))
    if mean.shape != deviation.shape or not len(mean) or not (deviation > 0).all():
        raise ValueError("A posterior needs means and deviations of one shape, the latter above 0.")
    return (0.5 * (mean**2 + deviation**2 - 1) - np.log(deviation)).mean(axis=0)


def dead(divergences: np.ndarray, threshold: float = DEAD) -> int:
    """Number of dimensions that tell less than the threshold in nats: the decoder learned to ignore them."""
    return int((np.asarray(divergences) < threshold).sum())
