"""Distributions: real images, what two entries draw and images of one's own, in the same plots and figures."""

import functools
from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import charts, widgets
from zoo.analysis import comparison
from zoo.analysis.comparison import Summary
from zoo.charts import REAL_NAME
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.widgets.distributions import (
    codes_section,
    count_inputs,
    findings,
    metric_panel,
    overlap,
    own_images,
    pair_picker,
    pictures,
    real_columns,
    section,
    summaries,
)

Sets = dict[str, Summary]


def main() -> None:
    st.title("Distributions")
    st.markdown(
        "Many images of one or two entries beside images of their dataset: pixels, classes, features and codes."
    )
    chosen = pair_picker()
    count, seed = count_inputs(chosen)
    with widgets.guard():
        real_columns(chosen[0].dataset)
    own = own_images(chosen[0].shape)
    sets = summaries(chosen, count, seed, own)
    samples(sets, chosen)
    with widgets.guard():
        metric_panel(chosen, count, seed, own)
    looking = functools.partial(features, of=(count, seed, own))
    for pair in ((brightness, averages), (classes, looking)):
        for column, part in zip(st.columns(2, gap="large"), pair, strict=True):
            with column, widgets.guard():
                part(sets, chosen)
    with widgets.guard():
        codes_section(chosen, count, seed)
    with widgets.guard():
        factors(sets)


def samples(sets: Sets, chosen: Sequence[Entry]) -> None:
    """Show the first images of each set side by side."""
    origins = {REAL_NAME: f"{widgets.dataset_title(chosen[0].dataset)}, test split: "}
    st.header("Samples")
    across = 5 if len(sets) < 4 else 4
    for column, (name, found) in zip(st.columns(len(sets), gap="medium"), sets.items(), strict=True):
        with column:
            st.subheader("Real images" if name == REAL_NAME else widgets.plain(name))
            shown = found.shown[: across**2]
            st.caption(widgets.plain(f"{origins.get(name, '')}{len(shown)} of {found.count:,} images"))
            widgets.image_grid(shown, alts=f"Image of {name}", key=f"shown_{name}", size=56, columns=across)


def brightness(sets: Sets, chosen: Sequence[Entry]) -> None:
    """Compare how many pixels are how bright."""
    values = {name: found.pixels for name, found in sets.items()}
    section("Brightness", charts.intensity_histogram(values), comparison.brightness(sets))


def averages(sets: Sets, chosen: Sequence[Entry]) -> None:
    """Compare the mean image and the deviation of each pixel."""
    st.subheader("Average and variety")
    pictures = np.concatenate([[found.mean for found in sets.values()], comparison.spread_images(sets)])
    names = [f"{what}, {name}" for what in ("mean", "deviation") for name in sets]
    widgets.image_grid(pictures, names, alts=names, key="averages", size=150, columns=len(sets))
    st.caption(comparison.READINGS["Average and variety"])
    findings(comparison.variety(sets))


def classes(sets: Sets, chosen: Sequence[Entry]) -> None:
    """Compare how often the classifier of the dataset sees each class."""
    classifier = classifier_for(chosen[0], widgets.entries())
    if classifier is None:
        title = widgets.plain(widgets.dataset_title(chosen[0].dataset))
        st.caption(f":material/info: No classifier here was trained on {title}: classes and features are not compared.")
        return
    known = {name: found.labels for name, found in sets.items() if found.labels is not None}
    counts = {name: np.bincount(labels, minlength=len(classifier.classes)) for name, labels in known.items()}
    section(
        "Classes", charts.class_histogram(counts, classifier.classes), comparison.covered(counts, classifier.classes)
    )


def features(sets: Sets, chosen: Sequence[Entry], of: tuple[int, int, np.ndarray | None]) -> None:
    """Compare the sets, made of so many images by a seed and a visitor's own, as the classifier sees them."""
    found = {name: item.features for name, item in sets.items() if item.features is not None}
    if found:
        axes = comparison.principal_axes(next(iter(found.values())))
        points = {name: axes.project(values) for name, values in found.items()}
        section("Features", charts.feature_pca(points, axes.explained), overlap(found))
        widgets.peek("features", lambda: pictures(list(points), chosen, *of), list(points), list(chosen), *of)


def factors(sets: Sets) -> None:
    """Compare hue, size and position of fruits."""
    found = {name: item.truth or item.measured for name, item in sets.items() if item.measured is not None}
    if found:
        ruler = comparison.measuring(sets[REAL_NAME]) if REAL_NAME in sets else ""
        section(
            "Factors of the fruits", charts.factor_histograms(found), f"{comparison.colours_and_sizes(found)}\n{ruler}"
        )


main()
