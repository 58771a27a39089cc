"""The files of a split, decoded once into a pool, and from then on taken from there."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from zoo.data import apart, decoding, folders, pools
from zoo.data.files import METADATA, Files, is_table
from zoo.data.pools import Pool
from zoo.data.records import Columns, Progress, Request, Split, rows
from zoo.errors import DatasetUnavailable

RESTING = 600.0  # seconds until files are read again that met a limit
_refused: dict[str, tuple[float, str]] = {}


def read(
    name: str, folder: Path, files: Files, origin: str, request: Request, report: Progress, revision: str | None = None
) -> Split:
    """Read the files of a split, which come from `origin` (what follows "Read from").

    Raises DatasetUnavailable when they are damaged, unfit or too large.
    """
    whole = pools.key(str(folder.resolve()), _stamps(folder, files), request.size, request.image_column,
                      request.label_column, request.classes)  # fmt: skip
    part = f"{whole}-{request.split}-{request.count}-{request.seed}"
    pool = pools.find(whole) or pools.find(part) or _made(folder, files, origin, request, report, (whole, part))
    report(1.0, "Reading images")
    index = _index(pool, files.held_out, request)
    decoding.bounded(len(index), pool.images.shape[1:])
    classes, columns = tuple(pool.facts["classes"]), pool.facts.get("columns")
    told = [*pool.facts["told"], *(["a tenth of the training split held out for testing"] if files.held_out else [])]
    return Split(
        name, request.split, pools.as_float(pool.images[index]),
        pool.arrays["labels"][index] if "labels" in pool.arrays else None,
        classes, None, revision, f"Read from {origin}{''.join(f', {each}' for each in told)}.",
        columns and Columns(columns["image"], columns["label"], tuple(columns["images"]), tuple(columns["labels"])),
    )  # fmt: skip


def _stamps(folder: Path, files: Files) -> list:
    """What changes when a file does: names, sizes and times of change, those of metadata files among them."""
    names = [*files.names, *files.siblings]
    if not is_table(files.names[0]):
        places = {parent for name in names for parent in Path(name).parents}
        names += [str(place / each) for place in places for each in METADATA]
    found = []
    for name in sorted(set(names)):
        try:
            status = os.stat(folder / name)
            found.append((name, status.st_size, status.st_mtime_ns, name in files.names))
        except OSError:
            continue
    return found


def _made(folder: Path, files: Files, origin: str, request: Request, report: Progress, keys: tuple[str, str]) -> Pool:
    """Decode what is asked for, or all of it, into a pool: keys are those of all and of this part."""
    until, reason = _refused.get(keys[0], (0.0, ""))
    if time.monotonic() < until:
        raise DatasetUnavailable(reason)
    progress: Callable[[float], None] = lambda part: report(part, "Reading images")  # noqa: E731

    def make(destination: Path) -> str:
        build = apart.build if is_table(files.names[0]) else folders.build
        build(folder, files, request, destination, progress)
        facts = pools.facts(destination)
        return keys[0] if facts["whole"] else keys[1]

    try:
        return pools.keep(make)
    except (pa.ArrowException, OSError) as error:
        raise DatasetUnavailable(f"A file of {origin} is damaged or incomplete: fetch it again.") from error
    except ValueError as error:
        reason = f"Nothing can be read from {origin}: {str(error).removesuffix('.')}."
        if len(_refused) > 256:
            _refused.clear()
        _refused[keys[0]] = time.monotonic() + RESTING, reason
        raise DatasetUnavailable(reason) from error


def _index(pool: Pool, held_out: bool, request: Request) -> np.ndarray:
    """Places in a pool of the images that are asked for, in the order of their draw; those left out are missing."""
    asked, kept = rows(pool.facts["total"], held_out, request), pool.arrays["rows"]
    places = np.searchsorted(kept, asked).clip(max=len(kept) - 1)
    return places[kept[places] == asked]
