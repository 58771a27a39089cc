"""The figures of one entry as one table: a row for each figure, a column for each sampler, one for real images."""

from collections.abc import Mapping
from dataclasses import dataclass

from zoo.entries import Entry
from zoo.manifest import Metric
from zoo.metrics.figures import FIGURES, base, known

REAL = "real"  # the column of what real images score
ENDS = {"_floor": REAL, "_real": REAL}


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure: its name in the manifest, a label with an arrow to where it should go, its meaning, and its values.

    values: Metric by column, which is a sampler, "" for the entry's first one, or REAL. whole: whether it is a figure
    of the entry, whatever is sampled; it is then in column "" alone. protocol: how the first value was measured.
    """

    name: str
    label: str
    meaning: str
    values: Mapping[str, Metric]
    whole: bool

    @property
    def protocol(self) -> str:
        first = next(iter(self.values.values()))
        return first.protocol or (f"Measured on the {first.split} split." if first.split else "")


def measured(entry: Entry) -> list[Measured]:
    """Return the figures of an entry in the order of FIGURES, those that have no row there last."""
    values: dict[str, dict[str, Metric]] = {}
    for stored, metric in entry.manifest.metrics.items():
        name, _, sampler = stored.partition("@")
        column = sampler or next((REAL for end in ENDS if known(stored) and name.endswith(end)), "")
        values.setdefault(base(stored) if known(stored) else name, {})[column] = metric
    order = list(FIGURES)
    found = sorted(values, key=lambda name: order.index(name) if name in FIGURES else len(order))
    return [_row(name, values[name]) for name in found]


def written(name: str, value: float) -> str:
    """Return a value of a figure as its row in FIGURES says, in four digits where it has none."""
    return FIGURES[name].written(value) if name in FIGURES else f"{value:.4g}".replace("-", "−")


def interval(name: str, metric: Metric) -> str:
    """Return the range of a metric, "" where it has none or where its ends are written alike."""
    if metric.low is None or metric.high is None:
        return ""
    low, high = written(name, metric.low), written(name, metric.high)
    return "" if low == high else f"{low} to {high}"


def _row(name: str, values: dict[str, Metric]) -> Measured:
    row, first = FIGURES.get(name), next(iter(values.values()))
    label = f"{row.label} {row.arrow}" if row else first.label or name.replace("_", " ")
    whole = not (row.of_samples if row else len(values) > 1)
    return Measured(name, label, row.meaning if row else first.meaning, values, whole)
