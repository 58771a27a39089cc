"""Inversion: the latent from which a generator makes an image that is nearest to a given one. No Streamlit.

Levenberg-Marquardt on the pixels (Marquardt 1963): the Jacobian is measured by forward differences, L perturbed latents
in one batch through the generator, so no gradient of the network is needed. It begins at the nearest of random draws,
and the worse half of the starts is given up on the way. Latents stay where the prior draws: else a generator is asked
for what it was never trained to make.
"""

import csv
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from zoo import models
from zoo.entries import Entry
from zoo.errors import Cancelled

OWN, SHARE = 20, 0.95  # samples of its own that a verdict rests on, and the share of them that lies below the bar
STEP = 0.03  # of the forward differences, in units of the latent
FACTORS = (0.03, 0.3, 3.0, 30.0)  # by which the damping is tried at every step, all in one batch
HALVED = (1, 3, 6)  # steps after which half of the starts are given up
TAIL = 3.09  # standard deviations: one draw of 1,000 of the normal prior lies farther out
MAX_VALUES = 1 << 25  # of one Jacobian
BRIGHTEST = 0.995  # quantile of the mean differences that is shown as white
ALWAYS = float("inf")

Decode = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


@dataclass(frozen=True, slots=True)
class Settings:
    """draws: random latents that are looked at first; starts: how many of them are followed; steps: at most, of each;
    seconds: the time limit for one image, after which the best so far is returned."""

    draws: int = 512
    starts: int = 8
    steps: int = 14
    seed: int = 0
    seconds: float = ALWAYS


@dataclass(frozen=True, slots=True)
class Space:
    """Where is searched: latents of `size` numbers of a prior ("normal" or "uniform"), and `classes` classes, or 0."""

    size: int
    prior: str = "normal"
    classes: int = 0

    def draw(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Return latents (count, size) of the prior."""
        if self.prior == "uniform":
            return random.uniform(-1, 1, (count, self.size)).astype(np.float32)
        return random.standard_normal((count, self.size)).astype(np.float32)

    def inside(self, latents: np.ndarray) -> np.ndarray:
        """Return latents (…, size) brought to the nearest place where the prior draws: the cube of a uniform one, the
        ball that holds 999 of 1,000 draws of a normal one (Wilson and Hilferty 1931)."""
        if self.prior == "uniform":
            return np.clip(latents, -1, 1)
        part = 2 / (9 * self.size)
        radius = math.sqrt(self.size * (1 - part + TAIL * math.sqrt(part)) ** 3)
        length = np.linalg.norm(latents, axis=-1, keepdims=True)
        return latents * np.minimum(1, radius / np.maximum(length, 1e-12))


@dataclass(frozen=True, slots=True)
class Found:
    """The nearest image of one target: latent (L,), its class or None, image (H, W, C), error: the mean squared error
    of just that image; curve: the error of the best draw and after each step; made: images that the search made;
    cut: whether the time limit ended it."""

    latent: np.ndarray
    label: int | None
    image: np.ndarray
    error: float
    curve: tuple[float, ...]
    made: int
    cut: bool


@dataclass(slots=True)
class _Starts:
    """What is followed: K latents (K, L), their classes (K,) or None, flat images (K, P), errors and dampings (K,)."""

    latents: np.ndarray
    labels: np.ndarray | None
    images: np.ndarray
    errors: np.ndarray
    damping: np.ndarray

    def best(self, count: int) -> "_Starts":
        order = np.argsort(self.errors, kind="stable")[:count]
        labels = None if self.labels is None else self.labels[order]
        return _Starts(self.latents[order], labels, self.images[order], self.errors[order], self.damping[order])


def search(
    decode: Decode,
    target: np.ndarray,
    space: Space,
    settings: Settings,
    label: int | None = None,
    start: np.ndarray | None = None,
    report: Callable[[float], None] = lambda part: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Found:
    """Find the latent whose image is nearest to a target by mean squared error.

    Args:
        decode: takes latents (N, L) and classes (N,) or None, returns images (N, H, W, C).
        target: (H, W, C). label: its class; None tries all classes of the space.
        start: (L,), a further place to begin at, as from an encoder.

    Raises Cancelled, and ValueError where a Jacobian would be larger than MAX_VALUES.
    """
    begun, most = time.monotonic(), MAX_VALUES // (space.size * target.size)
    if not most:
        raise ValueError(f"{space.size} latents of images of {target.size:,} numbers are too many to be searched.")
    now, made, cut = _begin(decode, target, space, settings, label, start), settings.draws, False
    now = now.best(min(settings.starts, most))
    curve = [float(now.errors.min())]
    for step in range(settings.steps):
        if cancelled():
            raise Cancelled
        if cut := time.monotonic() - begun > settings.seconds:
            break
        made += len(now.latents) * (space.size + len(FACTORS))
        now = _stepped(decode, target.ravel(), space, now)
        now = now.best(math.ceil(len(now.latents) / 2)) if step in HALVED else now
        curve.append(float(now.errors.min()))
        report((step + 1) / settings.steps)
    best = now.best(1)
    image = decode(best.latents, best.labels)[0]
    known = None if best.labels is None else int(best.labels[0])
    return Found(best.latents[0], known, image, mse(image, target), tuple(curve), made, cut)


def mse(image: np.ndarray, target: np.ndarray) -> float:
    """Return the mean squared error of two arrays of one shape."""
    return float(np.square(np.asarray(image, np.float64) - target).mean())


def _begin(
    decode: Decode,
    target: np.ndarray,
    space: Space,
    settings: Settings,
    label: int | None,
    start: np.ndarray | None,
) -> _Starts:
    """Return the draws, and before them the start that is given, which is never given up for being the worse draw."""
    latents = space.draw(settings.draws, np.random.default_rng(settings.seed))
    if start is not None:
        latents[0] = space.inside(start)
    labels = None
    if space.classes:
        every = np.arange(settings.draws) % space.classes
        labels = every if label is None else np.full(settings.draws, label)
    images = decode(latents, labels).reshape(len(latents), -1)
    errors = np.square(images - target.ravel()).mean(1)
    return _Starts(latents, labels, images, errors, np.full(len(latents), 0.1))


def _stepped(decode: Decode, target: np.ndarray, space: Space, now: _Starts) -> _Starts:
    """Return all starts one step of Levenberg-Marquardt further, each by the best of several dampings.

    (JᵀJ + λI) δ = Jᵀ(x - G(z)); λ is relative to the mean of JᵀJ's diagonal. A start that no damping improves stays
    where it is and is damped more.
    """
    count, size = now.latents.shape
    moved = (now.latents[:, None] + STEP * np.eye(size, dtype=np.float32)).reshape(-1, size)
    slopes = (_images(decode, moved, now.labels, size).reshape(count, size, -1) - now.images[:, None]) / STEP
    squares, towards = slopes @ slopes.transpose(0, 2, 1), slopes @ (target - now.images)[..., None]
    scale = np.trace(squares, axis1=1, axis2=2) / size + 1e-9
    damping = now.damping[:, None] * FACTORS
    system = squares[:, None] + (damping * scale[:, None])[..., None, None] * np.eye(size)
    steps = np.linalg.solve(system, np.broadcast_to(towards[:, None], (count, len(FACTORS), size, 1)))[..., 0]
    tried = space.inside(now.latents[:, None] + steps).astype(np.float32)
    images = _images(decode, tried.reshape(-1, size), now.labels, len(FACTORS)).reshape(count, len(FACTORS), -1)
    errors = np.square(images - target).mean(2)
    rows, best = np.arange(count), errors.argmin(1)
    better = errors[rows, best] < now.errors
    return _Starts(
        np.where(better[:, None], tried[rows, best], now.latents),
        now.labels,
        np.where(better[:, None], images[rows, best], now.images),
        np.where(better, errors[rows, best], now.errors),
        np.clip(np.where(better, damping[rows, best], now.damping * 10), 1e-6, 1e4),
    )


def _images(decode: Decode, latents: np.ndarray, labels: np.ndarray | None, each: int) -> np.ndarray:
    return decode(latents, None if labels is None else labels.repeat(each))


def invertible(entry: Entry) -> bool:
    """Whether an entry's latents can be searched: they are drawn from a simple prior, and are not too many."""
    if "generate" not in entry.capabilities or entry.prior not in ("normal", "uniform") or entry.discrete:
        return False
    return math.prod(entry.latent_shape) * math.prod(entry.shape) <= MAX_VALUES


def adversarial(entry: Entry) -> bool:
    """Whether an entry is a GAN: it has a generator, or a decoder with a discriminator of images beside it."""
    return "generator" in entry.manifest.networks or "judge" in entry.capabilities


def neighbour(entry: Entry, entries: Sequence[Entry]) -> Entry | None:
    """Return the autoencoder of the same dataset and shape whose code has nearest as many numbers; None without one."""

    def away(other: Entry) -> float:
        return abs(math.log(math.prod(other.latent_shape) / math.prod(entry.latent_shape)))

    found = [
        other
        for other in entries
        if other.dataset == entry.dataset and other.shape == entry.shape and "reconstruct" in other.capabilities
        and not (other.discrete or other.conditional or adversarial(other) or other.id == entry.id)
    ]  # fmt: skip
    return min(found, key=away, default=None)


def invert(
    entry: Entry,
    images: np.ndarray,
    labels: np.ndarray | None,
    settings: Settings,
    report: Callable[[float], None] = lambda part: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Found]:
    """Find the nearest images of an entry to images (N, H, W, C) of its shape, one search after the other.

    labels: (N,) for a conditional entry, None to try all classes. An encoder, where the entry has one, gives a start.
    """
    size = math.prod(entry.latent_shape)
    space = Space(size, entry.prior or "normal", len(entry.classes) if entry.conditional else 0)

    def decode(latents: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
        return models.decode(entry, latents.reshape(-1, *entry.latent_shape), classes)

    codes = None
    if "encode" in entry.capabilities and not (entry.conditional and labels is None):
        codes = models.encode(entry, images, labels).reshape(len(images), -1)
    found = []
    for index, image in enumerate(images):
        found.append(
            search(
                decode, image, space, settings,
                None if labels is None or not entry.conditional else int(labels[index]),
                None if codes is None else codes[index],
                lambda part, index=index: report((index + part) / len(images)), cancelled,
            )
        )  # fmt: skip
    return found


def own(
    entry: Entry,
    settings: Settings,
    report: Callable[[float], None] = lambda part: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> np.ndarray:
    """Return the errors (OWN,) at which the search finds images that the entry can make: samples of its prior."""
    # The seed is far from that of the search, which must not begin at the answer.
    drawn = models.sample(entry, OWN, settings.seed + 1_000_003, "prior")
    return np.array([found.error for found in invert(entry, drawn.images, drawn.labels, settings, report, cancelled)])


def bar(errors: np.ndarray) -> float:
    """Return the error that SHARE of the entry's own samples (N,) stay at or below."""
    return float(np.sort(errors)[math.ceil(SHARE * len(errors)) - 1])


def verdict(errors: Sequence[float], limit: float, name: str) -> str:
    """Say which of several images a generator can make, when `limit` is the bar of its own samples."""
    past, count = [error for error in errors if error > limit], len(errors)
    basis = f"the same search brings 95 % of {OWN} samples of its own to an MSE of {limit:.2g} or less"
    these = "this image" if count == 1 else f"all {count} images"
    if not past:
        return f"{name} can make {these}: {basis}."
    if count > 1:
        these = f"{len(past)} of these {count} images"
    stays = f"{min(past):.2g}" if len(past) == 1 else f"{min(past):.2g} to {max(past):.2g}"
    return f"{name} cannot make {these} exactly: {basis}, and stays at {stays} here."


def beside(errors: Sequence[float], others: Sequence[float], name: str) -> str:
    """Say in how many images a search came nearer than the autoencoder of that name did."""
    ahead = sum(one < other for one, other in zip(errors, others, strict=True))
    if ahead == len(errors):
        return f"It comes nearer than {name} all the same."
    return f"It comes nearer than {name} in {ahead or 'none'} of them."


def table(names: Sequence[str], found: Sequence[Found]) -> str:
    """Return a CSV table, one row for each image: its name, class told or found, error, and the latent's numbers."""
    size = len(found[0].latent) if found else 0
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["image", "class", "mse", *(f"z{index}" for index in range(size))])
    for name, item in zip(names, found, strict=True):
        label = "" if item.label is None else item.label
        writer.writerow([name, label, f"{item.error:.6g}", *(f"{value:.6g}" for value in item.latent.tolist())])
    return buffer.getvalue()


def dropped(originals: np.ndarray, nearest: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return where images (N, H, W, C) are on average brighter than their nearest ones, where they are darker, both
    (H, W, C) with one brightness, and the difference that it shows as white.

    After Bau et al. 2019, "Seeing What a GAN Cannot Generate": what all inversions lack the generator has dropped.
    """
    apart = (np.asarray(originals, np.float64) - nearest).astype(np.float32)
    lacking, added = np.maximum(apart, 0).mean(0), np.maximum(-apart, 0).mean(0)
    white = max(0.02, float(np.quantile(np.stack([lacking, added]), BRIGHTEST)))
    return np.minimum(lacking / np.float32(white), 1), np.minimum(added / np.float32(white), 1), white
