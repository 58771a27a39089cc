"""Decoded images on disk: what was read or rendered once is mapped into memory the next time, as fast as it is copied.

A pool is a folder in the place where the zoo keeps things, under a key made of all that it depends on. The pools that
were used last stay, up to LIMIT bytes.
"""

import functools
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoo import atomic, images, settings

LIMIT = 4 << 30  # bytes of all pools
FORSAKEN = 86_400  # seconds after which a draft belongs to a process that was ended
PICTURES, ARRAYS, FACTS = "images.npy", "arrays.npz", "facts.json"


class Pool(NamedTuple):
    """Images uint8 (N, H, W, C), mapped and read-only; arrays of N rows by name, and facts that JSON can hold."""

    images: np.ndarray
    arrays: dict[str, np.ndarray]
    facts: dict[str, Any]


def store() -> Path:
    """Return the folder of all pools."""
    return settings.kept("pools")


def key(*parts: Any) -> str:
    """Return the key of a pool that depends on these parts (what JSON holds), and on the code that makes pools."""
    return hashlib.sha256(json.dumps([*parts, _code()], sort_keys=True).encode()).hexdigest()[:32]


@functools.cache
def _code() -> str:
    files = (*sorted(Path(__file__).parent.glob("*.py")), Path(images.__file__))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def find(name: str) -> Pool | None:
    """Return the pool of a key, None where it is not kept or damaged."""
    folder = store() / name
    try:
        found = _opened(folder, "r")
        os.utime(folder)
    except (OSError, ValueError, KeyError):
        return None
    return found


def keep(make: Callable[[Path], str]) -> Pool:
    """Keep the pool that `make` writes into an empty folder by `write`; it returns the key.

    Where the place cannot be written to, the pool is held in memory.
    """
    place: Path | None = store()
    try:
        place.mkdir(parents=True, exist_ok=True)
        draft = tempfile.TemporaryDirectory(dir=place, prefix=".", ignore_cleanup_errors=True)
    except OSError:
        place, draft = None, tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with draft as temporary:
        folder = Path(temporary) / "pool"
        folder.mkdir()
        name = make(folder)
        if place is None:
            return _opened(folder, None)
        made = _opened(folder, "r")  # before another process may clear it away
        atomic.exchange(folder, place / name)
    _clear(place, name)
    return made


def write(folder: Path, found: dict[str, Any], pictures: np.ndarray | None = None, **arrays: np.ndarray) -> None:
    """Write a pool with these facts; without `pictures`, uint8 (N, H, W, C), they lie there already, as PICTURES."""
    if pictures is not None:
        np.save(folder / PICTURES, pictures)
    np.savez(folder / ARRAYS, **arrays)  # pyright: ignore[reportArgumentType]
    (folder / FACTS).write_text(json.dumps(found), encoding="utf-8")


def facts(folder: Path) -> dict[str, Any]:
    """Return the facts of a pool that was just written."""
    return json.loads((folder / FACTS).read_text("utf-8"))


def _opened(folder: Path, mode: Any) -> Pool:
    pictures = np.load(folder / PICTURES, mmap_mode=mode, allow_pickle=False)
    with np.load(folder / ARRAYS, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    if pictures.dtype != np.uint8 or pictures.ndim != 4 or any(len(each) != len(pictures) for each in arrays.values()):
        raise ValueError("The pool is damaged.")
    return Pool(pictures, arrays, facts(folder))


def _clear(place: Path, newest: str) -> None:
    """Delete the pools that were not used for the longest time, beyond LIMIT bytes, and forsaken drafts."""
    found = []
    for folder in place.iterdir():
        try:
            used = folder.stat().st_mtime
            if folder.name.startswith("."):
                if time.time() - used > FORSAKEN:
                    shutil.rmtree(folder, ignore_errors=True)
            elif folder.name != newest:
                found.append((used, sum(file.stat().st_size for file in folder.iterdir()), folder))
        except OSError:  # another process clears too
            continue
    room = LIMIT - sum(file.stat().st_size for file in (place / newest).glob("*"))
    for _, size, folder in sorted(found, reverse=True):
        room -= size
        if room < 0:
            shutil.rmtree(folder, ignore_errors=True)


def as_float(pictures: np.ndarray) -> np.ndarray:
    """Return uint8 images as float32 in [0, 1], as every dataset gives them."""
    found = pictures.astype(np.float32)
    found /= 255
    return found
