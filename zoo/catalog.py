"""Where entries come from and how they are listed; reads manifests only."""

import functools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.entry import Entry, EntryError, read
from zoo.manifest import MANIFEST

EMBEDDED = Path(__file__).parent / "pretrained"
VARIABLE = "ZOO_ENTRIES"
DATASET_ORDER = ("mnist", "fashion_mnist", "fruits", "digits", "cifar10")


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry that cannot be used, with one sentence that says why."""

    name: str
    folder: Path
    reason: str


def load(sources: Iterable[Path | str] | None = None) -> list[Entry | Broken]:
    """List the entries of all sources by dataset, classifiers after the rest, in the order of papers; broken ones last.

    A source is an entry or a folder of entries. Of two entries with one name the first source wins.

    Args:
        sources: folders; None stands for the embedded zoo and the folders that the environment variable ZOO_ENTRIES
            names, separated as in PATH.
    """
    if sources is None:
        sources = [EMBEDDED, *filter(None, os.environ.get(VARIABLE, "").split(os.pathsep))]
    found: dict[str, Entry | Broken] = {}
    for source in sources:
        for item in _source(Path(source)):
            known = found.get(item.name)
            # A usable entry also replaces a broken one of that name.
            if known is None or (isinstance(known, Broken) and isinstance(item, Entry)):
                found[item.name] = item
    return sorted(found.values(), key=_order)


def entries(sources: Iterable[Path | str] | None = None) -> list[Entry]:
    """Return what load lists, without the broken ones."""
    return [item for item in load(sources) if isinstance(item, Entry)]


def find(name: str, sources: Iterable[Path | str] | None = None) -> Entry | None:
    """Return the usable entry of this name, or None."""
    return next((entry for entry in entries(sources) if entry.name == name), None)


def classifier_for(dataset: Entry | str, candidates: Sequence[Entry] | None = None) -> Entry | None:
    """Return the classifier that was trained on this dataset, or on the dataset of this entry, or None.

    Args:
        dataset: an entry or the id of a dataset.
        candidates: where to look; None stands for entries().
    """
    wanted = dataset.dataset if isinstance(dataset, Entry) else dataset
    candidates = entries() if candidates is None else candidates
    return next((entry for entry in candidates if entry.dataset == wanted and "classify" in entry.capabilities), None)


def _source(source: Path) -> list[Entry | Broken]:
    if (source / MANIFEST).exists():
        return [_item(source)]
    try:
        folders = sorted(path for path in source.iterdir() if not path.name.startswith("."))
    except OSError as error:
        return [Broken(source.name, source, f"The folder {source} cannot be listed: {error.strerror}.")]
    return [_item(folder) for folder in folders if (folder / MANIFEST).exists()]


def _item(folder: Path) -> Entry | Broken:
    try:
        manifest, parent = (folder / MANIFEST).stat(), folder.stat()
        return _read(folder, manifest.st_mtime_ns, manifest.st_size, parent.st_mtime_ns)
    except EntryError as error:
        return Broken(folder.name, folder, str(error))
    except OSError as error:
        return Broken(folder.name, folder, f"The entry {folder.name} cannot be read: {error.strerror}.")


@functools.lru_cache(maxsize=1024)
def _read(folder: Path, *_stamps: int) -> Entry:
    """Read an entry once for each state of its folder; broken ones raise, so they are looked at again."""
    return read(folder)


def _order(item: Entry | Broken) -> tuple:
    if isinstance(item, Broken):
        return (1, 0, "", False, 0, item.name)
    rank = DATASET_ORDER.index(item.dataset) if item.dataset in DATASET_ORDER else len(DATASET_ORDER)
    # Within a dataset: what draws before what only judges, then in the order of the papers.
    return (0, rank, item.dataset, "decode" not in item.capabilities, item.manifest.year or 0, item.name)
