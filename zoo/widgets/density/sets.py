"""The scores of the two sets: computed in the background, shared, kept."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from zoo.analysis import anomalies
from zoo.analysis.anomalies import Scored
from zoo.data.datasets import Split
from zoo.widgets.columns import columns
from zoo.widgets.density.choices import View
from zoo.widgets.loading import dataset
from zoo.widgets.real_images import at_hand
from zoo.widgets.safety import plain
from zoo.widgets.waiting import awaited

SPLIT = "test"
SECONDS = 600.0  # until scores are given up


class Sets(NamedTuple):
    """The scored images of the entry's own dataset and of the other one."""

    normal: Scored
    other: Scored


def scored(view: View) -> Sets | None:
    """Return the scores of both sets, with progress and Cancel while they are computed; None where there are none, and
    then it is said why."""
    entry, (own, other) = view.entry, view.names
    for name, meanwhile in (
        (entry.dataset, "Without its test images it is not known what is usual for this entry: choose another one."),
        (view.other, "Choose another dataset to hold against."),
    ):
        if not at_hand(name, SPLIT, meanwhile, key=f"{name}-density"):
            return None
    splits = [dataset(name, SPLIT, view.count, view.setting.seed) for name in (entry.dataset, view.other)]
    classifier = view.classifier.revision if view.classifier else ""
    read = tuple(sorted(columns(entry.dataset).items()))
    key = ("scores", f"{entry.folder}@{entry.revision}", classifier, view.other, view.count, view.setting, read)
    text = f"{entry.label} scores {own} and {other}"
    found = awaited(key, _work(view, splits), text, SECONDS, again="Score them")
    for title, part in zip((own, other), found or (), strict=False):
        if part.notice:
            st.caption(f":material/info: {plain(title)}: {plain(part.notice)}")
    return found


def _work(view: View, splits: list[Split]) -> Callable:
    def work(report: Callable[[float], None], cancelled: Callable[[], bool]) -> Sets:
        found = []
        for index, split in enumerate(splits):

            def told(part: float, done: int = index) -> None:
                report((done + part) / len(splits))

            known = split.labels, split.classes
            found.append(
                anomalies.score(view.entry, split.images, view.setting, known, view.classifier, told, cancelled)
            )
        return Sets(*found)

    return work
