"""Separated attribute predictability (Kumar et al. 2018, "Variational inference of disentangled latent concepts").

For each factor: how much better the best single dimension of the code predicts it, by a line, than the second best.
"""

import numpy as np


def score(codes: np.ndarray, factors: dict[str, np.ndarray]) -> float:
    """Mean over factors of the difference between the two best dimensions, in [0, 1].

    codes: (N, L). factors: name -> (N,). A float factor is predicted by linear regression: R². An integer factor by a
    linear support vector machine: balanced accuracy. Raises ValueError when lengths differ.
    """
    codes = np.asarray(codes, np.float64)
    deviation = codes.std(0)
    codes = (codes - codes.mean(0)) / np.where(deviation > 0, deviation, np.inf)
    gaps = []
    for name, values in factors.items():
        values = np.asarray(values)
        if len(values) != len(codes):
            raise ValueError(f"The factor {name} has {len(values)} values for {len(codes)} codes.")
        predict = _separable if values.dtype.kind in "biu" else _correlated
        # A dimension that does not exist predicts nothing: a code of one number has no second best.
        blank = predict(np.zeros((len(codes), 1)), values)
        best = np.sort(np.concatenate([blank, predict(codes, values)]))
        gaps.append(best[-1] - best[-2])
    return float(np.mean(gaps))


def _correlated(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Squared correlation of each standardised column (N, L) with the values (N,)."""
    values = (values - values.mean(dtype=float)) / max(values.std(dtype=float), 1e-300)
    return (codes.T @ values / len(values)) ** 2


def _separable(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Balanced accuracy of a linear classifier on each column (N, L) alone."""
    # Only evaluation fits; importing scikit-learn would triple the time until the app's pages stand.
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.svm import LinearSVC

    found = []
    for column in codes.T:
        machine = LinearSVC(C=0.01, class_weight="balanced").fit(column[:, None], values)
        found.append(balanced_accuracy_score(values, machine.predict(column[:, None])))
    return np.array(found)
