"""What a page shows before anybody chose: entries whose own data is on this machine."""

from collections.abc import Callable, Sequence

from zoo.entries.entry import Entry


def first(entries: Sequence[Entry], available: Callable[[str], bool], most: int = 1) -> list[str]:
    """Return the names of at most `most` entries to begin with, of one dataset.

    It is the first dataset, in the order of the entries, whose images are available, or else simply the first. Entries
    that need no class come first, for they need no explanation either.
    """
    ids = list(dict.fromkeys(entry.dataset for entry in entries))
    chosen = next(filter(available, ids), next(iter(ids), None))
    found = [entry for entry in entries if entry.dataset == chosen]
    return [entry.id for entry in sorted(found, key=lambda entry: entry.conditional)][:most]


def beside(first: Entry, others: Sequence[Entry]) -> str | None:
    """Return the id of the entry to show beside the first: a GAN beside an autoencoder and the other way round, else
    simply the next one; None when there is no other."""
    unlike = [entry for entry in others if ("encode" in entry.capabilities) != ("encode" in first.capabilities)]
    return next((entry.id for entry in [*unlike, *others]), None)
