"""Measure an entry and write the numbers into its manifest: what the cards, the gallery and the README quote.

Everything runs on the entry's ONNX networks, as the app does; nothing here needs Keras.
"""

import json
import logging
import pathlib

import numpy as np

from training import card
from zoo import catalog, datasets, models
from zoo import entry as entries
from zoo import images as pictures
from zoo.metrics import classes as class_metrics
from zoo.metrics import frechet, kernel, prdc, reconstruction

log = logging.getLogger("training")
COUNT = 10_000  # images on each side of a comparison, fewer where the test split is smaller
SEEDS = 3


def evaluate(folder: pathlib.Path, seed: int = 0) -> entries.Entry:
    """Measure the entry in `folder` on the test split of its dataset and rewrite its manifest and card.

    Raises EntryError for a broken entry and DatasetUnavailable without its data."""
    entry = entries.read(folder)
    test = datasets.load(entry.dataset, "test")
    metrics = {}
    if "classify" in entry.capabilities:
        metrics |= accuracy(entry, test)
    if "reconstruct" in entry.capabilities:
        metrics |= rebuild(entry, test)
    if "generate" in entry.capabilities:
        classifier = catalog.classifier_for(entry)
        if classifier is None:
            log.warning("No classifier was trained on %s: samples of %s are not measured.", entry.dataset, entry.name)
        else:
            metrics |= generation(entry, classifier, test, seed)
    for name, metric in metrics.items():
        log.info(
            "%-18s %.4g%s",
            name,
            metric["value"],
            "" if metric["low"] is None else f"   [{metric['low']:.4g}, {metric['high']:.4g}]",
        )
    manifest = json.loads((entry.folder / "zoo.json").read_text()) | {"metrics": metrics}
    entry = entries.write(entry.folder, manifest)
    card.write(entry)
    return entries.write(entry.folder, manifest)


def metric(values, split: str, protocol: str) -> dict:
    """A manifest metric: the mean of `values`, with their range as interval when there are several."""
    values = np.atleast_1d(np.asarray(values, float))
    several = len(values) > 1
    return {
        "value": float(values.mean()),
        "low": float(values.min()) if several else None,
        "high": float(values.max()) if several else None,
        "split": split,
        "protocol": protocol,
    }


def accuracy(entry, test) -> dict:
    probabilities, _ = models.classify(entry, test.images)
    right = probabilities.argmax(1) == test.labels
    return {
        "accuracy": metric(
            right.mean(), "test", f"Share of the {len(right):,} test images whose most probable class is the true one."
        )
    }


def rebuild(entry, test) -> dict:
    """MSE, PSNR and SSIM over the whole test split."""
    rebuilt = models.reconstruct(entry, test.images, test.labels if entry.conditional else None)
    words = f"mean over the {len(rebuilt):,} test images, values in [0, 1]; a VAE's code is the posterior mean."
    found = {
        "mse": (reconstruction.mse, "Mean squared error per pixel"),
        "psnr": (reconstruction.psnr, "Peak signal-to-noise ratio in dB"),
        "ssim": (reconstruction.ssim, "Structural similarity (Wang et al. 2004)"),
    }
    return {
        name: metric(measure(test.images, rebuilt).mean(), "test", f"{title}, {words}")
        for name, (measure, title) in found.items()
    }


def generation(entry, classifier, test, seed: int) -> dict:
    """Samples against the test split in the classifier's features, three seeds, with the real-against-real floor."""
    real = test.images[:COUNT]
    count = len(real)
    _, real_features = models.classify(classifier, real)
    held = datasets.load(entry.dataset, "train", count=count, seed=seed).images
    real_statistics = frechet.statistics(real_features)
    floor = frechet.distance(frechet.statistics(models.classify(classifier, held)[1]), real_statistics)
    found = {
        name: []
        for name in (
            "frechet",
            "kid",
            "precision",
            "recall",
            "density",
            "coverage",
            "class_distance",
            "missing_classes",
        )
    }
    reference = class_metrics.histogram(test.labels[:COUNT], len(classifier.classes))
    for offset in range(SEEDS):
        samples = models.sample(entry, count, seed + offset)
        probabilities, features = models.classify(classifier, samples.images)
        found["frechet"].append(frechet.distance(frechet.statistics(features), real_statistics))
        found["kid"].append(kernel.distance(real_features, features))
        for name, value in prdc.scores(real_features, features)._asdict().items():
            found[name].append(value)
        counts = class_metrics.histogram(probabilities.argmax(1), len(classifier.classes))
        found["class_distance"].append(class_metrics.total_variation(counts, reference))
        found["missing_classes"].append(len(class_metrics.missing(counts, reference)))
        log.info("%s, seed %d: Fréchet %.3f", entry.name, seed + offset, found["frechet"][-1])
    if entry.conditional:
        samples = models.sample(entry, count, seed)
        told = models.classify(classifier, samples.images)[0].argmax(1) == samples.labels
    sampler = models.samplers(entry)[0]
    protocol = (
        f"{count:,} samples ({sampler}) against {count:,} test images in the features of {classifier.name}, "
        f"seeds {seed} to {seed + SEEDS - 1}: mean and range; not Inception FID."
    )
    metrics = {name: metric(values, "test", f"{TITLES[name]}. {protocol}") for name, values in found.items()}
    metrics["frechet_floor"] = metric(
        floor,
        "test",
        f"Fréchet distance of {count:,} training images to the same test images: the value of a perfect generator.",
    )
    metrics["frechet_ratio"] = metric(
        np.array(found["frechet"]) / floor, "test", f"Fréchet distance over its floor, 1 is as good as real. {protocol}"
    )
    if entry.conditional:
        metrics["obedience"] = metric(
            told.mean(),
            "test",
            f"Share of {count:,} samples that {classifier.name} gives the class they were asked for, seed {seed}.",
        )
    return metrics


TITLES = {
    "frechet": "Fréchet distance on classifier features",
    "kid": "Kernel distance, unbiased (KID, Bińkowski et al. 2018), on classifier features",
    "precision": "Share of samples that lie on the manifold of real images (Kynkäänniemi et al. 2019)",
    "recall": "Share of real images that lie on the manifold of samples (Kynkäänniemi et al. 2019)",
    "density": "Real neighbourhoods around a sample, 1 expected of real images (Naeem et al. 2020)",
    "coverage": "Share of real images with a sample in their neighbourhood (Naeem et al. 2020)",
    "class_distance": "Total variation distance between the class histograms of samples and test images, 0 to 1",
    "missing_classes": "Classes that samples hardly show",
}


def frechet_along_training(dataset: str, generate, count: int = 2000, seed: int = 0):
    """A function model → Fréchet distance of `count` samples to test images; None without a classifier."""
    classifier = catalog.classifier_for(dataset)
    if classifier is None:
        return None
    real = frechet.statistics(
        models.classify(classifier, datasets.load(dataset, "test", count=count, seed=seed).images)[1]
    )

    def judge(model) -> float:
        rng = np.random.default_rng(seed)
        latents = rng.standard_normal((count, model.recipe.latent)).astype("float32")
        labels = (np.arange(count) % max(1, model.classes)).astype("int32")
        return frechet.distance(
            frechet.statistics(models.classify(classifier, generate(model, latents, labels))[1]), real
        )

    return judge


def confusion_sheet(entry) -> np.ndarray:
    """A classifier's confusion matrix on the test split as a uint8 picture: rows are true classes, columns predictions.

    Grey is the share on a square-root scale, so that rare confusions show."""
    test = datasets.load(entry.dataset, "test")
    predicted = models.classify(entry, test.images)[0].argmax(1)
    counts = np.zeros((len(entry.classes), len(entry.classes)))
    np.add.at(counts, (test.labels, predicted), 1)
    shares = np.sqrt(counts / counts.sum(1, keepdims=True))
    cell = max(1, 240 // len(shares))
    return pictures.sheet(np.full((shares.size, cell, cell, 1), shares.reshape(-1, 1, 1, 1)), len(shares), gap=2)
