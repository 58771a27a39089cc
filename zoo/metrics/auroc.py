"""Area under the ROC curve: how well one score tells two sets of images apart (Hanley and McNeil 1982)."""

import numpy as np


def auroc(normal: np.ndarray, unusual: np.ndarray) -> float:
    """Share of all pairs in which the unusual one has the higher score; ties count half.

    normal: (N,), unusual: (M,) scores that should be higher for what is unusual. 1 is never wrong, 0.5 is guessing, and
    below 0.5 the score is misled. Raises ValueError when a set is empty or a score is not a number.
    """
    normal, unusual = np.sort(np.asarray(normal, float).ravel()), np.asarray(unusual, float).ravel()
    if not len(normal) or not len(unusual):
        raise ValueError("The area under the ROC curve needs scores of both sets.")
    if np.isnan(normal).any() or np.isnan(unusual).any():
        raise ValueError("The scores hold values that are no numbers.")
    below, not_above = (np.searchsorted(normal, unusual, side=side) for side in ("left", "right"))
    return float((below + not_above).mean() / (2 * len(normal)))
