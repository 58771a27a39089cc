"""Density: how likely an entry finds images, and whether that, its errors or its codes tell foreign images apart."""

import streamlit as st

from zoo import charts, widgets
from zoo.analysis import anomalies
from zoo.analysis.anomalies import SCORES, Scored
from zoo.widgets.density import Sets, View, own_images, ranking, scored, view_choice

TALL, LOW = 1020, 700  # pixels of the histograms in two rows and in one: what follows is drawn first
BEYOND = " Values further out are counted in the outermost bar."


def main() -> None:
    st.title("Density")
    st.markdown(
        "A model that has learned how images are distributed should find those like its training images likely and "
        "all others unlikely. Ask it how **likely** an image or its code is, how well the image is **reconstructed**, "
        "and how **far** the code lies from those of training images."
    )
    view = view_choice()
    with widgets.guard():
        sets = scored(view)
        if sets:
            widgets.reserve("density-scores", f"min-height: {TALL if len(sets.normal.scores) == 4 else LOW}px;")
            place = st.container(key="density-scores")
            st.header("One by one")
            with widgets.guard():
                single = own_images(view, sets.normal)
                with place:
                    histograms(view, sets, single)
            st.header("Most and least likely")
            ranking(view, sets)


def histograms(view: View, sets: Sets, single: Scored) -> None:
    """Show the scores of both sets over each other, each with its AUROC, and say what that means."""
    st.header(widgets.plain(" against ".join(view.names)))
    areas = anomalies.separation(sets.normal.scores, sets.other.scores)
    across = 2 if len(areas) == 4 else len(areas)
    for start in range(0, len(areas), across):
        for column, name in zip(st.columns(across, gap="medium"), list(areas)[start : start + across], strict=False):
            with column:
                st.subheader(f"{SCORES[name].title}: AUROC {areas[name]:.3f}")
                own, other = ((title, part.scores[name]) for title, part in zip(view.names, sets, strict=True))
                figure, beyond = charts.score_histogram(own, other, SCORES[name].axis, single.scores[name])
                caption = SCORES[name].reading + (BEYOND if beyond else "")
                widgets.figure(figure, key=f"scores-{name}", caption=caption, filename=f"density-{name}")
    st.markdown(
        f"- {widgets.plain(anomalies.best(areas, *view.names))}\n"
        f"- {widgets.plain(anomalies.surprise(areas, *view.names))}"
    )
    told = f" The class that the entry is given: {sets.normal.told} and {sets.other.told}." if sets.normal.told else ""
    st.caption(
        "Where the lines do not overlap, a score tells the sets apart. AUROC is the share of pairs, one image of each, "
        "in which it finds the foreign one the more unusual: 1 is never wrong, 0.5 is guessing, below 0.5 it is "
        "misled. "
        f"{widgets.plain(anomalies.protocol(view.entry, view.setting, len(sets.normal.images)) + told)} Diamonds "
        "are the single images below."
    )
    widgets.download(
        "Scores", lambda: anomalies.table(dict(zip(view.names, sets, strict=True))), f"density-{view.entry.name}.csv"
    )


main()
