"""Disentanglement, completeness, informativeness (Eastwood and Williams 2018, "A framework for the quantitative
evaluation of disentangled representations").

A random forest predicts each factor from the code; how much it relies on each dimension is a matrix of importances.
"""

from typing import NamedTuple

import numpy as np

TREES, DEPTH = 20, 10


class Scores(NamedTuple):
    """All in [0, 1].

    disentanglement: each dimension matters to one factor only (weighted by how much it matters at all)
    completeness: each factor depends on one dimension only
    informativeness: how well the factors are predicted for codes not trained on: accuracy of classes, R² of numbers
    """

    disentanglement: float
    completeness: float
    informativeness: float


def scores(codes: np.ndarray, factors: dict[str, np.ndarray], seed: int = 0) -> Scores:
    """Scores of codes (N, L) for factors name -> (N,), integers for classes, floats for numbers.

    The forests learn from three quarters of the rows and are tested on the last quarter.
    """
    # Only evaluation fits; importing scikit-learn would triple the time until the app's pages stand.
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    codes = np.asarray(codes, np.float32)
    split = 3 * len(codes) // 4
    importances, known = [], []
    for name, values in factors.items():
        values = np.asarray(values)
        if len(values) != len(codes):
            raise ValueError(f"The factor {name} has {len(values)} values for {len(codes)} codes.")
        kind = RandomForestClassifier if values.dtype.kind in "biu" else RandomForestRegressor
        options = {"max_depth": DEPTH, "max_features": None, "random_state": seed}
        forest = kind(TREES, **options).fit(codes[:split], values[:split])
        importances.append(forest.feature_importances_)
        known.append(max(0.0, forest.score(codes[split:], values[split:])))
    found = from_importances(np.stack(importances, axis=1))
    return Scores(*found, float(np.mean(known)))


def from_importances(importances: np.ndarray) -> tuple[float, float]:
    """Disentanglement and completeness of a matrix (L, K): importance of each dimension for each factor, 0 or more."""
    total = importances.sum()
    if total == 0:
        return 0.0, 0.0
    disentanglement = (_focus(importances) * importances.sum(1)).sum() / total
    completeness = (_focus(importances.T) * importances.sum(0)).sum() / total
    return float(disentanglement), float(completeness)


def _focus(rows: np.ndarray) -> np.ndarray:
    """1 - entropy of each row (R, C) in units of log C: 1 when one value holds all, 0 when all are equal."""
    if rows.shape[1] == 1:
        return np.ones(len(rows))
    sums = rows.sum(1, keepdims=True)
    shares = np.divide(rows, sums, out=np.full(rows.shape, 1 / rows.shape[1]), where=sums > 0)
    logs = np.log(shares, out=np.zeros(rows.shape), where=shares > 0)
    return 1 + (shares * logs).sum(1) / np.log(rows.shape[1])
