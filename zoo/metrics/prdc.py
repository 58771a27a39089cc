"""Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020) of generated features.

Each point owns the ball that reaches to its k-th nearest neighbour in its own set. The balls around the real points
stand for the real distribution, those around the generated points for the generated one.
"""

from typing import NamedTuple

import numpy as np

from zoo.metrics import distances

NEIGHBOURS = 5
PRUNED = 0.1  # of the balls, those with the largest radii: around outliers, they reach where no real image is


class Scores(NamedTuple):
    """Precision, recall and coverage are shares in [0, 1]; density is 0 or more, about 1 for equal distributions."""

    precision: float
    recall: float
    density: float
    coverage: float


def scores(
    real: np.ndarray, generated: np.ndarray, k: int = NEIGHBOURS, real_radii: np.ndarray | None = None
) -> Scores:
    """Compare generated features (M, D) with real features (N, D).

    - precision: share of generated points inside at least one real ball
    - recall: share of real points inside at least one generated ball
    - density: mean number of real balls around a generated point, divided by k
    - coverage: share of real balls that hold at least one generated point

    real_radii is radii(real, k), for callers that compare many sets with the same real ones.
    Raises ValueError when a set has no more than k points, dimensions differ or a value is not finite.
    """
    real, generated = distances.checked(real), distances.checked(generated)
    distances.alike(real, generated)
    real_squares = (radii(real, k) if real_radii is None else real_radii) ** 2
    generated_squares = radii(generated, k) ** 2
    order = distances.grouped(generated_squares)
    generated, generated_squares = generated[order], generated_squares[order]
    precise = np.zeros(len(generated), dtype=bool)
    covered, recalled = np.zeros((2, len(real)), dtype=bool)
    hits = 0
    for block in distances.blocks(real, generated):
        mine = slice(block.start, block.start + len(block.queries))
        rows, columns = distances.inside(block, real_squares[mine, None])
        precise[columns] = True
        covered[block.start + rows] = True
        hits += len(rows)
        rows, _ = distances.inside(block, generated_squares[None, :])
        recalled[block.start + rows] = True
    density = hits / (k * len(generated))
    return Scores(float(precise.mean()), float(recalled.mean()), density, float(covered.mean()))


def typical(real: np.ndarray, other: np.ndarray | None = None, k: int = NEIGHBOURS, pruned: float = PRUNED) -> float:
    """Share of features (M, D) inside the ball of a real feature (N, D), without the `pruned` part of the balls.

    As precision, but noise, which the features of a classifier may put beside an outlier, is outside (Kynkäänniemi et
    al. 2019, section 5, prune half of the balls for single images). Without `other`, of the real ones themselves, each
    outside of its own ball. Raises ValueError as `scores` does.
    """
    real = distances.checked(real)
    if other is not None:
        other = distances.checked(other)
        distances.alike(real, other)
    reach = radii(real, k)
    squares = np.where(reach <= np.quantile(reach, 1 - pruned), reach**2, 0)
    found = np.zeros(len(real if other is None else other), dtype=bool)
    for block in distances.blocks(real, other):
        rows = slice(block.start, block.start + len(block.queries))
        found[distances.inside(block, squares[rows, None])[1]] = True
    return float(found.mean())


def radii(features: np.ndarray, k: int = NEIGHBOURS) -> np.ndarray:
    """Euclidean distance of each feature vector (N, D) to its k-th nearest other vector: (N,) float64."""
    return distances.kth_nearest(features, k=k)
