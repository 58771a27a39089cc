"""Numbers in the texts of a tour: {entry: fact} stands for what the entry's own manifest says."""

import contextlib
import math
import re
from collections.abc import Callable, Mapping

from zoo.analysis.measured import written
from zoo.entries import Entry
from zoo.errors import EntryError
from zoo.latent import codes

PLACE = re.compile(r"\{([\w.-]{1,80}): ([\w@ ]{1,60})\}")


def _codes(entry: Entry) -> int:
    """Return how many integers stand for an image; raises EntryError where codes are no integers."""
    if not entry.discrete:
        raise EntryError(f"The codes of {entry.name} are no integers.")
    return math.prod(entry.latent_shape[:-1])


def _vocabulary(entry: Entry) -> int:
    _codes(entry)
    return codes.vocabulary(entry)


FACTS: dict[str, Callable[[Entry], str]] = {
    "latent size": lambda entry: f"{math.prod(entry.latent_shape):,}",
    "image size": lambda entry: f"{entry.shape[0]}×{entry.shape[1]}",
    "image numbers": lambda entry: f"{math.prod(entry.shape):,}",
    "bits of an image": lambda entry: f"{8 * math.prod(entry.shape):,}",
    "integers": lambda entry: f"{_codes(entry):,}",
    "vocabulary": lambda entry: f"{_vocabulary(entry):,}",
    "bits of a code": lambda entry: f"{_codes(entry) * math.ceil(math.log2(_vocabulary(entry))):,}",
    "parameters": lambda entry: f"{entry.parameters:,}",
    "images seen": lambda entry: f"{entry.manifest.provenance.images_seen or 0:,}",
    "classes": lambda entry: f"{len(entry.classes):,}",
    "year": lambda entry: str(entry.manifest.year or "—"),
    "family": lambda entry: entry.manifest.family_title,
}


def filled(text: str, entries: Mapping[str, Entry], escape: Callable[[str], str] = str) -> str:
    """Return a text with each {entry: fact} replaced; a fact that is not known becomes a dash.

    Facts are the keys of FACTS and the names of stored figures, such as frechet or frechet@gmm.

    Args:
        escape: what every inserted fact passes, since entries are untrusted.
    """

    def fact(found: re.Match[str]) -> str:
        name, what = found.groups()
        entry = entries.get(name)
        if entry is None:
            return "—"
        if what in FACTS:
            with contextlib.suppress(EntryError):  # a classifier has no latent space
                return escape(FACTS[what](entry))
            return "—"
        metric = entry.manifest.metrics.get(what)
        return "—" if metric is None else escape(written(what.partition("@")[0], metric.value))

    return PLACE.sub(fact, text)
