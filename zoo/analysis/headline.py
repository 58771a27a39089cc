"""The numbers that say most about an entry, in one line."""

from zoo.entries import Entry
from zoo.metrics.figures import FIGURES


def headline(entry: Entry) -> str:
    """Return e.g. "PSNR 22.2 dB, Fréchet 5.43 (floor 0.041), coverage 0.46"; "" for an entry that was not measured."""
    values = {name: metric.value for name, metric in entry.manifest.metrics.items()}
    if "frechet" in values:
        values.pop("frechet_random", None)  # the cross-check stands in only where no classifier of the dataset is known
    rows = sorted((row for row in FIGURES.values() if row.headline), key=lambda row: row.headline_rank)
    return ", ".join(
        row.headline.format(value=values[row.name], floor=values.get(f"{row.name}_floor", float("nan")))
        for row in rows
        if row.name in values
    )
