"""How faithfully entries give images back: degrade, reconstruct, compare with the clean image. No Streamlit."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo import models
from zoo.analysis.conditions import labels_for
from zoo.entries import Entry
from zoo.images import add_noise, difference, fit, occlude
from zoo.latent import codes
from zoo.metrics import reconstruction

METRICS = {"mse": reconstruction.mse, "psnr": reconstruction.psnr, "ssim": reconstruction.ssim}
CAPTIONS = {
    "mse": "Mean squared error of the pixels: 0 is perfect. Point: mean; bar: the middle 80 % of the images.",
    "psnr": "The same error in decibels: 10 more is a tenth of it. Point: mean; bar: the middle 80 % of the images.",
    "ssim": "How well local structure agrees: 1 is perfect. Point: mean; bar: the middle 80 % of the images.",
}
BETTER_LOW = ("mse",)
EXTREMES = 8
BRIGHTEST = 0.995  # quantile of all differences that the maps show as white


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """What one entry made of N images, all arrays of its own shape (N, H, W, C).

    clean: the reference; outputs: the entry's reconstructions of the degraded images; errors: mse, psnr and ssim (N,)
    between these two; notice: how the images were fitted, or None; label_origin: where the classes of a conditional
    entry are from, or ""; codes: the integers (N, h, w) that a discrete entry makes of the images, else None.
    """

    clean: np.ndarray
    outputs: np.ndarray
    errors: dict[str, np.ndarray]
    notice: str | None
    label_origin: str
    codes: np.ndarray | None = None


def degrade(images: np.ndarray, noise: float, hidden: float, seed: int = 0) -> np.ndarray:
    """Hide a share of each image behind a grey box and add Gaussian noise of standard deviation `noise`.

    The seed fixes boxes and noise, so that a slider changes their size and strength and nothing else.
    """
    covered = occlude(images, hidden, seed) if hidden else images
    return add_noise(covered, noise, seed) if noise else covered


def reconstruct(
    entry: Entry,
    clean: np.ndarray,
    degraded: np.ndarray,
    known: np.ndarray | None = None,
    classes: Sequence[str] = (),
    classifier: Entry | None = None,
) -> Reconstruction:
    """Give degraded images to an entry and measure the results against the clean ones.

    Both batches (N, H, W, C) may have any shape and are fitted to the entry's. known, classes and classifier: see
    `conditions.labels_for`; the class, where it must be guessed, is guessed from what the entry is given.
    """
    labels, label_origin = labels_for(entry, degraded, known, classes, classifier)
    clean, notice = fit(clean, entry.shape)
    found = models.encode(entry, fit(degraded, entry.shape)[0], labels)
    outputs = models.decode(entry, found, labels)
    integers = codes.nearest(found, codes.codebook(entry)) if entry.discrete else None
    errors = {name: measure(clean, outputs) for name, measure in METRICS.items()}
    return Reconstruction(clean, outputs, errors, notice, label_origin, integers)


def largest(shapes: Sequence[tuple[int, int, int]]) -> tuple[int, int, int]:
    """Return the shape (H, W, C) in which images of all these shapes lose nothing."""
    height, width, channels = (max(sizes) for sizes in zip(*shapes, strict=True))
    return height, width, channels


def bottleneck(entry: Entry) -> tuple[int, int, float]:
    """Return how many numbers an image has, how many its code has, and the first divided by the second.

    The code of a discrete entry is its integers, not the vectors that they stand for."""
    shape = entry.latent_shape[:-1] if entry.discrete else entry.latent_shape
    pixels, code = math.prod(entry.shape), math.prod(shape)
    return pixels, code, pixels / code


def proportion(ratio: float) -> str:
    """Return a ratio to one in words for people: 49:1, 2.5:1, 6,144:1."""
    return f"{ratio:,.0f}:1" if ratio >= 100 else f"{ratio:.3g}:1"


def maps(found: Sequence[Reconstruction]) -> tuple[list[np.ndarray], float]:
    """Return |difference| maps with one brightness for all, and the difference (0 to 1) that they show as white."""
    differences = [difference(item.clean, item.outputs) for item in found]
    white = max(0.02, float(np.quantile(np.concatenate([d.ravel() for d in differences]), BRIGHTEST)))
    return [np.minimum(d / np.float32(white), 1) for d in differences], white


def ends(errors: dict[str, np.ndarray], metric: str, count: int = EXTREMES) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the best and of the worst images by a metric, the most extreme first."""
    values = errors[metric] if metric in BETTER_LOW else -errors[metric]
    order = np.argsort(values, kind="stable")
    return order[:count], order[::-1][:count]


def table(names: Sequence[str], series: dict[str, dict[str, np.ndarray]]) -> str:
    """Return a CSV table, one row per entry and image: entry, index, image (its name), mse, psnr, ssim."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["entry", "index", "image", *METRICS])
    for entry, errors in series.items():
        for index, name in enumerate(names):
            writer.writerow([entry, index, name, *(f"{errors[metric][index]:.6g}" for metric in METRICS)])
    return buffer.getvalue()


def note(entry: Entry, found: Reconstruction) -> str:
    """Return what stands beside a row of reconstructions."""
    pixels, code, ratio = bottleneck(entry)
    labelled = f"\nIt is told {found.label_origin}." if found.label_origin else ""
    fitted = f"\n{found.notice}" if found.notice else ""
    kind = f"integers below {codes.vocabulary(entry)}" if entry.discrete else "numbers"
    return f"{pixels:,} → {code:,} {kind}, {proportion(ratio)}{labelled}{fitted}"


def summary(entries: Sequence[Entry], series: dict[str, dict[str, np.ndarray]]) -> dict[str, list[str]]:
    """Return the columns of a table: size of image and code, compression and mean errors of each entry.

    series maps the label of each entry, in the same order, to its errors (N,) by metric.
    """
    sizes = [bottleneck(entry) for entry in entries]
    means = [{name: values.mean() for name, values in errors.items()} for errors in series.values()]
    return {
        "Entry": list(series),
        "Numbers in": [f"{pixels:,}" for pixels, _, _ in sizes],
        "In the code": [f"{code:,}" for _, code, _ in sizes],
        "Compression": [proportion(ratio) for _, _, ratio in sizes],
        "MSE": [f"{mean['mse']:.4f}" for mean in means],
        "PSNR (dB)": [f"{mean['psnr']:.1f}" for mean in means],
        "SSIM": [f"{mean['ssim']:.3f}" for mean in means],
    }


def short(errors: dict[str, np.ndarray], index: int) -> str:
    """Return the errors of one image in three lines."""
    mse, psnr, ssim = (errors[name][index] for name in METRICS)
    return f"MSE {mse:.4f}\nPSNR {psnr:.1f}\nSSIM {ssim:.2f}"
