"""Maps of many codes: each code (N, D) gets a place (N, K) on a plane or in a room, and places lead back to codes."""

import importlib.util
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Report = Callable[[float], None]

METHODS = {"raw": "Raw axes", "pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
MAX_RAW = 3  # dimensions of codes whose own axes are drawn
LINEAR = ("raw", "pca")  # computed at once, with an inverse in closed form
NEAREST = 12  # codes that take part in a local inverse
REACH = 3.0  # sum of the sizes of the weights above which a local inverse would run away from its codes
ITERATIONS = 1000  # of t-SNE
STEPS = re.compile(r"Iteration (\d+):|(\d+)/(\d+)")  # what scikit-learn and tqdm write


@dataclass(frozen=True)
class Settings:
    """How a map is made: method, number of its dimensions (2 or 3, t-SNE 2), and what its method takes.

    perplexity: of t-SNE (5 to 100). neighbours, distance: UMAP's n_neighbors (2 to 100) and min_dist (0 to 0.99).
    """

    method: str = "pca"
    dimensions: int = 2
    perplexity: int = 30
    neighbours: int = 15
    distance: float = 0.1
    seed: int = 0


def installed() -> bool:
    """Whether UMAP can be had: umap-learn is an extra of this package, for numba takes seconds to import."""
    return importlib.util.find_spec("umap") is not None


def tsne(codes: np.ndarray, settings: Settings, report: Report = lambda part: None) -> np.ndarray:
    """Return places (N, 2) by t-SNE (van der Maaten and Hinton 2008), float32.

    By scikit-learn's Barnes-Hut approximation from the first two principal components. A perplexity of a third of the
    codes or more is reduced to that. Needs at least four codes.
    """
    from sklearn.manifold import TSNE

    perplexity = min(settings.perplexity, (len(codes) - 1) / 3)
    method = TSNE(2, perplexity=perplexity, init="pca", random_state=settings.seed, max_iter=ITERATIONS, verbose=2)
    with _heard(report):
        return method.fit_transform(np.asarray(codes, np.float32))


def umap(codes: np.ndarray, settings: Settings, report: Report = lambda part: None) -> np.ndarray:
    """Return places (N, K) by UMAP (McInnes et al. 2018, arXiv:1802.03426), float32; ImportError without umap-learn."""
    from umap import UMAP

    method = UMAP(
        settings.neighbours, n_components=settings.dimensions, min_dist=settings.distance, random_state=settings.seed,
        n_jobs=1, verbose=True,
        tqdm_kwds={"disable": False, "bar_format": "{n_fmt}/{total_fmt}", "mininterval": 0.5},
    )  # fmt: skip
    with _heard(report):
        return np.asarray(method.fit_transform(np.asarray(codes, np.float32)), np.float32)


def local_inverse(at: np.ndarray, places: np.ndarray, codes: np.ndarray, count: int = NEAREST) -> np.ndarray:
    """Return codes (M, D) for places (M, K) of a map (N, K) of codes (N, D) that has no inverse in closed form.

    Each is a mixture of the `count` codes whose places are nearest. Its weights w sum to one, put the mixture of the
    places exactly where one asks, and have the smallest Σ d²·w² (d: how far a place is), as in locally linear embedding
    (Roweis and Saul 2000). So it is exact for every affine map, and at a code's own place it gives that code. Where the
    places would have to be extrapolated far (Σ |w| above REACH) w is proportional to 1/d² instead, which stays among
    the codes.
    """
    at, places, codes = (np.asarray(array, np.float64) for array in (at, places, codes))
    found = np.empty((len(at), codes.shape[1]))
    for row, place in enumerate(at):
        away = np.square(places - place).sum(1)
        near = np.argsort(away, kind="stable")[:count]
        scale = max(away[near[-1]], 1e-12)
        pull = 1 / (away[near] / scale + 1e-9)
        design = np.vstack([np.ones(len(near)), (places[near] - place).T / np.sqrt(scale)])
        one = np.eye(len(design))[0]
        weights = pull * (design.T @ np.linalg.lstsq((design * pull) @ design.T, one, rcond=None)[0])
        if not 0.99 < weights.sum() < 1.01 or np.abs(weights).sum() > REACH:
            weights = pull / pull.sum()
        found[row] = weights @ codes[near]
    return found.astype(np.float32)


class _heard:
    """While it is entered, what a library prints as its progress is reported as the part that is done."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def write(self, text: str) -> int:
        for iteration, step, steps in STEPS.findall(text):
            self._report(int(iteration) / ITERATIONS if iteration else int(step) / max(1, int(steps)))
        return len(text)

    def flush(self) -> None:
        pass

    def __enter__(self) -> None:
        import sys

        self._before = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = self  # type: ignore[assignment]

    def __exit__(self, *error: Any) -> None:
        import sys

        sys.stdout, sys.stderr = self._before
