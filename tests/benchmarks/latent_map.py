"""Hidden structure that codes hold, and what maps cost: python tests/benchmarks/latent_map.py [DATASET …] [--seconds]

For each autoencoder of a dataset (as given MNIST and Fashion-MNIST) the test split is encoded and grouped by k-means
with as many clusters as there are classes, seeds 0 to 2, four starts each: mean adjusted Rand index and normalised
mutual information against the labels. The features of the classifier, which learned the labels, and the pixels
themselves stand beside them. --seconds: t-SNE and UMAP of all codes of the first dataset's best entry as the page
computes them, in a process of their own: seconds on the clock, and of processor time, the process' start and imports
included. Prints a table and, as its last line, JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np

from zoo.analysis import apart, cloud, clusters, embedding
from zoo.data import datasets
from zoo.entries import catalog
from zoo.errors import DatasetUnavailable

SEEDS = (0, 1, 2)


def vectors(name: str) -> tuple[dict[str, np.ndarray], np.ndarray, int]:
    """Name -> vectors (N, D) of the test split; labels (N,); number of classes."""
    split, every = datasets.load(name, "test"), catalog.entries()
    classifier = catalog.classifier_for(name, every)
    found = {
        entry.id: cloud.of_codes(entry, split.images, split.labels, split.classes, classifier).codes
        for entry in every
        if entry.dataset == name and "encode" in entry.capabilities
    }
    if classifier:
        found["features of the classifier"] = cloud.of_features(classifier, split.images, split.labels, None).codes
    found["pixels"] = split.images.reshape(len(split.images), -1)
    return found, split.labels, len(split.classes)


def scores(codes: np.ndarray, labels: np.ndarray, count: int) -> dict:
    """Mean and range over SEEDS of the adjusted Rand index, and the mean normalised mutual information."""
    found = [
        clusters.agreement(labels, clusters.cluster(codes, clusters.Settings("kmeans", count, seed=seed)))
        for seed in SEEDS
    ]
    rand, shared = np.array(found).T
    return {
        "ari": round(float(rand.mean()), 4), "low": round(float(rand.min()), 4), "high": round(float(rand.max()), 4),
        "nmi": round(float(shared.mean()), 4), "numbers": codes.shape[1],
    }  # fmt: skip


def seconds(codes: np.ndarray) -> dict:
    """Seconds that each map of codes takes, on the clock and of processor time."""
    found = {}
    for method in ("tsne", "umap") if embedding.installed() else ("tsne",):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        apart.compute(codes, embedding.Settings(method), lambda part: None, lambda: False)
        clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found[method] = {"codes": len(codes), "clock": round(clock, 1), "cpu": round(cpu, 1)}
        print(f"{embedding.METHODS[method]:30}{len(codes):8,} codes{clock:9.1f} s{cpu:9.1f} s of processor", flush=True)
    return found


def main(arguments: list[str]) -> None:
    names = [name for name in arguments if not name.startswith("--")] or ["mnist", "fashion_mnist"]
    rows, best, kept = [], {}, None
    for name in names:
        try:
            found, labels, count = vectors(name)
        except DatasetUnavailable as error:
            print(error)
            continue
        print(f"\n{name}: {len(labels):,} test images, k-means with {count} clusters, seeds {SEEDS}")
        for title, codes in found.items():
            row = {"dataset": name, "name": title, **scores(codes, labels, count)}
            rows.append(row)
            print(
                f"{title:30}{row['numbers']:6} numbers   ARI {row['ari']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
                f"   NMI {row['nmi']:.3f}", flush=True,
            )  # fmt: skip
        entries = [row for row in rows if row["dataset"] == name and catalog.find(row["name"])]
        if entries:
            best[name] = max(entries, key=lambda row: row["ari"])["name"]
            kept = found[best[name]] if kept is None else kept
    cost = seconds(kept) if "--seconds" in arguments and kept is not None else {}
    print(json.dumps({"benchmark": "latent_map", "seeds": SEEDS, "rows": rows, "best": best, "seconds": cost}))


if __name__ == "__main__":
    main(sys.argv[1:])
