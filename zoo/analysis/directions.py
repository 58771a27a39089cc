"""Directions in latent space: found in codes, added to codes.

Codes are flat: float (N, L), one row for each image. What is fitted is fitted to the first three quarters of the rows;
the figure of each direction is measured on the others. No Streamlit.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zoo import models, networks, samplers
from zoo.analysis import factors
from zoo.entries import Entry
from zoo.errors import Cancelled
from zoo.images import fit
from zoo.metrics.auroc import auroc
from zoo.networks.structure import Layer
from zoo.samplers import SAMPLERS

KINDS = {"factors": "Factors", "classes": "Class means", "components": "Principal components"}
FIGURES = {"factors": "R²", "classes": "AUROC", "components": "share of the variance"}
LEAST = 0.3  # R² from which a factor is said to be in the code
MOST_COMPONENTS, MOST_CLASSES = 8, 24
COUNT = 1000  # images or samples in whose codes directions are looked for
LEAST_ROWS = 16  # of these, for a quarter is kept apart
MAX_FEATURES = 1 << 13  # values of a layer that are analysed
BATCH = 100  # images between two looks at whether the work is still wanted
LEAST_UNITS = 8  # channels of such a layer: fewer are a picture already

Report = Callable[[float], None]
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Direction:
    """A named change of code.

    key: its name in links and files; vector: what one unit of strength adds to a flat code (L,), or None for a factor
    that the code does not hold; figure: see FIGURES, measured on rows that it was not fitted to; ends: what stands at
    both ends of its slider.
    """

    key: str
    label: str
    kind: str
    vector: np.ndarray | None
    figure: float
    ends: tuple[str, str] = ("less", "more")


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes (N, L) with what is known of their images: classes (N,), factors name -> (N,), features of a layer (N, F).

    of: where they are from, in words. layer: whose features they are.
    """

    flat: np.ndarray
    of: str
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    factors: dict[str, np.ndarray] = field(default_factory=dict)
    features: np.ndarray | None = None
    layer: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Directions of an entry, the mean code (L,) of each class, and how they were found.

    fitted, tested: numbers of rows. deviations: of the factors, whose unit of strength they are.
    """

    directions: tuple[Direction, ...]
    means: dict[str, np.ndarray]
    codes: str
    layer: str
    fitted: int
    tested: int
    deviations: dict[str, float]

    def of(self, kind: str) -> list[Direction]:
        """Return the directions of a kind that can be moved along."""
        return [direction for direction in self.directions if direction.kind == kind and direction.vector is not None]

    def change(self, move: Mapping[str, float]) -> np.ndarray:
        """Return what a move adds to a flat code: (L,). Raises KeyError for a direction that is not here."""
        here = {direction.key: direction.vector for direction in self.directions if direction.vector is not None}
        size = next((len(vector) for vector in here.values()), 0)
        return sum((strength * here[key] for key, strength in move.items()), start=np.zeros(size))


def find(codes: Codes) -> Found:
    """Return every direction that the codes show: of factors, of classes, and of most variance."""
    fitted = _fitted(len(codes.flat))
    directions: list[Direction] = []
    for name, (vector, figure) in by_factor(codes.flat, codes.factors).items():
        label, ends = factors.NAMES.get(name, (name, ("less", "more")))
        directions.append(Direction(name, label, "factors", vector, figure, ends))
    means = {}
    if codes.labels is not None:
        keys = class_keys(codes.classes)
        for index, (vector, mean, figure) in by_class(codes.flat, codes.labels).items():
            if index < len(keys) and len(means) < MOST_CLASSES:
                name = codes.classes[index]
                means[name] = mean
                directions.append(Direction(keys[index], name, "classes", vector, figure))
    parts = components(codes.flat) if codes.features is None else feature_components(codes.flat, codes.features)
    for number, (vector, share) in enumerate(parts, 1):
        directions.append(Direction(f"pc{number}", f"component {number}", "components", vector, share, ("−", "+")))
    deviations = {name: float(np.std(values[:fitted])) for name, values in codes.factors.items()}
    tested = len(codes.flat) - fitted
    return Found(tuple(directions), means, codes.of, codes.layer, fitted, tested, deviations)


def by_factor(
    codes: np.ndarray, known: Mapping[str, np.ndarray], least: float = LEAST
) -> dict[str, tuple[np.ndarray | None, float]]:
    """Return the direction (L,) of each factor that codes hold, None of the others, and R² on the last quarter.

    Each factor f, in standard deviations, is read from a code by linear regression, f ≈ wᵀ(z − μ). The direction d of a
    factor is the most likely change of code, under a normal distribution with the covariance Σ of the codes, that
    changes its own reading by 1 and that of no other factor: D = Σ W (Wᵀ Σ W)⁻¹. It moves what belongs to the factor,
    also where several factors share the numbers of a code; w itself does not (Haufe et al. 2014, "On the
    interpretation of weight vectors of linear models in multivariate neuroimaging").

    Args:
        known: name -> (N,); what never varies is left out. least: R² from which a factor counts as held.
    """
    fitted = _fitted(len(codes))
    varied = {name: np.asarray(values, float) for name, values in known.items() if np.std(values[:fitted]) > 0}
    if not varied or fitted == len(codes):
        return {}
    values = np.stack(list(varied.values()), axis=1)
    values = (values - values[:fitted].mean(0)) / values[:fitted].std(0)
    centred = codes.astype(float) - codes[:fitted].mean(0, dtype=float)
    readers = np.linalg.lstsq(centred[:fitted], values[:fitted], rcond=None)[0]
    rest = values[fitted:]
    spread = np.square(rest - rest.mean(0)).sum(0)
    scores = 1 - np.square(rest - centred[fitted:] @ readers).sum(0) / np.where(spread > 0, spread, np.inf)
    held = scores >= least
    chosen = readers[:, held]
    likely = centred[:fitted].T @ (centred[:fitted] @ chosen) / fitted
    vectors = iter((likely @ np.linalg.pinv(chosen.T @ likely)).T)
    return {
        name: (next(vectors) if here else None, float(score))
        for name, here, score in zip(varied, held, scores, strict=True)
    }


def by_class(codes: np.ndarray, labels: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray, float]]:
    """Return for each class the mean code of its images minus that of all others, its mean code, and AUROC.

    AUROC: how often, in the last quarter, an image of the class lies farther along the direction than another one.
    """
    fitted, found = _fitted(len(codes)), {}
    codes = codes.astype(float)
    for index in np.unique(labels):
        own, tested = labels[:fitted] == index, labels[fitted:] == index
        if not own.any() or own.all():
            continue
        mean = codes[:fitted][own].mean(0)
        vector = mean - codes[:fitted][~own].mean(0)
        along = codes[fitted:] @ vector
        found[int(index)] = vector, mean, separation(along[tested], along[~tested])
    return found


def separation(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return how often a positive value exceeds a negative one, ties counted half; NaN without one of either."""
    return auroc(negative, positive) if len(positive) and len(negative) else float("nan")


def components(codes: np.ndarray, most: int = MOST_COMPONENTS) -> list[tuple[np.ndarray, float]]:
    """Return the directions of most variance, one standard deviation long, and the share that each has of the variance
    of the last quarter: principal component analysis."""
    fitted = _fitted(len(codes))
    axes, deviations = _principal(codes[:fitted].astype(float), most)
    shares = _shares(codes[fitted:].astype(float) - codes[:fitted].mean(0, dtype=float), axes)
    return [(axis * deviation, share) for axis, deviation, share in zip(axes, deviations, shares, strict=True)]


def feature_components(
    latents: np.ndarray, features: np.ndarray, most: int = MOST_COMPONENTS
) -> list[tuple[np.ndarray, float]]:
    """Return the changes of latent (L,) that move the principal components of a layer's features, and the share that
    each component has of the variance of the last quarter.

    Latents drawn from a prior have no directions of their own. So the features x (N, F) that a layer computes from them
    are analysed, and the latents regressed on each component's coordinate (Härkönen et al. 2020, "GANSpace", section
    2.2). Each direction is one standard deviation of the latents long.
    """
    fitted = _fitted(len(latents))
    axes, deviations = _principal(features[:fitted], most)
    centred = features - features[:fitted].mean(0)
    shares = _shares(centred[fitted:], axes)
    drawn = latents[:fitted].astype(float)
    found = []
    for axis, deviation, share in zip(axes, deviations, shares, strict=True):
        along = centred[:fitted] @ axis / deviation
        vector = (drawn - drawn.mean(0)).T @ along
        length = np.linalg.norm(vector)
        if length > 0:
            unit = vector / length
            found.append((unit * np.std(drawn @ unit), share))
    return found


def moved(latents: np.ndarray, change: np.ndarray, strengths: Sequence[float] | np.ndarray = (1.0,)) -> np.ndarray:
    """Return latents (N, *shape) with a flat change (L,) added at each of S strengths: float32 (S, N, *shape)."""
    flat = latents.reshape(len(latents), -1).astype(float)
    shifted = flat + np.asarray(strengths)[:, None, None] * change
    return shifted.reshape(-1, *latents.shape).astype(np.float32)


def enough(entry: Entry) -> int:
    """Return in how many images directions are looked for: fewer where images are large."""
    return max(LEAST_ROWS, models.affordable(entry, COUNT))


def encoded(
    entry: Entry,
    pictures: np.ndarray,
    labels: np.ndarray | None,
    report: Report = lambda part: None,
    cancelled: Stop = lambda: False,
) -> np.ndarray:
    """Return the codes (N, L) of images (N, H, W, C), batch by batch; labels are the classes that they are told."""
    found = [
        models.encode(entry, pictures[rows], None if labels is None else labels[rows])
        for rows in _batches(len(pictures), report, cancelled)
    ]
    return np.concatenate(found).reshape(len(pictures), -1)


def sampled(
    entry: Entry,
    classifier: Entry | None,
    seed: int = 0,
    report: Report = lambda part: None,
    cancelled: Stop = lambda: False,
) -> Codes:
    """Return latents that an entry draws, the class that a classifier sees in each image, and a layer's features.

    An entry that is asked for a class draws latents without any; its features are taken around those of each class.
    `report` is told the part done; Cancelled is raised once `cancelled` says so.
    """
    count = enough(entry)
    latents = SAMPLERS[samplers.offered(entry)[0]].draw(entry, count, seed, 1.0, None)
    asked = np.arange(count) % len(entry.classes) if entry.conditional else None
    judge = None if asked is not None else classifier
    parts, seen, layer = [], [], ""
    for rows in _batches(count, report, cancelled):
        pictures, features, layer = _painted(entry, latents[rows], None if asked is None else asked[rows])
        parts.append(features)
        if judge:
            seen.append(_seen(judge, pictures))
    features = np.concatenate(parts)
    for index in np.unique(asked) if asked is not None else ():
        features[asked == index] -= features[asked == index].mean(0)
    labels, classes = (np.concatenate(seen), judge.classes) if judge else (None, ())
    of = f"{count:,} random codes, seed {seed}"
    return Codes(latents.reshape(count, -1), of, labels, classes, {}, features, layer)


def _batches(count: int, report: Report, cancelled: Stop) -> Iterator[slice]:
    for start in range(0, count, BATCH):
        if cancelled():
            raise Cancelled("Looking for directions was stopped.")
        report(start / count)
        yield slice(start, start + BATCH)


def _seen(classifier: Entry, pictures: np.ndarray) -> np.ndarray:
    return models.classify(classifier, fit(pictures, classifier.shape)[0])[0].argmax(1)


def class_keys(classes: Sequence[str]) -> list[str]:
    """Return names for links and files, one for each class and no two the same: "is-t-shirt"."""
    keys: list[str] = []
    for name in classes:
        slug = f"is-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')[:24] or 'class'}"
        keys.append(slug if slug not in keys else f"{slug}-{len(keys)}")
    return keys


def _painted(entry: Entry, latents: np.ndarray, labels: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, str]:
    """Return the images of latents, the features of a layer on the way to them (N, F), and its name."""
    role = "decoder" if "decoder" in entry.manifest.networks else "generator"
    layer = _suitable(networks.layers(entry, role), entry)
    inputs = {"latent": latents}
    if labels is not None and "label" in entry.manifest.networks[role].inputs:
        inputs["label"] = labels
    outputs, inner = networks.trace(entry, role, [layer.name] if layer else [], **inputs)
    pictures = np.clip(outputs["image"], 0, 1)
    features = inner[layer.name] if layer else pictures
    return pictures, features.reshape(len(features), -1).copy(), f"layer {layer.name}" if layer else "the last layer"


def _suitable(layers: Sequence[Layer], entry: Entry) -> Layer | None:
    """Return the last layer at the resolution of the first maps: the network has not begun to paint there."""
    maps = [layer for layer in layers if len(layer.shape) == 3 and layer.units >= LEAST_UNITS]
    maps = [layer for layer in maps if layer.shape[:2] != entry.shape[:2] and layer.values <= MAX_FEATURES]
    first = [layer for layer in maps if layer.shape[:2] == maps[0].shape[:2]]
    return first[-1] if first else None


def _principal(values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the axes (K, F) of most variance of rows (N, F) and the standard deviation along each (K,).

    The smaller of the two square matrices, of rows or of columns, is taken apart.
    """
    centred = values - values.mean(0)
    count, size = centred.shape
    small = centred @ centred.T if size > count else centred.T @ centred
    variances, vectors = np.linalg.eigh(small.astype(float))
    order = np.argsort(-variances)[:most]
    order = order[variances[order] > 1e-9 * max(variances.max(), 1e-30)]
    deviations = np.sqrt(variances[order] / count)
    axes = vectors[:, order].T
    if size > count:
        axes = (axes @ centred) / (deviations * np.sqrt(count))[:, None]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], axis=1)
    return axes * np.sign(largest), deviations


def _shares(centred: np.ndarray, axes: np.ndarray) -> list[float]:
    total = max(float(centred.var(0).sum()), 1e-30)
    return [float(share) for share in (centred @ axes.T).var(0) / total]


def _fitted(count: int) -> int:
    return 3 * count // 4
