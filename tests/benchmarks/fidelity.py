"""Our metrics beside those of torch-fidelity on the same features: python tests/benchmarks/fidelity.py [ENTRY [COUNT]]

Features are those of the classifier of the entry's dataset, on COUNT test images and as many samples. Needs torch and
torch-fidelity, which are no dependency of this project; without them it says so and does nothing. The kernel distance
over a subset as large as the sets is one over all pairs. CPU seconds of all threads, the smallest of three runs that
take turns. Prints a table and, as its last line, JSON.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np

try:
    import torch
    from torch_fidelity import metric_fid, metric_kid, metric_prc
except ImportError as error:
    print(f"torch-fidelity cannot be imported ({error}): pip install torch torch-fidelity.")
    sys.exit()

from zoo import images, models
from zoo.data import datasets
from zoo.entries import catalog
from zoo.metrics import frechet, kernel, prdc

RUNS, NEIGHBOURS = 3, 3
CUBIC = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}


def features(name: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, D) float64 of real and of generated images."""
    entry = catalog.find(name, [catalog.EMBEDDED])
    classifier = catalog.classifier_for(entry)
    real = datasets.load(entry.dataset, "test", count=count).images
    sets = real, models.sample(entry, len(real), seed=0).images
    return tuple(models.classify(classifier, images.fit(x, classifier.shape)[0])[1].astype(float) for x in sets)


def cases(real: np.ndarray, generated: np.ndarray) -> dict:
    """Name -> (ours, theirs), each a function that gives numbers."""
    ours, theirs = (real, generated), tuple(map(torch.from_numpy, (real, generated)))

    def their_frechet():
        first, second = map(metric_fid.fid_features_to_statistics, theirs)
        return [metric_fid.fid_statistics_to_metric(first, second, False)[metric_fid.KEY_METRIC_FID]]

    def their_kernel(subsets: int, size: int):
        options = CUBIC | {"kid_subsets": subsets, "kid_subset_size": size, "rng_seed": 0, "verbose": False}
        found = metric_kid.kid_features_to_metric(*theirs, **options)
        return [found[metric_kid.KEY_METRIC_KID_MEAN]]

    def their_precision():
        options = {"prc_neighborhood": NEIGHBOURS, "prc_batch_size": 10_000, "save_cpu_ram": True, "verbose": False}
        found = metric_prc.prc_features_to_metric(*theirs[::-1], **options)
        return [found["precision"], found["recall"]]

    def our_kernel():
        return [kernel.distance(*ours)]

    return {
        "frechet": (lambda: [frechet.distance(*map(frechet.statistics, ours))], their_frechet),
        "kid, all pairs": (our_kernel, lambda: their_kernel(1, len(real))),
        "kid, 100 subsets of 1,000": (our_kernel, lambda: their_kernel(100, min(1000, len(real)))),
        "precision, recall": (lambda: list(prdc.scores(*ours, k=NEIGHBOURS)[:2]), their_precision),
    }


def timed(work) -> tuple[float, list[float]]:
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def main(name: str = "mnist-vae", count: int = 5000) -> None:
    rows = []
    real, generated = features(name, count)
    for metric, pair in cases(real, generated).items():
        runs = [[timed(work) for work in pair] for _ in range(RUNS)]
        (ours, mine), (theirs, other) = (min(column) for column in zip(*runs, strict=True))
        difference = max(abs(a - b) / abs(b) for a, b in zip(mine, other, strict=True))
        rows.append({"metric": metric, "ours": mine, "torch-fidelity": other, "relative difference": difference,
                     "s": round(ours, 4), "torch-fidelity s": round(theirs, 4),
                     "times as fast": round(theirs / ours, 2)})  # fmt: skip
        values = "  ".join(f"{a:.6f} / {b:.6f}" for a, b in zip(mine, other, strict=True))
        print(f"{metric:28}{values:46}{difference:10.1e}{ours:10.3f} s{theirs:10.3f} s", flush=True)
    print(json.dumps({"benchmark": "fidelity", "entry": name, "images": len(real), "dimensions": real.shape[1],
                      "rows": rows}))  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
