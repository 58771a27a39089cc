"""Measure an entry and write the numbers into its manifest: what the cards, the gallery and the README quote.

Everything runs on the entry's ONNX networks, as the app does; nothing here needs Keras. A metric of a sampler beside
the entry's first one is named after it: frechet@gmm.
"""

import functools
import logging
import pathlib
import timeit
from collections.abc import Sequence

import numpy as np

from training import inception, processor, staging
from zoo import entries, models, samplers
from zoo.analysis.scores import COUNT, SEEDS, Real
from zoo.data import datasets
from zoo.entries import catalog
from zoo.errors import EntryError
from zoo.metrics import classes as class_metrics
from zoo.metrics import (
    dci,
    frechet,
    likelihood,
    memorisation,
    mig,
    modes,
    posterior,
    probe,
    purity,
    reconstruction,
    sap,
)
from zoo.metrics.figures import FIGURES, RANDOM, figure
from zoo.samplers import SAMPLERS

log = logging.getLogger("training")
RUSH, REPEATS = 256, 7  # images drawn at once to measure the speed, and how often
DRAWS = 3  # latents per image for the lower bound
MANY, FEW = 5000, 40  # latents per image for the log-likelihood, and images per seed that are given so many


def evaluate(folder: pathlib.Path, seed: int = 0, only: Sequence[str] = ()) -> entries.Entry:
    """Measure the entry in `folder` on the test split of its dataset and rewrite its manifest and card.

    only: names in GROUPS or APART; the entry's other metrics then stay as they are. Raises EntryError for a broken
    entry or an unknown group, DatasetUnavailable without its data."""
    for name in only:
        if name not in GROUPS | APART:
            known = ", ".join(GROUPS | APART)
            raise EntryError(f"There is no group of metrics {name!r}: choose among {known}.")
    entry = entries.read(folder)
    classifier = None if "classify" in entry.capabilities else catalog.classifier_for(entry)
    data = real(_dataset(entry), entry.shape, classifier, seed, entry.balanced)
    if data.test.labels is None:
        log.warning("The test split of %s has no labels: what needs them is not measured.", entry.dataset)
    metrics = {}
    for name, measure in (GROUPS | APART).items():
        if name not in (only or GROUPS):
            continue
        found = measure(entry, data, seed)
        for key, value in found.items():
            if entry.balanced:
                value["protocol"] += " Real images are drawn with all classes equally often."
            interval = "" if value["low"] is None else f"   [{value['low']:.4g}, {value['high']:.4g}]"
            log.info("%-24s %.4g%s", key, value["value"], interval)
        metrics |= found
    with staging.revising(entry) as (_, manifest):
        manifest["metrics"] = (manifest["metrics"] if only else {}) | metrics
    return entries.read(entry.folder)


# What real images score against real ones: a floor for distances, what to reach for the others.
FLOOR, REAL = "_floor", "_real"


def metric(name: str, values, protocol: str, split: str | None = "test") -> dict:
    """A metric of the manifest: the mean of `values`, with their range as interval when there are several."""
    values = np.atleast_1d(np.asarray(values, float))
    several, low, high = len(values) > 1, values.min(), values.max()
    name, _, sampler = name.partition("@")
    row = figure(name)
    label, meaning = row.label, row.meaning
    if sampler:
        label = f"{label} ({SAMPLERS[sampler].description})"
    if name != row.name:
        meaning = f"the same for training images: what a perfect generator would score; {meaning}"
        label += " floor" if name.endswith(FLOOR) else " of real images"
    return {
        "value": float(values.mean().clip(low, high)),  # rounding can leave the range of equal values
        "low": float(low) if several else None,
        "high": float(high) if several else None,
        "split": split,
        "label": label,
        "meaning": meaning,
        "protocol": protocol,
    }


# Data -------------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def real(dataset, shape: tuple[int, int, int], classifier, seed: int, balanced: bool = False) -> Real:
    """The real images of a dataset; the last ones are kept, so that entries of one dataset share them."""
    return Real(dataset, shape, classifier, seed, balanced=balanced)


def _dataset(entry):
    # A local folder's path is in the recipe, the manifest has its name.
    return entry.manifest.provenance.options.get("dataset", entry.dataset)


# Groups of metrics: (entry, real images, seed) -> metrics, {} where they do not apply ---------------------------------


def accuracy(entry, data: Real, seed: int) -> dict:
    if "classify" not in entry.capabilities or data.test.labels is None:
        return {}
    probabilities, _ = models.classify(entry, data.fitted(data.test.images))
    right = probabilities.argmax(1) == data.test.labels
    return {"accuracy": metric("accuracy", right.mean(), f"{len(right):,} test images.")}


def rebuild(entry, data: Real, seed: int) -> dict:
    """MSE, PSNR and SSIM over the whole test split."""
    if "reconstruct" not in entry.capabilities or (entry.conditional and data.test.labels is None):
        return {}
    images = data.fitted(data.test.images)
    rebuilt = models.reconstruct(entry, images, data.test.labels if entry.conditional else None)
    protocol = f"Mean over {len(rebuilt):,} test images with values in [0, 1]"
    protocol += "; the code is the posterior's mean." if _variational(entry) else "."
    measures = {"mse": reconstruction.mse, "psnr": reconstruction.psnr, "ssim": reconstruction.ssim}
    return {name: metric(name, measure(images, rebuilt).mean(), protocol) for name, measure in measures.items()}


def generation(entry, data: Real, seed: int) -> dict:
    """Samples of the first sampler against the test split, three seeds, with what real images score beside it."""
    if "generate" not in entry.capabilities:
        return {}
    if data.classifier is None:
        log.warning("No classifier was trained on %s: what needs its features is not measured.", entry.dataset)
    rounds = [_drawn(entry, data, seed + offset) for offset in range(SEEDS)]
    metrics = _described(entry, data, seed, rounds)
    beside = [dict(floor) for floor in data.floors]
    if "cas" in rounds[0]:
        for floor, score in zip(beside, data.training_scores, strict=True):
            floor["cas"] = score
    for name in beside[0]:
        key = name + (FLOOR if FIGURES[name].floor else REAL)
        metrics[key] = metric(key, [floor[name] for floor in beside], _protocol(data, seed, name, "training images"))
    return metrics


def further_samplers(entry, data: Real, seed: int) -> dict:
    """The same comparison for every other sampler: the sampler alone can halve the distance."""
    metrics = {}
    for sampler in samplers.offered(entry)[1:]:
        rounds = [_drawn(entry, data, seed + offset, sampler) for offset in range(SEEDS)]
        metrics |= _described(entry, data, seed, rounds, sampler)
    return metrics


def _drawn(entry, data: Real, seed: int, sampler: str | None = None) -> dict[str, float]:
    """Every number of one draw of samples; what tells about the decoder more than the sampler only for the first."""
    samples = _samples(entry, data, seed, sampler)
    seen = data.see(samples.images, samples.labels)
    found = data.score(seen)
    if entry.conditional and seen.classes is not None:
        found["obedience"] = (seen.classes == samples.labels).mean()
    if sampler is None:
        found["memorisation"] = memorisation.ratio(seen.random, data.training[0].random, data.view.random)
        if entry.conditional and data.view.labels is not None:
            found["cas"] = data.classification_accuracy(samples.images, samples.labels)
    best = found.get("frechet", found["frechet_random"])
    log.info("%s, %s, seed %d: Fréchet %.3f", entry.name, sampler or samplers.offered(entry)[0], seed, best)
    return found


def _samples(entry, data: Real, seed: int, sampler: str | None = None) -> models.Samples:
    """As many samples as there are test images."""
    asked = None
    if entry.conditional and data.view.labels is not None:
        # The classes of the real images, in another order for each seed.
        asked = np.random.default_rng(seed).permutation(data.view.labels)
    return models.sample(entry, len(data.view.images), seed, sampler, label=asked)


def _described(entry, data: Real, seed: int, rounds: list[dict], sampler: str | None = None) -> dict:
    what = f"samples ({SAMPLERS[sampler or samplers.offered(entry)[0]].description})"
    names = {name: f"{name}@{sampler}" if sampler else name for name in rounds[0]}
    return {
        key: metric(key, [found[name] for found in rounds], _protocol(data, seed, name, what))
        for name, key in names.items()
    }


def _protocol(data: Real, seed: int, name: str, what: str) -> str:
    count, base = len(data.view.images), name.removesuffix("_ratio")
    seeds = f"seeds {seed} to {seed + SEEDS - 1}: mean and range."
    if base == "cas":
        learned = f"Logistic regression on the answers of random filters to {count:,} {what}"
        return f"{learned}, tested on {count:,} test images, {seeds}"
    if base == "memorisation":
        return f"{count:,} {what}, {count:,} training and {count:,} test images {RANDOM}, {seeds}"
    of_classifier = f"in the features of {data.classifier.name}" if data.classifier else ""
    return f"{count:,} {what} against {count:,} test images {FIGURES[base].space or of_classifier}, {seeds}"


def covered_modes(entry, data: Real, seed: int) -> dict:
    """How many of the 1,000 modes of Stacked MNIST samples show, as read by the classifier of single digits."""
    if entry.dataset != "stacked_mnist" or "generate" not in entry.capabilities:
        return {}
    reader = catalog.classifier_for("mnist")
    if reader is None:
        log.warning("No classifier was trained on mnist: the modes are not counted.")
        return {}

    def counted(images: np.ndarray) -> dict[str, float]:
        digits = [models.classify(reader, images[..., [channel]])[0].argmax(1) for channel in range(images.shape[3])]
        counts = class_metrics.histogram(modes.number(np.stack(digits, 1)), len(entry.classes))
        return {"modes": modes.covered(counts), "modes_kl": modes.divergence(counts)}

    runs = range(seed, seed + SEEDS)
    drawn = [counted(models.sample(entry, modes.SAMPLES, run).images) for run in runs]
    shown = [counted(datasets.load(entry.dataset, "train", count=modes.SAMPLES, seed=run).images) for run in runs]
    how = f"read channel by channel by {reader.name}, seeds {seed} to {runs[-1]}: mean and range."
    metrics = {}
    for name in drawn[0]:
        key = name + (FLOOR if FIGURES[name].floor else REAL)
        metrics[name] = metric(name, [found[name] for found in drawn], f"{modes.SAMPLES:,} samples, {how}")
        metrics[key] = metric(key, [found[name] for found in shown], f"{modes.SAMPLES:,} training images, {how}")
    return metrics


def likelihoods(entry, data: Real, seed: int) -> dict:
    """ELBO and log-likelihood of a VAE whose pixels are coins, on images whose grey values are thrown as coins."""
    options, labels = entry.manifest.provenance.options, data.test.labels if entry.conditional else None
    if options.get("likelihood") != "bernoulli" or not _variational(entry) or entry.shape[2] != 1:
        return {}
    if entry.conditional and labels is None:
        return {}
    found = {"elbo": [], "log_likelihood": []}
    for run in range(seed, seed + SEEDS):
        images = likelihood.binarise(data.fitted(data.test.images), run)
        mean, deviation = models.posterior(entry, images, labels)

        def bounds(rows, draws, report=lambda part: None, at=(images, mean, deviation), run=run):
            def decode(latents, owners):
                return models.decode(entry, latents, None if labels is None else labels[rows][owners])

            return likelihood.bounds(*(array[rows] for array in at), decode, draws, run, report)

        every = bounds(np.arange(len(images)), DRAWS)
        few = np.random.default_rng([run, 1]).choice(len(images), min(FEW, len(images)), replace=False)
        tightest = bounds(few, MANY, _tenths(f"Log-likelihood, seed {run}")).weighted
        found["elbo"].append(every.elbo.mean())
        found["log_likelihood"].append(likelihood.extended(every.weighted, tightest, few))
    trained = "trained on images binarised likewise" if options.get("binarise") else "trained on the grey values"
    given = " given the class" if entry.conditional else ""
    common = f"{len(images):,} test images, binarised dynamically, {trained};"
    seeds = f"seeds {seed} to {seed + SEEDS - 1}: mean and range."
    protocols = {
        "elbo": f"Nats per image{given}: {common} {DRAWS} latents for each, {seeds}",
        "log_likelihood": f"Nats per image{given}: {common} {MANY:,} latents for {len(few)} of them and {DRAWS} for "
        f"each, extended to all by the mean difference of the two bounds, {seeds}",
    }
    return {name: metric(name, values, protocols[name]) for name, values in found.items()}


def codes(entry, data: Real, seed: int) -> dict:
    """What is in the code of an image: information, classes, factors."""
    if "encode" not in entry.capabilities or "label" in entry.manifest.networks["encoder"].inputs:
        return {}  # an encoder that is told the class need not put it into the code
    metrics = {}
    images, test = data.fitted(data.test.images), data.test
    coins = entry.manifest.provenance.options.get("binarise")  # what the encoder was trained on
    if coins:
        images = likelihood.binarise(images, seed)
    mean, deviation = models.posterior(entry, images)
    count, flat = len(images), mean.reshape(len(images), -1)
    if deviation is not None:
        told = posterior.divergence(mean, deviation)
        protocol = f"Mean over {count:,} test images."
        metrics["kl"] = metric("kl", told.sum(), protocol)
        metrics["dead_dimensions"] = metric("dead_dimensions", posterior.dead(told), protocol)
    if test.labels is not None and len(np.unique(test.labels)) > 1:
        scores = []
        for offset, training in enumerate(data.training):
            shown = likelihood.binarise(training.images, seed + offset) if coins else training.images
            learned = models.encode(entry, shown).reshape(len(shown), -1)
            scores.append(probe.accuracy(learned, training.labels, flat, test.labels))
        protocol = (
            f"Logistic regression on the codes of {len(learned):,} training images, tested on those of {count:,} test "
            f"images, seeds {seed} to {seed + SEEDS - 1}: mean and range."
        )
        metrics["probe"] = metric("probe", scores, protocol)
    if test.factors is not None:
        metrics |= _disentangled(flat, _factors(test.factors), seed)
    return metrics


def discovered(entry, data: Real, seed: int) -> dict:
    """Whether the categories that a generator chooses among, untold, are the classes."""
    categories = entry.manifest.provenance.options.get("categories")
    if not categories or data.classifier is None or "generate" not in entry.capabilities:
        return {}
    found, runs = [], range(seed, seed + SEEDS)
    for run in runs:
        samples = models.sample(entry, COUNT, run)
        chosen = samples.latents[:, :categories].argmax(1)
        found.append(purity.score(chosen, data.see(samples.images, None).classes))
    protocol = f"{COUNT:,} samples, classes by {data.classifier.name}, seeds {seed} to {runs[-1]}: mean and range."
    return {"purity": metric("purity", found, protocol)}


def speed(entry, data: Real, seed: int) -> dict:
    """How many images a second this machine draws, the networks being loaded; decoding where nothing can be sampled."""
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


def _disentangled(flat: np.ndarray, factors: dict[str, np.ndarray], seed: int) -> dict:
    forests = [dci.scores(flat, factors, run) for run in range(seed, seed + SEEDS)]
    on = f"Codes of {len(flat):,} test images whose {len(factors)} factors are known: {', '.join(factors)}"
    found = {
        "mig": metric("mig", mig.score(flat, factors), f"{on}; {mig.BINS} bins."),
        "sap": metric("sap", sap.score(flat, factors), f"{on}."),
    }
    for name in dci.Scores._fields:
        values = [getattr(scores, name) for scores in forests]
        told = f"{on}; random forests, seeds {seed} to {seed + SEEDS - 1}: mean and range."
        found[f"dci_{name}"] = metric(f"dci_{name}", values, told)
    return found


def _factors(factors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The factors a code can be asked for: not the random piece of the texture; hues as degrees from red, so that the
    reds lie together."""
    kept = {name: values for name, values in factors.items() if name != "phase"}
    return kept | {"hue": np.mod(kept["hue"] + 180, 360) - 180}


def _variational(entry) -> bool:
    return "reconstruct" in entry.capabilities and "z_log_var" in entry.manifest.networks["encoder"].outputs


def _tenths(text: str):
    """A report that logs every tenth of the way."""
    told = 0

    def report(part: float) -> None:
        nonlocal told
        if int(10 * part) > told:
            told = int(10 * part)
            log.info("%s: %d %%", text, 10 * told)

    return report


def inception_features(entry, data: Real, seed: int) -> dict:
    """FID as papers quote it."""
    see = inception.features()
    if "generate" not in entry.capabilities:
        return {}
    shown, runs = frechet.statistics(see(data.view.images)), range(seed, seed + SEEDS)
    drawn = [frechet.statistics(see(_samples(entry, data, run).images)) for run in runs]
    what = SAMPLERS[samplers.offered(entry)[0]].description
    protocol = (
        f"Inception-v3 of torch-fidelity on images resized to 299; not comparable with the Fréchet distance above. "
        f"{shown.count:,} samples ({what}) against as many test images, seeds {seed} to {runs[-1]}: mean and range."
    )
    return {"inception_fid": metric("inception_fid", [frechet.distance(one, shown) for one in drawn], protocol)}


GROUPS = {
    "accuracy": accuracy,
    "reconstruction": rebuild,
    "generation": generation,
    "samplers": further_samplers,
    "modes": covered_modes,
    "likelihood": likelihoods,
    "codes": codes,
    "categories": discovered,
    "speed": speed,
}
APART = {"inception": inception_features}  # measured only when asked for by name
