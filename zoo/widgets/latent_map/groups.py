"""What gives points their colour: classes, clusters, density, or whether they were generated."""

from dataclasses import dataclass

import numpy as np

from zoo.analysis import apart, clusters
from zoo.charts.palette import NEUTRAL, class_style, ramp
from zoo.widgets.latent_map.points import Points
from zoo.widgets.loading import cached
from zoo.widgets.safety import plain
from zoo.widgets.waiting import awaited


@dataclass(frozen=True)
class Groups:
    """The group of each point (N,), the groups' names, colours and symbols, and what is found, in Markdown."""

    of: np.ndarray
    names: list[str]
    styles: list[tuple[str, str]]
    text: str
    named: bool = True  # whether their names are written on the map


def grouped(points: Points) -> Groups:
    """Return the groups that a view asks for; what takes long is computed apart, with progress and Cancel."""
    colour = points.view.colour
    if colour == "cluster":
        return _clusters(points)
    if colour == "density":
        return _density(points)
    if colour == "origin":
        made = points.cloud.made
        names = ["test image", "generated image"]
        text = (
            "Where test images lie alone, the generator misses what they show; where generated ones lie alone, it "
            "draws what the classifier has not seen."
        )
        return Groups(made.astype(int), names, [class_style(0), class_style(1)], text, named=False)
    labels, classes = points.cloud.labels, list(points.cloud.classes)
    if labels is None or not classes:
        return _alone(len(points.cloud.codes), "image", "No classes are known.")
    return Groups(labels, classes, [class_style(index) for index in range(len(classes))], _of_classes(points))


def _alone(count: int, name: str, text: str) -> Groups:
    """Return one group of all points."""
    return Groups(np.zeros(count, int), [name], [(NEUTRAL, "circle")], text, named=False)


def _of_classes(points: Points) -> str:
    if given := points.cloud.given:
        return f"Colours are the true classes. The encoder was told {plain(given)}, so its codes need not hold it."
    if points.view.space == "codes":
        return "Colours are the true classes, which the encoder was not told."
    made = " Of generated images they are the class asked for, or else what the classifier sees." if points.made else ""
    return f"Colours are the true classes of the test images.{made}"


def _clusters(points: Points) -> Groups:
    settings, codes = points.view.clusters, points.cloud.codes
    title = clusters.METHODS[settings.method]
    found = awaited(
        ("clusters", points.key(), settings),
        lambda report, cancelled: apart.compute(codes, settings, report, cancelled),
        f"{title} of {len(codes):,} points", apart.CLOCK_SECONDS, again=f"Compute {title}",
    )  # fmt: skip
    if found is None:
        return Groups(
            np.zeros(len(codes), int), ["not grouped"], [(NEUTRAL, "circle")], "There are no clusters.", False
        )
    count = int(found.max(initial=-1)) + 1
    names, styles = [f"{number + 1}" for number in range(count)], [class_style(number) for number in range(count)]
    if (found == clusters.NOISE).any():
        names, styles = [*names, "in no cluster"], [*styles, (NEUTRAL, "circle")]
    of = np.where(found == clusters.NOISE, count, found)
    return Groups(of, names, styles, _of_clusters(points, found, title, count))


def _of_clusters(points: Points, found: np.ndarray, title: str, count: int) -> str:
    where = "codes" if points.view.space == "codes" else "features"
    text = f"Colours are the {count} clusters that {title} finds among the {where}, not on the map (seed "
    text += f"{points.view.clusters.seed}), without knowing classes."
    if points.cloud.labels is None:
        return text
    real = points.cloud.real
    rand, shared = _agreement(points.cloud.labels[:real], found[:real])
    return (
        f"{text} **Adjusted Rand index {rand:.2f}, normalised mutual information {shared:.2f}** against the classes of "
        f"the {real:,} test images: 1 is the same grouping, about 0 is chance."
    )


@cached
def _agreement(labels: np.ndarray, found: np.ndarray) -> tuple[float, float]:
    return clusters.agreement(labels, found)


def _density(points: Points) -> Groups:
    codes = points.cloud.codes
    sparse = awaited(
        ("sparseness", points.key()), lambda report, cancelled: apart.compute(codes, None, report, cancelled),
        f"Density of {len(codes):,} points", apart.CLOCK_SECONDS, again="Compute the density",
    )  # fmt: skip
    if sparse is None:
        return _alone(len(codes), "not computed", "There is no density.")
    names = ["sparsest sixth", "second", "third", "fourth", "fifth", "densest sixth"]
    text = (
        "Colours say how densely the vectors lie, by how far the tenth nearest other one is; six groups of equal size. "
        "This is measured among the vectors themselves, for the map may stretch and squeeze."
    )
    return Groups(clusters.levels(sparse), names, [(colour, "circle") for colour in ramp(clusters.LEVELS)], text, False)
