"""Real or fake: rounds mixed from real and generated pictures, and who is deceived by which.

Answers and verdicts are bool (N,), True where a picture is taken for real. `source` (N,) says where each picture is
from: 0 is the dataset, k the k-th generator.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

ROUNDS = 20
PASSED = 0.95  # share of other real pictures that a machine has to take for real
LEVELS = 64  # a dataset of at most so many grey values gives itself away beside smooth ones


def mix(generators: int, real: int, seed: int, rounds: int = ROUNDS) -> tuple[np.ndarray, np.ndarray]:
    """Choose where the pictures of a quiz are from: half of them from the dataset, the others evenly from generators.

    Args:
        generators: how many there are, at least 1. real: how many real pictures there are to choose from.

    Returns:
        source (rounds,) and row (rounds,): the number of a picture among those of its source, none of them twice.

    Raises:
        ValueError: there are fewer real pictures than the quiz needs.
    """
    half = rounds // 2
    if real < half:
        raise ValueError(f"A quiz of {rounds} pictures needs {half} real ones, and there are {real}.")
    rng = np.random.default_rng(seed)
    made = 1 + (np.arange(rounds - half) + rng.integers(generators)) % generators
    source = rng.permutation(np.concatenate([np.zeros(half, int), made]))
    row = np.zeros(rounds, int)
    row[source == 0] = rng.permutation(real)[:half]
    for number in range(1, generators + 1):
        row[source == number] = np.arange((source == number).sum())
    return source, row


def disguised(pictures: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Return pictures with the values that real ones (M, H, W, C) have, where these are few, else in steps of 1/255:
    their range and their number tell nothing. Both in [0, 1]."""
    levels = np.unique(real)
    if len(levels) > LEVELS or len(levels) < 2:
        return (np.rint(np.clip(pictures, 0, 1) * 255) / 255).astype(np.float32)
    borders = (levels[1:] + levels[:-1]) / 2
    return levels[np.searchsorted(borders, pictures)].astype(np.float32)


def verdicts(scores: np.ndarray, reference: np.ndarray, passed: float = PASSED) -> np.ndarray:
    """Return which scores (N,) are those of a real picture: at least what the given share of other real pictures,
    whose scores are the reference (M,), reach. It makes verdicts of any score that grows with realism."""
    return scores >= np.quantile(reference, 1 - passed, method="lower")


def right(said: np.ndarray, source: np.ndarray) -> int:
    """Return how many answers (N,) are right."""
    return int((said == (source == 0)).sum())


def luck(hits: int, rounds: int = ROUNDS) -> float:
    """Return the probability of at least so many right answers by tossing a coin for each."""
    return sum(math.comb(rounds, k) for k in range(hits, rounds + 1)) / 2**rounds


def standings(said: Mapping[str, np.ndarray], source: np.ndarray, generators: Sequence[str]) -> dict[str, list[str]]:
    """Return a table by columns: for each source how many of its pictures each judge took for real (of a generator's,
    that is how often it deceived), and last how many answers were right."""
    titles = ["Real images", *generators]
    columns: dict[str, list[str]] = {"Taken for real": [*titles, "Right in all"]}
    for judge, answers in said.items():
        cells = []
        for number in range(len(titles)):
            of_it = source == number
            cells.append(f"{int(answers[of_it].sum())}/{int(of_it.sum())}" if of_it.any() else "–")
        columns[judge] = [*cells, f"{right(answers, source)}/{len(source)}"]
    return columns


def told(hits: int, rounds: int = ROUNDS) -> str:
    """Say a score in one sentence, with what guessing would give."""
    chance = luck(hits, rounds)
    share = "1 of 1,000" if chance < 0.0015 else f"{max(1, round(100 * chance))} of 100"
    text = f"{hits} of {rounds} right. Guessing gives {rounds // 2} on average"
    if hits <= rounds // 2:
        return f"{text}: you could not tell these pictures apart."
    return f"{text}, and {hits} or more in about {share} rounds."
