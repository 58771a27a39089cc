"""Measure an entry and write the numbers into its manifest: what the cards, the gallery and the README quote.

Everything runs on the entry's ONNX networks, as the app does; nothing here needs Keras.
"""

import json
import logging
import pathlib
import shutil

import numpy as np

from training import staging
from zoo import card, catalog, datasets, models
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
    test = held_out(entry)
    metrics = {}
    if test.labels is None:
        log.warning("The test split of %s has no labels: what needs them is not measured.", entry.dataset)
    if "classify" in entry.capabilities and test.labels is not None:
        metrics |= accuracy(entry, test)
    if "reconstruct" in entry.capabilities and not (entry.conditional and test.labels is None):
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
    with staging.replacing(entry.folder) as staged:
        shutil.copytree(entry.folder, staged, dirs_exist_ok=True)
        card.write(entries.write(staged, manifest))
        entries.write(staged, manifest)
    return entries.read(entry.folder)


LABELS = {
    "accuracy": ("Accuracy", "share of images whose most probable class is the true one"),
    "mse": ("MSE", "mean squared error per pixel"),
    "psnr": ("PSNR (dB)", "peak signal-to-noise ratio"),
    "ssim": ("SSIM", "structural similarity (Wang et al. 2004)"),
    "frechet": ("Fréchet distance", "between Gaussians fitted to the features of both sides; not Inception FID"),
    "frechet_floor": ("Fréchet floor", "the same distance for training images: what a perfect generator would score"),
    "frechet_ratio": ("Fréchet / floor", "1 is as good as real images"),
    "kid": ("KID", "unbiased kernel distance (Bińkowski et al. 2018)"),
    "precision": ("Precision", "share of samples among the real images (Kynkäänniemi et al. 2019)"),
    "recall": ("Recall", "share of real images among the samples (Kynkäänniemi et al. 2019)"),
    "density": ("Density", "real neighbourhoods around a sample; 1 for real images (Naeem et al. 2020)"),
    "coverage": ("Coverage", "share of real images with a sample in their neighbourhood (Naeem et al. 2020)"),
    "class_distance": ("Class distance", "total variation between the class histograms, 0 to 1"),
    "missing_classes": ("Missing classes", "classes that the samples hardly show"),
    "obedience": ("Obedience", "share of samples that the classifier gives the class they were asked for"),
}


def held_out(entry) -> datasets.Split:
    """The test split of an entry's dataset; a local folder's path is in the recipe, the manifest has its name."""
    return datasets.load(entry.manifest.provenance.options.get("dataset", entry.dataset), "test")


def metric(name: str, values, protocol: str) -> dict:
    """A metric of the manifest: the mean of `values`, with their range as interval when there are several."""
    values = np.atleast_1d(np.asarray(values, float))
    several = len(values) > 1
    label, meaning = LABELS[name]
    return {
        "value": float(values.mean()),
        "low": float(values.min()) if several else None,
        "high": float(values.max()) if several else None,
        "split": "test",
        "label": label,
        "meaning": meaning,
        "protocol": protocol,
    }


def accuracy(entry, test) -> dict:
    probabilities, _ = models.classify(entry, test.images)
    right = probabilities.argmax(1) == test.labels
    return {"accuracy": metric("accuracy", right.mean(), f"{len(right):,} test images.")}


def rebuild(entry, test) -> dict:
    """MSE, PSNR and SSIM over the whole test split."""
    rebuilt = models.reconstruct(entry, test.images, test.labels if entry.conditional else None)
    protocol = f"Mean over {len(rebuilt):,} test images with values in [0, 1]"
    protocol += "; the code is the posterior's mean." if entry.manifest.latent.prior == "normal" else "."
    measures = {"mse": reconstruction.mse, "psnr": reconstruction.psnr, "ssim": reconstruction.ssim}
    return {name: metric(name, measure(test.images, rebuilt).mean(), protocol) for name, measure in measures.items()}


def generation(entry, classifier, test, seed: int) -> dict:
    """Samples against the test split in the classifier's features, three seeds, with the real-against-real floor."""
    real = test.images[:COUNT]
    count, classes = len(real), len(classifier.classes)
    _, real_features = models.classify(classifier, real)
    held = datasets.load(entry.dataset, "train", count=count, seed=seed).images
    real_statistics = frechet.statistics(real_features)
    floor = frechet.distance(frechet.statistics(models.classify(classifier, held)[1]), real_statistics)
    labels = None if test.labels is None else test.labels[:COUNT]
    reference = np.ones(classes) if labels is None else class_metrics.histogram(labels, classes)
    rounds = []
    for offset in range(SEEDS):
        # A conditional entry is asked for the classes of the real images, in another order for each seed.
        asked = None
        if entry.conditional and labels is not None:
            asked = np.random.default_rng(seed + offset).permutation(labels)
        samples = models.sample(entry, count, seed + offset, label=asked)
        probabilities, features = models.classify(classifier, samples.images)
        given = probabilities.argmax(1)
        counts = class_metrics.histogram(given, classes)
        distance = frechet.distance(frechet.statistics(features), real_statistics)
        found = {"frechet": distance, "frechet_ratio": distance / floor}
        found |= {"kid": kernel.distance(real_features, features)} | prdc.scores(real_features, features)._asdict()
        found["class_distance"] = class_metrics.total_variation(counts, reference)
        found["missing_classes"] = len(class_metrics.missing(counts, reference))
        if entry.conditional:
            found["obedience"] = (given == samples.labels).mean()
        rounds.append(found)
        log.info("%s, seed %d: Fréchet %.3f", entry.name, seed + offset, distance)
    protocol = (
        f"{count:,} samples ({models.samplers(entry)[0]}) against {count:,} test images in the features of "
        f"{classifier.name}, seeds {seed} to {seed + SEEDS - 1}: mean and range."
    )
    metrics = {name: metric(name, [found[name] for found in rounds], protocol) for name in rounds[0]}
    against = (
        f"{count:,} training images (seed {seed}) against {count:,} test images in the features of {classifier.name}."
    )
    return metrics | {"frechet_floor": metric("frechet_floor", floor, against)}


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


def confusion_sheet(entry) -> np.ndarray | None:
    """A classifier's confusion matrix on the test split as a uint8 picture, None without labels.

    Rows are true classes, columns predictions. Grey is the share on a square-root scale: rare ones show."""
    test = held_out(entry)
    if test.labels is None:
        return None
    predicted = models.classify(entry, test.images)[0].argmax(1)
    counts = np.zeros((len(entry.classes), len(entry.classes)))
    np.add.at(counts, (test.labels, predicted), 1)
    shares = np.sqrt(counts / counts.sum(1, keepdims=True))
    cell = max(1, 240 // len(shares))
    return pictures.sheet(np.full((shares.size, cell, cell, 1), shares.reshape(-1, 1, 1, 1)), len(shares), gap=2)
