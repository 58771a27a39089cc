"""Distributions: real images, what two entries draw and images of one's own, in the same plots and figures."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import widgets
from zoo.analysis import comparison
from zoo.analysis.comparison import Summary
from zoo.charts import plots
from zoo.charts.plots import REAL_NAME
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.latent import aggregate
from zoo.widgets.archives import own_images
from zoo.widgets.findings import show, tell
from zoo.widgets.pairs import count_inputs, pair_picker
from zoo.widgets.panel import metric_panel
from zoo.widgets.summaries import code_map, overlap, summaries

Sets = dict[str, Summary]


def main() -> None:
    st.title("Distributions")
    st.markdown("A few good samples prove little. Here many images of a model are held against the data at once.")
    chosen = pair_picker()
    count, seed = count_inputs()
    own = own_images(chosen[0].shape)
    sets = summaries(chosen, count, seed, own)
    samples(sets, chosen)
    with widgets.guard():
        metric_panel(chosen, count, seed, own)
    for pair in ((brightness, averages), (classes, features)):
        for column, section in zip(st.columns(2, gap="large"), pair, strict=True):
            with column, widgets.guard():
                section(sets, chosen)
    with widgets.guard():
        codes(chosen, count, seed)
    with widgets.guard():
        factors(sets)


def samples(sets: Sets, chosen: Sequence[Entry]) -> None:
    """Hang the first images of each set side by side."""
    titles = {REAL_NAME: "Real images"} | {entry.id: entry.title for entry in chosen}
    origins = {REAL_NAME: f"{widgets.dataset_title(chosen[0].dataset)}, test split"}
    across = 5 if len(sets) < 4 else 4
    for column, (name, found) in zip(st.columns(len(sets), gap="medium"), sets.items(), strict=True):
        with column:
            st.subheader(widgets.plain(titles.get(name, name)))
            shown = found.shown[: across**2]
            st.caption(widgets.plain(f"{origins.get(name, name)}: {len(shown)} of {found.count:,} images"))
            widgets.image_grid(shown, alts=f"Image of {name}", key=f"shown_{name}", size=56, columns=across)


def brightness(sets: Sets, chosen: Sequence[Entry]) -> None:
    """Compare how many pixels are how bright."""
    values = {name: found.pixels for name, found in sets.items()}
    show("Brightness", plots.intensity_histogram(values), comparison.brightness(sets))


def averages(sets: Sets, chosen: Sequence[Entry]) -> None:
    """Compare the mean image and the deviation of each pixel."""
    st.subheader("Average and variety")
    pictures = np.concatenate([[found.mean for found in sets.values()], comparison.spread_images(sets)])
    names = [f"{what}, {name}" for what in ("mean", "deviation") for name in sets]
    widgets.image_grid(pictures, names, alts=names, key="averages", size=150, columns=len(sets))
    st.caption(comparison.READINGS["Average and variety"])
    tell(comparison.variety(sets))


def classes(sets: Sets, chosen: Sequence[Entry]) -> None:
    """Compare how often the classifier of the dataset sees each class."""
    classifier = classifier_for(chosen[0], widgets.entries())
    if classifier is None:
        title = widgets.plain(widgets.dataset_title(chosen[0].dataset))
        st.caption(f":material/info: No classifier here was trained on {title}: classes and features are not compared.")
        return
    counts = {name: np.bincount(found.labels, minlength=len(classifier.classes)) for name, found in sets.items()}
    show("Classes", plots.class_histogram(counts, classifier.classes), comparison.covered(counts, classifier.classes))


def features(sets: Sets, chosen: Sequence[Entry]) -> None:
    """Compare the sets as the classifier sees them, along their principal axes."""
    found = {name: item.features for name, item in sets.items() if item.features is not None}
    if found:
        axes = comparison.principal_axes(next(iter(found.values())))
        points = {name: axes.project(values) for name, values in found.items()}
        show("Features", plots.feature_pca(points, axes.explained), overlap(found))


def codes(chosen: Sequence[Entry], count: int, seed: int) -> None:
    """Compare the codes of the training images with the prior; map the codes of real images that are two numbers."""
    st.subheader("Codes")
    found = {entry: aggregate.load(entry) for entry in chosen}
    for name in (widgets.plain(entry.id) for entry in chosen if found[entry] is None):
        st.caption(f":material/info: {name} brings no codes of images that could be drawn here.")
    shown = [(entry, style) for entry, style in zip(chosen, (plots.A, plots.B), strict=False) if found[entry]]
    for column, (entry, style) in zip(st.columns(max(1, len(shown)), gap="large"), shown, strict=False):
        statistics, prior = found[entry], entry.prior == "normal"
        counts, edges = statistics["histogram_counts"], statistics["histogram_edges"]
        fig = plots.latent_marginals(counts, edges, prior, style=style)
        with column:
            st.markdown(f"**{widgets.plain(entry.id)}**")
            reading = comparison.READINGS["Codes" if prior else "Codes without prior"]
            widgets.figure(fig, key=f"codes-{entry.id}", caption=reading)
            tell(comparison.against_prior(statistics, prior))
            code_map(entry, count, seed)


def factors(sets: Sets) -> None:
    """Compare hue, size and position of fruits."""
    found = {name: item.truth or item.measured for name, item in sets.items() if item.measured is not None}
    if found:
        ruler = comparison.measuring(sets[REAL_NAME]) if REAL_NAME in sets else ""
        show("Factors of the fruits", plots.factor_histograms(found), f"{comparison.colours_and_sizes(found)}\n{ruler}")


main()
