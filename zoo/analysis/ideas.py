"""Entries grouped by the idea behind them, as the gallery hangs them: what an entry can do tells its group."""

from collections.abc import Iterable
from typing import NamedTuple

from zoo.entries import Entry
from zoo.known import rank


class Idea(NamedTuple):
    """A group of entries: its title, and what is done in it, in one sentence."""

    title: str
    sentence: str


VARIATIONAL = Idea(
    "Variational autoencoders and their kin",
    "An encoder, a decoder, and codes that are held to a prior, so that new codes can be drawn.",
)
ADVERSARIAL = Idea(
    "Generative adversarial networks",
    "A generator makes images out of noise, and a discriminator learns to tell them from real ones.",
)
CONDITIONAL = Idea("Told the class", "Conditional models: one asks for a class and gets it.")
DISCRETE = Idea("Codes of integers", "An image becomes a few integers, which a second network learns to write.")
PLAIN = Idea("Autoencoders", "Images through a bottleneck and back, with nothing asked of the codes between.")
TRANSLATOR = Idea("Translators", "One image in, another one out.")
CLASSIFIER = Idea(
    "Classifiers", "They name what is in an image; the figures of all others are taken in their features."
)
IDEAS = (VARIATIONAL, ADVERSARIAL, CONDITIONAL, DISCRETE, PLAIN, TRANSLATOR, CLASSIFIER)  # as they hang


def idea(entry: Entry) -> Idea:
    """Return the group of an entry."""
    can = entry.capabilities
    if "translate" in can:
        return TRANSLATOR
    if "decode" not in can:
        return CLASSIFIER
    if entry.conditional:
        return CONDITIONAL
    if entry.discrete:
        return DISCRETE
    if "judge" in can or "encode" not in can:
        return ADVERSARIAL
    return PLAIN if entry.prior == "none" else VARIATIONAL


def grouped(entries: Iterable[Entry]) -> dict[Idea, list[Entry]]:
    """Return the entries by their ideas, in the order of IDEAS; within each those in colour first, then by dataset."""
    found = list(entries)
    groups = {one: [entry for entry in found if idea(entry) == one] for one in IDEAS}
    return {
        one: sorted(members, key=lambda entry: (entry.shape[2] == 1, rank(entry.dataset)))
        for one, members in groups.items()
        if members
    }
