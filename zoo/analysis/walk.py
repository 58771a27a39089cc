"""Walks through latent space between two or four anchors, and along single dimensions. No Streamlit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo import films, models
from zoo.analysis.conditions import labels_for
from zoo.charts.poster import Row
from zoo.entries import Entry
from zoo.images import fit, gif, sheet
from zoo.latent import codes, geometry

KINDS = ("linear", "spherical", "pixels")
Places = Sequence[float] | np.ndarray  # positions on a side, in [0, 1]
TITLES = {"linear": "Linear", "spherical": "Spherical", "pixels": "Pixel cross-fade"}
NOTES = {
    "linear": "straight through latent space",
    "spherical": "along an arc (slerp)",
    "pixels": "without any network",
}
PROFILES = {
    "spherical": "Through latent space: where two lines cross, one class has become the other; a third line that rises "
    "shows another class on the way.",
    "pixels": "Through the pixels: the pictures between are of no class, and the classifier guesses.",
}
DIMENSIONS = (
    "Each row starts from the same code and moves one of its numbers; all others stay. Watch what changes: a dimension "
    "may have a meaning of its own, such as slant, stroke or colour, or share it with others."
)
EFFECTS = (
    "The mean change of a pixel when a dimension goes from -2 to +2 standard deviations: the decoder ignores the "
    "dimensions near zero."
)
STEPS = 9
REACH = 2.5  # standard deviations that a traversal goes to each side
TRAVERSAL = tuple(np.linspace(-REACH, REACH, STEPS).tolist())
CANDIDATES = 256
TRAVERSED = 16
LARGEST_FILM_SIDE = 160
FILMS = {"gif": gif, "mp4": films.mp4}
HOLLOW = 8  # numbers in a code: with fewer, random codes are many in the middle


@dataclass(frozen=True, slots=True)
class Anchor:
    """A corner of a walk.

    latent: (*latent,); image: what the cross-fade starts from (H, W, C); label: the class asked for, or None; name: for
    people; encoded: whether the latent is the code of the image, and not the image the picture of the latent.
    """

    latent: np.ndarray
    image: np.ndarray
    label: int | None
    name: str
    encoded: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """Images (Y, X, H, W, C) and latent norms (Y, X) at the places asked for; one row (Y = 1) for two anchors."""

    frames: dict[str, np.ndarray]
    norms: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Traversal:
    """One flat dimension, its measured effect, the values (S,) it takes and the images (S, H, W, C) it makes."""

    dimension: int
    effect: float
    values: np.ndarray
    frames: np.ndarray

    @property
    def note(self) -> str:
        return f"{self.values[0]:+.1f} … {self.values[-1]:+.1f}\neffect {self.effect:.3f}"


def encoded(
    entry: Entry,
    image: np.ndarray,
    name: str,
    known: int | None = None,
    classes: Sequence[str] = (),
    classifier: Entry | None = None,
) -> tuple[Anchor, str]:
    """Anchor at the code of one image (H, W, C) of the entry's shape; and where the class it needs is from, or ""."""
    labels, origin = labels_for(entry, image[None], None if known is None else np.array([known]), classes, classifier)
    label = None if labels is None else int(labels[0])
    return Anchor(models.encode(entry, image[None], labels)[0], image, label, name, encoded=True), origin


def drawn(entry: Entry, seed: int, label: int | None = None) -> Anchor:
    """Anchor at a random latent; a conditional entry without a label is asked for the class that the seed falls on."""
    sample = models.sample(entry, 1, seed, label=label)
    asked = None if sample.labels is None else int(sample.labels[0])
    name = f"seed {seed}" if asked is None else f"{entry.classes[asked]}, seed {seed}"
    return Anchor(sample.latents[0], sample.images[0], asked, name)


def recognised(entry: Entry, classifier: Entry, wanted: str, seed: int) -> Anchor:
    """Anchor at that one of CANDIDATES random latents whose image the classifier takes most surely for `wanted`."""
    sample = models.sample(entry, models.affordable(entry, CANDIDATES), seed)
    probabilities, _ = models.classify(classifier, fit(sample.images, classifier.shape)[0])
    best = int(probabilities[:, classifier.classes.index(wanted)].argmax())
    label = None if sample.labels is None else int(sample.labels[best])
    return Anchor(sample.latents[best], sample.images[best], label, f"{wanted}, seed {seed}")


def between(corners: np.ndarray, kind: geometry.Kind, x: Places, y: Places = (0.0,)) -> np.ndarray:
    """Interpolate two or four corners, first along the sides by y, then across by x: (Y, X, *shape).

    Four corners are top left, top right, bottom left, bottom right. x and y lie in [0, 1].
    """
    sides = [corners[0], corners[1], corners[-2], corners[-1]]
    move = {"linear": geometry.lerp, "spherical": geometry.slerp}[kind]
    left, right = (move(sides[i], sides[i + 2], np.asarray(y)) for i in (0, 1))
    return np.stack([move(a, b, np.asarray(x)) for a, b in zip(left, right, strict=True)])


def walk(entry: Entry, anchors: Sequence[Anchor], x: Places, y: Places = (0.0,)) -> Walk:
    """Show every kind of interpolation at the same places; a class, being no number, is that of the nearest anchor."""
    ends = np.stack([anchor.latent for anchor in anchors])
    right, low = (np.asarray(t) > 0.5 for t in (x, y))
    nearest = (2 * low[:, None] + right[None, :]).ravel() if len(anchors) == 4 else np.tile(right, len(low)).astype(int)
    labels = np.array([anchors[int(i)].label for i in nearest]) if anchors[0].label is not None else None
    frames, norms = {}, {}
    for kind in ("linear", "spherical"):
        path = between(ends, kind, x, y)
        decoded = models.decode(entry, path.reshape(-1, *entry.latent_shape), labels)
        frames[kind] = decoded.reshape(*path.shape[:2], *entry.shape)
        norms[kind] = np.linalg.norm(path.reshape(*path.shape[:2], -1), axis=2)
    frames["pixels"] = between(np.stack([anchor.image for anchor in anchors]), "linear", x, y)
    return Walk(frames, norms)


def explain(entry: Entry, anchors: Sequence[Anchor]) -> str:
    """Say what one sees in a walk and why."""
    says = [
        "The cross-fade lays one picture over the other. On the latent paths every picture is painted by the decoder: "
        "strokes bend and colours shift instead of fading."
    ]
    size = math.prod(entry.latent_shape)
    if entry.prior == "normal" and size < HOLLOW:
        says.append(
            f"With so few numbers in a code ({size}), random codes are densest in the middle, so the straight line is "
            "as good as the arc."
        )
    elif entry.prior == "normal":
        norms = " and ".join(f"{np.linalg.norm(anchor.latent):.1f}" for anchor in anchors[:2])
        says.append(
            f"Random codes of {size} numbers have a norm ‖z‖ near √{size} = {size**0.5:.1f}; A and B have {norms}. The "
            "straight line cuts through the inside, where few codes are; the arc leads from the one norm to the other "
            "without that dip and stays where the decoder was trained."
        )
    elif entry.discrete:
        says.append(
            f"Its decoder knows {codes.vocabulary(entry)} vectors and takes at each place the one nearest to the path: "
            "the picture changes in jumps, place by place, and nothing is painted from between two codes."
        )
    else:
        says.append(
            "This autoencoder has no prior, so nothing promises that the codes between its images mean anything: look "
            "where the path leaves what it knows."
        )
    if len({anchor.label for anchor in anchors}) > 1:
        says.append("The class that is asked for is a switch and no number: it flips half-way.")
    if any(anchor.encoded for anchor in anchors):
        says.append("The latent paths end in reconstructions, the cross-fade in the images themselves.")
    return " ".join(says)


def beside(found: Walk, gap: int = 2) -> np.ndarray:
    """Put the kinds side by side: frames (T, H, 3·W + gaps, C) in reading order, white between the pictures."""
    parts = [found.frames[kind].reshape(-1, *found.frames[kind].shape[2:]) for kind in KINDS]
    white = np.ones((*parts[0].shape[:2], gap, parts[0].shape[3]), np.float32)
    return np.concatenate([parts[0], white, parts[1], white, parts[2]], axis=2)


def film(entry: Entry, anchors: Sequence[Anchor], steps: int = 24, kind: str = "gif") -> bytes:
    """A film there and back, as "gif", which is endless, or "mp4": linear, spherical and cross-fade beside each other.

    Four anchors are visited in turn around the square.
    """
    t = np.linspace(0, 1, max(3, models.affordable(entry, steps)))
    if len(anchors) == 2:
        there = beside(walk(entry, anchors, t))
        frames = np.concatenate([there, there[::-1]])
    else:
        sides = [(0, 1), (1, 3), (3, 2), (2, 0)]
        frames = np.concatenate([beside(walk(entry, [anchors[a], anchors[b]], t)) for a, b in sides])
    return FILMS[kind](frames, ms=70, scale=max(1, LARGEST_FILM_SIDE // max(entry.shape[:2])))


def poster(found: Walk, t: Places) -> tuple[list[Row], list[str]]:
    """Return all frames as rows with the names of their columns: a row per kind, or the squares of all kinds in one."""
    if len(found.frames["linear"]) == 1:
        rows = [Row(TITLES[kind], found.frames[kind][0], NOTES[kind]) for kind in KINDS]
        return rows, [f"{100 * part:.0f} %" for part in t]
    return [Row("", np.stack([square(found, kind) for kind in KINDS]))], [TITLES[kind] for kind in KINDS]


def square(found: Walk, kind: str) -> np.ndarray:
    """All frames of one kind as one picture, uint8 (H, W, 3), one grey pixel between them."""
    frames = found.frames[kind]
    return sheet(frames.reshape(-1, *frames.shape[2:]), frames.shape[1], gap=1, background=0.5)


def around(entry: Entry, anchors: Sequence[Anchor]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return typical latents (N, *latent), and their classes, on which the effect of dimensions can be measured."""
    if "generate" in entry.capabilities:
        sample = models.sample(entry, models.affordable(entry, TRAVERSED), 0)
        return sample.latents, sample.labels
    labels = None if anchors[0].label is None else np.array([anchor.label for anchor in anchors])
    return np.stack([anchor.latent for anchor in anchors]), labels


def traverse(
    entry: Entry,
    anchor: Anchor,
    ranked: Sequence[tuple[int, float]],
    typical: np.ndarray,
    at: Places = TRAVERSAL,
) -> list[Traversal]:
    """Move one dimension of the anchor at a time to places given in standard deviations (models.spread).

    Args:
        ranked: (flat dimension, effect), as from models.rank_dimensions.
    """
    dimensions = [dimension for dimension, _ in ranked]
    mean, deviation = models.spread(entry, typical.reshape(len(typical), -1))
    values = (mean + deviation * np.asarray(at)[:, None])[:, dimensions].T
    moved = np.concatenate([geometry.traversal(anchor.latent, *pair) for pair in zip(dimensions, values, strict=True)])
    frames = models.decode(entry, moved, anchor.label).reshape(len(dimensions), len(at), *entry.shape)
    return [Traversal(d, effect, v, f) for (d, effect), v, f in zip(ranked, values, frames, strict=True)]
