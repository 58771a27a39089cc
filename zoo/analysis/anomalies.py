"""How likely an entry finds images, how badly it gives them back, and how far their codes lie from those it knows."""

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from zoo import models, networks
from zoo.analysis.conditions import labels_for
from zoo.entries import Entry
from zoo.errors import Cancelled
from zoo.images import fit
from zoo.latent import aggregate, codes, density, flow
from zoo.metrics import likelihood
from zoo.metrics.auroc import auroc

MAX_SIGMA = 10.0


class Score(NamedTuple):
    """A score of images: its title, a short one, its axis, whether a large one is unusual, how to read it."""

    title: str
    short: str
    axis: str
    unusual: bool
    reading: str


SCORES = {
    "bound": Score(
        "log p(x)", "log p(x)", "log p(x) of an image (nats), larger is likelier", False,
        "A lower bound of the log-likelihood of the image itself.",
    ),
    "code": Score(
        "log p(code)", "log p(code)", "log p of the code (nats), larger is likelier", False,
        "The density of the code, not of the image: what the encoder drops does not count.",
    ),
    "error": Score(
        "Reconstruction error", "error", "mean squared error of the pixels", True,
        "What the bottleneck does not let through: 0 is perfect.",
    ),
    "distance": Score(
        "Latent distance", "distance", "distance of the code (standard deviations)", True,
        "Mahalanobis distance of the code from the mean of the codes of training images.",
    ),
}  # fmt: skip


class Setting(NamedTuple):
    """How many latents the bound takes of each image, and the seed of these and of binary pixels."""

    draws: int
    seed: int


class Scored(NamedTuple):
    """Scores of N images by their name in SCORES, each (N,); the images (N, H, W, C) as the entry is given them; how
    they were fitted, or None; where the classes of a conditional entry are from, or ""."""

    scores: dict[str, np.ndarray]
    images: np.ndarray
    notice: str | None
    told: str


def offered(entry: Entry) -> tuple[str, ...]:
    """Return the names of the scores that an entry has, likelihoods first; () where it has no likelihood."""
    if not {"encode", "decode"} <= entry.capabilities:
        return ()
    statistics = aggregate.stored(entry)
    has = {
        "bound": sigma(entry) != 0 and "z_log_var" in entry.manifest.networks["encoder"].outputs,
        "code": statistics or entry.discrete,
        "error": True,
        "distance": statistics,
    }
    return tuple(name for name in SCORES if has[name]) if has["bound"] or has["code"] else ()


def sigma(entry: Entry) -> float | None:
    """Return the standard deviation of the pixels of a Gaussian likelihood that an entry was trained with, None for a
    Bernoulli likelihood of grey images, and 0 where no likelihood is known: only then the bound means nothing."""
    options = entry.manifest.provenance.options
    if entry.prior != "normal":
        return 0.0
    if options.get("likelihood") == "bernoulli":
        return None if entry.shape[2] == 1 else 0.0
    found = options.get("sigma") if options.get("likelihood") == "gaussian" else 0.0
    return float(found) if isinstance(found, int | float) and 0 < found <= MAX_SIGMA else 0.0


def score(
    entry: Entry,
    pictures: np.ndarray,
    setting: Setting,
    known: tuple[np.ndarray | None, Sequence[str]] = (None, ()),
    classifier: Entry | None = None,
    report: Callable[[float], None] = lambda part: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Scored:
    """Score images (N, H, W, C) of any shape by all that an entry offers.

    Args:
        known: the labels (N,) of the images or None, and the names that they stand for; classifier: guesses them. Only
            conditional entries need them: their scores are given the class.
        report: called with the part that is done, in (0, 1]. cancelled: asked now and then.

    The bound of a Bernoulli likelihood is of images binarised by the seed; everything else is of the images as the
    encoder was trained on them. Raises Cancelled once `cancelled` says so.
    """
    labels, told = labels_for(entry, pictures, *known, classifier)
    fitted, notice = fit(pictures, entry.shape)
    given = seen(entry, fitted, setting.seed)
    latents = models.encode(entry, given, labels)
    found = {}
    for name in offered(entry):
        if cancelled():
            raise Cancelled("The scores were given up.")
        if name == "bound":
            found[name] = bound(entry, fitted, labels, setting, report, cancelled)
        elif name == "code":
            found[name] = _code_density(entry, latents)
        elif name == "error":
            rebuilt = models.decode(entry, latents, labels)
            found[name] = np.square(rebuilt.astype(float) - given).mean(axis=(1, 2, 3))
        else:
            found[name] = density.distance(aggregate.required(entry), latents)
    report(1.0)
    return Scored(found, fitted, notice, told)


def seen(entry: Entry, fitted: np.ndarray, seed: int) -> np.ndarray:
    """Return images as the encoder was trained on them: binarised, or as they are."""
    return likelihood.binarise(fitted, seed) if entry.manifest.provenance.options.get("binarise") else fitted


def bound(
    entry: Entry,
    fitted: np.ndarray,
    labels: np.ndarray | None,
    setting: Setting,
    report: Callable[[float], None] = lambda part: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> np.ndarray:
    """Importance-weighted bound on log p(x) (Burda et al. 2016) of images (N, *shape) under a VAE, in nats: (N,)."""
    spread = sigma(entry)
    observed = likelihood.binarise(fitted, setting.seed) if spread is None else fitted
    mean, deviation = models.posterior(entry, observed, labels)
    assert deviation is not None, "only offered where the encoder has a deviation"

    def decode(latents: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if cancelled():
            raise Cancelled("The bound was given up.")
        return models.decode(entry, latents, None if labels is None else labels[rows])

    found = likelihood.bounds(observed, mean, deviation, decode, setting.draws, setting.seed, report, sigma=spread)
    return found.weighted


def _code_density(entry: Entry, latents: np.ndarray) -> np.ndarray:
    """Log-density of codes by the flow, else the mixture that was fitted to those of training images; the
    log-probability of the integers of a discrete entry by its prior."""
    if not entry.discrete:
        statistics = flow.load(entry) if entry.has(flow.FILE) else aggregate.required(entry)
        return density.log_density(statistics, latents)
    integers = codes.nearest(latents, codes.codebook(entry))
    logits = networks.run(entry, "prior", codes=integers)["logits"].astype(float)
    logits -= logits.max(-1, keepdims=True)
    chosen = np.take_along_axis(logits, integers[..., None], -1)[..., 0] - np.log(np.exp(logits).sum(-1))
    return chosen.reshape(len(latents), -1).sum(1)


def separation(normal: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return, by name of score, in which share of pairs the score finds the image of the other set the more unusual."""
    return {name: auroc(*(_strangeness(name, scores[name]) for scores in (normal, other))) for name in normal}


def likelihood_of(names: Sequence[str]) -> str:
    """Return the name of the likelihood among scores: of the image where there is one, else of the code."""
    return next(name for name in SCORES if name in names)


def surprise(found: Mapping[str, float], normal: str, other: str) -> str:
    """Say whether images of another dataset are likelier than those that an entry was trained on, which Nalisnick et
    al. (2019, "Do deep generative models know what they don't know?") found of a model of Fashion-MNIST for digits."""
    area = found[likelihood_of(list(found))]
    if "bound" not in found:  # theirs are likelihoods of images
        return f"The code of the image of {normal} is the likelier one in {percent(area)} of all pairs."
    likelier = f"in {percent(1 - area)} of all pairs the image of {other} has the larger log p(x)"
    if area < 0.45:
        return (
            f"The surprise of Nalisnick et al. (2019) shows here: {likelier}, though the model learned {normal}. "
            "A likelihood alone does not say what a model was trained on."
        )
    if area <= 0.55:
        return f"log p(x) does not tell {other} from {normal}: {likelier}."
    return (
        f"The surprise of Nalisnick et al. (2019), that a model may find foreign images likelier, does not show here: "
        f"{likelier}."
    )


def best(found: Mapping[str, float], normal: str, other: str) -> str:
    """Say which score, or which of them, tells two sets apart best."""
    most = f"{max(found.values()):.3f}"
    names = [SCORES[key].title for key, value in found.items() if f"{value:.3f}" == most]
    numbers = ", ".join(f"{SCORES[key].title} {value:.3f}" for key, value in found.items())
    who = f"{names[0]} tells" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} tell"
    return f"AUROC of {normal} against {other}: {numbers}. {who} them apart best."


def percent(share: float) -> str:
    """Return a share in whole per cent, but neither 0 nor 100 unless it is exactly that."""
    number = 100 * share
    if number in (0, 100) or 1 <= number <= 99:
        return f"{number:.0f} %"
    return f"{number:.1f} %" if 0.1 <= number <= 99.9 else ("< 0.1 %" if number < 1 else "> 99.9 %")


def ranked(name: str, values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the most usual and of the most unusual images by a score (N,), the most extreme first."""
    order = np.argsort(_strangeness(name, values), kind="stable")
    return order[:count], order[::-1][:count]


def rank(name: str, values: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Return for each of values (M,) the share (M,) of normal images that are less unusual by this score."""
    ordered = np.sort(_strangeness(name, normal))
    return np.searchsorted(ordered, _strangeness(name, values)) / max(1, len(ordered))


def written(name: str, value: float) -> str:
    """Return a score as it stands under an image."""
    if name == "error":
        return f"{value:.4f}"
    return f"{value:,.1f}" if abs(value) < 10_000 else f"{value:.3g}"


def table(series: Mapping[str, Scored]) -> str:
    """Return a CSV table, one row per image: set, index and its scores."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = list(next(iter(series.values())).scores)
    writer.writerow(["set", "index", *names])
    for title, found in series.items():
        for index in range(len(found.images)):
            writer.writerow([title, index, *(f"{found.scores[name][index]:.6g}" for name in names)])
    return buffer.getvalue()


def protocol(entry: Entry, setting: Setting, count: int) -> str:
    """Say in one or two sentences how the scores of `count` test images of each set were computed."""
    parts = [f"{count:,} test images of each set, seed {setting.seed}"]
    if "bound" in offered(entry):
        spread = sigma(entry)
        kind = "pixels drawn as 0 or 1 with their grey as probability (Bernoulli likelihood)"
        if spread is not None:
            kind = f"Gaussian likelihood with σ = {spread:g} at each of {math.prod(entry.shape):,} values"
        bounded = f"log p(x) by the importance-weighted bound with {setting.draws} latents (Burda et al. 2016)"
        parts.append(f"{bounded}, {kind}")
    if entry.discrete:
        parts.append("log p(code) by the network that draws the integers")
    elif "code" in offered(entry):
        fitted = "flow" if entry.has(flow.FILE) else "Gaussian mixture"
        parts.append(f"log p(code) by the {fitted} fitted to codes of training images")
    return "; ".join(parts) + "."


def _strangeness(name: str, values: np.ndarray) -> np.ndarray:
    return np.asarray(values, float) * (1 if SCORES[name].unusual else -1)
