"""What is scored: the entry, the dataset that it is held against, how many images, how many latents."""

from dataclasses import dataclass

import streamlit as st

from zoo.analysis import anomalies
from zoo.analysis.anomalies import Setting
from zoo.entries import Entry, opening
from zoo.entries.catalog import classifier_for
from zoo.known import DATASETS
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import entries
from zoo.widgets.loading import available
from zoo.widgets.picking import entry_picker
from zoo.widgets.urls import bound

# What each dataset is held against at first; the first two pairs are always on this machine.
PAIRS = {"digits": "fruits", "fruits": "digits", "fashion_mnist": "mnist", "mnist": "fashion_mnist"}
FIRST = ("fashion_mnist", "digits")  # of these the first whose pair is here is shown first
COUNTS = (100, 200, 500, 1000)
DRAWS = (16, 64, 256)


@dataclass(frozen=True)
class View:
    """What is looked at: the entry, the classifier that guesses classes for it, the other dataset, how it is scored."""

    entry: Entry
    classifier: Entry | None
    other: str
    count: int
    setting: Setting

    @property
    def names(self) -> tuple[str, str]:
        """Titles of the entry's own dataset and of the other one."""
        return dataset_title(self.entry.dataset), dataset_title(self.other)


def view_choice() -> View:
    """Let entry (?entry), other dataset (?dataset), count of images (?images), latents (?draws) and ?seed be chosen."""
    among = [entry for entry in entries() if anomalies.offered(entry)]
    left, right, more = st.columns([3, 3, 1], vertical_alignment="bottom")
    with left:
        entry = entry_picker(among=among, needs=["reconstruct"], default=_first(among))
    with right:
        others = [name for name in DATASETS if name != entry.dataset]
        other = bound(
            st.selectbox, "Held against", others, key="dataset", default=_beside(entry.dataset), format_func=_option,
            help="Images of this dataset are fitted to the entry's shape and scored like its own.",
        )  # fmt: skip
    with more, st.popover("Settings", icon=":material/tune:"):
        count = bound(st.select_slider, "Test images of each set", COUNTS, key="images", default=200)
        draws = DRAWS[0]
        if "bound" in anomalies.offered(entry):
            draws = bound(
                st.select_slider, "Latents for the bound", DRAWS, key="draws", default=DRAWS[0],
                help="The bound on log p(x) grows towards it with the number of latents drawn for each image.",
            )  # fmt: skip
        seed = bound(st.number_input, "Seed", key="seed", default=0, min_value=0, max_value=9999, step=1)
    return View(entry, classifier_for(entry, entries()), other, count, Setting(draws, seed))


def _first(among: list[Entry]) -> str | None:
    likely = [entry for entry in among if "bound" in anomalies.offered(entry)]
    here = [name for name in FIRST if available(name) and available(PAIRS[name])]
    chosen = [entry for entry in likely if entry.dataset in here]
    chosen.sort(key=lambda entry: here.index(entry.dataset))
    return next(iter(opening.first(chosen or likely or among, available)), None)


def _beside(name: str) -> str:
    """Return the dataset to hold against another one: its pair, or what is always here."""
    return next(other for other in (PAIRS.get(name, name), "fruits", "digits") if other != name and available(other))


def _option(name: str) -> str:
    return dataset_title(name) if available(name) else f"{dataset_title(name)} (download)"
