"""Sets of images in numbers: what entries draw and what a visitor sends, each against the test images, live."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from zoo import models
from zoo.analysis import comparison, scores
from zoo.analysis.scores import Real, Scored
from zoo.data.archives import LEAST
from zoo.data.pools import as_float
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.images import fit
from zoo.metrics.figures import FIGURES
from zoo.widgets.charts import download
from zoo.widgets.columns import columns
from zoo.widgets.distributions.findings import findings
from zoo.widgets.distributions.uploads import YOURS
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import entries
from zoo.widgets.loading import available, cached, capacity
from zoo.widgets.progress import progress
from zoo.widgets.real_images import at_hand, side
from zoo.widgets.safety import plain
from zoo.widgets.urls import bound

SPLIT = "test"
MOST = 2000  # images of a set that are measured: the time grows with the square
FLOOR = "Training images"  # the name of their column
DIRECTIONS = "↓ lower is better, ↑ higher is better, → 1 near one is better"


@dataclass(frozen=True)
class Setting:
    """What sets are measured against: `count` test images of a dataset, drawn by a seed, fitted to a shape."""

    dataset: str
    shape: tuple[int, int, int]
    classifier: Entry | None
    count: int
    seed: int
    floor: bool  # whether training images can be had
    balanced: bool  # whether all classes are equally frequent, as the first entry was trained
    columns: tuple[tuple[str, Any], ...] = ()  # of the dataset's table


def metric_panel(chosen: Sequence[Entry], count: int, seed: int, own: np.ndarray | None) -> None:
    """Offer to measure what the entries draw and a visitor's images, uint8 (N, *shape) (?measure); show the figures."""
    st.subheader("Metrics")
    wanted = bound(
        st.toggle, "Measure the distances to the test images", key="measure", default=False,
        help="Fréchet distance, KID, precision, recall, density, coverage and more: seconds for 1,000 images of each.",
    )  # fmt: skip
    if not wanted:
        return
    dataset, shape = chosen[0].dataset, chosen[0].shape
    title = plain(dataset_title(dataset))
    if not available(dataset, SPLIT):
        st.caption(f":material/info: Without the test images of {title} there is nothing to measure against.")
        return
    floor = at_hand(dataset, "train", "Without it, the score of real images is not known.", f"{dataset}-train")
    # Never cut to the images of a visitor: what is said of the entries does not depend on them.
    count = min(count, MOST, capacity(shape))
    setting = Setting(
        dataset,
        shape,
        classifier_for(chosen[0], entries()),
        count,
        seed,
        floor,
        chosen[0].balanced,
        tuple(columns(dataset).items()),
    )
    found = _measured(chosen, own, setting)
    if found is None:
        st.caption(f":material/info: {title} has fewer than {LEAST} test images: too few to measure a distance.")
        return
    count, shares = len(_real(setting).view.images), _real(setting).shares
    st.table(_columns(found), hide_index=True, border="horizontal")
    sets = {name: scored for name, scored in found.items() if name != FLOOR}
    findings(comparison.verdicts(sets, shares, setting.classifier.classes if setting.classifier else ()))
    st.caption(_measure_of(setting, count, len(sets), None if own is None else len(own)))
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("What they mean", icon=":material/help:"):
            st.markdown("\n".join(f"- **{row.label}**: {row.meaning}" for row in FIGURES.values() if row.compared))
        download("CSV", lambda: scores.table(found, dataset, count, seed), f"distributions-{dataset}.csv")
        st.page_link(
            "pages/measure/leaderboard.py", label="Stored figures, under one protocol", icon=":material/leaderboard:",
            query_params={"dataset": dataset},
        )  # fmt: skip


def _columns(found: dict[str, Scored]) -> dict[str, list[str]]:
    """Return the columns of the table in Markdown; the best of the sets is bold."""
    figures = [name for name in FIGURES if any(name in scored.figures for scored in found.values())]
    columns = {"Figure": [f"{FIGURES[name].label} {FIGURES[name].arrow}" for name in figures]}
    leading = {
        name: scores.best(name, {key: s.figures[name] for key, s in found.items() if key != FLOOR}) for name in figures
    }
    for key, scored in found.items():
        cells = [FIGURES[name].written(scored.figures[name]) if name in scored.figures else "" for name in figures]
        columns[plain(key)] = [
            f"**{cell}**" if key in leading[name] else cell for name, cell in zip(figures, cells, strict=True)
        ]
    return columns


def _measure_of(setting: Setting, count: int, sets: int, own: int | None) -> str:
    """Say in Markdown how the figures were measured and how to read them; own is how many images a visitor sent."""
    text = f"{count:,} images of each set"
    if own is not None and own < count:
        text += f", but {own:,} of {YOURS}, which makes its distances larger and its coverage smaller,"
    text += f" against {count:,} test images, seed {setting.seed}"
    if setting.classifier:
        text += f", in the features of the classifier {plain(setting.classifier.id)} (**not** Inception FID)"
    text += f". {DIRECTIONS}; **bold** is the best. " if sets > 1 else f". {DIRECTIONS}. "
    if setting.balanced:
        text += "Of every class as many real images, as in training. "
    if setting.floor:
        text += "As many training images score what a perfect generator would. "
    return text + "Few images bias the distances: compare these live figures with each other, not with stored ones."


def _measured(chosen: Sequence[Entry], own: np.ndarray | None, setting: Setting) -> dict[str, Scored] | None:
    """Return the figures of each set, with progress; None when there are too few test images."""
    steps: dict[str, tuple[str, Callable[[], Scored]]] = {}
    for entry in chosen:
        steps[entry.label] = (f"{entry.label} draws and is measured", lambda entry=entry: _drawn(entry, setting))
    if own is not None:
        steps[YOURS] = ("Your images are measured", lambda: _own(own[: setting.count], setting))
    if setting.floor:
        steps[FLOOR] = ("Training images are measured", lambda: _floor(setting))
    with progress(f"Reading {dataset_title(setting.dataset)} …") as report:
        if len(_real(setting).view.images) < LEAST:
            return None
        found = {}
        for number, (name, (text, measure)) in enumerate(steps.items(), 1):
            report(number / (len(steps) + 1), f"{text} …")
            found[name] = measure()
        return found


# Two are kept, for the images of both sides stay in memory.
@st.cache_resource(
    max_entries=2, show_spinner=False, hash_funcs={Entry: lambda entry: f"{entry.folder}@{entry.revision}"}
)
def _real(setting: Setting) -> Real:
    # Balanced test images without a count are as many as there are without a repeat: a repeat would be a duplicate.
    count = None if setting.balanced else setting.count
    reading = {"size": side(setting.dataset, setting.shape), "balanced": setting.balanced} | dict(setting.columns)
    return Real(setting.dataset, setting.shape, setting.classifier, setting.seed, count, int(setting.floor), **reading)


@cached
def _drawn(entry: Entry, setting: Setting) -> Scored:
    count = len(_real(setting).view.images)
    return _scored(fit(models.sample(entry, count, setting.seed).images, setting.shape)[0], setting)


@cached(max_entries=8)
def _own(pictures: np.ndarray, setting: Setting) -> Scored:
    return _scored(as_float(pictures[: len(_real(setting).view.images)]), setting)


@cached
def _floor(setting: Setting) -> Scored:
    real = _real(setting)
    training = real.training[0]
    return Scored(real.floors[0] | real.class_scores(training), None)


def _scored(pictures: np.ndarray, setting: Setting) -> Scored:
    real = _real(setting)
    seen = real.see(pictures)
    return Scored(real.score(seen), None if seen.classes is None else real.counts(seen))
