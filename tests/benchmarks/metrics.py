"""What every metric costs on 10,000 images against as many: python tests/benchmarks/metrics.py [COUNT [DIMENSIONS]]

Beside each time stands that of the matrix products the metric contains, done alone on arrays of the same sizes and
types, and the ratio of the two. Two metrics contain more that no other way of writing them avoids: the sorting of the
sliced Wasserstein distance, and the eigenvalues and singular values of the Fréchet distance. That is timed with the
products and named in the table. Where the package `prdc` is installed, its time for the same scores stands below.

CPU seconds of all threads, the smallest of five runs after one for warming up; metric and products take turns, so that
what else the machine does meets both alike. Set OMP_NUM_THREADS=1 on a busy machine. Prints a table and, as its last
line, JSON.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np
from scipy.linalg import svdvals

from zoo.metrics import distances, duplicates, frechet, kernel, memorisation, prdc, random_features, sliced_wasserstein

RUNS = 5
ROWS = 256
COUNTED = {"frechet": "products and eigenvalues", "sliced_wasserstein": "products and sorting"}


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


def seconds(*works) -> list[float]:
    times = []
    for _ in range(1 + RUNS):
        times.append([])
        for work in works:
            start = time.process_time()
            work()
            times[-1].append(time.process_time() - start)
    return [min(column) for column in zip(*times[1:], strict=True)]


def cases(n: int, d: int) -> dict:
    """Name -> (metric, its matrix products and what else it cannot do without)."""
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(d, d)) / np.sqrt(d)
    real, generated, held = (np.maximum(rng.normal(size=(n, d)) @ basis, 0).astype(np.float32) for _ in range(3))
    pictures = rng.random((2, n, 28, 28, 1), dtype=np.float32)
    limit = duplicates.threshold(real)

    wide = real.astype(np.float64)
    covariances = [np.cov(features, rowvar=False) for features in (real, generated)]

    def gaussians():
        for covariance in covariances:
            wide.T @ wide
            np.linalg.eigh(covariance)
        svdvals(covariances[0] @ covariances[1])

    directions = sliced_wasserstein.DIRECTIONS
    along = [rng.random((directions, n), dtype=np.float32) for _ in range(2)]
    projections = product(directions, 784, n, times=2)

    def sorted_projections():
        projections()
        for values in along:
            np.sort(values, axis=1)

    return {
        "frechet": (lambda: frechet.distance(frechet.statistics(real), frechet.statistics(generated)), gaussians),
        "kid": (lambda: kernel.distance(real, generated), product(n, d + 1, n, np.float64, 3)),
        "prdc": (lambda: prdc.scores(real, generated), product(n, d + 2, n, times=3)),
        "nearest": (lambda: distances.kth_nearest(generated, real), product(n, d + 2, n)),
        "duplicates": (lambda: duplicates.pairs(generated, limit), product(n, d + 2, n)),
        "memorisation": (lambda: memorisation.ratio(generated, held, real), product(n, d + 2, n, times=2)),
        "sliced_wasserstein": (lambda: sliced_wasserstein.distance(*pictures), sorted_projections),
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
    mine, other = seconds(
        lambda: prdc.scores(real, generated),
        lambda: compute_prdc(real_features=real, fake_features=generated, nearest_k=prdc.NEIGHBOURS),
    )
    return {"ours s": round(mine, 2), "prdc s": round(other, 2), "largest difference": float(difference)}


def main(n: int = 10_000, d: int = 64) -> None:
    rows = []
    for name, (metric, products) in cases(n, d).items():
        taken, least = seconds(metric, products)
        rows.append({"metric": name, "s": round(taken, 4), "products s": round(least, 4),
                     "ratio": round(taken / least, 2), "counted": COUNTED.get(name, "products")})  # fmt: skip
        print("  ".join(f"{value:>26}" for value in rows[-1].values()), flush=True)
    beside = reference(n, d)
    if beside:
        print(beside)
    print(json.dumps({"benchmark": "metrics", "images": n, "dimensions": d, "rows": rows, "prdc": beside}))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
