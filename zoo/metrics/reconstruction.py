"""How far a reconstruction is from its original, one value per image: MSE, PSNR and SSIM."""

from collections.abc import Callable

import numpy as np

WINDOW = 11  # pixels, Wang et al. 2004
SIGMA = 1.5  # pixels, for the full window
K1, K2 = 0.01, 0.03
CEILING = 100.0  # dB: far above the 59 dB of one grey level of 255, so only (nearly) identical images reach it
_CHUNK_PIXELS = 1_000_000  # bounds the float64 copies that are alive at once


def mse(originals: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Mean squared error over the pixels and channels of each image.

    Both arguments are (N, H, W, C) with values in [0, 1]; the result is (N,) float64 in [0, 1].
    Raises ValueError when the shapes differ.
    """
    return _per_image(_mse, originals, reconstructions)


def psnr(originals: np.ndarray, reconstructions: np.ndarray, ceiling: float = CEILING) -> np.ndarray:
    """Peak signal-to-noise ratio in decibels, -10 log10(MSE), for a peak of 1.

    Identical images have an infinite ratio; it is cut at `ceiling` so that means, charts and JSON stay finite.
    Arguments as for `mse`; the result is (N,) float64 in [0, ceiling].
    """
    with np.errstate(divide="ignore"):
        return np.minimum(-10 * np.log10(mse(originals, reconstructions)), ceiling)


def ssim(originals: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang, Bovik, Sheikh and Simoncelli 2004, eq. 13) of each pair of images.

    Gaussian window of 11 × 11 pixels with σ = 1.5, K1 = 0.01, K2 = 0.03, data range 1, averaged over the positions
    where the window lies inside the image (the authors' choice) and over the channels. In images with a side below
    11 pixels the window is the largest odd size that fits and σ shrinks with it: 7 × 7 and σ = 0.95 for 8 × 8 images.
    Arguments as for `mse`; the result is (N,) float64 in [-1, 1], 1 for identical images.
    """
    return _per_image(_ssim, originals, reconstructions)


def _per_image(measure: Callable, originals: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    originals, reconstructions = np.asarray(originals), np.asarray(reconstructions)
    if originals.shape != reconstructions.shape or originals.ndim != 4:
        raise ValueError(
            f"Both image batches must have one shape (N, H, W, C), not {originals.shape} and {reconstructions.shape}."
        )
    values = np.empty(len(originals))
    step = max(1, _CHUNK_PIXELS // max(1, int(np.prod(originals.shape[1:]))))
    for start in range(0, len(values), step):
        chunk = slice(start, start + step)
        values[chunk] = measure(originals[chunk].astype(np.float64), reconstructions[chunk].astype(np.float64))
    return values


def _mse(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.square(a - b).mean(axis=(1, 2, 3))


def _ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    kernel = _window(min(a.shape[1:3]))
    mean_a, mean_b, square_a, square_b, product = (_smooth(x, kernel) for x in (a, b, a * a, b * b, a * b))
    variance_a, variance_b = square_a - mean_a**2, square_b - mean_b**2
    covariance = product - mean_a * mean_b
    c1, c2 = K1**2, K2**2
    similarity = ((2 * mean_a * mean_b + c1) * (2 * covariance + c2)) / (
        (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    )
    return similarity.mean(axis=(1, 2, 3))


def _window(side: int) -> np.ndarray:
    """One-dimensional Gaussian weights that sum to 1, at most WINDOW long and never longer than `side`."""
    size = min(WINDOW, side if side % 2 else side - 1)
    offsets = np.arange(size) - size // 2
    weights = np.exp(-0.5 * (offsets / (SIGMA * size / WINDOW)) ** 2)
    return weights / weights.sum()


def _smooth(images: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Local means where the window lies inside the image: (N, H, W, C) -> (N, H - size + 1, W - size + 1, C)."""
    from scipy.ndimage import correlate1d  # imported where it is used: it costs more than a page

    edge = len(kernel) // 2
    height, width = images.shape[1:3]
    rows = correlate1d(images, kernel, axis=1)[:, edge : height - edge]
    return correlate1d(rows, kernel, axis=2)[:, :, edge : width - edge]
