"""Reconstruction: images through the bottleneck of several entries, side by side with what was lost."""

from collections.abc import Sequence

import streamlit as st

from zoo import charts, widgets
from zoo.analysis import fidelity
from zoo.entries import Entry, opening
from zoo.entries.catalog import classifier_for
from zoo.widgets.reconstruction import (
    SPLITS,
    degrading,
    described,
    image_integers,
    search_count,
    searchable,
    split_errors,
)
from zoo.widgets.translation import translation


def main() -> None:
    st.title("Reconstruction")
    st.markdown(
        "An encoder reduces each image to a few numbers, and a decoder computes an image from these numbers alone. "
        "What was lost is shown as the difference."
    )
    entries = widgets.entries("reconstruct")
    chosen = widgets.entries_picker(needs=["reconstruct"], default=opening.first(entries, widgets.available, 4))
    images_from = "Images: from a dataset, uploaded, drawn or sampled from another entry"
    with widgets.linked_expander(images_from, "input_", icon=":material/image:"):
        shape = fidelity.largest([entry.shape for entry in chosen])
        picked = widgets.image_source("input", shape, prefer=chosen[0].dataset, count=8, most=24, native=True)
    compare(chosen, picked)
    st.page_link(
        "pages/explore/inversion.py", label="GANs have no encoder: search their latents", icon=":material/search:"
    )
    st.header("Best and worst")
    extremes(chosen)
    if translators := widgets.entries("translate"):
        translation(translators)


@st.fragment
def compare(chosen: Sequence[Entry], picked: widgets.Picked) -> None:
    """Show inputs × entries with differences and errors, and the averages."""
    with widgets.guard():
        noise, hidden = degrading(chosen, picked)
        seen = fidelity.degrade(picked.images, noise, hidden)
        found = [
            fidelity.reconstruct(
                entry, picked.images, seen, picked.labels, picked.classes, classifier_for(entry, widgets.entries())
            )
            for entry in chosen
        ]
        names, (differences, white) = picked.names(), fidelity.maps(found)
        rows = [widgets.Row("Original", picked.images, picked.description, names)]
        if noise or hidden:
            rows.append(widgets.Row("Degraded input", seen, "errors are still against the original"))
        for entry, result, difference in zip(chosen, found, differences, strict=True):
            numbers = [fidelity.short(result.errors, index) for index in range(len(names))]
            rows.append(widgets.Row(entry.label, result.outputs, fidelity.note(entry, result), numbers, apart=True))
            rows.append(widgets.Row("|Difference|", difference, f"white is {white:.2f} or more"))
        widgets.image_matrix(rows, names, key="compared")
        st.caption(
            "Each column is one image: what goes in, what each entry makes of its code, and where the two differ. "
            "With noise or a box the entries see the degraded image; the errors are against the clean one."
        )
        series = {entry.label: result.errors for entry, result in zip(chosen, found, strict=True)}
        with st.container(horizontal=True):
            widgets.download("Matrix", lambda: charts.poster("Reconstruction", rows, names), "reconstruction.png")
            widgets.download("Errors", lambda: fidelity.table(names, series), "reconstruction.csv")
        image_integers(chosen, found, names)
        average(chosen, series)


def average(chosen: Sequence[Entry], series: dict[str, dict]) -> None:
    """Show the size of the bottleneck beside what passes through it."""
    st.header("Bottleneck and error")
    st.table(fidelity.summary(chosen, series), hide_index=True, border="horizontal")
    st.caption("How many numbers an image has, how many its code has, and the mean errors of the images above.")
    for column, (metric, caption) in zip(st.columns(3), fidelity.CAPTIONS.items(), strict=True):
        with column:
            chart = charts.reconstruction_bars({name: {metric: errors[metric]} for name, errors in series.items()})
            widgets.figure(chart, key=f"bars-{metric}", caption=caption, filename=f"reconstruction-{metric}")


@st.fragment
def extremes(chosen: Sequence[Entry]) -> None:
    """Show the images of a split that an entry gives back best and worst."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        entry = widgets.entry_picker("Entry", key="of", among=chosen)
        metric = widgets.bound(
            st.segmented_control, "By", ["mse", "ssim"], key="by", default="mse", format_func=str.upper, required=True
        )
        split = widgets.bound(st.segmented_control, "Split", SPLITS, key="split", default="test", required=True)
        name = searchable(entry)
        count = search_count(entry, name, split)
    with widgets.guard():
        classifier, pool = classifier_for(entry, widgets.entries()), widgets.dataset(name, split, count)
        errors = split_errors(entry, name, split, count, classifier)
        rows, ends = [], fidelity.ends(errors, metric)
        for title, index in zip(("Best", "Worst"), ends, strict=True):
            labels = None if pool.labels is None else pool.labels[index]
            part = widgets.Picked(pool.images[index], labels, pool.classes, "")
            result = fidelity.reconstruct(entry, part.images, part.images, labels, pool.classes, classifier)
            numbers = [fidelity.short(result.errors, rank) for rank in range(len(index))]
            rows += [
                widgets.Row(title, result.clean, "", part.names(), apart=bool(rows)),
                widgets.Row("Reconstruction", result.outputs, "", numbers),
            ]
        widgets.image_matrix(rows, [f"rank {rank + 1}" for rank in range(len(ends[0]))], key="extremes")
        st.caption(described(entry, name, split, len(pool.images)))


main()
