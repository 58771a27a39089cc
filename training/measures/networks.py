"""Figures of an entry's networks as they are: a classifier's accuracy, reconstruction, speed."""

import timeit
from typing import Any

import numpy as np

from training import processor
from training.measures.metric import metric
from zoo import models
from zoo.analysis.scores import Real
from zoo.entries import Entry
from zoo.metrics import reconstruction

RUSH, REPEATS = 256, 7  # images drawn at once to measure the speed, and how often


def accuracy(entry: Entry, data: Real, seed: int) -> dict[str, dict[str, Any]]:
    """Share of test images that a classifier gives their class."""
    if "classify" not in entry.capabilities or data.test.labels is None:
        return {}
    probabilities, _ = models.classify(entry, data.fitted(data.test.images))
    right = probabilities.argmax(1) == data.test.labels
    return {"accuracy": metric("accuracy", right.mean(), f"{len(right):,} test images.")}


def reconstruction_errors(entry: Entry, data: Real, seed: int) -> dict[str, dict[str, Any]]:
    """MSE, PSNR and SSIM over the whole test split."""
    if "reconstruct" not in entry.capabilities or (entry.conditional and data.test.labels is None):
        return {}
    images = data.fitted(data.test.images)
    rebuilt = models.reconstruct(entry, images, data.test.labels if entry.conditional else None)
    protocol = f"Mean over {len(rebuilt):,} test images with values in [0, 1]"
    protocol += "; the code is the posterior's mean." if variational(entry) else "."
    measures = {"mse": reconstruction.mse, "psnr": reconstruction.psnr, "ssim": reconstruction.ssim}
    return {name: metric(name, measure(images, rebuilt).mean(), protocol) for name, measure in measures.items()}


def speed(entry: Entry, data: Real, seed: int) -> dict[str, dict[str, Any]]:
    """Images a second that this machine draws, or decodes where nothing can be sampled; the networks are loaded."""
    if "decode" not in entry.capabilities:
        return {}
    latents = np.zeros((RUSH, *entry.latent_shape), np.float32)

    def draw() -> None:
        if "generate" in entry.capabilities:
            models.sample(entry, RUSH, seed)
        else:
            models.decode(entry, latents, 0)

    draw()  # loads the network
    best = min(timeit.repeat(draw, number=1, repeat=REPEATS))
    protocol = f"{RUSH} images at once by ONNX Runtime on {processor.description()}, the best of {REPEATS} times."
    return {"images_per_second": metric("images_per_second", RUSH / best, protocol, split=None)}


def variational(entry: Entry) -> bool:
    """Return whether the entry's encoder gives a Gaussian posterior."""
    return "reconstruct" in entry.capabilities and "z_log_var" in entry.manifest.networks["encoder"].outputs
