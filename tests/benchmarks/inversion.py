"""How near GANs come to test images: python tests/benchmarks/inversion.py [ENTRY …]

For each GAN of the zoo, over 8 test images of its dataset (seed 0): the mean squared error of the best of as many
random draws as the search makes images, of the search, and of its encoder where it has one; seconds of the wall clock
and of the processor for each image; and beside it the error of the autoencoder of the same dataset whose code has
nearest as many numbers. Conditional entries are told the true class. The last line is JSON.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np

from zoo import models
from zoo.analysis import inversion
from zoo.analysis.conditions import labels_for
from zoo.data import datasets
from zoo.entries import Entry, catalog

COUNT, SETTINGS = 8, inversion.Settings()


def errors(images: np.ndarray, made: np.ndarray) -> np.ndarray:
    return np.array([inversion.mse(one, image) for one, image in zip(made, images, strict=True)])


def best_draws(entry: Entry, images: np.ndarray, labels: np.ndarray | None, count: int) -> np.ndarray:
    """Return the error of the nearest of so many draws to each image."""
    found = []
    for index, image in enumerate(images):
        label = None if labels is None else int(labels[index])
        made = models.sample(entry, count, 1, "prior", label=label).images
        found.append(np.square(made - image).reshape(count, -1).mean(1).min())
    return np.array(found)


def measure(entry: Entry, entries: list[Entry]) -> dict:
    split = datasets.load(entry.dataset, "test", COUNT)
    labels, _ = labels_for(entry, split.images, split.labels, split.classes)
    wall, work = time.monotonic(), time.process_time()
    found = inversion.invert(entry, split.images, labels, SETTINGS)
    wall, work = (
        round((now - then) / COUNT, 2) for now, then in ((time.monotonic(), wall), (time.process_time(), work))
    )
    row = {
        "entry": entry.id,
        "latents": int(np.prod(entry.latent_shape)),
        "mse": np.mean([item.error for item in found]),
    }
    row |= {"wall": wall, "cpu": work, "images": int(np.mean([item.made for item in found]))}
    row["draws"] = best_draws(entry, split.images, labels, row["images"]).mean()
    if "encode" in entry.capabilities:
        row["encoder"] = errors(split.images, models.reconstruct(entry, split.images, labels)).mean()
    if other := inversion.neighbour(entry, entries):
        row |= {"beside": other.id, "beside_mse": errors(split.images, models.reconstruct(other, split.images)).mean()}
    floats = {name: round(float(value), 5) for name, value in row.items() if isinstance(value, float | np.floating)}
    return row | floats


def main() -> None:
    entries = catalog.entries()
    wanted = [entry for entry in entries if inversion.invertible(entry) and inversion.adversarial(entry)]
    print(f"{'entry':24}{'draws':>9}{'search':>9}{'encoder':>9}  {'wall s':>7}{'cpu s':>7}  beside it")
    rows = []
    for entry in wanted:
        if sys.argv[1:] and entry.id not in sys.argv[1:]:
            continue
        rows.append(row := measure(entry, entries))
        encoder = f"{row['encoder']:9.5f}" if "encoder" in row else f"{'':9}"
        beside = f"{row['beside_mse']:.5f} {row['beside']}" if "beside" in row else "none"
        text = f"{row['entry']:24}{row['draws']:9.5f}{row['mse']:9.5f}{encoder}"
        print(f"{text}  {row['wall']:7.2f}{row['cpu']:7.2f}  {beside}", flush=True)
    print(json.dumps({"images": COUNT, "seed": SETTINGS.seed, "rows": rows}))


if __name__ == "__main__":
    main()
