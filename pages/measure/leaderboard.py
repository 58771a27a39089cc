"""Leaderboard: all measured entries under one protocol; a click on a name opens its entry."""

from collections.abc import Sequence

import streamlit as st

from zoo import charts, widgets
from zoo.analysis import board
from zoo.analysis.board import Row
from zoo.widgets.leaderboard import SHEET, row_filter, sheets, standings


def main() -> None:
    st.title("Leaderboard")
    st.markdown(
        "Autoencoders and GANs on one board, under one protocol. The Fréchet distance is taken on the features of our "
        "own classifier for the dataset: it is **not** Inception FID, and must not be compared with it."
    )
    entries = widgets.entries()
    everything = [row for row in board.rows(entries) if board.rankings([row])]
    if not everything:
        st.info(f"Nothing here was measured yet. {widgets.HOW_TO_FILL}", icon=":material/info:")
        return
    measured = {row.entry.dataset for row in everything}
    ids = [name for name in dict.fromkeys(entry.dataset for entry in entries) if name in measured]
    dataset = widgets.bound(
        st.pills, "Dataset", ids, key="dataset", default=ids[0], format_func=widgets.dataset_title, required=True
    )
    shown = [row for row in everything if row.entry.dataset == dataset]
    shown = row_filter(shown)
    standings(shown, dataset)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Values with their range over seeds. A click on a name opens the entry, one on a heading sorts.")
        widgets.download("CSV", lambda: board.table(shown), f"leaderboard-{dataset}.csv")
    left, right = st.columns(2, gap="large")
    with left, widgets.guard():
        ranking(shown)
    with right, widgets.guard():
        tradeoff(shown)


def ranking(shown: Sequence[Row]) -> None:
    """Draw one figure of all entries, each with its best sampler, with its intervals."""
    st.header("Ranking")
    choices = {figure.name: figure.ranking for figure in board.rankings(shown)}
    score = widgets.bound(
        st.selectbox,
        "Figure",
        list(choices),
        key="figure",
        default=next(iter(choices)),
        format_func=choices.get,
        width=320,
    )
    rows = board.best(shown, score)
    metrics = [row.figures[score] for row in rows]
    real = [row.value(f"{score}{end}") for row in rows for end in ("_floor", "_real")]
    figure = charts.ranking(
        [row.label for row in rows],
        [metric.value for metric in metrics],
        [metric.value if metric.low is None else metric.low for metric in metrics],
        [metric.value if metric.high is None else metric.high for metric in metrics],
        choices[score],
        floor=1.0 if score == "frechet_ratio" else next((value for value in real if value is not None), None),
    )
    caption = "The best on top, every entry by its best sampler. Bars are the range over three seeds, where the figure "
    caption += "depends on one; a dotted line is what real images score."
    widgets.figure(figure, key="ranking", caption=caption, filename=f"ranking-{score}")
    widgets.peek("ranking", lambda: sheets(rows), [row.entry for row in rows], most=SHEET)


def tradeoff(shown: Sequence[Row]) -> None:
    """Draw reconstruction against generation for what can do both."""
    st.header("Reconstruction and generation")
    both = [row for row in shown if {"psnr", "frechet"} <= row.figures.keys()]
    if not both:
        st.info("No entry of this dataset both reconstructs and generates.", icon=":material/info:")
        return
    psnr, frechet = ([row.figures[name].value for row in both] for name in ("psnr", "frechet"))
    columns = [row.label for row in both], psnr, frechet
    groups = [row.sampler for row in both]
    figure = charts.tradeoff(*columns, groups, "PSNR of reconstructions (dB)", "Fréchet distance of samples")
    caption = "Right is the better autoencoder, down the better generator. Points in one column are one autoencoder: "
    caption += "the sampler alone moves them up and down."
    widgets.figure(figure, key="tradeoff", caption=caption, filename="tradeoff")
    widgets.peek("tradeoff", lambda: sheets(both), [row.entry for row in both], most=SHEET)


main()
