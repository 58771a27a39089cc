"""What a view of a tour is given, and what it gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go

from zoo import images, models
from zoo.analysis.conditions import labels_for
from zoo.charts.poster import Row
from zoo.data import datasets
from zoo.data.records import Split
from zoo.entries import Entry, catalog
from zoo.errors import EntryError

POOL = 400  # images of a split that are looked at


@dataclass(frozen=True)
class Setting:
    """What is at hand: entries by id, whether a dataset is here, and its first images (name, split, count)."""

    entries: Mapping[str, Entry]
    available: Callable[[str], bool]
    split: Callable[[str, str, int], Split]

    @classmethod
    def here(cls) -> "Setting":
        """Return the embedded zoo and the datasets of this machine."""
        found = {entry.id: entry for entry in catalog.entries()}
        return cls(found, datasets.available, datasets.load)

    def entry(self, name: str) -> Entry:
        """Return an entry; raises EntryError where it is not here."""
        if name not in self.entries:
            raise EntryError(f"This view needs the entry {name}, which is not in this zoo.")
        return self.entries[name]

    def classifier(self, entry: Entry) -> Entry:
        """Return the classifier of an entry's dataset; raises EntryError where there is none."""
        found = catalog.classifier_for(entry, list(self.entries.values()))
        if found is None:
            raise EntryError(f"This view needs a classifier of {entry.dataset}, and none is in this zoo.")
        return found

    def pictures(self, entry: Entry, split: str = "test", count: int = POOL) -> "Pictures":
        """Return images of an entry's dataset in its own shape.

        For a dataset that is not here, images stand in that an entry draws which is asked for their class, or else
        those of a dataset that is always here.
        """
        if not self.available(entry.dataset) and (found := self._drawn(entry, count)):
            return found
        standin = "digits" if entry.shape[2] == 1 else "fruits"
        name = entry.dataset if self.available(entry.dataset) else standin
        pool = self.split(name, split, count)
        fitted = images.fit(pool.images[:count], entry.shape)[0]
        labels = None if pool.labels is None else pool.labels[:count]
        classifier = catalog.classifier_for(entry, list(self.entries.values()))
        asked = labels_for(entry, fitted, labels, pool.classes, classifier)[0] if entry.conditional else None
        note = "" if name == entry.dataset else f"{entry.dataset} is not on this machine: images of {name} stand in."
        return Pictures(fitted, labels, tuple(pool.classes), asked, note)

    def _drawn(self, entry: Entry, count: int) -> "Pictures | None":
        """Return images of an entry's dataset as another entry draws them, if one knows its classes."""
        for other in self.entries.values():
            can = other.conditional and "generate" in other.capabilities and not other.origin
            if can and other.dataset == entry.dataset and other.shape == entry.shape:
                made = models.sample(other, models.affordable(other, count), 0)
                asked = made.labels if entry.conditional else None
                note = f"{entry.dataset} is not on this machine: images that {other.label} draws stand in."
                return Pictures(made.images, made.labels, other.classes, asked, note)
        return None


@dataclass(frozen=True, slots=True)
class Pictures:
    """Images (N, H, W, C), labels (N,) or None with their classes, the classes a conditional entry needs, a notice."""

    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    asked: np.ndarray | None
    note: str

    def name(self, index: int) -> str:
        return f"image {index}" if self.labels is None else self.classes[self.labels[index]]


@dataclass(frozen=True)
class Shown:
    """What a kind shows: rows of pictures with the names of their columns, figures with what one sees in each, lines of
    text (Markdown without anything of an entry in it, or escaped), and a notice of what stands in."""

    rows: Sequence[Row] = ()
    columns: Sequence[str] = ()
    figures: Mapping[str, go.Figure] = field(default_factory=dict)
    text: str = ""
    note: str = ""
