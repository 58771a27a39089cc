"""Euclidean distances between two sets of feature vectors: exact in float64 at nearly the price of a float32 product.

Distances come from |x|² + |y|² - 2 x·y in float32, whose rounding error has a bound, and only pairs that are closer to
a limit than this bound are measured again in float64. What precision and recall, duplicates and memorisation stand on.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

_ROWS = 256  # of one block of the distance matrix
_GROUPS = 256  # columns of one slab of a block: 256 × 256 float32 fits the cache
_DENSE = 256  # one uncertain pair in this many: measuring the whole block is cheaper than picking pairs
_TIE = 1e-12  # relative; a point on the surface is outside, whatever the order of the summation


class Block(NamedTuple):
    """Rows of the distance matrix in slabs: squares[s, r, g] is of row r and column s · G + g, with G = _GROUPS.

    Columns of one g are a group. Their minima are taken while a slab is in the cache; then only the few groups that can
    hold a near reference are looked at again. Good until the next block, which uses the same memory.
    """

    start: int  # first row
    queries: np.ndarray  # (R, D) float64
    references: np.ndarray  # (M, D) float64
    squares: np.ndarray  # (S, R, G) float32, approximate squared distances; inf beyond column M
    minima: np.ndarray  # (R, G) float32
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
    others = queries if own else checked(references)
    alike(queries, others)
    if len(others) < k + own:
        raise ValueError(f"Features must have shape (N, D) with N above k = {k}, not {others.shape}.")
    squares = np.empty(len(queries))
    for block in blocks(queries, None if own else others):
        count = len(block.queries)
        # The k-th smallest of the minima is at least that of all. Each of the k nearest is approximately within the
        # error of the true radius, which is itself within the error.
        least = block.minima if k <= _GROUPS // 8 else block.squares.swapaxes(0, 1).reshape(count, -1)
        limits = np.partition(least, k - 1, axis=1)[:, k - 1, None] + np.float32(2 * block.error)
        rows, columns = _near(block, limits)
        if len(rows) * _DENSE > block.squares.size:
            exact = cdist(block.queries, block.references, "sqeuclidean")
            if own:
                exact[np.arange(count), block.start + np.arange(count)] = np.inf
            found = np.partition(exact, k - 1, axis=1)[:, k - 1]
        else:
            exact = _exact(block, rows, columns)
            order = np.lexsort((exact, rows))
            found = exact[order][np.searchsorted(rows, np.arange(count)) + k - 1]
        squares[block.start : block.start + count] = found
    return np.sqrt(squares)


def blocks(queries: np.ndarray, references: np.ndarray | None = None) -> Iterator[Block]:
    """Rows of the matrix of squared distances between queries (N, D) and references (M, D), block by block.

    Without references, between the queries; each is then infinitely far from itself.
    """
    others = queries if references is None else references
    centre = others.mean(axis=0)  # small norms, small rounding errors
    x, y = queries - centre, others - centre
    x_norms, y_norms = np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)
    # The norms ride along as two more columns, so that one product gives the distances without further passes.
    left = np.column_stack([-2 * x, np.ones(len(x)), x_norms]).astype(np.float32)
    slabs = _slabs(len(y))
    right = np.zeros((slabs * _GROUPS, left.shape[1]), np.float32)
    right[: len(y)] = np.column_stack([y, y_norms, np.ones(len(y))])
    right[len(y) :, -2] = np.inf
    right = right.reshape(slabs, _GROUPS, -1).swapaxes(1, 2)
    squares, minima = np.empty((slabs, 0, _GROUPS), np.float32), np.empty((0, _GROUPS), np.float32)
    # Higham 2002, eq. 3.5: n u Σ|terms| for an inner product of n terms, with room for rounding the terms themselves.
    unit = (x.shape[1] + 8) * 2.0**-24
    reach = np.sqrt(y_norms.max())
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        error = unit * float(np.sqrt(x_norms[rows].max()) + reach) ** 2
        count = len(left[rows])
        if count != squares.shape[1]:
            squares, minima = np.empty((slabs, count, _GROUPS), np.float32), np.empty((count, _GROUPS), np.float32)
        minima.fill(np.inf)
        for slab, part in enumerate(squares):
            np.matmul(left[rows], right[slab], out=part)
            if references is None:
                same = np.arange(max(0, slab * _GROUPS - start), min(count, (slab + 1) * _GROUPS - start))
                part[same, start + same - slab * _GROUPS] = np.inf
            np.minimum(minima, part, out=minima)
        yield Block(start, queries[rows], others, squares, minima, error)


def inside(block: Block, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pairs with a squared distance strictly below `limits` ((R, 1) or (1, M) float64)."""
    rows, columns = _near(block, (limits + block.error).astype(np.float32))
    limits = np.broadcast_to(limits, (len(block.queries), len(block.references)))[rows, columns]
    within = block.squares[columns // _GROUPS, rows, columns % _GROUPS] < limits - block.error
    unsure = np.flatnonzero(~within)
    within[unsure] = _exact(block, rows[unsure], columns[unsure]) < limits[unsure] * (1 - _TIE)
    return rows[within], columns[within]


def grouped(limits: np.ndarray) -> np.ndarray:
    """The order of references (M,) in which those with similar limits share a group: `inside` is then quick."""
    columns = np.arange(_slabs(len(limits)) * _GROUPS).reshape(-1, _GROUPS).T.ravel()
    order = np.empty(len(limits), int)
    order[columns[columns < len(limits)]] = np.argsort(limits)
    return order


def _slabs(count: int) -> int:
    return -(-count // _GROUPS)


def _near(block: Block, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows, ascending, and columns of the pairs that are approximately not above `limits` ((R, 1) or (1, M))."""
    slabs = len(block.squares)
    if limits.shape[1] > 1:
        limits = np.pad(limits[0], (0, slabs * _GROUPS - limits.shape[1]), constant_values=-np.inf)
        limits = np.ascontiguousarray(limits.reshape(slabs, _GROUPS).T)
        near = np.flatnonzero(block.minima <= limits.max(axis=1))
        limits = limits[near % _GROUPS]
    else:
        near = np.flatnonzero(block.minima <= limits)
        limits = limits if len(limits) == 1 else limits[near // _GROUPS]
    members = block.squares.ravel().take(near[:, None] + block.minima.size * np.arange(slabs))
    place, slab = np.divmod(np.flatnonzero(members <= limits), slabs)
    rows, groups = np.divmod(near[place], _GROUPS)
    return rows, slab * _GROUPS + groups


def _exact(block: Block, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Squared distances of the named pairs in float64."""
    if len(rows) * _DENSE > block.squares.size:
        return cdist(block.queries, block.references, "sqeuclidean")[rows, columns]
    differences = block.queries[rows] - block.references[columns]
    return np.einsum("ij,ij->i", differences, differences)
