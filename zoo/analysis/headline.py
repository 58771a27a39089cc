"""The numbers that say most about an entry, in one line."""

from zoo.entries import Entry
from zoo.metrics.figures import FIGURES


def headline(entry: Entry) -> str:
    """Return e.g. "PSNR 22.2 dB, Fréchet 5.43 (floor 0.041), coverage 0.46"; "" for an entry that was not measured."""
    values = {name: metric.value for name, metric in entry.manifest.metrics.items()}
    if "frechet" in values:
        values.pop("frechet_random", None)  # the cross-check stands in only where no classifier of the dataset is known
    return ", ".join(
        row.headline.format(value=values[name], floor=values.get(f"{name}_floor", float("nan")))
        for name, row in FIGURES.items()
        if row.headline and name in values
    )
