"""The directions of an entry, found once for all visitors, and how they were found, in words and as a table."""

import functools
import math

import numpy as np

from zoo import images, models
from zoo.analysis import directions, factors
from zoo.analysis.conditions import labels_for
from zoo.analysis.directions import Codes, Found, Report, Stop
from zoo.analysis.walk import Anchor
from zoo.data.datasets import Split
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import entries
from zoo.widgets.loading import available, cached, dataset, samples
from zoo.widgets.safety import plain
from zoo.widgets.waiting import awaited

SECONDS = 120.0  # until a search is given up
OTHERS = 8  # images that a move is also shown on
HOW = {
    "factors": "The factors of these images are known. Each is read from the codes by linear regression; its direction "
    "is the most likely change of code that raises this reading by one standard deviation (σ) of the factor and leaves "
    "the readings of the others.",
    "classes": "A direction is the mean code of a class minus the mean code of all other classes; at 1 the whole "
    "difference is added.",
    "components": "The directions in which the codes vary most (principal component analysis); at 1 one standard "
    "deviation (σ) is added.",
    "features": "Random codes vary alike in all directions. So the principal components of what {layer} computes from "
    "them were found, and the codes regressed on these (GANSpace, Härkönen et al. 2020); at 1 one standard deviation "
    "(σ) of the codes is added.",
}
MEASURED = {
    "factors": "R² (1 where the factor can be read exactly from a code, 0 where nothing of it can)",
    "classes": "AUROC (how often an image of the class lies farther along the direction than one of another class)",
    "components": "the share of the variance that lies along the direction",
}


def pool(entry: Entry) -> Split | None:
    """Return the test images in whose codes directions are looked for; None where the entry's own samples serve.

    A network that draws codes number by number would take half a minute: it gets images that stand in."""
    here, quick = available(entry.dataset), "generate" in entry.capabilities and not entry.discrete
    if "encode" not in entry.capabilities or (not here and quick):
        return None
    return dataset(entry.dataset if here else "digits" if entry.shape[2] == 1 else "fruits", "test", directions.COUNT)


def found(entry: Entry) -> Found | None:
    """Return the directions of an entry, from the codes of test images or of its own samples; None where they are not
    there: then it is said why. They are looked for in the background, once for all visitors."""
    split, classifier = pool(entry), classifier_for(entry, entries())
    of = [f"{each.folder}@{each.revision}" if each else "" for each in (entry, classifier)]
    return awaited(
        ("directions", *of, split.name if split else ""), functools.partial(_found, entry, classifier, split),
        f"Looking for the directions of {entry.label}", SECONDS, again="Find directions",
    )  # fmt: skip


def _found(entry: Entry, classifier: Entry | None, split: Split | None, report: Report, cancelled: Stop) -> Found:
    if split is None:
        return directions.find(directions.sampled(entry, classifier, 0, report, cancelled))
    count = min(len(split.images), directions.enough(entry))
    pictures, known = split.images[:count], None if split.labels is None else split.labels[:count]
    told, _ = labels_for(entry, pictures, known, split.classes, classifier)
    codes = directions.encoded(entry, images.fit(pictures, entry.shape)[0], told, report, cancelled)
    # An entry that is told the class has no need to keep it in the code.
    classes = () if entry.conditional or known is None else split.classes
    values = {factor: each[:count] for factor, each in (split.factors or {}).items()}
    of = f"{count:,} images of {dataset_title(split.name)}, test split"
    return directions.find(Codes(codes, of, known if classes else None, classes, factors.numbers(values)))


def truth(entry: Entry, start: Anchor) -> dict[str, float] | None:
    """Return the factors of the image that a move starts from, where they are known."""
    split = pool(entry)
    if not start.encoded or split is None or not split.factors:
        return None
    return factors.row(split.images, split.factors, start.image)


def mean_anchors(entry: Entry, here: Found) -> dict[str, Anchor]:
    """Return the mean code of each class as an anchor, under the name of the class."""
    if not here.means:
        return {}
    codes = np.stack(list(here.means.values())).reshape(-1, *entry.latent_shape)
    pictures = _decoded(entry, codes.astype(np.float32), None)
    return {
        name: Anchor(code, picture, None, f"mean of {name}")
        for name, code, picture in zip(here.means, codes, pictures, strict=True)
    }


def others(entry: Entry) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
    """Return codes (N, *latent) and classes (N,) of other images, on which a move is shown too, and their names."""
    split, count = pool(entry), models.affordable(entry, OTHERS)
    if split is None:
        drawn = samples(entry, count, 0)
        return drawn.latents, drawn.labels, [f"sample {index + 1}" for index in range(count)]
    pictures, known = split.images[:count], None if split.labels is None else split.labels[:count]
    told, _ = labels_for(entry, pictures, known, split.classes, classifier_for(entry, entries()))
    codes = _encoded(entry, images.fit(pictures, entry.shape)[0], told)
    names = [f"image {index + 1}" for index in range(count)] if known is None else [split.classes[k] for k in known]
    return codes, told, names


def explained(here: Found, kind: str) -> str:
    """Say in Markdown how the directions of a kind were found, and in how many images."""
    how = HOW["features" if kind == "components" and here.layer else kind].format(layer=plain(here.layer))
    return (
        f"{how} Found in {here.fitted:,} of {plain(here.codes)}; the figures are measured on the other {here.tested:,}."
    )


def table(here: Found, kind: str) -> dict[str, list[str]]:
    """Return the columns of a table of all directions of a kind, in Markdown: those without a slider say why."""
    rows = [direction for direction in here.directions if direction.kind == kind]
    return {
        "Direction": [plain(direction.label) for direction in rows],
        "In links": [f"`{direction.key}`" for direction in rows],
        directions.FIGURES[kind].capitalize() if kind == "components" else directions.FIGURES[kind]: [
            "not measured" if math.isnan(direction.figure) else f"{direction.figure:.2f}" for direction in rows
        ],
        "Slider": [
            "yes" if direction.vector is not None else f"no, R² is below {directions.LEAST:g}" for direction in rows
        ],
    }


_decoded, _encoded = cached(models.decode), cached(models.encode)
