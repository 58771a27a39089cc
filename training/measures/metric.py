"""One measured figure as the manifest holds it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.analysis.scores import SEEDS
from zoo.metrics.figures import figure
from zoo.samplers import SAMPLERS

# What real images score against real ones: a floor for distances, a goal for the others.
FLOOR, REAL = "_floor", "_real"


def metric(
    name: str, values: float | np.floating | Sequence[Any] | np.ndarray, protocol: str, split: str | None = "test"
) -> dict[str, Any]:
    """Return a metric of the manifest: the mean of `values`, with their range as interval when there are several.

    name: a figure, with FLOOR or REAL behind it for training images, or with @ and a sampler. protocol: how it was
    measured, in sentences. split: of the data that it was measured on.
    """
    values = np.atleast_1d(np.asarray(values, float))
    several, low, high = len(values) > 1, values.min(), values.max()
    name, _, sampler = name.partition("@")
    row = figure(name)
    label, meaning = row.label, row.meaning
    if sampler:
        label = f"{label} ({SAMPLERS[sampler].description})"
    if name != row.name:
        meaning = f"the same for training images: what a perfect generator would score; {meaning}"
        label += " floor" if name.endswith(FLOOR) else " of real images"
    return {
        "value": float(values.mean().clip(low, high)),  # rounding can leave the range of equal values
        "low": float(low) if several else None,
        "high": float(high) if several else None,
        "split": split,
        "label": label,
        "meaning": meaning,
        "protocol": protocol,
    }


def runs(seed: int) -> range:
    """Return the seeds that a figure is the mean of."""
    return range(seed, seed + SEEDS)


def seeds(seed: int) -> str:
    """Return the end of a protocol: which seeds, and what value and interval are."""
    return f"seeds {seed} to {seed + SEEDS - 1}: mean and range."
