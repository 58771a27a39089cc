"""Figures of codes: the likelihood that a VAE gives to images, and what the code of an image holds."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from training.measures.metric import metric, runs, seeds
from training.measures.networks import variational
from zoo import models
from zoo.analysis.scores import Real
from zoo.entries import Entry
from zoo.metrics import dci, likelihood, mig, posterior, probe, sap

log = logging.getLogger("training")
DRAWS = 3  # latents per image for the lower bound
MANY, FEW = 5000, 40  # latents per image for the log-likelihood, and images per seed that are given so many


def likelihoods(entry: Entry, data: Real, seed: int) -> dict[str, dict[str, Any]]:
    """ELBO and log-likelihood of a VAE with a Bernoulli likelihood, of images whose pixels are drawn as 0 or 1."""
    options, labels = entry.manifest.provenance.options, data.test.labels if entry.conditional else None
    if options.get("likelihood") != "bernoulli" or not variational(entry) or entry.shape[2] != 1:
        return {}
    if entry.conditional and labels is None:
        return {}
    images = data.fitted(data.test.images)
    few = min(FEW, len(images))
    bounds = [_bounds(entry, images, labels, run, few) for run in runs(seed)]
    trained = "trained on images binarised likewise" if options.get("binarise") else "trained on the grey values"
    given = " given the class" if entry.conditional else ""
    common = f"Nats per image{given}: {len(images):,} test images, binarised dynamically, {trained};"
    protocols = {
        "elbo": f"{common} {DRAWS} latents for each, {seeds(seed)}",
        "log_likelihood": f"{common} {MANY:,} latents for {few} of them and {DRAWS} for each, extended to all by the "
        f"mean difference of the two bounds, {seeds(seed)}",
    }
    return {name: metric(name, [found[name] for found in bounds], protocols[name]) for name in protocols}


def _bounds(entry: Entry, images: np.ndarray, labels: np.ndarray | None, seed: int, few: int) -> dict[str, float]:
    """Return both bounds on the log-likelihood of images (N, H, W, 1), the tighter one measured on `few` of them."""
    images = likelihood.binarise(images, seed)
    mean, deviation = models.posterior(entry, images, labels)
    assert deviation is not None, "a variational encoder has a deviation"

    def bounds(rows: np.ndarray, draws: int, report: Callable[[float], None]) -> likelihood.Bounds:
        def decode(latents: np.ndarray, owners: np.ndarray) -> np.ndarray:
            return models.decode(entry, latents, None if labels is None else labels[rows][owners])

        return likelihood.bounds(images[rows], mean[rows], deviation[rows], decode, draws, seed, report)

    every = bounds(np.arange(len(images)), DRAWS, lambda part: None)
    chosen = np.random.default_rng([seed, 1]).choice(len(images), few, replace=False)
    tightest = bounds(chosen, MANY, _tenths(f"Log-likelihood, seed {seed}")).weighted
    return {"elbo": every.elbo.mean(), "log_likelihood": likelihood.extended(every.weighted, tightest, chosen)}


def information(entry: Entry, data: Real, seed: int) -> dict[str, dict[str, Any]]:
    """What the code of an image holds: nats, classes, factors."""
    if "encode" not in entry.capabilities or "label" in entry.manifest.networks["encoder"].inputs:
        return {}  # an encoder that gets the class need not put it into the code
    metrics, images = {}, _observed(entry, data.fitted(data.test.images), seed)
    mean, deviation = models.posterior(entry, images)
    codes = mean.reshape(len(images), -1)
    if deviation is not None:
        divergence = posterior.divergence(mean, deviation)
        protocol = f"Mean over {len(images):,} test images."
        metrics["kl"] = metric("kl", divergence.sum(), protocol)
        metrics["dead_dimensions"] = metric("dead_dimensions", posterior.dead(divergence), protocol)
    labels, factors = data.test.labels, data.test.factors
    if labels is not None and len(np.unique(labels)) > 1:
        metrics |= _linear_probe(entry, data, codes, labels, seed)
    if factors is not None:
        metrics |= _disentanglement(codes, _factors(factors), seed)
    return metrics


def _observed(entry: Entry, images: np.ndarray, seed: int) -> np.ndarray:
    """Return images as the encoder was trained on them: binarised, or as they are."""
    return likelihood.binarise(images, seed) if entry.manifest.provenance.options.get("binarise") else images


def _linear_probe(
    entry: Entry, data: Real, codes: np.ndarray, labels: np.ndarray, seed: int
) -> dict[str, dict[str, Any]]:
    scores, count = [], 0
    for run, training in zip(runs(seed), data.training, strict=True):
        learned = models.encode(entry, _observed(entry, training.images, run))
        count = len(learned)
        if training.labels is not None:
            scores.append(probe.accuracy(learned.reshape(count, -1), training.labels, codes, labels))
    protocol = (
        f"Logistic regression on the codes of {count:,} training images, tested on those of {len(codes):,} test "
        f"images, {seeds(seed)}"
    )
    return {"probe": metric("probe", scores, protocol)}


def _disentanglement(codes: np.ndarray, factors: dict[str, np.ndarray], seed: int) -> dict[str, dict[str, Any]]:
    forests = [dci.scores(codes, factors, run) for run in runs(seed)]
    on = f"Codes of {len(codes):,} test images whose {len(factors)} factors are known: {', '.join(factors)}"
    found = {
        "mig": metric("mig", mig.score(codes, factors), f"{on}; {mig.BINS} bins."),
        "sap": metric("sap", sap.score(codes, factors), f"{on}."),
    }
    for name in dci.Scores._fields:
        values = [getattr(scores, name) for scores in forests]
        found[f"dci_{name}"] = metric(f"dci_{name}", values, f"{on}; random forests, {seeds(seed)}")
    return found


def _factors(factors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the factors that a code can hold: all but the random piece of the texture, and hues as degrees from red,
    so that the reds lie together."""
    kept = {name: values for name, values in factors.items() if name != "phase"}
    return kept | {"hue": np.mod(kept["hue"] + 180, 360) - 180}


def _tenths(text: str) -> Callable[[float], None]:
    """Return a report that logs every tenth of the way."""
    done = 0

    def report(part: float) -> None:
        nonlocal done
        if int(10 * part) > done:
            done = int(10 * part)
            log.info("%s: %d %%", text, 10 * done)

    return report
