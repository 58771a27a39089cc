"""Folders of pictures: their classes by sub-folders or by a metadata file, their pixels into a pool."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from zoo.data import decoding, files, labels, pools
from zoo.data.files import Files
from zoo.data.records import Request, rows


def build(folder: Path, found: Files, request: Request, destination: Path, report: Callable[[float], None]) -> None:
    """Decode the pictures of a split into a pool. Raises ValueError and OSError for what cannot be read,
    DatasetUnavailable for what is too large."""
    numbers, classes, notes = _labels(folder, found, request)
    left = decoding.Left()
    for name, number in zip(found.names, numbers, strict=True):
        if number < 0:
            left.add(name, "")
    names = [name for name, number in zip(found.names, numbers, strict=True) if number >= 0]
    if not names:
        raise ValueError("its metadata file names none of its images.")
    paths = [folder / name for name in names]

    def encoded(wanted: np.ndarray) -> Iterator[tuple[int, bytes]]:
        for row in np.flatnonzero(wanted):
            with paths[row].open("rb") as file:
                yield int(row), file.read(decoding.MAX_IMAGE_BYTES + 1)

    votes = np.zeros(len(paths), bool)
    votes[np.linspace(0, len(paths) - 1, 256).astype(int)] = True
    seen, asked = (
        decoding.look(encoded, votes, request.size, names.__getitem__),
        rows(len(paths), found.held_out, request),
    )
    kept, told = decoding.decode(encoded, len(paths), asked, seen, names.__getitem__, destination, report)
    arrays = {"rows": kept} | ({"labels": numbers[numbers >= 0][kept]} if classes else {})
    told = [*notes, *told, *([f"{left.told()} (without a row in its metadata file)"] if left.count else [])]
    pools.write(
        destination,
        {"whole": seen.whole(len(paths), len(asked)), "total": len(paths), "classes": classes, "told": told},
        **arrays,
    )


def _labels(folder: Path, found: Files, request: Request) -> tuple[np.ndarray, list[str], list[str]]:
    """The number of each picture's class (N,), -1 for one that a metadata file leaves out, as the Hub's library does;
    the names of the classes, [] where there are none; what is to be told."""
    told = []
    if (metadata := labels.beside(folder, found, request.label_column)) is not None:
        column, given = metadata
        values = labels.Values(column)
        try:
            values.number(given.values())
            places, classes = values.classes(request.classes)
            numbers = values.number(given.get(name) for name in found.names)
            return np.where(numbers < 0, -1, places[numbers]), list(classes), [f"classes from the column {column}"]
        except labels.Unlabelled as error:
            if request.label_column:
                raise
            told = [f"no labels: {error}"]
    parents, classes = files.classes_by_folder(found)
    if any(name is None for name in parents):
        return np.zeros(len(parents), np.int64), [], told
    places = {name: number for number, name in enumerate(classes)}
    return np.array([places[str(name)] for name in parents], np.int64), classes, told
