"""latents.npz: the statistics of an aggregate posterior, fitted by training and read by the app, or a codebook."""

import math

import numpy as np

from zoo.entries import Entry, npz
from zoo.errors import EntryError
from zoo.manifest import STATISTICS

MAX_DIMENSIONS = 1024
MAX_BYTES = 48 << 20  # ten components of 1024 dimensions take 45
MAX_VALUE = 1e15  # no code of an image is there, and sums stay finite in float32
MAX_COMPONENTS = 64
MAX_BINS = 1000
COMPONENTS = 10
BINS = 60
MIXTURE_POINTS = 20_000


def fit(
    latents: np.ndarray, means: np.ndarray | None = None, log_vars: np.ndarray | None = None, seed: int = 0
) -> dict[str, np.ndarray]:
    """Describe an aggregate posterior: the content of latents.npz.

    Args:
        latents: (N, *latent) codes of training images; for a VAE one draw from each posterior. Flattened to (N, L).
        means, log_vars: (N, *latent) parameters of the posteriors of a VAE; both or none.
        seed: of the subset and the start of the mixture (ten full Gaussians, after Ghosh et al. 2020, RAE).

    Returns:
        float32 arrays mean (L,), covariance (L, L), gmm_weights (K,), gmm_means (K, L), gmm_covariances (K, L, L),
        histogram_counts (L, B), histogram_edges (L, B + 1) and, for a VAE, kl (L,): the mean of KL(q(z|x) ‖ N(0, 1))
        in nats.
    """
    # Only training fits; importing scikit-learn would triple the time until the app's pages stand.
    from sklearn.mixture import GaussianMixture

    flat = np.asarray(latents, np.float64).reshape(len(latents), -1)
    if len(flat) < 2 or flat.shape[1] > MAX_DIMENSIONS:
        raise ValueError(
            f"Statistics need two or more latents of at most {MAX_DIMENSIONS:,} dimensions, not {flat.shape}."
        )
    if (means is None) != (log_vars is None):
        raise ValueError("Statistics of a VAE need both means and log_vars.")
    points = flat
    if len(flat) > MIXTURE_POINTS:
        points = flat[np.random.default_rng(seed).choice(len(flat), MIXTURE_POINTS, replace=False)]
    covariance = np.cov(flat, rowvar=False).reshape(flat.shape[1], -1)
    # A dimension that an autoencoder never uses has no variance; the floor keeps every component invertible.
    floor = 1e-6 + 1e-4 * np.trace(covariance) / len(covariance)
    mixture = GaussianMixture(min(COMPONENTS, len(points)), reg_covar=floor, max_iter=200, random_state=seed)
    mixture.fit(points)
    histograms = [np.histogram(column, bins=BINS) for column in flat.T]
    statistics = {
        "mean": flat.mean(0),
        "covariance": covariance,
        "gmm_weights": mixture.weights_,
        "gmm_means": mixture.means_,
        "gmm_covariances": mixture.covariances_,
        "histogram_counts": np.stack([counts for counts, _ in histograms]),
        "histogram_edges": np.stack([edges for _, edges in histograms]),
    }
    if means is not None:
        mean, log_var = (np.asarray(array, np.float64).reshape(len(means), -1) for array in (means, log_vars))
        statistics["kl"] = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).mean(0)
    return {name: array.astype(np.float32) for name, array in statistics.items()}


def stored(entry: Entry) -> bool:
    """Return whether an entry has statistics of its codes; a codebook in the same file is none."""
    return entry.has(STATISTICS) and entry.prior is not None and not entry.discrete


def required(entry: Entry) -> dict[str, np.ndarray]:
    """Return what load does; raises EntryError also for an entry without statistics."""
    found = load(entry)
    if found is None:
        raise EntryError(f"The entry {entry.name} has no statistics of its codes.")
    return found


def load(entry: Entry) -> dict[str, np.ndarray] | None:
    """Return the arrays of latents.npz as fit made them, or None for an entry without that file or with a codebook.

    Raises:
        EntryError: the file is too large, is not a plain npz, or an array has a wrong type, shape or value.
    """
    if not stored(entry):
        return None
    refused = f"The entry {entry.name} is refused: {STATISTICS}"
    size = math.prod(entry.latent_shape)
    if size > MAX_DIMENSIONS:
        raise EntryError(f"{refused} describes {size:,} dimensions, more than {MAX_DIMENSIONS:,}.")
    arrays = npz.read(entry, STATISTICS, _shapes(0, 0, 0), MAX_BYTES)
    components, bins = (_extent(arrays.get(name)) for name in ("gmm_weights", "histogram_counts"))
    if not (1 <= components <= MAX_COMPONENTS and 1 <= bins <= MAX_BINS):
        raise EntryError(f"{refused} has {components} mixture components and {bins} histogram bins.")
    expected = _shapes(size, components, bins)
    for name in expected.keys() - ({"kl"} - arrays.keys()):
        if name not in arrays:
            raise EntryError(f"{refused} lacks the array {name}.")
        # NaN is not below the bound either.
        if arrays[name].shape != expected[name] or not (np.abs(arrays[name]) < MAX_VALUE).all():
            raise EntryError(f"{refused}: {name} is not an array of {expected[name]} finite numbers.")
    if arrays["gmm_weights"].min() < 0 or abs(arrays["gmm_weights"].sum() - 1) > 1e-3:
        raise EntryError(f"{refused}: gmm_weights are not probabilities.")
    return {name: arrays[name].astype(np.float32, copy=False) for name in expected if name in arrays}


def _extent(array: np.ndarray | None) -> int:
    return 0 if array is None or array.ndim == 0 else array.shape[-1]


def _shapes(size: int, components: int, bins: int) -> dict[str, tuple[int, ...]]:
    return {
        "mean": (size,),
        "covariance": (size, size),
        "gmm_weights": (components,),
        "gmm_means": (components, size),
        "gmm_covariances": (components, size, size),
        "histogram_counts": (size, bins),
        "histogram_edges": (size, bins + 1),
        "kl": (size,),
    }
