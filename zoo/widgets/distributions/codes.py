"""The codes of training images beside the prior, and the map of the codes of real images."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import charts, images, models
from zoo.analysis import comparison
from zoo.analysis.conditions import labels_for
from zoo.charts.layout import subset
from zoo.data import datasets
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.known import ColumnNames
from zoo.latent import aggregate
from zoo.widgets.charts import figure
from zoo.widgets.columns import columns
from zoo.widgets.distributions.findings import findings
from zoo.widgets.distributions.sets import SPLIT, real_pictures
from zoo.widgets.listing import entries
from zoo.widgets.loading import available, cached
from zoo.widgets.peek import peek
from zoo.widgets.real_images import side
from zoo.widgets.safety import plain


def codes_section(chosen: Sequence[Entry], count: int, seed: int) -> None:
    """Draw the codes of training images beside the prior, and a map of the codes of real images where they are 2-D."""
    st.subheader("Codes")
    found = {entry: aggregate.load(entry) for entry in chosen}
    for name in (plain(entry.label) for entry in chosen if found[entry] is None):
        st.caption(f":material/info: {name} has no statistics of codes to show here.")
    styles = zip(chosen, (charts.A, charts.B), strict=False)
    shown = [(entry, style, statistics) for entry, style in styles if (statistics := found[entry])]
    for column, (entry, style, statistics) in zip(st.columns(max(1, len(shown)), gap="large"), shown, strict=False):
        prior = entry.prior == "normal"
        counts, edges = statistics["histogram_counts"], statistics["histogram_edges"]
        fig = charts.latent_marginals(counts, edges, prior, style=style)
        with column:
            st.markdown(f"**{plain(entry.label)}**")
            reading = comparison.READINGS["Codes" if prior else "Codes without prior"]
            figure(fig, key=f"codes-{entry.id}", caption=reading)
            findings(comparison.against_prior(statistics, prior))
            _map(entry, count, seed)


def _map(entry: Entry, count: int, seed: int) -> None:
    """Draw the codes of the real images, where these can be had and a code has two numbers."""
    if (
        "encode" not in entry.capabilities
        or entry.prior is None
        or entry.latent_shape != (2,)
        or not available(entry.dataset, SPLIT)
    ):
        return
    with st.spinner(f"{plain(entry.label)} encodes {count:,} images …"):
        codes, labels, classes, given = _codes(
            entry, count, seed, classifier_for(entry, entries()), columns(entry.dataset)
        )
    reading = comparison.READINGS["Map of codes"] + (
        f" The class given to the encoder: {plain(given)}." if given else ""
    )
    figure(charts.latent_map(codes, labels, classes), key=f"map-{entry.id}", caption=reading)
    rows = subset(len(codes))
    peek(f"map-{entry.id}", lambda: real_pictures(entry, count, seed)[rows], entry, count, seed, rows=rows)


@cached(max_entries=8)
def _codes(
    entry: Entry, count: int, seed: int, classifier: Entry | None, read: ColumnNames
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...], str]:
    split = datasets.load(entry.dataset, SPLIT, count, seed, size=side(entry.dataset, entry.shape), **read)
    pictures = images.fit(split.images, entry.shape)[0]
    labels, given = labels_for(entry, pictures, split.labels, split.classes, classifier)
    return models.encode(entry, pictures, labels), split.labels, split.classes, given
