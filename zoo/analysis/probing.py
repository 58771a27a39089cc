"""What a code knows: what linear probes read from it with few labels, beside pixels and principal components.

The encoder learned without labels; a probe learns from few. If few are enough on codes and not on pixels, the encoder
has learned features.
"""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from zoo import models
from zoo.analysis.anomalies import seen
from zoo.data.datasets import Split, evenly
from zoo.entries import Entry
from zoo.errors import Cancelled, EntryError
from zoo.images import fit
from zoo.metrics import probe

COUNTS = (10, 100, 1000)
SEEDS = (0, 1, 2)
READ, EXPLAINED = "share of test images read right", "mean R² of the factors"  # axes
CODE, PIXELS = "Code", "Pixels"
MAX_CODE = 4096  # numbers of a code
# What is left out: the kind is the class, the phase only says which piece of the texture is on show.
UNPROBED = ("kind", "phase")
FACTORS = {"hue": "hue", "size": "size", "x": "x", "y": "y", "light": "light", "accessory": "stem and leaf",
           "texture": "texture", "background": "background"}  # fmt: skip


class Probed(NamedTuple):
    """What probes read, by representation, the code first.

    counts: numbers of labels, K of them. accuracy: (seeds, K) share of test images whose class is read. recall: (C,)
    the same for each class with the most labels, mean over seeds. determination: (seeds, K, F) R² of each factor.
    size: numbers in the code. pool, tested: how many images labels are drawn from, and are tested.
    """

    counts: tuple[int, ...]
    accuracy: dict[str, np.ndarray]
    recall: dict[str, np.ndarray]
    determination: dict[str, np.ndarray]
    factors: tuple[str, ...]
    size: int
    pool: int
    tested: int


def offered(entry: Entry) -> bool:
    """Whether an entry has a code to probe: its encoder takes images alone, for one that is told the class need not put
    it into the code."""
    network = entry.manifest.networks.get("encoder")
    return network is not None and "label" not in network.inputs and math.prod(entry.latent_shape) <= MAX_CODE


def probed(
    entry: Entry,
    training: Split,
    test: Split,
    report: Callable[[float], None] = lambda part: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Probed:
    """Probe the code of an entry, principal components of as many numbers, and pixels.

    Args:
        training, test: images with labels, factors or both; labels of `training` are drawn evenly over the classes.
        report: called with the part that is done, in (0, 1]. cancelled: asked before each probe.

    The principal components are those of all training images, without labels, as the encoder had them too. Raises
    Cancelled once `cancelled` says so and EntryError when there is nothing to read.
    """
    import sklearn.linear_model  # noqa: F401  imported here, for it takes long, and before its threads are limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # matrices are so small here that several threads wait for each other most of the time
        return _probed(entry, training, test, report, cancelled)


def _probed(
    entry: Entry, training: Split, test: Split, report: Callable[[float], None], cancelled: Callable[[], bool]
) -> Probed:
    images = [seen(entry, fit(split.images, entry.shape)[0], 0) for split in (training, test)]
    coded = [models.encode(entry, part).reshape(len(part), -1) for part in images]
    flat = [part.reshape(len(part), -1) for part in images]
    size = coded[0].shape[1]
    found = representations(*coded, *flat)
    numbers, factors = _numbers(training), tuple(name for name in FACTORS if name in (training.factors or {}))
    expected = _numbers(test)
    labels, wanted = training.labels, test.labels
    classes = len(test.classes) if labels is not None and wanted is not None else 0
    if classes < 2 and not factors:
        raise EntryError(f"The images of {entry.name} have no classes and no factors that a probe could read.")
    counts = tuple(count for count in COUNTS if count <= len(training.images)) or (len(training.images),)
    shape = len(SEEDS), len(counts)
    accuracy = {name: np.empty(shape) for name in found} if classes > 1 else {}
    recall = {name: np.zeros(classes) for name in accuracy}
    determination = {name: np.empty((*shape, len(factors))) for name in found} if factors else {}
    for step, (run, at, which) in enumerate(np.ndindex(*shape, len(found))):
        if cancelled():
            raise Cancelled("The probes were given up.")
        name, (known, asked) = list(found.items())[which]
        rows = _labelled(labels, len(training.images), counts[at], SEEDS[run])
        if labels is not None and wanted is not None and classes > 1:
            read = probe.predicted(known[rows], labels[rows], asked)
            accuracy[name][run, at] = (read == wanted).mean()
            if at == len(counts) - 1:
                recall[name] += _recall(read, wanted, classes) / len(SEEDS)
        if factors:
            determination[name][run, at] = probe.determination(known[rows], numbers[rows], asked, expected)
        report((step + 1) / (len(found) * shape[0] * shape[1]))
    return Probed(counts, accuracy, recall, determination, factors, size, len(training.images), len(test.images))


def representations(
    codes: np.ndarray, test_codes: np.ndarray, flat: np.ndarray, test_flat: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return training (N, ·) and test (M, ·) vectors by name: the codes, as many principal components of the pixels of
    the training images (fewer where there are not so many), and the pixels (N, D) themselves."""
    mean, size = flat.mean(0), codes.shape[1]
    centred = flat - mean
    if len(flat) < flat.shape[1]:  # the smaller of two matrices that have the same eigenvalues
        values, vectors = np.linalg.eigh(centred @ centred.T)
        axes = centred.T @ (vectors / np.sqrt(values.clip(max(values.max() * 1e-7, 1e-12))))
    else:
        axes = np.linalg.eigh(centred.T @ centred)[1]
    axes = axes[:, ::-1][:, : min(size, len(flat) - 1)]
    name = components(axes.shape[1])
    return {CODE: (codes, test_codes), name: (centred @ axes, (test_flat - mean) @ axes), PIXELS: (flat, test_flat)}


def components(size: int) -> str:
    """Return the name of so many principal components of the pixels."""
    return f"PCA ({size} number{'s' if size > 1 else ''})"


def _labelled(labels: np.ndarray | None, total: int, count: int, seed: int) -> np.ndarray:
    """Return the rows of `count` labelled images, of each class as many where classes are known."""
    if labels is None:
        return np.random.default_rng(seed).permutation(total)[:count]
    return evenly(labels, count, [seed, 3])


def _recall(read: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    right, every = (np.bincount(found, minlength=classes) for found in (labels[read == labels], labels))
    return right / np.maximum(every, 1)


def _numbers(split: Split) -> np.ndarray:
    """Factors (N, F) in the order of FACTORS; hues as degrees from red, so that the reds lie together."""
    found = {name: values for name, values in (split.factors or {}).items() if name not in UNPROBED}
    if "hue" in found:
        found["hue"] = np.mod(found["hue"] + 180, 360) - 180
    ordered = [np.asarray(found[name], float) for name in FACTORS if name in found]
    return np.stack(ordered, 1) if ordered else np.zeros((len(split.images), 0))


def readings(found: Probed) -> list[str]:
    """Say in a sentence or two each what is read with how many labels, for classes and for factors, and where the code
    is ahead of both others by more than the draws of labels differ."""
    said, counts = [], _joined([f"{count:,}" for count in found.counts])
    titles = {"Test images whose class is read": found.accuracy, "Mean R² of the factors": _means(found.determination)}
    for title, values in titles.items():
        if not values:
            continue
        others = [part for name, part in values.items() if name != CODE]
        ahead = values[CODE].min(0) > np.max([part.max(0) for part in others], axis=0)
        parts = [
            f"{_joined([f'{100 * mean:.0f}' for mean in part.mean(0)])} % from "
            + {CODE: "the code", PIXELS: "pixels"}.get(name, name)
            for name, part in values.items()
        ]
        where = _joined([f"{count:,}" for count, true in zip(found.counts, ahead, strict=True) if true])
        clear = f"with {where} labels" if where else "with no number of labels here"
        said.append(
            f"{title} with {counts} labels: {'; '.join(parts)}. The code is ahead of both others by more than draws of "
            f"labels differ {clear}."
        )
    return said


def _joined(texts: Sequence[str]) -> str:
    return ", ".join(texts[:-1]) + " and " + texts[-1] if len(texts) > 1 else "".join(texts)


def _means(determination: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Mean R² over the factors, (seeds, K), of each representation."""
    return {name: values.mean(2) for name, values in determination.items()}


def curves(found: Probed) -> dict[str, dict[str, np.ndarray]]:
    """Return what is drawn over the number of labels, (seeds, K) by title of the axis and representation."""
    pairs = {READ: found.accuracy, EXPLAINED: _means(found.determination)}
    return {title: values for title, values in pairs.items() if values}


def bars(found: Probed, classes: Sequence[str]) -> dict[str, tuple[dict[str, np.ndarray], list[str], str]]:
    """Return what is drawn for each class and factor with the most labels: by title of the axis the values by
    representation, the names below the bars, and what these are."""
    factors = {name: values[:, -1].mean(0) for name, values in found.determination.items()}
    pairs = {
        "share read right": (found.recall, list(classes), "class"),
        "R²": (factors, [FACTORS[name] for name in found.factors], "factor"),
    }
    return {title: part for title, part in pairs.items() if part[0]}


def table(found: Probed) -> str:
    """Return the numbers as CSV: representation, figure, labels, seed, value."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["representation", "figure", "labels", "seed", "value"])
    for name, values in found.accuracy.items():
        for run, at in np.ndindex(values.shape):
            writer.writerow([name, "accuracy", found.counts[at], SEEDS[run], f"{values[run, at]:.6g}"])
    for name, values in found.determination.items():
        for run, at, factor in np.ndindex(values.shape):
            row = [name, f"r2 {found.factors[factor]}", found.counts[at], SEEDS[run], f"{values[run, at, factor]:.6g}"]
            writer.writerow(row)
    return buffer.getvalue()


def protocol(found: Probed) -> str:
    """Say in a few sentences how the figures were computed."""
    fitted = "logistic regression on standardised values for classes"
    if found.determination:
        fitted += ", ridge regression with its strength chosen by leave-one-out for factors"
    return (
        f"Linear probes ({fitted}) on labels drawn evenly from {found.pool:,} training images, tested on "
        f"{found.tested:,} test images; points are means and bars the range over {len(SEEDS)} draws of labels (seeds "
        f"{SEEDS[0]} to {SEEDS[-1]}). The code has {found.size:,} numbers; PCA was fitted to all of these training "
        "images without labels."
    )
