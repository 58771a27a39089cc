"""The table of the leaderboard: which rows it shows, and their figures with ranges in the cells."""

import contextlib
import functools
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from zoo import images
from zoo.analysis import board
from zoo.analysis.board import Row
from zoo.analysis.measured import interval
from zoo.errors import EntryError
from zoo.metrics.figures import Figure
from zoo.samplers import SAMPLERS
from zoo.widgets.labels import duration, short
from zoo.widgets.loading import sample_sheet
from zoo.widgets.placards import address
from zoo.widgets.tables import Cell, Column, table
from zoo.widgets.urls import bound

EVERY, TOLD, UNTOLD = "all", "told", "untold"
LABELS = {EVERY: "All", UNTOLD: "Not told the class", TOLD: "Told the class"}
SHEET = 240  # pixels of the longer side of a sheet that a point shows
SHAPE = (160, SHEET, 3)
FIRST = ("frechet", "coverage", "psnr")


def row_filter(found: Sequence[Row]) -> list[Row]:
    """Let rows be chosen by whether their entries are told the class (?labels), and all samplers shown (?samplers)."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
        labels = EVERY
        if len({row.entry.conditional for row in found}) > 1:
            labels = bound(
                st.segmented_control, "Labels", list(LABELS), key="labels", default=EVERY, required=True,
                format_func=LABELS.get, width="content",
                help="Conditional entries are told the class of each image, in training and when they draw.",
            )  # fmt: skip
        shown = [row for row in found if labels == EVERY or row.entry.conditional == (labels == TOLD)]
        if len(board.leading(shown)) < len(shown) and not bound(
            st.toggle, "All samplers", key="samplers", default=False,
            help="A row for every way to draw codes, not only for the best one of each entry.",
        ):  # fmt: skip
            shown = board.leading(shown)
    return shown


def standings(shown: Sequence[Row], dataset: str) -> None:
    """Draw the rows as a table: a click on a name opens the entry, one on a heading sorts."""
    figures = sorted(board.columns(shown), key=lambda row: FIRST.index(row.name) if row.name in FIRST else len(FIRST))
    parts = [(_column(one), functools.partial(_figure, figure=one)) for one in figures]
    # A narrow window shows the names and three figures beside them.
    parts = [(Column("Entry", least=True), _name), *parts[:3], *FACTS[:4], *parts[3:], *FACTS[4:]]
    rows = [[make(row) for _, make in parts] for row in shown]
    columns = [column for column, _ in parts]
    table(columns, rows, key=f"board-{dataset}", label="Leaderboard")


def sheets(shown: Sequence[Row]) -> np.ndarray:
    """Return the sample sheets of the rows' entries (N, H, W, 3), brought to one shape; grey where there is none."""
    found = []
    for row in shown:
        with contextlib.suppress(EntryError):
            picture = sample_sheet(row.entry, 1)
            if picture is not None:
                found.append(images.fit(picture[None] / 255, SHAPE)[0][0])
                continue
        found.append(np.full(SHAPE, 0.5, np.float32))
    return np.stack(found)


def _column(figure: Figure) -> Column:
    return Column(f"{figure.column} {figure.arrow}", figure.help, least=figure.better != "higher")


def _name(row: Row) -> Cell:
    entry = row.entry
    return Cell(entry.id, sort=entry.id, href=f"./{address(entry)}")


def _figure(row: Row, *, figure: Figure) -> Cell:
    metric = row.figures.get(figure.name)
    if metric is None:
        return Cell()
    order = figure.cost(metric.value) if figure.better == "near one" else metric.value
    return Cell(figure.written(metric.value), interval(figure.name, metric), metric.protocol, order)


def _sampler(row: Row) -> Cell:
    name = SAMPLERS[row.sampler].label if row.sampler in SAMPLERS else row.sampler
    return Cell(name, sort=name or None)


def _labels(row: Row) -> Cell:
    return Cell("told" if row.entry.conditional else "no", sort=int(row.entry.conditional))


def _seen(row: Row) -> Cell:
    seen = row.entry.manifest.provenance.images_seen
    return Cell(short(seen) if seen else "", sort=seen)


def _time(row: Row) -> Cell:
    seconds = row.entry.manifest.provenance.seconds
    return Cell(duration(seconds) if seconds else "", sort=seconds)


def _parameters(row: Row) -> Cell:
    return Cell(short(row.entry.parameters), sort=row.entry.parameters)


def _family(row: Row) -> Cell:
    return Cell(row.entry.manifest.family_title, sort=row.entry.manifest.family_title)


def _size(row: Row) -> Cell:
    return Cell(f"{row.megabytes:.1f} MB", sort=row.megabytes)


FACTS: list[tuple[Column, Callable[[Row], Cell]]] = [
    (Column("Codes", "How codes are drawn", least=True), _sampler),
    (Column("Labels", "Whether it is told the class of each image", least=True), _labels),
    (Column("Images seen", "Images that were looked at in training, repeats included", least=True), _seen),
    (Column("Training", "Time of training, on the machine that the entry's page names", least=True), _time),
    (Column("Parameters", "Of all networks together", least=True), _parameters),
    (Column("Family", least=True), _family),
    (Column("Size", "What the app loads: the ONNX files", least=True), _size),
]
