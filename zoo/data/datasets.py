"""Datasets by name: digits and fruits always, the Hub's and local ones when they can be had.

Every dataset is one `Split`: float32 images (N, H, W, C) in [0, 1] with C in {1, 3}, and int64 labels or None.
Looked for in this order: built in, the folder named by the environment variable ZOO_DATA, the Hub's cache, the Hub.
"""

import functools
import importlib
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from zoo.data import decoding, downloads, files, reading
from zoo.data.records import Progress, Request, Split
from zoo.errors import DatasetUnavailable
from zoo.hub import room
from zoo.hub.origin import REPOSITORY
from zoo.known import DATASETS, Known
from zoo.settings import DATA, hosted


def load(
    name: str | Path,
    split: str = "test",
    count: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    revision: str | None = None,
    size: int | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    balanced: bool = False,
) -> Split:
    """Read one split of a dataset.

    name: a name in zoo.known.DATASETS, a Hub id "owner/name", the name of a folder in ZOO_DATA, or a path to a local
      folder (a Path, or a string that starts with "/", "." or "~") of images (sub-folders are classes) or of parquet
      files.
    split: "train", "test" or "validation". Without a test split, a seeded tenth of the training split stands in.
    count: a random subset without replacement, in the order of its draw, so that a larger count with the same seed
      begins with the smaller one's images; None is everything in stored order. Fruits and stacked digits are made on
      the fly: any count.
    progress: called with a fraction in [0, 1] and a short text.
    revision: a Hub commit, branch or tag, in place of the pinned or remembered one.
    size: side in pixels to which images are cropped and resized while they are read (files only).
    image_column, label_column: of a table, in place of those that are declared or called so; label_column also of the
      metadata file of a folder.
    balanced: all classes equally often, as `evenly` draws them; without a count as many as there are without a repeat.
    Raises ValueError for a wrong argument, DatasetUnavailable when the data cannot be had.
    """
    if split not in files.SPLITS:
        raise ValueError(f"The split {split!r} is unknown: choose train, test or validation.")
    if (count is not None and count < 1) or seed < 0 or (size is not None and not 1 <= size <= decoding.MAX_SIDE):
        raise ValueError(f"count must be at least 1, seed at least 0 and size between 1 and {decoding.MAX_SIDE}.")
    if balanced:
        read = functools.partial(load, image_column=image_column, label_column=label_column, revision=revision)
        return _balanced(read(name, split, seed=seed, progress=progress, size=size), count, seed)
    known = DATASETS.get(name) if isinstance(name, str) else None
    request = Request(
        split, count, seed, size,
        image_column or (known.image_column if known else None),
        label_column or (known.label_column if known else None),
        known.classes if known else (), revision,
    )  # fmt: skip
    report = progress or (lambda fraction, text: None)
    if known is not None and known.maker is not None:
        return importlib.import_module(f"zoo.data.{known.maker}").load(request, report, load)
    local = _local_files(name, known, split)
    if local is not None:
        folder, chosen = local
        shown = folder.name if _is_path(name) else str(name)
        return reading.read(shown, folder, chosen, f"the local folder {folder.name}", request, report)
    if known is None and not REPOSITORY.fullmatch(str(name)):
        raise DatasetUnavailable(
            f"There is no dataset {str(name)[:100]!r}: "
            f"use one of {', '.join(DATASETS)}, a Hub id owner/name or a folder."
        )
    if known is not None and known.hub_id is None:
        raise DatasetUnavailable(f"{known.title} are read from a folder: set ZOO_DATA to one that holds {name}.")
    return _hub(str(name), known, request, report)


def _balanced(found: Split, count: int | None, seed: int) -> Split:
    if found.labels is None:
        raise ValueError(f"The dataset {found.name} has no labels, by which its classes could be balanced.")
    rows = evenly(found.labels, count, seed)
    factors = found.factors and {key: values[rows] for key, values in found.factors.items()}
    return replace(found, images=found.images[rows], labels=found.labels[rows], factors=factors)


def evenly(labels: np.ndarray, count: int | None = None, seed: int | list[int] = 0) -> np.ndarray:
    """Rows in random order that hold every class of labels (N,) equally often, and so does each part of them.

    As many as there are without a repeat; for a larger count the images of rare classes come again."""
    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    each = min(map(len, members)) if count is None else -(-count // len(members))
    return rng.permuted(np.stack([np.resize(rows, each) for rows in members], 1), axis=1).ravel()[:count]


def available(name: str | Path, split: str = "test") -> bool:
    """Whether `load` would find the split without any network; asks none itself."""
    known = DATASETS.get(name) if isinstance(name, str) else None
    if known is not None and known.maker is not None and known.hub_id is None:
        return split in known.counts
    try:
        if _local_files(name, known, split) is not None:
            return True
        return downloads.cached(*_on_the_hub(str(name), known), None, split) is not None
    except (DatasetUnavailable, OSError, ValueError, KeyError):
        return False


def _on_the_hub(name: str, known: Known | None) -> tuple[str, str | None, dict[str, tuple[str, ...]] | None]:
    """Id, pinned revision and files of a dataset on the Hub; what is not known of it is None."""
    return (known.hub_id, known.revision, known.files) if known and known.hub_id else (name, None, None)


def _is_path(name: str | Path) -> bool:
    return isinstance(name, Path) or name.startswith(("/", ".", "~"))


def _local_files(name: str | Path, known: Known | None, split: str) -> tuple[Path, files.Files] | None:
    """The folder that holds the dataset, at a path or in ZOO_DATA, and its files of the split; or None.

    A known dataset's own test split is never replaced by a part of its training split.
    """
    if _is_path(name):
        folder = Path(name).expanduser().resolve()
        if not folder.is_dir():
            raise DatasetUnavailable(f"The folder {folder} does not exist.")
        return folder, files.split_files(files.listing(folder), split)
    root, wanted = DATA.read(), (known.hub_id if known else None) or str(name)
    if not root or not all(re.fullmatch(r"\w[\w.-]*", part) for part in wanted.split("/")):
        return None
    folder = Path(root).expanduser() / wanted
    # Strangers, who may name any dataset in a manifest, see of the host's own data only what everybody knows.
    if not folder.is_dir() or (known is None and hosted()):
        return None
    try:
        found = files.split_files(files.listing(folder), split)
    except DatasetUnavailable:
        return None
    return None if known and found.held_out else (folder, found)


def _hub(name: str, known: Known | None, request: Request, report: Progress) -> Split:
    hub_id, pinned, known_files = _on_the_hub(name, known)
    found = downloads.cached(hub_id, pinned, known_files, request.revision, request.split)
    start = 0.0 if found else 0.7
    if found is None:

        def fetching(part: float, text: str) -> None:
            report(start * part, text)

        found = downloads.fetch(hub_id, pinned, request.revision, request.split, fetching)
    sha, folder, chosen = found
    for file in chosen.names:
        room.used(folder / file)
    origin = f"the Hub dataset {hub_id} at revision {sha[:12]}"
    told = lambda part, text: report(start + (1 - start) * part, text)  # noqa: E731
    return reading.read(name, folder, chosen, origin, request, told, sha)
