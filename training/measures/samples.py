"""Figures of samples: how far they are from the data, by every sampler, and which modes and classes they show."""

import logging
from typing import Any

import numpy as np

from training import inception
from training.measures.metric import FLOOR, REAL, metric, runs, seeds
from zoo import models, samplers
from zoo.analysis.scores import COUNT, Real
from zoo.data import datasets
from zoo.entries import Entry, catalog
from zoo.metrics import frechet, memorisation, modes, purity
from zoo.metrics.classes import histogram
from zoo.metrics.figures import FIGURES, RANDOM
from zoo.samplers import SAMPLERS

log = logging.getLogger("training")


def generation(entry: Entry, data: Real, seed: int) -> dict[str, dict[str, Any]]:
    """Samples of the entry's first sampler against the test split, three seeds, and what real images score."""
    if "generate" not in entry.capabilities:
        return {}
    if data.classifier is None:
        log.warning("No classifier was trained on %s: what needs its features is not measured.", entry.dataset)
    rounds = [_scores(entry, data, run) for run in runs(seed)]
    metrics = _metrics(entry, data, seed, rounds)
    real = [dict(floor) for floor in data.floors]
    if "cas" in rounds[0]:
        for floor, score in zip(real, data.training_scores, strict=True):
            floor["cas"] = score
    for name in real[0]:
        key = name + (FLOOR if FIGURES[name].floor else REAL)
        metrics[key] = metric(key, [floor[name] for floor in real], _protocol(data, seed, name, "training images"))
    return metrics


def further_samplers(entry: Entry, data: Real, seed: int) -> dict[str, dict[str, Any]]:
    """The same comparison for every other sampler: the sampler alone can halve the distance."""
    metrics = {}
    for sampler in samplers.offered(entry)[1:]:
        rounds = [_scores(entry, data, run, sampler) for run in runs(seed)]
        metrics |= _metrics(entry, data, seed, rounds, sampler)
    return metrics


def _scores(entry: Entry, data: Real, seed: int, sampler: str | None = None) -> dict[str, float]:
    """Return every score of one draw of samples; without a sampler, those too that depend on the decoder alone."""
    samples = _samples(entry, data, seed, sampler)
    seen = data.see(samples.images, samples.labels)
    found = data.score(seen)
    if entry.conditional and seen.classes is not None:
        found["obedience"] = np.mean(seen.classes == samples.labels)
    if sampler is None:
        found["memorisation"] = memorisation.ratio(seen.random, data.training[0].random, data.view.random)
        if samples.labels is not None and entry.conditional and data.view.labels is not None:
            found["cas"] = data.classification_accuracy(samples.images, samples.labels)
    best = found.get("frechet", found["frechet_random"])
    log.info("%s, %s, seed %d: Fréchet %.3f", entry.name, sampler or samplers.offered(entry)[0], seed, best)
    return found


def _samples(entry: Entry, data: Real, seed: int, sampler: str | None = None) -> models.Samples:
    """Draw as many samples as there are test images; of their classes in another order, where one can be asked for."""
    labels = data.view.labels
    asked = np.random.default_rng(seed).permutation(labels) if entry.conditional and labels is not None else None
    return models.sample(entry, len(data.view.images), seed, sampler, label=asked)


def _metrics(
    entry: Entry, data: Real, seed: int, rounds: list[dict[str, float]], sampler: str | None = None
) -> dict[str, dict[str, Any]]:
    """Return the scores of several draws as metrics, named after the sampler where one is given."""
    what = f"samples ({SAMPLERS[sampler or samplers.offered(entry)[0]].description})"
    names = {name: f"{name}@{sampler}" if sampler else name for name in rounds[0]}
    return {
        key: metric(key, [found[name] for found in rounds], _protocol(data, seed, name, what))
        for name, key in names.items()
    }


def _protocol(data: Real, seed: int, name: str, what: str) -> str:
    count, base = len(data.view.images), name.removesuffix("_ratio")
    if base == "cas":
        learned = f"Logistic regression on the answers of random filters to {count:,} {what}"
        return f"{learned}, tested on {count:,} test images, {seeds(seed)}"
    if base == "memorisation":
        return f"{count:,} {what}, {count:,} training and {count:,} test images {RANDOM}, {seeds(seed)}"
    of_classifier = f"in the features of {data.classifier.name}" if data.classifier else ""
    return f"{count:,} {what} against {count:,} test images {FIGURES[base].space or of_classifier}, {seeds(seed)}"


def covered_modes(entry: Entry, data: Real, seed: int) -> dict[str, dict[str, Any]]:
    """How many of the 1,000 modes of Stacked MNIST samples show, by the classifier of single digits."""
    if entry.dataset != "stacked_mnist" or "generate" not in entry.capabilities:
        return {}
    reader = catalog.classifier_for("mnist")
    if reader is None:
        log.warning("No classifier was trained on mnist: the modes are not counted.")
        return {}

    def counted(images: np.ndarray) -> dict[str, float]:
        digits = [models.classify(reader, images[..., [channel]])[0].argmax(1) for channel in range(images.shape[3])]
        counts = histogram(modes.number(np.stack(digits, 1)), len(entry.classes))
        return {"modes": modes.covered(counts), "modes_kl": modes.divergence(counts)}

    drawn = [counted(models.sample(entry, modes.SAMPLES, run).images) for run in runs(seed)]
    shown = [counted(datasets.load(entry.dataset, "train", count=modes.SAMPLES, seed=run).images) for run in runs(seed)]
    how = f"read channel by channel by {reader.name}, {seeds(seed)}"
    metrics = {}
    for name in drawn[0]:
        key = name + (FLOOR if FIGURES[name].floor else REAL)
        metrics[name] = metric(name, [found[name] for found in drawn], f"{modes.SAMPLES:,} samples, {how}")
        metrics[key] = metric(key, [found[name] for found in shown], f"{modes.SAMPLES:,} training images, {how}")
    return metrics


def purity_of_categories(entry: Entry, data: Real, seed: int) -> dict[str, dict[str, Any]]:
    """Whether the categories that a generator learned without labels are the classes."""
    categories = entry.manifest.provenance.options.get("categories")
    if not categories or data.classifier is None or "generate" not in entry.capabilities:
        return {}
    found = []
    for run in runs(seed):
        samples = models.sample(entry, COUNT, run)
        classes = data.see(samples.images).classes
        if classes is not None:
            found.append(purity.score(samples.latents[:, :categories].argmax(1), classes))
    protocol = f"{COUNT:,} samples, classes by {data.classifier.name}, {seeds(seed)}"
    return {"purity": metric("purity", found, protocol)}


def inception_distance(entry: Entry, data: Real, seed: int) -> dict[str, dict[str, Any]]:
    """FID in the features that papers on larger images use."""
    features = inception.features()
    if "generate" not in entry.capabilities:
        return {}
    real = frechet.statistics(features(data.view.images))
    drawn = [frechet.statistics(features(_samples(entry, data, run).images)) for run in runs(seed)]
    what = SAMPLERS[samplers.offered(entry)[0]].description
    protocol = (
        f"Inception-v3 of torch-fidelity on images resized to 299; not comparable with the Fréchet distance above. "
        f"{real.number:,} samples ({what}) against as many test images, {seeds(seed)}"
    )
    return {"inception_fid": metric("inception_fid", [frechet.distance(one, real) for one in drawn], protocol)}
