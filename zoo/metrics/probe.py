"""Linear probe (Alain and Bengio 2016): how well a linear classifier reads the class from a code.

Logistic regression on standardised values; what it cannot read is not laid out in the code, though it may be in it.
"""

import numpy as np

PENALTY = 1.0  # inverse strength of the L2 penalty
ITERATIONS = 200


def accuracy(
    codes: np.ndarray, labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray, penalty: float = PENALTY
) -> float:
    """Share of test codes (M, D) that are given their true label (M,), by a classifier fitted to codes (N, D).

    Deterministic. Raises ValueError when numbers do not match, there are no two classes or a value is not finite.
    """
    # Only evaluation fits; importing scikit-learn would triple the time until the app's pages stand.
    from sklearn.linear_model import LogisticRegression

    codes, test_codes = np.asarray(codes, np.float32), np.asarray(test_codes, np.float32)
    labels, test_labels = np.asarray(labels), np.asarray(test_labels)
    if len(codes) != len(labels) or len(test_codes) != len(test_labels) or codes.shape[1:] != test_codes.shape[1:]:
        raise ValueError(
            f"Codes {codes.shape} and {test_codes.shape} do not go with {len(labels)} and {len(test_labels)} labels."
        )
    if len(np.unique(labels)) < 2:
        raise ValueError("A classifier needs examples of at least two classes.")
    mean, deviation = codes.mean(0, dtype=float), codes.std(0, dtype=float)
    scale = np.where(deviation > 1e-6 * deviation.max(), deviation, np.inf)  # what never varies tells nothing
    codes, test_codes = (((x - mean) / scale).astype(np.float32) for x in (codes, test_codes))
    if not (np.isfinite(codes).all() and np.isfinite(test_codes).all()):
        raise ValueError("The codes hold values that are not finite.")
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last digits of the weights do not matter
        probe = LogisticRegression(C=penalty, max_iter=ITERATIONS).fit(codes, labels)
    return float((probe.predict(test_codes) == test_labels).mean())
