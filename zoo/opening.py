"""What a page shows before anybody chose: entries whose own data is on this machine."""

from collections.abc import Sequence

from zoo import datasets
from zoo.entry import Entry


def at_hand(dataset: str) -> bool:
    """Whether the images of a dataset can be read without any network; asks none itself.

    Names come from entries, which are untrusted: a path is no dataset that they may offer.
    """
    return not dataset.startswith(("/", ".", "~")) and datasets.available(dataset)


def first(entries: Sequence[Entry], most: int = 1) -> list[str]:
    """Return the names of at most `most` entries to begin with, of one dataset.

    It is the first dataset, in the order of the entries, whose images are at hand, or else simply the first. Entries
    that need no class come first, for they need no explanation either.
    """
    ids = list(dict.fromkeys(entry.dataset for entry in entries))
    chosen = next((dataset for dataset in ids if at_hand(dataset)), next(iter(ids), None))
    found = [entry for entry in entries if entry.dataset == chosen]
    return [entry.name for entry in sorted(found, key=lambda entry: entry.conditional)][:most]
