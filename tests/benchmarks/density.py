"""How well an entry's scores tell its own test images from those of another dataset: python tests/benchmarks/density.py

For each entry of digits, fruits, MNIST and Fashion-MNIST that has a likelihood: the area under the ROC curve (AUROC) of
log p(x) by the importance-weighted bound, log p(code), reconstruction error and Mahalanobis distance of the code, with
its own test split as what is usual and the other dataset of the pair, fitted to the entry's shape, as what is not.
Below 0.5 the other dataset is found the more usual. Entries can be named; datasets that are not here are left out.
The last line is JSON.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from zoo.analysis import anomalies
from zoo.data import datasets
from zoo.entries import catalog

PAIRS = {"digits": "fruits", "fruits": "digits", "mnist": "fashion_mnist", "fashion_mnist": "mnist"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entries", nargs="*", help="names of entries; all without")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--draws", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    setting, found = anomalies.Setting(options.draws, options.seed), {}
    print(f"{options.images} test images of each set, {options.draws} latents for the bound, seed {options.seed}")
    heads = [score.title for score in anomalies.SCORES.values()]
    print(f"{'entry':22} {'against':14} " + " ".join(f"{head:>20}" for head in heads) + "   mean log p, own and other")
    for entry in catalog.entries():
        other = PAIRS.get(entry.dataset, "")
        wanted = entry.name in options.entries or not options.entries
        if not wanted or not anomalies.offered(entry) or not all(map(datasets.available, (entry.dataset, other))):
            continue
        scores = []
        for name in (entry.dataset, other):
            split = datasets.load(name, "test", options.images, options.seed)
            classifier = catalog.classifier_for(entry, catalog.entries())
            known = split.labels, split.classes
            scores.append(anomalies.score(entry, split.images, setting, known, classifier).scores)
        areas = anomalies.separation(*scores)
        likelihood = anomalies.likelihood_of(list(areas))
        means = [float(part[likelihood].mean()) for part in scores]
        found[entry.name] = {"against": other, **areas, "mean_log_p": means}
        cells = " ".join(f"{areas[name]:20.3f}" if name in areas else " " * 20 for name in anomalies.SCORES)
        print(f"{entry.name:22} {other:14} {cells}   {means[0]:.1f} {means[1]:.1f}", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
