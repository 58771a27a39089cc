"""Labels of any kind, as people write them into tables, made into numbers of classes."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from zoo.data.files import METADATA, Files, skipped

NAMES = ("label", "labels", "class", "category", "target")  # of columns, in the order of preference
MAX_CLASSES = 10_000
MAX_NAME = 100  # characters of a class
MAX_BYTES = 64 << 20  # of one metadata file


class Unlabelled(ValueError):
    """A column is no labels; the message says why, to stand behind "no labels: "."""


class Values:
    """Labels as they come, by their numbers in a list of different ones: strings, booleans, whole numbers, None."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.known: dict[str | bool | int, int] = {}
        self.missing = False

    def number(self, values: Iterable) -> np.ndarray:
        """Return the numbers (N,) of labels in the order in which they were first seen, -1 for what is missing.

        Raises Unlabelled for what is no label, and for more than MAX_CLASSES different ones.
        """
        found = np.fromiter((self._number(value) for value in values), np.int64)
        self.missing |= bool((found < 0).any())
        if len(self.known) > MAX_CLASSES:
            raise Unlabelled(f"{self.column} has more than {MAX_CLASSES:,} different values")
        return found

    def _number(self, value) -> int:
        if isinstance(value, float) and not math.isnan(value):
            if value != int(value) if math.isfinite(value) else True:
                raise Unlabelled(f"the numbers in {self.column} are not whole")
            value = int(value)
        if value is None or isinstance(value, float) or (isinstance(value, int) and value < 0):
            return -1  # not known, as in test splits that are published without their labels
        if not isinstance(value, str | int):
            raise Unlabelled(f"{self.column} holds neither words nor numbers")
        return self.known.setdefault(value[:MAX_NAME] if isinstance(value, str) else value, len(self.known))

    def classes(self, given: Sequence[str] = ()) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return which class each of the numbers that `number` gives is, (K,) int64, and the classes in their order.

        Whole numbers are places in `given`, names from elsewhere; without these they are classes from the least to the
        greatest, so that labels that start at one leave no empty class. Raises ValueError, one sentence, for a number
        that has no name.
        """
        found = list(self.known)
        if all(isinstance(value, int) and not isinstance(value, bool) for value in found) and found:
            numbers = np.array([min(int(value), 2**62) for value in found], np.int64)
            if given:
                if numbers.max() >= len(given):
                    raise ValueError(f"the label {numbers.max()} has no class name, for there are {len(given)} of them")
                return numbers, tuple(given)
            least, most = (int(end) for end in (numbers.min(), numbers.max()))
            if most - least < 2 * len(found):
                return numbers - least, tuple(str(number) for number in range(least, most + 1))
        if given and set(map(str, found)) <= set(given):
            return np.array([given.index(str(value)) for value in found], np.int64), tuple(given)
        order = sorted(
            found, key=lambda value: (isinstance(value, str), value if isinstance(value, str) else "", value)
        )
        return np.array([order.index(value) for value in found], np.int64), tuple(str(value) for value in order)


def beside(folder: Path, files: Files, wanted: str | None) -> tuple[str, dict[str, str | int | float | bool]] | None:
    """Labels of pictures by their relative names, from the metadata files beside those of all splits, and their column.

    None without such files or without a column of labels in any of them. Raises ValueError, one sentence, where
    the column `wanted` is in none.
    """
    places = sorted({name.rpartition("/")[0] for name in files.siblings})
    parents = {"/".join(place.split("/")[:depth]) for place in places for depth in range(place.count("/") + 2)}
    found, column, seen = {}, "", False
    for place in sorted(parents | {""}):
        for name in METADATA:
            path = folder / place / name
            if not path.is_file() or skipped(path.relative_to(folder).as_posix()):
                continue
            seen = True
            for row in _rows(path):
                label = next((c for c in ([wanted] if wanted else NAMES) if row.get(c) not in (None, "")), None)
                file = row.get("file_name")
                if label is not None and isinstance(file, str):
                    found["/".join(filter(None, (place, file.removeprefix("./"))))] = _read(row[label])
                    column = label
    if seen and wanted and not found:
        raise ValueError(f"no file metadata.csv has a column {wanted!r} of labels")
    return (column, found) if found else None


def _rows(path: Path) -> Iterator[dict]:
    with path.open("rb") as stream:
        text = stream.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ValueError(f"{path.name} has more than {MAX_BYTES >> 20} MB")
    lines = text.decode("utf-8-sig", "replace").splitlines()
    if path.suffix == ".csv":
        head = lines[0] if lines else ""
        yield from csv.DictReader(lines, delimiter=max(",;\t", key=head.count), skipinitialspace=True)
        return
    for line in filter(str.strip, lines):
        row = json.loads(line)
        if isinstance(row, dict):
            yield row


def _read(label):
    """A label of a table of words; whole numbers are ordered as numbers."""
    return int(label) if isinstance(label, str) and label.isascii() and label.isdecimal() and len(label) < 16 else label
