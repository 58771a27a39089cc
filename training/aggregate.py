"""Statistics of the codes of training images, the aggregate posterior: latents.npz and flow.npz of an entry.

Runs on the entry's ONNX networks, for a new entry as for an old one; nothing here needs Keras.
"""

import pathlib
from typing import Any

import numpy as np

from training import staging
from zoo import entries, models
from zoo.data import datasets
from zoo.errors import EntryError
from zoo.latent import aggregate, flow
from zoo.manifest import STATISTICS
from zoo.metrics import likelihood

IMAGES = 20_000  # training images whose codes are described


def write(folder: pathlib.Path, entry: entries.Entry, train: datasets.Split, seed: int) -> None:
    """Write latents.npz and flow.npz into `folder`: statistics of the codes of at most IMAGES images of `train`.

    A VAE's codes are draws of q(z|x), not its means. Raises EntryError where labels are needed and missing."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(train.images), min(IMAGES, len(train.images)), replace=False)
    if entry.balanced:
        chosen = datasets.evenly(_labels(train), len(chosen), seed)
    labels = _labels(train)[chosen] if entry.conditional else None
    images = train.images[chosen]
    if entry.manifest.provenance.options.get("binarise"):  # what the encoder was trained on
        images = likelihood.binarise(images, seed)
    codes, deviation = models.posterior(entry, images, labels)
    statistics: dict[str, Any] = {}
    if deviation is None:
        statistics = aggregate.fit(codes, seed=seed)
    else:
        mean = codes
        codes = mean + deviation * rng.standard_normal(mean.shape).astype("float32")
        statistics = aggregate.fit(codes, mean, 2 * np.log(deviation), seed=seed)
    np.savez_compressed(folder / STATISTICS, **statistics)
    warped: dict[str, Any] | None = flow.fit(codes, statistics, seed)
    if warped is not None:
        np.savez_compressed(folder / flow.FILE, **warped)


def _labels(split: datasets.Split) -> np.ndarray:
    if split.labels is None:
        raise EntryError(f"The dataset {split.name} has no labels, which this entry needs.")
    return split.labels


def refit(folder: pathlib.Path) -> entries.Entry:
    """Renew both files of the entry in `folder`, and its manifest and card with them; its metrics stay as they are.

    Raises EntryError for a broken entry or one whose codes are not described so, DatasetUnavailable without its data.
    """
    entry = entries.read(folder)
    if not entry.has(STATISTICS) or entry.discrete:
        raise EntryError(f"{entry.name} has no {STATISTICS} of this kind: there is nothing to refit.")
    options, seed = entry.manifest.provenance.options, entry.manifest.provenance.seed or 0
    name, count = options.get("dataset", entry.dataset), options.get("images")
    train = datasets.load(name, "train", count=count, seed=seed, **entry.columns)
    with staging.revising(entry) as staged:
        write(staged, entry, train, seed)
    return entries.read(entry.folder)
