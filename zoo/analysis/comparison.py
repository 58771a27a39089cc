"""Sets of images side by side: what the plots of a distribution need, and what they show in plain sentences.

In every mapping the first set is the reference that the others are compared with; the one named REAL_NAME is called
"the data".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo import images, models
from zoo.analysis.scores import Scored
from zoo.charts import REAL_NAME
from zoo.data import fruits
from zoo.entries import Entry
from zoo.metrics import normality, prdc
from zoo.metrics.classes import missing, total_variation

SHOWN = 25
PIXELS = 300_000
SIMILAR = 0.01
FEW = 200  # images: sentences about fewer say how few
ALIVE = 0.1  # nats: below, a dimension of a VAE tells next to nothing about the image

# How to read each plot.
READINGS = {
    "Brightness": "How many pixels are how bright: where two lines part, one set has more dark, grey or bright pixels.",
    "Average and variety": "Above the mean of all images, below the standard deviation of each pixel: white is the "
    "most of the first set. A model that repeats itself has a crisper mean and a darker deviation than the data.",
    "Classes": "Which class the classifier sees how often: a bar far below the others is a class that is neglected.",
    "Features": "Each point is an image as the classifier sees it, on the two axes along which the first set varies "
    "most; outlines hold half and nine tenths of a set. A cluster without points of a model is a mode that it lost. "
    "Where a real image has no near neighbours, as one in ten, is no place where real images lie.",
    "Factors of the fruits": "Hue, size and position of each fruit: of real ones the true factors, of the others what "
    "is measured from their pixels. Gaps in the data that a model fills are fruits that do not exist.",
    "Codes": "How the codes of the training images are spread in each dimension, beside the prior that new images are "
    "drawn from: where the prior is wider, the decoder is asked for what it never learned.",
    "Codes without prior": "How the codes of the training images are spread in each dimension: nothing shapes them, so "
    "new codes are drawn from a distribution fitted to these.",
    "Map of codes": "Each point is an image, at the two numbers its encoder gives it: neighbours look alike, and "
    "colours that mix are classes it confuses.",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """What remains of a set of images: small, so that many can be kept.

    shown (S, H, W, C): the first images; pixels (P,): values at random places; mean and variance (H, W, C), over the
    images; labels (N,) and features (N, F) of the classifier, or None; measured: hue, size, x, y of fruits, or None;
    truth: the same factors as they were drawn, or None.
    """

    count: int
    shown: np.ndarray
    pixels: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    labels: np.ndarray | None
    features: np.ndarray | None
    measured: dict[str, np.ndarray] | None
    truth: dict[str, np.ndarray] | None


def summarise(
    pictures: np.ndarray,
    classifier: Entry | None = None,
    measure: bool = False,
    truth: Mapping[str, np.ndarray] | None = None,
) -> Summary:
    """Summarise images (N, H, W, C) in [0, 1].

    Args:
        classifier: gives labels and features; images of another shape are fitted to it.
        measure: whether the images are fruits, whose factors can be measured from the pixels.
        truth: the factors that the images were rendered from.
    """
    labels = features = None
    if classifier is not None:
        probabilities, features = models.classify(classifier, images.fit(pictures, classifier.shape)[0])
        labels = probabilities.argmax(1)
    pixels = pictures.reshape(-1)
    if pixels.size > PIXELS:
        # Random places: a fixed stride may fall into step with the rows or channels of the images.
        pixels = pixels[np.random.default_rng(0).integers(pixels.size, size=PIXELS)]
    return Summary(
        count=len(pictures),
        shown=pictures[:SHOWN].copy(),
        pixels=pixels.copy(),
        mean=pictures.mean(0, dtype=np.float64),
        variance=pictures.var(0, dtype=np.float64),
        labels=labels,
        features=features,
        measured=fruits.measure(pictures) if measure else None,
        truth=None if truth is None else {name: np.asarray(truth[name]) for name in ("hue", "size", "x", "y")},
    )


@dataclass(frozen=True, slots=True)
class Axes:
    """Principal axes: mean (F,), directions (F, K), shares of the variance that they explain (K,)."""

    mean: np.ndarray
    directions: np.ndarray
    explained: np.ndarray

    def project(self, features: np.ndarray) -> np.ndarray:
        """Return the coordinates (N, K) of features (N, F)."""
        return (np.asarray(features, np.float64) - self.mean) @ self.directions

    def restore(self, coordinates: np.ndarray) -> np.ndarray:
        """Return the features (N, F) at coordinates (N, K); along all other directions they are the mean."""
        return np.asarray(coordinates, np.float64) @ self.directions.T + self.mean


def principal_axes(features: np.ndarray, count: int = 2) -> Axes:
    """Fit the principal axes of features (N, F), by the eigenvectors of their covariance (Pearson 1901).

    The sign of each axis makes its largest component positive, so that a figure does not flip.
    Raises ValueError for fewer than two vectors or fewer than `count` dimensions.
    """
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or len(features) < 2 or features.shape[1] < count:
        raise ValueError(f"{count} axes need features of two or more images, not an array of shape {features.shape}.")
    mean = features.mean(0)
    values, vectors = np.linalg.eigh(np.cov(features, rowvar=False).reshape(features.shape[1], -1))
    directions = vectors[:, ::-1][:, :count]
    directions = directions * np.sign(directions[np.abs(directions).argmax(0), np.arange(count)])
    return Axes(mean, directions, values[::-1][:count].clip(0) / max(values.clip(0).sum(), 1e-12))


def spread_images(sets: Mapping[str, Summary]) -> np.ndarray:
    """Return the standard deviation of each pixel in grey, (sets, H, W, C); white is the largest of the first set, so
    that no other set changes how the others look."""
    variances = np.stack([item.variance for item in sets.values()])
    deviations = np.broadcast_to(np.sqrt(variances.mean(-1, keepdims=True)), variances.shape)
    return (deviations / max(deviations[0].max(), 1e-12)).clip(0, 1).astype(np.float32)


# What the sets show, in words: one sentence per line


def brightness(sets: Mapping[str, Summary]) -> str:
    """Say which sets are darker or brighter than the reference."""
    reference, *others = sets
    base = max(float(sets[reference].mean.mean()), 1e-12)
    parts = []
    for name in others:
        change = float(sets[name].mean.mean()) / base - 1
        side = "darker" if change < 0 else "brighter"
        how = "as bright as" if abs(change) < SIMILAR else f"{percent(abs(change))} {side} than"
        parts.append(f"{counted(name, sets[name].count)} is {how} {_called(reference, sets[reference].count)}")
    return _sentences(parts)


def variety(sets: Mapping[str, Summary]) -> str:
    """Say how much the pixels of each set vary from image to image, as a share of the reference's variance."""
    reference, *others = sets
    base = max(float(sets[reference].variance.sum()), 1e-12)
    of = _called(reference, sets[reference].count)
    shares = {name: percent(float(sets[name].variance.sum()) / base) for name in others}
    return _sentences(
        [f"{counted(name, sets[name].count)} has {share} of the variance of {of}" for name, share in shares.items()]
    )


def covered(counts: Mapping[str, np.ndarray], classes: Sequence[str]) -> str:
    """Name the classes that each set but the data lacks, against the data or equal shares; counts are (K,)."""
    real = counts.get(REAL_NAME)
    parts = []
    for name in (name for name in counts if name != REAL_NAME):
        text = f"{counted(name, int(counts[name].sum()))} {_coverage(counts[name], real, classes)}"
        if real is not None:
            moved = total_variation(counts[name], real)
            text += f"; its shares differ from the data's by {percent(moved)}"
        parts.append(text)
    return _sentences(parts)


def verdicts(found: Mapping[str, Scored], real: np.ndarray | None, classes: Sequence[str]) -> str:
    """Say of each measured set which classes it covers and how far it is from the data, in multiples of the floor.

    real (K,) holds the images of each class in the data; None without a classifier.
    """
    parts = []
    for name, (figures, counts) in found.items():
        findings = [] if counts is None else [_coverage(counts, real, classes)]
        ratio = figures.get("frechet_ratio", figures.get("frechet_random_ratio"))
        if ratio is not None:
            findings.append(f"lies {ratio:.3g} times as far from the test images as training images do")
        if findings:
            count = FEW if counts is None else int(counts.sum())
            parts.append(f"{counted(name, count)} {', and '.join(findings)}")
    return _sentences(parts)


def _coverage(counts: np.ndarray, real: np.ndarray | None, classes: Sequence[str]) -> str:
    lost = missing(counts, real)
    if not lost:
        return f"covers all {len(classes)} classes"
    missed = _listed([classes[index] for index in lost])
    return f"covers {len(classes) - len(lost)} of {len(classes)} classes, missing: {missed}"


def overlap(features: Mapping[str, np.ndarray], most: int = 2000) -> str:
    """Say how far the sets overlap with the reference in the whole feature space: features are (N, F).

    By pruned precision (prdc.typical) and coverage (Naeem et al. 2020) of the first images of each set, at most `most`
    and at most as many as the reference has, for the more images there are to cover a set, the more of it is covered.
    The reference is the same whatever it is compared with; a smaller set is said to be one.
    """
    reference, *others = features
    base = features[reference][:most]
    where = "real images" if reference == REAL_NAME else f"images of {reference}"
    parts = []
    for name in others:
        values = features[name][: len(base)]
        inside, covered = prdc.typical(base, values), prdc.scores(base, values).coverage
        text = f"{counted(name, len(values), len(base))}: {percent(inside)} of its images lie where {where} do"
        parts.append(f"{text}, and {percent(covered)} of the {where} have one of its images nearby")
    if parts:
        text = f"Of the {len(base):,} {where}, {percent(prdc.typical(base))} lie where others of them do"
        parts.append(text)
    return _sentences(parts)


def against_prior(statistics: Mapping[str, np.ndarray], prior: bool) -> str:
    """Say how codes follow the prior N(0, I); statistics are those of latents.npz."""
    size = len(statistics["mean"])
    if prior:
        counts, edges = (np.asarray(statistics[f"histogram_{kind}"], np.float64) for kind in ("counts", "edges"))
        apart = normality.total_variation(counts, edges)
        worst = int(apart.argmax())
        parts = [f"z{worst} is farthest from the prior: {percent(apart[worst])} of its mass lies elsewhere"]
    else:
        deviations = np.sqrt(np.diag(statistics["covariance"]).clip(0))
        parts = [
            f"There is no prior; the standard deviations of the codes run from {deviations.min():.2g} to "
            f"{deviations.max():.2g}"
        ]
    if "kl" in statistics:
        alive = int((statistics["kl"] > ALIVE).sum())
        parts.append(f"{alive} of {size} dimensions carry information (more than {ALIVE} nats)")
    return _sentences(parts)


def measuring(summary: Summary) -> str:
    """Say how well the factors of rendered fruits come back from their pixels; raises ValueError where these are not
    known."""
    if summary.measured is None or summary.truth is None:
        raise ValueError("Only rendered fruits have factors that can be measured and are known.")
    errors = {name: summary.measured[name] - summary.truth[name] for name in summary.truth}
    hue = np.nanmedian(np.abs(np.mod(errors["hue"] + 180, 360) - 180))
    size = np.nanmedian(np.abs(errors["size"]))
    place = np.nanmedian(np.hypot(errors["x"], errors["y"]))
    return (
        f"On real fruits, whose factors are known, the ruler is off by {hue:.0f}° in hue, {size:.1f} pixels in size "
        f"and {place:.1f} pixels in position (medians)."
    )


def colours_and_sizes(factors: Mapping[str, Mapping[str, np.ndarray]]) -> str:
    """Give the shares of red, orange and green fruits and the radius in each set; factors are as fruits.measure's."""
    (red, green), (orange,) = fruits.RANGES["hue"]
    bounds = (red[1] + orange[0]) / 2, (orange[1] + green[0]) / 2
    parts = []
    for name, values in factors.items():
        found, called = np.isfinite(values["hue"]), counted(name, len(values["hue"]))
        if not found.any():
            parts.append(f"{called} draws nothing that can be measured as a fruit")
            continue
        kinds = np.digitize(np.mod(values["hue"][found] + 180, 360) - 180, bounds)
        shares = [percent(share) for share in np.bincount(kinds, minlength=3) / len(kinds)]
        size = values["size"][found]
        text = f"{called}: {shares[0]} red, {shares[1]} orange, {shares[2]} green"
        text += f", radius {size.mean():.1f} ± {size.std():.1f} pixels"
        parts.append(text + ("" if found.all() else f", {percent(float((~found).mean()))} not measurable as a fruit"))
    return _sentences(parts)


def sharing(entries: Sequence[Entry], used: Sequence[str]) -> str:
    """Say what equal places in sheets of several entries have in common; used names the sampler of each entry."""
    if len(entries) == 1:
        return ""
    own = any(entry.discrete for entry in entries)
    if len({entry.latent_shape for entry in entries}) == 1 and set(used) == {"prior"} and not own:
        return "All entries decode the same latents: from sheet to sheet, only the network differs."
    if len({entry.latent_shape for entry in entries}) == 1:
        return "Each entry draws from its own distribution of codes with the same seed, so equal places differ."
    sizes = _listed([f"{np.prod(entry.latent_shape):,}" for entry in entries])
    return f"Their codes have {sizes} numbers, so each entry makes its own draw from the same seed."


def percent(share: float) -> str:
    """Return a share in per cent, with a decimal only below one."""
    if 0 < share < 0.0005:
        return "less than 0.1 %"
    return f"{100 * share:.1f} %" if 0 < share < 0.0095 else f"{100 * share:.0f} %"


def counted(name: str, count: int, enough: int = FEW) -> str:
    """Return the name of a set, and of how many images it is where these are fewer than `enough`."""
    return name if count >= enough else f"{name} ({count:,} image{'s' if count > 1 else ''})"


def _called(name: str, count: int) -> str:
    return counted("the data" if name == REAL_NAME else name, count)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _sentences(parts: Sequence[str]) -> str:
    """Return one sentence per line."""
    return "\n".join(f"{part}." for part in parts)
