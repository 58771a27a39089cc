"""Hidden structure of codes: clusters, how far they agree with labels, and where codes lie densely."""

from dataclasses import dataclass
from typing import Any

import numpy as np

METHODS = {"kmeans": "k-means", "gmm": "Gaussian mixture", "hdbscan": "HDBSCAN"}
STARTS = 4  # of k-means and of mixtures; the best is kept
FULL = 5  # codes for each dimension and cluster above which a mixture's covariances are full, not diagonal
NOISE = -1  # the cluster of codes that HDBSCAN puts into none
NEIGHBOUR = 10  # the neighbour whose distance says how densely codes lie
LEVELS = 6


@dataclass(frozen=True)
class Settings:
    """How codes are grouped: method, number of clusters, HDBSCAN's smallest cluster, and the seed."""

    method: str = "kmeans"
    count: int = 10
    smallest: int = 20
    seed: int = 0


def cluster(codes: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the cluster of each code (N, D): int64 (N,), the largest is 0, NOISE where HDBSCAN finds none.

    k-means (Lloyd 1982) and Gaussian mixtures take `count` clusters, at most one for each code; HDBSCAN (Campello et
    al. 2013) finds their number, none smaller than `smallest`.
    """
    # They take a second to import, and only the process that computes needs them.
    from sklearn.cluster import HDBSCAN, KMeans
    from sklearn.mixture import GaussianMixture

    codes = np.asarray(codes, np.float64)
    count = min(settings.count, len(codes))
    starts: Any = {"n_init": STARTS, "random_state": settings.seed}  # scikit-learn declares other types
    if settings.method == "kmeans":
        found = KMeans(count, **starts).fit_predict(codes)
    elif settings.method == "gmm":
        kind = "full" if len(codes) >= FULL * count * codes.shape[1] else "diag"
        found = GaussianMixture(count, covariance_type=kind, **starts).fit_predict(codes)
    else:
        kept: Any = {"copy": True}
        found = HDBSCAN(min_cluster_size=max(2, min(settings.smallest, len(codes))), **kept).fit_predict(codes)
    return _by_size(found)


def _by_size(found: np.ndarray) -> np.ndarray:
    """Number clusters by size; NOISE stays."""
    names, counts = np.unique(found[found >= 0], return_counts=True)
    order = {int(name): place for place, name in enumerate(names[np.argsort(-counts, kind="stable")])}
    return np.array([order.get(int(one), NOISE) for one in found], np.int64)


def agreement(labels: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    """Return the adjusted Rand index (Hubert and Arabie 1985) and the normalised mutual information of two groupings.

    Both (N,) of integers. 1 where the groupings are the same but for their names; about 0 for groupings that know
    nothing of each other. NOISE counts as a group of its own.
    """
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    return float(adjusted_rand_score(labels, found)), float(normalized_mutual_info_score(labels, found))


def sparseness(codes: np.ndarray) -> np.ndarray:
    """Return how far the NEIGHBOUR-th nearest other code is from each code (N, D): (N,), small where they lie densely.

    It is the k-nearest-neighbour estimate of the density up to a monotone function (Loftsgaarden and Quesenberry 1965).
    """
    from sklearn.neighbors import NearestNeighbors

    nearest = min(NEIGHBOUR, len(codes) - 1)
    return NearestNeighbors(n_neighbors=nearest).fit(codes).kneighbors()[0][:, -1]


def levels(sparse: np.ndarray, count: int = LEVELS) -> np.ndarray:
    """Return the level of density of each value (N,) of `sparseness`: equally many in each, 0 the sparsest."""
    rank = np.argsort(np.argsort(-np.asarray(sparse), kind="stable"), kind="stable")
    return rank * count // max(1, len(rank))
