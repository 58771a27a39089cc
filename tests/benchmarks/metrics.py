"""What every metric costs on 10,000 images against as many: python tests/benchmarks/metrics.py [COUNT [DIMENSIONS]]

Beside each time stands that of the matrix products the metric contains, done alone on arrays of the same sizes and
types, and the ratio of the two; where the package `prdc` is installed, its time for the same scores too. CPU seconds
of all threads, median of three runs after one for warming up. Prints a table and, as its last line, JSON.
"""

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np

from zoo.metrics import distances, duplicates, frechet, kernel, memorisation, prdc, random_features, sliced_wasserstein

RUNS = 3
ROWS = 256


def product(rows: int, inner: int, columns: int, dtype=np.float32, times: int = 1):
    """A function that does `times` products (rows, inner) @ (inner, columns) in blocks, as the metrics do."""
    rng = np.random.default_rng(0)
    left, right = rng.random((rows, inner)).astype(dtype), rng.random((columns, inner)).astype(dtype).T

    def multiply():
        for _ in range(times):
            for start in range(0, rows, ROWS):
                left[start : start + ROWS] @ right

    return multiply


def convolutions(count: int, shape: tuple[int, int, int]):
    """The matrix products of the random network."""
    height, width, channels = shape
    parts = []
    for side, wanted in random_features.LAYERS:
        height, width = (height + 1) // 2, (width + 1) // 2
        parts.append(product(count * height * width, side * side * channels, wanted))
        channels = wanted
    parts.append(product(count, height * width * channels, random_features.DIMENSIONS))
    return lambda: [part() for part in parts]


def seconds(work) -> float:
    times = []
    for _ in range(1 + RUNS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def cases(n: int, d: int) -> dict:
    """Name -> (metric, its matrix products)."""
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(d, d)) / np.sqrt(d)
    real, generated, held = (np.maximum(rng.normal(size=(n, d)) @ basis, 0).astype(np.float32) for _ in range(3))
    pictures = rng.random((2, n, 28, 28, 1), dtype=np.float32)
    limit = duplicates.threshold(real)

    def covariance():
        wide = real.astype(np.float64)
        for _ in range(2):
            wide.T @ wide

    directions = sliced_wasserstein.DIRECTIONS
    return {
        "frechet": (lambda: frechet.distance(frechet.statistics(real), frechet.statistics(generated)), covariance),
        "kid": (lambda: kernel.distance(real, generated), product(n, d + 1, n, np.float64, 3)),
        "prdc": (lambda: prdc.scores(real, generated), product(n, d + 2, n, times=3)),
        "nearest": (lambda: distances.kth_nearest(generated, real), product(n, d + 2, n)),
        "duplicates": (lambda: duplicates.pairs(generated, limit), product(n, d + 2, n)),
        "memorisation": (lambda: memorisation.ratio(generated, held, real), product(n, d + 2, n, times=2)),
        "sliced_wasserstein": (
            lambda: sliced_wasserstein.distance(*pictures),
            product(directions, 784, n, times=2),
        ),
        "random_features": (lambda: random_features.features(pictures[0]), convolutions(n, (28, 28, 1))),
    }


def reference(n: int, d: int) -> dict | None:
    """prdc.scores against the package of Naeem et al., on the same features; None where it is not installed."""
    try:
        from prdc import compute_prdc
    except ImportError:
        print("The package prdc is not installed (pip install prdc): its time is left out.")
        return None
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(n, d)), 0.9 * rng.normal(size=(n, d))
    ours = prdc.scores(real, generated)
    theirs = compute_prdc(real_features=real, fake_features=generated, nearest_k=prdc.NEIGHBOURS)
    difference = max(abs(getattr(ours, name) - theirs[name]) for name in prdc.Scores._fields)
    mine = seconds(lambda: prdc.scores(real, generated))
    other = seconds(lambda: compute_prdc(real_features=real, fake_features=generated, nearest_k=prdc.NEIGHBOURS))
    return {"ours s": round(mine, 2), "prdc s": round(other, 2), "largest difference": float(difference)}


def main(n: int = 10_000, d: int = 64) -> None:
    rows = []
    for name, (metric, products) in cases(n, d).items():
        taken, least = seconds(metric), seconds(products)
        rows.append({"metric": name, "s": round(taken, 3), "products s": round(least, 3),
                     "ratio": round(taken / least, 2)})  # fmt: skip
        print("  ".join(f"{value:>26}" for value in rows[-1].values()), flush=True)
    beside = reference(n, d)
    if beside:
        print(beside)
    print(json.dumps({"benchmark": "metrics", "images": n, "dimensions": d, "rows": rows, "prdc": beside}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
