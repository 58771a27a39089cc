"""Euclidean distances between two sets of feature vectors: exact in float64 at nearly the price of a float32 product.

Distances come from |x|² + |y|² - 2 x·y in float32, whose rounding error has a bound, and only pairs that are closer to
a limit than this bound are measured again in float64. What precision and recall, duplicates and memorisation stand on.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

_ROWS = 256  # rows of one block of the distance matrix; 256 × 10,000 float32 fits the cache
_GROUPS = 256  # see _at_least
_DENSE = 256  # one uncertain pair in this many: measuring the whole block is cheaper than picking pairs
_TIE = 1e-12  # relative; a point on the surface is outside, whatever the order of the summation


class Block(NamedTuple):
    start: int  # first row
    queries: np.ndarray  # (R, D) float64
    references: np.ndarray  # (M, D) float64
    squares: np.ndarray  # (R, M) float32, approximate squared distances
    error: float  # bound on |squares - exact|


def checked(features: np.ndarray, least: int = 1) -> np.ndarray:
    """Features (N, D) as float64; raises ValueError for another shape, fewer than `least` or values not finite."""
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or len(features) < least:
        raise ValueError(f"Features must have shape (N, D) with N of {least} or more, not {features.shape}.")
    if not np.isfinite(features).all():
        raise ValueError("The features hold values that are not finite.")
    return features


def alike(*sets: np.ndarray) -> None:
    """Raise ValueError unless all features (N, D) have the same number of dimensions."""
    dimensions = [features.shape[1] for features in sets]
    if len(set(dimensions)) > 1:
        raise ValueError(f"The features have {' and '.join(map(str, dimensions))} dimensions; they must be equal.")


def kth_nearest(queries: np.ndarray, references: np.ndarray | None = None, k: int = 1) -> np.ndarray:
    """Distance of each query (N, D) to its k-th nearest reference (M, D): (N,) float64.

    Without references, to its k-th nearest other query. Raises ValueError when there are fewer than k.
    """
    queries = checked(queries)
    own = references is None
    references = queries if own else checked(references)
    alike(queries, references)
    if len(references) < k + own:
        raise ValueError(f"Features must have shape (N, D) with N above k = {k}, not {references.shape}.")
    squares = np.empty(len(queries))
    for block in blocks(queries, references):
        count = len(block.queries)
        rows = block.start + np.arange(count)
        if own:
            block.squares[np.arange(count), rows] = np.inf
        # Each of the k nearest is approximately within the error of the true radius, which is itself within the error.
        near = np.flatnonzero(block.squares <= _at_least(block.squares, k)[:, None] + np.float32(2 * block.error))
        near_rows, columns = np.divmod(near, len(references))
        if len(near) * _DENSE > block.squares.size:
            exact = cdist(block.queries, block.references, "sqeuclidean")
            if own:
                exact[np.arange(count), rows] = np.inf
            squares[rows] = np.partition(exact, k - 1, axis=1)[:, k - 1]
        else:
            exact = _exact(block, near_rows, columns)
            order = np.lexsort((exact, near_rows))
            squares[rows] = exact[order][np.searchsorted(near_rows, np.arange(count)) + k - 1]
    return np.sqrt(squares)


def _at_least(squares: np.ndarray, k: int) -> np.ndarray:
    """A little more than the k-th smallest value of each row, or just that: the k-th smallest among minima of groups,
    which takes one pass where sorting takes many."""
    width = squares.shape[1] // _GROUPS
    if width < 2 or k > _GROUPS // 8:
        return np.partition(squares, k - 1, axis=1)[:, k - 1]
    even = width * _GROUPS
    minima = squares[:, :even].reshape(len(squares), width, _GROUPS).min(axis=1)
    return np.partition(np.concatenate([minima, squares[:, even:]], axis=1), k - 1, axis=1)[:, k - 1]


def blocks(queries: np.ndarray, references: np.ndarray) -> Iterator[Block]:
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
        yield Block(start, queries[rows], references, left[rows] @ right, error)


def inside(block: Block, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pairs with a squared distance strictly below `limits` ((R, 1) or (1, M) float64)."""
    near = np.flatnonzero(block.squares < (limits + block.error).astype(np.float32))
    rows, columns = np.divmod(near, block.squares.shape[1])
    limits = np.broadcast_to(limits, block.squares.shape)[rows, columns]
    within = block.squares.ravel()[near] < limits - block.error
    unsure = np.flatnonzero(~within)
    within[unsure] = _exact(block, rows[unsure], columns[unsure]) < limits[unsure] * (1 - _TIE)
    return rows[within], columns[within]


def _exact(block: Block, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Squared distances of the named pairs in float64."""
    if len(rows) * _DENSE > block.squares.size:
        return cdist(block.queries, block.references, "sqeuclidean")[rows, columns]
    differences = block.queries[rows] - block.references[columns]
    return np.einsum("ij,ij->i", differences, differences)
