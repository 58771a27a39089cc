"""What one can do with an entry: encode, decode, reconstruct, sample, translate, classify, judge. Numpy in, numpy out.

Images are float32 (N, H, W, C) in [0, 1] of the entry's own shape, labels int (N,) or one int for all, latents float32
(N, *latent_shape). Labels are required by networks that take them and ignored by the others. All functions raise
EntryError when the entry lacks the network or its file is refused, and ValueError for inputs that do not fit.
"""

import math
from dataclasses import dataclass

import numpy as np

from zoo import networks, samplers
from zoo.entries import Entry
from zoo.errors import EntryError
from zoo.latent import aggregate
from zoo.samplers import SAMPLERS

MAX_SAMPLES = 100_000
MAX_PIXELS = 1 << 21  # of the images that a page lets an entry make in one step
TRAVERSAL_BATCH = 512


@dataclass(frozen=True, slots=True)
class Samples:
    """Drawn latents (N, *latent_shape), the classes asked for (N,) if any, and the images (N, H, W, C)."""

    latents: np.ndarray
    labels: np.ndarray | None
    images: np.ndarray


def posterior(
    entry: Entry, images: np.ndarray, labels: np.ndarray | int | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return mean and standard deviation of q(z|x), each (N, *latent_shape); a plain autoencoder has no deviation."""
    outputs = networks.run(entry, "encoder", **_inputs(entry, "encoder", _images(entry, images), labels))
    if "latent" in outputs:
        return outputs["latent"], None
    # The clip keeps an untrained or foreign encoder from overflowing; trained ones stay far inside.
    return outputs["z_mean"], np.exp(0.5 * np.clip(outputs["z_log_var"], -30, 20))


def encode(entry: Entry, images: np.ndarray, labels: np.ndarray | int | None = None) -> np.ndarray:
    """Return the code of each image, for a VAE the posterior's mean: (N, *latent_shape)."""
    return posterior(entry, images, labels)[0]


def decode(entry: Entry, latents: np.ndarray, labels: np.ndarray | int | None = None) -> np.ndarray:
    """Return the image of each latent by the decoder or generator: (N, H, W, C) in [0, 1]."""
    role = "decoder" if "decoder" in entry.manifest.networks else "generator"
    latents = np.asarray(latents, np.float32)
    if role in entry.manifest.networks and latents.shape[1:] != entry.latent_shape:
        raise ValueError(f"{entry.name} takes latents of shape {entry.latent_shape}, not {latents.shape[1:]}.")
    return np.clip(networks.run(entry, role, **_inputs(entry, role, latents, labels))["image"], 0, 1)


def reconstruct(entry: Entry, images: np.ndarray, labels: np.ndarray | int | None = None) -> np.ndarray:
    """Return decode(encode(images)): (N, H, W, C)."""
    return decode(entry, encode(entry, images, labels), labels)


def translate(entry: Entry, images: np.ndarray) -> np.ndarray:
    """Return what the translator makes of images: (N, *source_shape(entry)) in [0, 1] to (N, H, W, C) in [0, 1]."""
    images = np.asarray(images, np.float32)
    if images.shape[1:] != source_shape(entry):
        raise ValueError(f"{entry.name} translates images of shape {source_shape(entry)}, not {images.shape[1:]}.")
    return np.clip(networks.run(entry, "translator", source=images)["image"], 0, 1)


def source_shape(entry: Entry) -> tuple[int, int, int]:
    """Return (height, width, channels) of the images that go into a translator."""
    network = entry.manifest.networks.get("translator")
    if network is None:
        raise EntryError(f"The entry {entry.name} has no translator.")
    height, width, channels = network.inputs["source"]
    return height, width, channels


def sample(
    entry: Entry,
    count: int,
    seed: int,
    sampler: str | None = None,
    temperature: float = 1.0,
    truncation: float | None = None,
    label: int | np.ndarray | None = None,
) -> Samples:
    """Draw images.

    Args:
        entry: must be able to generate.
        count: between 1 and MAX_SAMPLES; with the same seed a larger count adds images at the end.
        seed: not negative.
        sampler: a name in zoo.samplers; None takes the first that the entry offers.
        temperature: factor on the standard deviation; the logits of a prior network are divided by it.
        truncation: cut of the noise in standard deviations, or None; a prior network knows none.
        label: class of all images, or one per image (count,); None draws all classes evenly in a conditional entry.
    """
    if not 1 <= count <= MAX_SAMPLES:
        raise ValueError(f"The number of samples must lie between 1 and {MAX_SAMPLES:,}, not {count}.")
    offered = samplers.offered(entry)
    sampler = sampler or next(iter(offered), None)
    if sampler is None or sampler not in offered:
        raise EntryError(f"The entry {entry.name} cannot sample by {sampler!r}; it offers {offered or 'nothing'}.")
    latents = SAMPLERS[sampler].draw(entry, count, seed, temperature, truncation)
    labels = None
    if entry.conditional:
        labels = _even_labels(len(entry.classes), count, seed) if label is None else _labels(label, count)
    return Samples(latents, labels, decode(entry, latents, labels))


def affordable(entry: Entry, count: int, pixels: int = MAX_PIXELS) -> int:
    """Return how many of `count` images an entry may make in one step of a page: at most so many pixels together, but
    at least one. It keeps entries of large images from taking the time and memory of all visitors."""
    return max(1, min(count, pixels // math.prod(entry.shape[:2])))


def classify(entry: Entry, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return class probabilities (N, K) and the features of the last hidden layer (N, F)."""
    outputs = networks.run(entry, "classifier", image=_images(entry, images))
    shifted = np.exp(outputs["logits"] - outputs["logits"].max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True), outputs["features"]


def judge(entry: Entry, images: np.ndarray, labels: np.ndarray | int | None = None) -> np.ndarray:
    """Return the discriminator's score of each image (N,): a logit or critic value, higher is more real."""
    inputs = _inputs(entry, "discriminator", _images(entry, images), labels)
    return networks.run(entry, "discriminator", **inputs)["score"][:, 0]


def rank_dimensions(
    entry: Entry, latents: np.ndarray, labels: np.ndarray | int | None = None
) -> list[tuple[int, float]]:
    """Order the latent dimensions by what they do to the image.

    The effect is the mean |difference| of the pixels when a dimension goes from -2 to +2 standard deviations while the
    others stay at the given latents (N, *latent_shape). Mean and deviation are those of the prior; without one, of
    latents.npz, or else of the given latents.

    Returns:
        (flat dimension, effect in [0, 1]), strongest first.
    """
    latents = np.asarray(latents, np.float32)
    flat = latents.reshape(len(latents), -1)
    count, size = flat.shape
    mean, deviation = spread(entry, flat)
    tiled_labels = None if labels is None else _labels(labels, count)
    effects = np.zeros(size)
    group = max(1, affordable(entry, TRAVERSAL_BATCH) // (2 * count))
    for start in range(0, size, group):
        dimensions = np.arange(start, min(start + group, size))
        batch = np.tile(flat, (2, len(dimensions), 1, 1))
        for row, dimension in enumerate(dimensions):
            batch[0, row, :, dimension] = mean[dimension] - 2 * deviation[dimension]
            batch[1, row, :, dimension] = mean[dimension] + 2 * deviation[dimension]
        repeated = None if tiled_labels is None else np.tile(tiled_labels, 2 * len(dimensions))
        images = decode(entry, batch.reshape(-1, *latents.shape[1:]), repeated)
        low, high = images.reshape(2, len(dimensions), -1)
        effects[dimensions] = np.abs(high - low).mean(1)
    return [(int(dimension), float(effects[dimension])) for dimension in np.argsort(-effects, kind="stable")]


def spread(entry: Entry, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (L,) of each latent dimension: of the prior; without one, of latents.npz, or else of
    the given latents (N, L)."""
    if entry.prior in ("normal", "uniform"):
        deviation = 1.0 if entry.prior == "normal" else 1 / math.sqrt(3)
        return np.zeros(flat.shape[1]), np.full(flat.shape[1], deviation)
    statistics = aggregate.load(entry)
    if statistics is None:
        return flat.mean(0), flat.std(0)
    return statistics["mean"], np.sqrt(np.clip(np.diag(statistics["covariance"]), 0, None))


def _images(entry: Entry, images: np.ndarray) -> np.ndarray:
    images = np.asarray(images, np.float32)
    if images.shape[1:] != entry.shape:
        raise ValueError(f"{entry.name} takes images of shape {entry.shape}, not {images.shape[1:]}; fit them first.")
    return images


def _inputs(entry: Entry, role: str, array: np.ndarray, labels: np.ndarray | int | None) -> dict[str, np.ndarray]:
    """Name the inputs of a network, with labels where it takes them."""
    network = entry.manifest.networks.get(role)
    name = "latent" if role in ("decoder", "generator") else "image"
    if network is None or "label" not in network.inputs:
        return {name: array}
    if labels is None:
        raise ValueError(f"The {role} of {entry.name} is conditional: give it one class per image.")
    return {name: array, "label": _labels(labels, len(array))}


def _labels(labels: np.ndarray | int, count: int) -> np.ndarray:
    labels = np.asarray(labels, np.int64)
    if labels.ndim and labels.shape != (count,):
        raise ValueError(f"{count} images need {count} labels, not {labels.shape}.")
    return np.broadcast_to(labels, (count,))


def _even_labels(classes: int, count: int, seed: int) -> np.ndarray:
    """Draw every class once in each round, in an order of its own, so that any count is as even as it can be."""
    rounds = np.tile(np.arange(classes), (math.ceil(count / classes), 1))
    return np.random.default_rng([seed, 2]).permuted(rounds, axis=1).ravel()[:count]
