"""Rotation-based iterative Gaussianisation (Laparra et al. 2011, arXiv:1602.00229): an invertible flow in numpy.

A layer rotates, then bends each axis by a monotone table until it is normal; after a few, codes are nearly N(0, I),
and undoing them turns N(0, I) into codes. One flow for all codes is slow to tear clusters apart, so each component of
the Gaussian mixture in latents.npz has its own: it starts from that component and learns what is not Gaussian in it.
The first rotation is that of principal component analysis, which sets axes apart that no code uses; the others are
those of independent component analysis, which find the axes that are the least normal.
"""

import math

import numpy as np

from zoo.entries import Entry, npz
from zoo.errors import EntryError
from zoo.latent import aggregate, sampling

FILE = "flow.npz"
KNOTS = np.linspace(-2.5, 2.5, 16)  # in standard deviations; beyond, tables go on with slope 1
MAX_LAYERS = 20
VALUES = 450  # of a layer and dimension, times layers: 0.3 MB for 16 dimensions, 1 MB for 64
LEAST = 200  # codes that show the outermost quantile; a component with fewer stays Gaussian
JITTER = 1e-3  # in standard deviations: codes that are exactly 0 time and again have no quantiles
MAX_TABLE = 1e4
MAX_BYTES = 8 << 20
STEPS = 10


def layers(size: int) -> int:
    """Number of layers for codes of this many dimensions; 0 where the file would grow too large."""
    return min(MAX_LAYERS, VALUES // (size + len(KNOTS)))


def fit(codes: np.ndarray, statistics: dict[str, np.ndarray], seed: int = 0) -> dict[str, np.ndarray] | None:
    """Fit the flow of each mixture component: the content of flow.npz.

    Args:
        codes: (N, *latent), those that aggregate.fit was given.
        statistics: what aggregate.fit made of them, with K components.
        seed: of the shares of the components, the jitter and the first rotations.

    Returns:
        float32 arrays flow_rotations (K, layers, L, L) and flow_tables (K, layers, L, Q): the rotated values that
        become KNOTS. None for codes of too many dimensions.
    """
    from scipy.special import ndtr  # imported where it is used: it costs more than a page

    flat = np.asarray(codes, np.float64).reshape(len(codes), -1)
    size, rng = flat.shape[1], np.random.RandomState(seed)  # RandomState's stream is frozen for good
    if not layers(size):
        return None
    owner = _owners(flat, statistics, rng)
    count = len(statistics["gmm_weights"])
    rotations = np.tile(np.eye(size, dtype=np.float32), (count, layers(size), 1, 1))
    tables = np.tile(KNOTS.astype(np.float32), (count, layers(size), size, 1))
    for component in range(count):
        mean, root = frame(statistics, component)
        values = np.linalg.solve(root, (flat[owner == component] - mean).T).T
        if len(values) < LEAST:
            continue
        values += JITTER * rng.standard_normal(values.shape)
        for layer in range(layers(size)):
            rotations[component, layer] = _independent(values, rng) if layer else _principal(values)
            rotated = values @ rotations[component, layer]
            tables[component, layer] = np.quantile(rotated, ndtr(KNOTS), axis=0).T
            values = _bend(rotated, tables[component, layer], np.tile(KNOTS, (size, 1)))
    return {"flow_rotations": rotations, "flow_tables": tables}


def load(entry: Entry) -> dict[str, np.ndarray]:
    """Return the arrays of latents.npz and flow.npz together.

    Raises:
        EntryError: a file is missing, too large or no plain npz, or an array has a wrong type, shape or value.
    """
    refused = f"The entry {entry.name} is refused: {FILE}"
    statistics = aggregate.load(entry)
    if statistics is None:
        raise EntryError(f"{refused} cannot be used without statistics of the codes.")
    arrays = npz.read(entry, FILE, {"flow_rotations", "flow_tables"}, MAX_BYTES)
    count, size = statistics["gmm_means"].shape
    rotations, tables = arrays.get("flow_rotations"), arrays.get("flow_tables")
    depth = 0 if rotations is None or rotations.ndim < 2 else rotations.shape[1]
    if rotations is None or not 1 <= depth <= MAX_LAYERS or rotations.shape != (count, depth, size, size):
        raise EntryError(f"{refused}: flow_rotations are not 1 to {MAX_LAYERS} rotations of {count} components.")
    if tables is None or tables.shape != (count, depth, size, len(KNOTS)):
        raise EntryError(f"{refused}: flow_tables are not tables of {len(KNOTS)} values for each rotated axis.")
    # NaN is not below a bound either.
    if not (np.abs(rotations @ rotations.swapaxes(-1, -2) - np.eye(size)) < 1e-3).all():
        raise EntryError(f"{refused}: flow_rotations are not orthogonal.")
    if not ((np.abs(tables) < MAX_TABLE).all() and (np.diff(tables) > 0).all()):
        raise EntryError(f"{refused}: flow_tables do not rise.")
    return statistics | {name: array.astype(np.float32, copy=False) for name, array in arrays.items()}


def draw(
    statistics: dict[str, np.ndarray],
    count: int,
    seed: int,
    temperature: float = 1.0,
    truncation: float | None = None,
) -> np.ndarray:
    """Draw (count, L) codes: noise goes backwards through the flow of a component; statistics are those of load.

    See sampling.normal for the arguments; temperature and truncation act on the noise.
    """

    def place(component: int, noise: np.ndarray) -> np.ndarray:
        mean, root = frame(statistics, component)
        return mean + inverse(statistics, component, noise) @ root

    return sampling.by_component(statistics, place, count, seed, temperature, truncation)


def forward(statistics: dict[str, np.ndarray], component: int, values: np.ndarray) -> np.ndarray:
    """Take the standardised codes (N, L) of one component through its layers, to values that are nearly N(0, I)."""
    for rotation, table in zip(*_layers(statistics, component), strict=True):
        values = _bend(values @ rotation, table, np.tile(KNOTS, (len(table), 1)))
    return values


def inverse(statistics: dict[str, np.ndarray], component: int, values: np.ndarray) -> np.ndarray:
    """Undo forward: noise (N, L) becomes standardised codes."""
    for rotation, table in reversed(list(zip(*_layers(statistics, component), strict=True))):
        values = _bend(values, np.tile(KNOTS, (len(table), 1)), table) @ rotation.T
    return values


def log_volume(statistics: dict[str, np.ndarray], component: int, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what forward does, and for each row (N,) the log of how much it stretches space there: rotations do not,
    and a table does so by the slope of the line that a value lies on."""
    stretched = np.zeros(len(values))
    for rotation, table in zip(*_layers(statistics, component), strict=True):
        values = values @ rotation
        for column, knots in zip(values.T, table, strict=True):
            slopes = np.concatenate([[1], np.diff(KNOTS) / np.diff(knots), [1]])
            stretched += np.log(slopes[np.searchsorted(knots, column)])
        values = _bend(values, table, np.tile(KNOTS, (len(table), 1)))
    return values, stretched


def _layers(statistics: dict[str, np.ndarray], component: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(statistics[name][component].astype(np.float64) for name in ("flow_rotations", "flow_tables"))


def _bend(values: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Each column through the line that joins (start, end), both (L, Q); with slope 1 beyond, so that no tail grows."""
    columns = []
    for column, x, y in zip(values.T, start, end, strict=True):
        columns.append(np.interp(column, x, y) + column - np.clip(column, x[0], x[-1]))
    return np.stack(columns, 1)


def frame(statistics: dict[str, np.ndarray], component: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (L,) and root (L, L) of a component; the symmetric root, for it is the same whoever computes it."""
    values, vectors = np.linalg.eigh(statistics["gmm_covariances"][component].astype(np.float64))
    # Rounding to float32 can leave what has no variance a little below 0.
    values = values.clip(max(values.max() * 1e-7, 1e-12))
    return statistics["gmm_means"][component].astype(np.float64), (vectors * np.sqrt(values)) @ vectors.T


def _owners(flat: np.ndarray, statistics: dict[str, np.ndarray], rng: np.random.RandomState) -> np.ndarray:
    """Draw for each code (N, L) a component that it may come from, by the probabilities: (N,)."""
    scores = np.empty((len(flat), len(statistics["gmm_weights"])))
    for component, weight in enumerate(statistics["gmm_weights"]):
        mean, root = frame(statistics, component)
        squares = np.square(np.linalg.solve(root, (flat - mean).T)).sum(0)
        scores[:, component] = math.log(max(weight, 1e-300)) - squares / 2 - np.linalg.slogdet(root)[1]
    # The largest of scores with Gumbel noise is drawn by the probabilities that the scores are logits of.
    return (scores + rng.gumbel(size=scores.shape)).argmax(1)


def _principal(values: np.ndarray) -> np.ndarray:
    return np.linalg.eigh(np.cov(values, rowvar=False).reshape(values.shape[1], -1))[1]


def _independent(values: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Rotation (L, L) to axes that are as far from normal as can be found (Hyvärinen 1999, FastICA, symmetric)."""
    variances, axes = np.linalg.eigh(np.cov(values, rowvar=False).reshape(values.shape[1], -1))
    white = (values - values.mean(0)) @ (axes / np.sqrt(variances.clip(1e-6))) @ axes.T
    rotation = _orthogonal(rng.standard_normal((values.shape[1], values.shape[1])))
    for _ in range(STEPS):
        bent = np.tanh(white @ rotation)
        rotation = _orthogonal(white.T @ bent / len(white) - rotation * (1 - np.square(bent).mean(0)))
    return rotation


def _orthogonal(matrix: np.ndarray) -> np.ndarray:
    left, _, right = np.linalg.svd(matrix)
    return left @ right
