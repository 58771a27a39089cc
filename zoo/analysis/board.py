"""The leaderboard: every measured entry as a row of its figures, a row of its own for each further sampler.

evaluate writes a figure of the default sampler under its plain name ("frechet") and of another one as "frechet@gmm".
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from zoo import samplers
from zoo.entries import Entry
from zoo.manifest import Metric
from zoo.metrics.figures import FIGURES, Figure


@dataclass(frozen=True, slots=True)
class Row:
    """Figures (name -> Metric) of one entry with one way to sample it; "" where nothing is sampled."""

    entry: Entry
    sampler: str
    figures: dict[str, Metric]

    @property
    def label(self) -> str:
        """Return what tells the row from all others: the entry, and the sampler where it is not the prior."""
        return self.entry.label + (f" · {self.sampler}" if self.sampler not in ("", "prior") else "")

    @property
    def megabytes(self) -> float:
        """Return the size of the ONNX files, in units of 10⁶ bytes."""
        made = self.entry.manifest
        return sum(made.files[network.file].size for network in made.networks.values()) / 1e6

    def value(self, figure: str) -> float | None:
        """Return the figure's mean, None where it was not measured."""
        return self.figures[figure].value if figure in self.figures else None


def columns(found: Iterable[Row]) -> list[Figure]:
    """Return the figures that are columns of the board and that any of the rows has."""
    measured = {name for row in found for name in row.figures}
    return [row for row in FIGURES.values() if row.column and row.name in measured]


def rankings(found: Iterable[Row]) -> list[Figure]:
    """Return the figures that rows can be ranked by and that any of the rows has; one of these makes an entry worth a
    row."""
    measured = {name for row in found for name in row.figures}
    return [row for row in FIGURES.values() if row.ranking and row.name in measured]


def rows(entries: Iterable[Entry]) -> list[Row]:
    """Return the rows of all entries that were measured, by Fréchet distance (on random features where no classifier
    of the dataset is known), those without one last."""
    found = [row for entry in entries for row in _rows(entry)]

    def rank(row: Row) -> tuple[bool, float, str]:
        distance = row.value("frechet_random") if row.value("frechet") is None else row.value("frechet")
        return distance is None, distance or 0.0, row.label

    return sorted(found, key=rank)


def best(found: Iterable[Row], score: str) -> list[Row]:
    """Return the best row of each entry by a figure, the best entry first."""
    kept: dict[str, Row] = {}
    measured = [row for row in found if score in row.figures]
    for row in sorted(measured, key=lambda row: FIGURES[score].cost(row.figures[score].value)):
        kept.setdefault(row.entry.id, row)
    return list(kept.values())


def leading(found: Iterable[Row]) -> list[Row]:
    """Return the first of each entry's rows: in the order of `rows` the one with the best sampler."""
    kept: dict[str, Row] = {}
    for row in found:
        kept.setdefault(row.entry.id, row)
    return list(kept.values())


def _rows(entry: Entry) -> list[Row]:
    by_sampler: dict[str, dict[str, Metric]] = {}
    for name, metric in entry.manifest.metrics.items():
        figure, _, sampler = name.partition("@")
        by_sampler.setdefault(sampler, {})[figure] = metric
    plain = by_sampler.pop("", {})
    default = next(iter(samplers.offered(entry)), "")
    found = [Row(entry, default, plain)] if plain else []
    # What does not depend on the sampler holds for the further rows as well.
    shared = {name: metric for name, metric in plain.items() if not (name in FIGURES and FIGURES[name].of_samples)}
    return found + [Row(entry, sampler, shared | figures) for sampler, figures in by_sampler.items()]


def table(found: Iterable[Row]) -> str:
    """Return the rows as CSV: what they are, and value, low and high of every figure that any of them has."""
    found = list(found)
    figures = list(dict.fromkeys(name for row in found for name in row.figures))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = [f"{name}{end}" for name in figures for end in ("", "_low", "_high")]
    writer.writerow(
        [
            "entry", "revision", "family", "year", "dataset", "sampler", "conditional", "parameters", "megabytes",
            "images_seen", "seconds", *heads,
        ]
    )  # fmt: skip
    for row in found:
        made, numbers = row.entry.manifest, []
        for name in figures:
            metric = row.figures.get(name)
            numbers += ["", "", ""] if metric is None else [metric.value, metric.low, metric.high]
        writer.writerow(
            [
                cell(row.entry.id), row.entry.revision, cell(made.family), made.year, cell(row.entry.dataset),
                cell(row.sampler), int(row.entry.conditional), row.entry.parameters, row.megabytes,
                made.provenance.images_seen, made.provenance.seconds, *numbers,
            ]
        )  # fmt: skip
    return out.getvalue()


def cell(text: str) -> str:
    """A stranger's text as a cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
