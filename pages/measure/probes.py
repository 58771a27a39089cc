"""Probes: what a code knows, read by linear models from few labels, beside pixels and principal components."""

import streamlit as st

from zoo import charts, widgets
from zoo.analysis import probing
from zoo.analysis.probing import Probed
from zoo.entries import Entry, opening
from zoo.widgets.probes import probed

CURVES = {
    probing.READ: "To the right more labels, upwards more test images whose class is read. A line that is high at the "
    "left needs few labels; where lines meet, labels make up for features.",
    probing.EXPLAINED: "The same for the numbers that the images were rendered from, as a mean over all of them: 1 is "
    "read perfectly, 0 no better than their mean, below 0 worse.",
}
LEAST = -0.2  # R² below it is cut


def main() -> None:
    st.title("Probes")
    st.markdown(
        "What does a code know? An encoder learned without labels; a **linear probe** then learns from a few. Where "
        "few labels are enough on codes and not on pixels, the encoder has learned **features**."
    )
    among = [entry for entry in widgets.entries("encode") if probing.offered(entry)]
    entry = widgets.entry_picker(needs=["encode"], among=among, default=_first(among))
    with widgets.guard():
        found = probed(entry)
        if found:
            curves(found)
            bars(found, entry)
            st.caption(widgets.plain(probing.protocol(found)))
            widgets.download("Figures", lambda: probing.table(found), f"probes-{entry.name}.csv")


def _first(among: list[Entry]) -> str | None:
    """Return the entry shown first: one of a dataset whose factors are known, for it has the most to show."""
    factors = [entry for entry in among if entry.dataset == "fruits"]
    return next(iter(opening.first(factors or among, widgets.available)), None)


def curves(found: Probed) -> None:
    """Show what is read with more and more labels."""
    drawn = probing.curves(found)
    st.header("How many labels it takes")
    for column, (title, series) in zip(st.columns(len(drawn), gap="large"), drawn.items(), strict=True):
        with column:
            widgets.figure(
                charts.label_curves(series, found.counts, title), key=f"curve-{title[:5].strip()}",
                caption=CURVES[title], filename=f"probes-{'factors' if 'R²' in title else 'labels'}",
            )  # fmt: skip
    st.markdown("\n".join(f"- {widgets.plain(sentence)}" for sentence in probing.readings(found)))


def bars(found: Probed, entry: Entry) -> None:
    """Show what is read of each class and each factor with the most labels."""
    drawn = probing.bars(found, widgets.dataset(entry.dataset, "test", 1).classes)
    st.header(f"What is read with {found.counts[-1]:,} labels")
    for column, (title, (series, names, what)) in zip(st.columns(len(drawn), gap="large"), drawn.items(), strict=True):
        with column:
            caption = f"Of the test images of each {what} the share that a probe reads right, mean over seeds."
            if what == "factor":
                caption = "How much of each factor a linear probe reads: R² 1 is all of it, 0 no more than its mean."
            chart = charts.grouped_bars(series, names, what, title, LEAST if what == "factor" else 0.0)
            widgets.figure(chart, key=f"bars-{what}", caption=caption, filename=f"probes-{what}")


main()
