"""Names, sizes and durations in words: one function each, used wherever one is shown."""

from zoo.entries import Entry
from zoo.known import DATASETS


def dataset_title(name: str) -> str:
    """Return the title of a dataset in the catalogue, or its id."""
    known = DATASETS.get(name)
    return known.title if known else name


def size_text(entry: Entry) -> str:
    """Return e.g. "28×28 grey"."""
    height, width, channels = entry.shape
    return f"{height}×{width} {'colour' if channels == 3 else 'grey'}"


def training_text(entry: Entry) -> str:
    """Return parameters and training, e.g. "1.2 M parameters, trained on 3 M images in 30 min on cpu"."""
    made = entry.manifest.provenance
    parts = ["trained"] if made.images_seen or made.seconds else []
    if made.images_seen:
        parts.append(f"on {short(made.images_seen)} images")
    if made.seconds:
        parts.append(f"in {duration(made.seconds)}" + (f" on {made.device}" if made.device else ""))
    return ", ".join(filter(None, [f"{short(entry.parameters)} parameters", " ".join(parts)]))


def short(number: float) -> str:
    """Return a count in at most three digits: 950, 1.2 k, 34 M."""
    for unit, scale in (("", 1), (" k", 1e3), (" M", 1e6), (" G", 1e9)):
        if abs(number) < 999.5 * scale or scale == 1e9:
            value = number / scale
            return f"{value:.1f}{unit}" if unit and abs(value) < 9.95 else f"{value:.0f}{unit}"
    raise AssertionError


def duration(seconds: float) -> str:
    """Return seconds in words: 40 s, 12 min, 1.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
