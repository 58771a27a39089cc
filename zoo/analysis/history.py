"""How an entry was trained, read for display: its history and its snapshots."""

import json

import numpy as np

from zoo import images
from zoo.entries import Entry
from zoo.errors import EntryError

MAX_HISTORY_BYTES = 4 << 20
FARTHEST = 1e30  # of a value; axes beyond it have no round numbers
MAX_CURVES, MAX_MOMENTS = 64, 100_000  # of a history


def history(entry: Entry) -> dict[str, list[float]]:
    """Return the entry's training history: finite numbers under each name, lists of equal length; {} without one."""
    if not entry.has("history.json"):
        return {}
    try:
        found = json.loads(entry.content("history.json", MAX_HISTORY_BYTES))
        series = {str(name): np.asarray(values, float) for name, values in found.items()}
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        if isinstance(error, EntryError):
            raise
        raise EntryError(f"The training history of {entry.name} is not a table of numbers.") from error
    if any((np.abs(values) > FARTHEST).any() for values in series.values()):
        raise EntryError(f"The training history of {entry.name} holds a number too large to be drawn.")
    if len({values.shape for values in series.values()}) > 1 or any(values.ndim != 1 for values in series.values()):
        raise EntryError(f"The training history of {entry.name} has columns of different lengths.")
    longest = max((values.size for values in series.values()), default=0)
    if len(series) > MAX_CURVES or longest > MAX_MOMENTS or any(len(name) > 100 for name in series):
        raise EntryError(f"The training history of {entry.name} has more curves, points or letters than can be drawn.")
    if series and "images" not in series:
        raise EntryError(f"The training history of {entry.name} does not say at how many images it was written.")
    return {name: values.tolist() for name, values in series.items()}


def snapshots(entry: Entry) -> bytes | None:
    """Return the entry's snapshots.gif for a browser, None without one; raises EntryError when it is no fit GIF."""
    if not entry.has("snapshots.gif"):
        return None
    content = entry.content("snapshots.gif", images.MAX_ANIMATION_BYTES)
    try:
        return images.animation(content)
    except ValueError as error:
        raise EntryError(f"The snapshots of {entry.name} cannot be shown: {error}") from error
