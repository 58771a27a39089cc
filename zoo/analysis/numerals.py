"""Integers written by entries that can be asked for a digit, and read back from pictures. No Streamlit."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from zoo import models, samplers
from zoo.analysis import handwriting
from zoo.analysis.handwriting import Box
from zoo.entries import Entry
from zoo.samplers import SAMPLERS

DIGITS = "0123456789"
LONGEST = 12  # digits of a number
LENGTH = 6  # digits of the numbers that are written to be read back
CHUNK = 20  # numbers written at once
HANDS = {"one": "One hand", "many": "Many hands"}


@dataclass(frozen=True)
class Reading:
    """What a classifier reads in a picture, N digits row by row from left to right.

    lengths: how many stand in each row, from above; boxes: where, in the reduced picture; images: (N, h, w, c) what the
    classifier was given; probabilities: (N, 10) of the digits 0 to 9.
    """

    lengths: list[int]
    boxes: list[Box]
    images: np.ndarray
    probabilities: np.ndarray

    @property
    def digits(self) -> str:
        """All digits as read."""
        return "".join(DIGITS[index] for index in self.probabilities.argmax(1))

    @property
    def numbers(self) -> list[str]:
        """The digits of each row; zeros in front stay."""
        ends = np.cumsum(self.lengths)
        return [self.digits[end - length : end] for end, length in zip(ends, self.lengths, strict=True)]

    def second(self, index: int) -> tuple[str, float]:
        """Return the runner-up of a digit and its probability."""
        runner = int(np.argsort(-self.probabilities[index], kind="stable")[1])
        return DIGITS[runner], float(self.probabilities[index, runner])


@dataclass(frozen=True)
class Trip:
    """Numbers that were asked for, and what was read back from the pictures."""

    asked: list[str]
    read: list[str]

    @property
    def same(self) -> int:
        """How many numbers came back the same."""
        return sum(asked == read for asked, read in zip(self.asked, self.read, strict=True))

    @property
    def miscounted(self) -> int:
        """In how many another number of digits was found."""
        return sum(len(asked) != len(read) for asked, read in zip(self.asked, self.read, strict=True))

    def confusion(self) -> np.ndarray:
        """Return (10, 10) counts, rows the digits asked for and columns those read, of numbers of the right length."""
        counts = np.zeros((10, 10), np.int64)
        for asked, read in zip(self.asked, self.read, strict=True):
            if len(asked) == len(read):
                np.add.at(counts, ([int(digit) for digit in asked], [int(digit) for digit in read]), 1)
        return counts


def writers(entries: Iterable[Entry]) -> list[Entry]:
    """Return the entries that can be asked for each of the ten digits."""
    return [e for e in entries if {"conditional", "generate"} <= e.capabilities and set(e.classes) == set(DIGITS)]


def readers(entries: Iterable[Entry]) -> list[Entry]:
    """Return the classifiers of the ten digits."""
    return [entry for entry in entries if "classify" in entry.capabilities and set(entry.classes) == set(DIGITS)]


def cleaned(text: str) -> str:
    """Return the digits 0 to 9 of a text, at most LONGEST."""
    return "".join(letter for letter in text if letter in DIGITS)[:LONGEST]


def write(entry: Entry, numbers: Sequence[str], hand: str, seed: int) -> list[np.ndarray]:
    """Return for each number the images (digits, H, W, C) of its digits.

    Args:
        hand: "one" draws one latent for each number and asks for all its digits with it; "many" draws one latent for
            each digit.
        seed: not negative; of the latents.
    """
    lengths = [len(number) for number in numbers]
    labels = np.array([entry.classes.index(digit) for number in numbers for digit in number], np.int64)
    sampler = SAMPLERS[samplers.offered(entry)[0]]
    count = len(numbers) if hand == "one" else len(labels)
    latents = sampler.draw(entry, count, seed, 1.0, None)
    if hand == "one":
        latents = np.repeat(latents, lengths, axis=0)
    return np.split(models.decode(entry, latents, labels), np.cumsum(lengths)[:-1])


def row(pictures: np.ndarray) -> np.ndarray:
    """Return images (N, H, W, C) side by side as one picture (H, N · W, C)."""
    return np.concatenate(list(pictures), axis=1)


def read(classifier: Entry, picture: np.ndarray) -> Reading:
    """Find the digits in a picture (H, W, C) in [0, 1], and let a classifier read each."""
    rows = handwriting.rows(handwriting.ink(picture))
    found = [digit for row in rows for digit in row]
    frame = handwriting.frame(classifier.dataset, classifier.shape)
    images = handwriting.normalised(found, classifier.shape, frame)
    order = [classifier.classes.index(digit) for digit in DIGITS]
    probabilities = models.classify(classifier, images)[0][:, order] if found else np.zeros((0, 10), np.float32)
    return Reading([len(row) for row in rows], [digit.box for digit in found], images, probabilities)


def drawn(count: int, seed: int, length: int = LENGTH) -> list[str]:
    """Draw numbers of so many digits, each digit evenly, zeros in front included; more numbers are added at the end."""
    digits = np.random.default_rng(seed).integers(10, size=(count, length))
    return ["".join(map(str, number)) for number in digits]


def there_and_back(
    writer: Entry,
    reader: Entry,
    count: int,
    seed: int,
    hand: str = "one",
    report: Callable[[float], None] = lambda part: None,
) -> Trip:
    """Let an entry write seeded numbers, lay the digits side by side, find them again and have them read."""
    asked, found = drawn(count, seed), []
    chunk = max(1, models.affordable(writer, CHUNK * LENGTH) // LENGTH)
    for start in range(0, count, chunk):
        report(start / count)
        written = write(writer, asked[start : start + chunk], hand, seed + 1 + start)
        found += [read(reader, row(pictures)).digits for pictures in written]
    return Trip(asked, found)
