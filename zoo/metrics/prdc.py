"""Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020) of generated features.

Each point owns the ball that reaches to its k-th nearest neighbour in its own set. The balls around the real points
stand for the real distribution, those around the generated points for the generated one.

All comparisons are exact in float64 at nearly the price of a float32 matrix product: distances come from
|x|² + |y|² - 2 x·y in float32, whose rounding error has a bound, and only pairs that are closer to a ball's surface
than this bound are measured again in float64.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

NEIGHBOURS = 5
_ROWS = 256  # rows of one block of the distance matrix; 256 × 10,000 float32 fits the cache
_DENSE = 256  # one uncertain pair in this many: measuring the whole block is cheaper than picking pairs
_TIE = 1e-12  # relative; a point on the surface is outside, whatever the order of the summation


class Scores(NamedTuple):
    """Precision, recall and coverage are shares in [0, 1]; density is 0 or more, about 1 for equal distributions."""

    precision: float
    recall: float
    density: float
    coverage: float


class _Block(NamedTuple):
    start: int  # first row
    queries: np.ndarray  # (R, D) float64
    references: np.ndarray  # (M, D) float64
    squares: np.ndarray  # (R, M) float32, approximate squared distances
    error: float  # bound on |squares - exact|


def scores(real: np.ndarray, generated: np.ndarray, k: int = NEIGHBOURS) -> Scores:
    """Compare generated features (M, D) with real features (N, D).

    - precision: share of generated points inside at least one real ball
    - recall: share of real points inside at least one generated ball
    - density: mean number of real balls around a generated point, divided by k
    - coverage: share of real balls that hold at least one generated point

    Raises ValueError when a set has no more than k points, dimensions differ or a value is not finite.
    """
    real, generated = _checked(real, k), _checked(generated, k)
    if real.shape[1] != generated.shape[1]:
        raise ValueError(f"The features have {real.shape[1]} and {generated.shape[1]} dimensions; they must be equal.")
    real_squares, generated_squares = radii(real, k) ** 2, radii(generated, k) ** 2
    precise = np.zeros(len(generated), dtype=bool)
    covered, recalled = np.zeros((2, len(real)), dtype=bool)
    hits = 0
    for block in _blocks(real, generated):
        mine = slice(block.start, block.start + len(block.queries))
        rows, columns = _inside(block, real_squares[mine, None])
        precise[columns] = True
        covered[block.start + rows] = True
        hits += len(rows)
        rows, _ = _inside(block, generated_squares[None, :])
        recalled[block.start + rows] = True
    density = hits / (k * len(generated))
    return Scores(float(precise.mean()), float(recalled.mean()), density, float(covered.mean()))


def radii(features: np.ndarray, k: int = NEIGHBOURS) -> np.ndarray:
    """Euclidean distance of each feature vector (N, D) to its k-th nearest other vector: (N,) float64."""
    features = _checked(features, k)
    squares = np.empty(len(features))
    for block in _blocks(features, features):
        count = len(block.queries)
        own = np.arange(count), block.start + np.arange(count)
        block.squares[own] = np.inf
        bound = np.partition(block.squares, k - 1, axis=1)[:, k - 1 : k]
        # Each of the k nearest is approximately within the error of the true radius, which is itself within the error.
        rows, columns = np.divmod(np.flatnonzero(block.squares <= bound + 2 * block.error), len(features))
        if len(rows) * _DENSE > block.squares.size:
            exact = cdist(block.queries, block.references, "sqeuclidean")
            exact[own] = np.inf
            squares[own[1]] = np.partition(exact, k - 1, axis=1)[:, k - 1]
        else:
            exact = _squares(block, rows, columns)
            order = np.lexsort((exact, rows))
            first = np.searchsorted(rows, np.arange(count))
            squares[own[1]] = exact[order][first + k - 1]
    return np.sqrt(squares)


def _checked(features: np.ndarray, k: int) -> np.ndarray:
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) <= k:
        raise ValueError(f"Features must have shape (N, D) with N above k = {k}, not {features.shape}.")
    if not np.isfinite(features).all():
        raise ValueError("The features hold values that are not finite.")
    return features


def _blocks(queries: np.ndarray, references: np.ndarray) -> Iterator[_Block]:
    """Rows of the matrix of squared distances between queries (N, D) and references (M, D), block by block."""
    centre = references.mean(axis=0)  # small norms, small rounding errors
    x, y = queries - centre, references - centre
    x_norms, y_norms = np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)
    # The norms ride along as two more columns, so that one product gives the distances without further passes.
    left = np.column_stack([-2 * x, np.ones(len(x)), x_norms]).astype(np.float32)
    right = np.column_stack([y, y_norms, np.ones(len(y))]).astype(np.float32).T
    # Higham 2002, eq. 3.5: n u Σ|terms| for an inner product of n terms, with room for rounding the terms themselves.
    unit = (x.shape[1] + 8) * 2.0**-24
    reach = np.sqrt(y_norms.max())
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        error = unit * float(np.sqrt(x_norms[rows].max()) + reach) ** 2
        yield _Block(start, queries[rows], references, left[rows] @ right, error)


def _inside(block: _Block, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pairs with a squared distance strictly below `limits` ((R, 1) or (1, M) float64)."""
    near = np.flatnonzero(block.squares < (limits + block.error).astype(np.float32))
    rows, columns = np.divmod(near, block.squares.shape[1])
    limits = np.broadcast_to(limits, block.squares.shape)[rows, columns]
    inside = block.squares.ravel()[near] < limits - block.error
    unsure = np.flatnonzero(~inside)
    exact = _squares(block, rows[unsure], columns[unsure])
    inside[unsure] = exact < limits[unsure] * (1 - _TIE)
    return rows[inside], columns[inside]


def _squares(block: _Block, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Squared distances of the named pairs in float64."""
    if len(rows) * _DENSE > block.squares.size:
        return cdist(block.queries, block.references, "sqeuclidean")[rows, columns]
    differences = block.queries[rows] - block.references[columns]
    return np.einsum("ij,ij->i", differences, differences)
