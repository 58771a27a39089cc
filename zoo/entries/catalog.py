"""Where entries come from and how they are listed; reads manifests only."""

import contextlib
import dataclasses
import functools
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from zoo import atomic
from zoo.entries import remote, sources
from zoo.entries.entry import Entry, Origin, read
from zoo.entries.sources import Source
from zoo.errors import Cancelled, EntryError, HubError
from zoo.known import rank
from zoo.manifest import MANIFEST

EMBEDDED = Path(__file__).parents[1] / "pretrained"
SHEET = "samples.png"
MAX_SHEET_BYTES = 8 << 20
READERS = 12  # repositories that are read at once, by all visitors together
SOURCE_SECONDS = 60.0  # seconds for all of a source


@dataclass(frozen=True, slots=True)
class Broken:
    """An entry that cannot be used, with one sentence that says why; the folder is None when it is on the Hub."""

    name: str
    folder: Path | None
    reason: str


def load(folders: Iterable[Path | str] | None = None) -> list[Entry | Broken]:
    """List the entries of folders as `ordered` does; no network.

    Args:
        folders: each an entry or a folder of entries; None stands for the embedded zoo and the folders that the
            environment variable ZOO_SOURCES names.
    """
    if folders is None:
        folders = [EMBEDDED, *filter(None, map(sources.folder, sources.environment()[0]))]
    return ordered(item for folder in folders for item in _source(Path(folder)))


def pull(
    source: Source,
    again: bool = False,
    report: Callable[[float], None] = lambda part: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Entry | Broken]:
    """List the entries of a source on the Hub, fetching zoo.json and the sample sheet of each where they are missing.

    What the source stands for is asked once and remembered; `again` asks anew. Raises HubError when nothing can be
    listed, Cancelled once `cancelled` says so.
    """
    earlier = remote.remembered(source.text, source.signed)
    origins = _ask(source) if again or earlier is None else earlier
    good = {origin.repo: origin for origin in earlier or () if again and origin.commit}
    done: list[Origin] = []
    deadline = time.monotonic() + SOURCE_SECONDS

    def one(origin: Origin) -> tuple[Origin, list[Entry | Broken]]:
        """Return what to remember and what to show."""
        if cancelled():
            raise Cancelled
        try:
            if time.monotonic() > deadline:
                raise HubError(f"There was no time left to read {origin.repo}: look for changes.")
            entry = remote.read(origin)
        except EntryError as error:
            broken = Broken(origin.repo, None, str(error))
            if not isinstance(error, HubError) or origin.repo not in good:
                return origin, [broken]
            kept = good[origin.repo]  # what cannot be had takes nothing away
            try:
                return kept, [remote.read(kept), broken]
            except EntryError:
                return kept, [broken]
        finally:
            done.append(origin)
            report(len(done) / len(origins))
        if entry.has(SHEET) and entry.manifest.files[SHEET].size <= MAX_SHEET_BYTES:
            with contextlib.suppress(EntryError):  # the place of the sheet tells it
                remote.fetch(entry, [SHEET], cancelled=cancelled)
        return entry.origin or origin, [entry]

    found = list(_readers().map(one, origins))
    items = [item for _, shown in found for item in shown]
    if again or any(isinstance(item, Entry) for item in items):
        remote.remember(source.text, source.signed, [origin for origin, _ in found])
    return items


@functools.cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(READERS, "hub")


def _ask(source: Source) -> list[Origin]:
    if source.kind == "repository":
        return remote.repository(source.name, source.revision, source.signed)
    return {"owner": remote.repositories, "collection": remote.collection}[source.kind](source.name, source.signed)


def ordered(items: Iterable[Entry | Broken]) -> list[Entry | Broken]:
    """Sort by dataset, classifiers after the rest, in the order of papers; the Hub's after the others, broken last.

    The first of two with one id stays, but entries of different folders that share a name are told apart by a number.
    """
    found: dict[str, Entry | Broken] = {}
    places = set()
    for item in items:
        place = (item.folder, item.name) if isinstance(item, Broken) else item.folder
        if place in places:
            continue
        places.add(place)
        key, count = item.id if isinstance(item, Entry) else f"broken {item.name}", 1
        while key in found and isinstance(item, Entry) and not item.origin:
            count += 1
            key = f"{item.name}-{count}"
        if key not in found:
            found[key] = dataclasses.replace(item, alias=key) if count > 1 else item
    return sorted(found.values(), key=_order)


def entries(folders: Iterable[Path | str] | None = None) -> list[Entry]:
    """Return what load lists, without the broken ones."""
    return [item for item in load(folders) if isinstance(item, Entry)]


def find(name: str, folders: Iterable[Path | str] | None = None) -> Entry | None:
    """Return the usable entry of this id, or None."""
    return next((entry for entry in entries(folders) if entry.id == name), None)


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
    try:
        if os.path.lexists(source / MANIFEST):
            return [_item(source)]
        atomic.sweep(source)
        folders = sorted(path for path in source.iterdir() if not path.name.startswith("."))
    except OSError as error:
        return [Broken(source.name, source, f"The folder {source} cannot be listed: {error.strerror}.")]
    return [_item(folder) for folder in folders if os.path.lexists(folder / MANIFEST)]


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
        return (1, item.name)
    # Within a dataset: what draws before what only judges, then in the order of the papers.
    within = (
        rank(item.dataset),
        item.dataset,
        "decode" not in item.capabilities,
        item.manifest.year or 0,
        item.name,
        item.id,
    )
    return (0, item.origin is not None, *within)
