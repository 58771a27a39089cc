"""Linear probes (Alain and Bengio 2016): how well a linear model reads the class or a number from a code.

Logistic regression on standardised values for classes, ridge regression for numbers; what these cannot read is not laid
out in the code, though it may be in it.
"""

import numpy as np

PENALTY = 1.0  # inverse strength of the L2 penalty
ITERATIONS = 200
CONSTANT = 1000.0
RIDGES = 10.0 ** np.arange(-4, 5)  # strengths of the L2 penalty to choose from, per example


def accuracy(
    codes: np.ndarray, labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray, penalty: float = PENALTY
) -> float:
    """Share of test codes (M, D) that are given their true label (M,), by a classifier fitted to codes (N, D).

    Deterministic. Raises ValueError when numbers do not match, there are no two classes or a value is not finite.
    """
    if len(test_codes) != len(test_labels):
        raise ValueError(f"Test codes {np.shape(test_codes)} do not go with {len(test_labels)} labels.")
    return float((predicted(codes, labels, test_codes, penalty) == np.asarray(test_labels)).mean())


def predicted(codes: np.ndarray, labels: np.ndarray, test_codes: np.ndarray, penalty: float = PENALTY) -> np.ndarray:
    """Label (M,) that a classifier fitted to codes (N, D) with labels (N,) gives to each test code (M, D).

    Deterministic. Raises ValueError when numbers do not match, there are no two classes or a value is not finite.
    """
    # Only evaluation fits; importing scikit-learn would triple the time until the app's pages stand.
    from sklearn.linear_model import LogisticRegression

    labels = np.asarray(labels)
    codes, test_codes = _standardised(codes, test_codes, len(labels))
    if len(np.unique(labels)) < 2:
        raise ValueError("A classifier needs examples of at least two classes.")
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last digits of the weights do not matter
        probe = LogisticRegression(C=penalty, max_iter=ITERATIONS).fit(codes, labels)
    return probe.predict(test_codes)


def determination(codes: np.ndarray, values: np.ndarray, test_codes: np.ndarray, test_values: np.ndarray) -> np.ndarray:
    """R² (K,) of numbers (M, K) read from test codes (M, D) by a ridge regression fitted to codes (N, D).

    R² is 1 - Σ(y - ŷ)² / Σ(y - mean y)²: 1 is perfect, 0 as good as the mean, below 0 worse. Codes are standardised;
    the strength of the penalty is the one of RIDGES with the least leave-one-out error on the N examples (Allen 1974,
    PRESS), relative to the variance of each number and together for all of them. A number that never varies among the
    test values has R² 0. Deterministic. Raises ValueError when numbers do not match or a value is not finite.
    """
    values, test_values = np.asarray(values, float), np.asarray(test_values, float)
    if len(test_codes) != len(test_values) or values.shape[1:] != test_values.shape[1:]:
        raise ValueError(f"Test codes {np.shape(test_codes)} do not go with values {test_values.shape}.")
    # A constant column is the intercept, so large that it is not held back. Without it, an example left out would be
    # known from the mean of all.
    codes, test_codes = (
        np.hstack([part, np.full((len(part), 1), CONSTANT)]) for part in _standardised(codes, test_codes, len(values))
    )
    mean = values.mean(0)
    left, squares = _principal(codes)
    centred = values - mean
    scale = centred.std(0)
    rotated, least, chosen = left.T @ centred, np.inf, np.zeros(values.shape)
    for ridge in RIDGES * len(values):
        kept = squares / (squares + ridge)
        weights = (centred - left @ (kept[:, None] * rotated)) / ridge
        # The leave-one-out residual of a row is its dual weight over the diagonal of (codes @ codes.T + ridge)⁻¹.
        errors = weights * ridge / (1 - np.square(left) @ kept)[:, None]
        if (error := np.square(errors / np.where(scale > 0, scale, np.inf)).sum()) < least:
            least, chosen = error, weights
    guessed = test_codes @ (codes.T @ chosen) + mean
    residual, total = np.square(test_values - guessed).sum(0), np.square(test_values - test_values.mean(0)).sum(0)
    return np.where(total > 0, 1 - residual / np.where(total > 0, total, 1), 0.0)


def _principal(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left singular vectors (N, R) of codes (N, D) and their squared singular values (R,), R the smaller of N and D; by
    the smaller of the two matrices that have these eigenvalues."""
    if len(codes) <= codes.shape[1]:
        squares, left = np.linalg.eigh(codes @ codes.T)
        return left, squares.clip(0)
    squares, right = np.linalg.eigh(codes.T @ codes)
    squares = squares.clip(0)
    return codes @ (right / np.sqrt(squares.clip(max(squares.max() * 1e-10, 1e-300)))), squares


def _standardised(codes: np.ndarray, test_codes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes (N, D) and test codes (M, D) with mean 0 and deviation 1 over the N; raises ValueError for unfit ones."""
    codes, test_codes = np.asarray(codes, np.float32), np.asarray(test_codes, np.float32)
    if len(codes) != count or codes.shape[1:] != test_codes.shape[1:]:
        raise ValueError(f"Codes {codes.shape} and {test_codes.shape} do not go with {count} labels.")
    mean, deviation = codes.mean(0, dtype=float), codes.std(0, dtype=float)
    scale = np.where(deviation > 1e-6 * deviation.max(), deviation, np.inf)  # what never varies tells nothing
    codes, test_codes = (((x - mean) / scale).astype(np.float32) for x in (codes, test_codes))
    if not (np.isfinite(codes).all() and np.isfinite(test_codes).all()):
        raise ValueError("The codes hold values that are not finite.")
    return codes, test_codes
