"""Latent space in numpy: interpolation, priors, traversals and the statistics of an aggregate posterior."""

import math
import zipfile
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from zoo.entries import Entry
from zoo.errors import EntryError
from zoo.manifest import STATISTICS

Kind = Literal["linear", "spherical"]

MAX_DIMENSIONS = 1024
MAX_STATISTICS_BYTES = 48 << 20  # ten components of 1024 dimensions take 45
MAX_STATISTIC = 1e15  # no code of an image is there, and sums stay finite in float32
MAX_COMPONENTS = 64
MAX_BINS = 1000
COMPONENTS = 10
BINS = 60
MIXTURE_POINTS = 20_000


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


def normal(
    count: int, shape: tuple[int, ...], seed: int, temperature: float = 1.0, truncation: float | None = None
) -> np.ndarray:
    """Draw from N(0, temperature²·I), each value cut to ±truncation standard deviations when that is given.

    Uniform numbers go through the inverse distribution function. So one seed gives one set of tiles: a larger count
    adds tiles at the end, and a change of temperature or truncation (Brock et al. 2019, "truncation trick") moves
    every tile smoothly.

    Returns:
        (count, *shape) float32.
    """
    if count < 1 or temperature < 0 or (truncation is not None and truncation <= 0):
        raise ValueError("Sampling needs a count of at least 1, a temperature of at least 0 and a positive truncation.")
    low = 0.0 if truncation is None else ndtr(-truncation)
    # 2⁻⁵⁴ is half the spacing of the uniform numbers: it keeps 0 away from -∞ and the draw symmetric.
    uniform = np.random.default_rng(seed).random((count, *shape)) + 2.0**-54
    return (temperature * ndtri(low + (1 - 2 * low) * uniform)).astype(np.float32)


def traversal(latent: np.ndarray, dimension: int, values: np.ndarray) -> np.ndarray:
    """Repeat one latent and set one of its (flat) dimensions to each value; returns (len(values), *latent)."""
    latent, values = np.asarray(latent, np.float32), np.asarray(values, np.float32)
    if not 0 <= dimension < latent.size:
        raise ValueError(f"Dimension {dimension} is not among the {latent.size} dimensions of this latent space.")
    rows = np.tile(latent.reshape(1, -1), (len(values), 1))
    rows[:, dimension] = values
    return rows.reshape(-1, *latent.shape)


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


def load(entry: Entry) -> dict[str, np.ndarray] | None:
    """Return the arrays of latents.npz as fit made them, or None for an entry without that file or with a codebook.

    Raises:
        EntryError: the file is too large, is not a plain npz, or an array has a wrong type, shape or value.
    """
    if not entry.has(STATISTICS) or entry.prior is None or entry.discrete:
        return None
    refused = f"The entry {entry.name} is refused: {STATISTICS}"
    size = math.prod(entry.latent_shape)
    if size > MAX_DIMENSIONS:
        raise EntryError(f"{refused} describes {size:,} dimensions, more than {MAX_DIMENSIONS:,}.")
    arrays = read(entry, STATISTICS, _shapes(0, 0, 0), MAX_STATISTICS_BYTES)
    components, bins = (_extent(arrays.get(name)) for name in ("gmm_weights", "histogram_counts"))
    if not (1 <= components <= MAX_COMPONENTS and 1 <= bins <= MAX_BINS):
        raise EntryError(f"{refused} has {components} mixture components and {bins} histogram bins.")
    expected = _shapes(size, components, bins)
    for name in expected.keys() - ({"kl"} - arrays.keys()):
        if name not in arrays:
            raise EntryError(f"{refused} lacks the array {name}.")
        # NaN is not below the bound either.
        if arrays[name].shape != expected[name] or not (np.abs(arrays[name]) < MAX_STATISTIC).all():
            raise EntryError(f"{refused}: {name} is not an array of {expected[name]} finite numbers.")
    if arrays["gmm_weights"].min() < 0 or abs(arrays["gmm_weights"].sum() - 1) > 1e-3:
        raise EntryError(f"{refused}: gmm_weights are not probabilities.")
    return {name: arrays[name].astype(np.float32, copy=False) for name in expected if name in arrays}


def codebook(entry: Entry) -> np.ndarray:
    """Return the vectors (K, D) that an entry with an autoregressive prior chooses its codes from.

    Raises:
        EntryError: latents.npz is missing, cannot be read or holds no such codebook.
    """
    found = read(entry, STATISTICS, ["codebook"], MAX_STATISTICS_BYTES).get("codebook")
    expected = (entry.manifest.networks["prior"].outputs["logits"][-1], entry.latent_shape[-1])
    if found is None or found.shape != expected or not (np.abs(found) < MAX_STATISTIC).all():
        raise EntryError(
            f"The entry {entry.name} is refused: {STATISTICS} holds no codebook of {expected} finite numbers."
        )
    return found.astype(np.float32, copy=False)


def gaussian(
    statistics: dict[str, np.ndarray],
    count: int,
    seed: int,
    temperature: float = 1.0,
    truncation: float | None = None,
) -> np.ndarray:
    """Draw (count, L) from the Gaussian with the posterior's mean and covariance; see normal for the arguments."""
    noise = normal(count, statistics["mean"].shape, seed, temperature, truncation)
    return (statistics["mean"] + noise @ _root(statistics["covariance"]).T).astype(np.float32)


def gmm(
    statistics: dict[str, np.ndarray],
    count: int,
    seed: int,
    temperature: float = 1.0,
    truncation: float | None = None,
) -> np.ndarray:
    """Draw (count, L) from the Gaussian mixture; temperature and truncation act within each component."""
    means = statistics["gmm_means"]

    def place(component: int, noise: np.ndarray) -> np.ndarray:
        return means[component] + noise @ _root(statistics["gmm_covariances"][component]).T

    return by_component(statistics, place, count, seed, temperature, truncation)


def by_component(
    statistics: dict[str, np.ndarray],
    place: Callable[[int, np.ndarray], np.ndarray],
    count: int,
    seed: int,
    temperature: float,
    truncation: float | None,
) -> np.ndarray:
    """Draw (count, L) codes, each of a component of the mixture: `place` turns that component's noise (N, L) into
    codes; see normal for the other arguments."""
    noise = normal(count, statistics["mean"].shape, seed, temperature, truncation)
    weights = statistics["gmm_weights"].astype(np.float64)
    # A stream of its own, so that the components stay the same when the count grows.
    uniform = np.random.default_rng([seed, 1]).random(count)
    chosen = np.minimum(np.searchsorted(np.cumsum(weights / weights.sum()), uniform, "right"), len(weights) - 1)
    codes = np.empty_like(noise)
    for component in np.unique(chosen):
        codes[chosen == component] = place(component, noise[chosen == component])
    return codes


def read(entry: Entry, file: str, known: Iterable[str], limit: int) -> dict[str, np.ndarray]:
    """Return the known arrays of an entry's npz file; see unpack.

    Raises:
        EntryError: the file is missing, too large or damaged.
    """
    content = entry.content(file, limit)
    try:
        return unpack(content, known, limit)
    except Exception as error:  # damaged archives fail with many types, OverflowError and struct.error among them
        raise EntryError(f"The entry {entry.name} is refused: {file} cannot be read ({str(error)[:120]}).") from None


def unpack(content: bytes, known: Iterable[str], limit: int) -> dict[str, np.ndarray]:
    """Read the known arrays of an npz that unpack to at most `limit` bytes; np.load would allocate what a header
    claims before looking at the data. Damaged and hostile files raise exceptions of many types."""
    known = set(known)
    # Counted before the archive is opened, since its directory is read as a whole.
    if content.count(b"PK\x01\x02") > 16 * len(known):
        raise ValueError("it holds too many files")
    with zipfile.ZipFile(BytesIO(content)) as archive:
        members = [member for member in archive.infolist() if member.filename.removesuffix(".npy") in known]
        if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
            raise ValueError("it is not packed as numpy does")  # bzip2 and lzma unpack beyond any declared size
        if sum(member.file_size for member in members) > limit or len(members) > len(known):
            raise ValueError(f"it unpacks to more than {limit >> 20} MiB")
        return {member.filename.removesuffix(".npy"): _array(archive.read(member)) for member in members}


def _pair(a: np.ndarray, b: np.ndarray, t: float | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b, t = (np.asarray(array, np.float64) for array in (a, b, t))
    if a.shape != b.shape:
        raise ValueError(f"Latents of shape {a.shape} and {b.shape} cannot be interpolated.")
    return a, b, t.reshape(t.shape + (1,) * a.ndim) if t.ndim else t


def _root(covariance: np.ndarray) -> np.ndarray:
    """Return A with A·Aᵀ = covariance; by eigenvalues, since rounding can leave tiny negative ones."""
    values, vectors = np.linalg.eigh(covariance.astype(np.float64))
    return vectors * np.sqrt(np.clip(values, 0, None))


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


def _array(content: bytes) -> np.ndarray:
    stream = BytesIO(content)
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"array format {version} is not supported")
    shape, column_major, dtype = readers[version](stream)
    if (
        dtype.kind not in "fiu"
        or dtype.itemsize not in (4, 8)
        or math.prod(shape) * dtype.itemsize != len(content) - stream.tell()
    ):
        raise ValueError("an array is not numeric or not as long as its header says")
    array = np.frombuffer(content, dtype, offset=stream.tell())
    return array.reshape(shape, order="F" if column_major else "C")
