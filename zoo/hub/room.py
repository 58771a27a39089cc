"""Room for what comes from the Hub: on the disk, and in the Hub's cache where the host bounds it (ZOO_CACHE_GB)."""

import contextlib
import errno
import os
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import constants

from zoo.errors import HubError
from zoo.settings import CACHE

SPARE_BYTES = 64 << 20  # that must stay free on the disk
IN_USE = 600.0  # seconds after its last use in which a repository is not deleted

_lock = threading.Lock()
_coming: dict[object, tuple[str, int]] = {}  # what is being downloaded: its folder in the cache and its bytes


@contextlib.contextmanager
def reserved(folder: str, size: int) -> Iterator[None]:
    """Make room for `size` bytes in a folder of the Hub's cache ("models--ada--vae"), and hold it while the block runs.

    Where the cache is bounded, repositories go that were used longest ago, as a whole; none that was used within IN_USE
    seconds, in whatever process, and none into which something is being downloaded. Raises OSError when the disk would
    be full, HubError when the cache would be.
    """
    key, cache = object(), Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    with _lock:
        coming = size + sum(bytes_ for _, bytes_ in _coming.values())
        if CACHE.read():
            _bound(cache, folder, size, coming)
        if shutil.disk_usage(cache).free < coming + SPARE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        _coming[key] = (folder, size)
    try:
        yield
    finally:
        with _lock:
            del _coming[key]


def used(file: Path) -> None:
    """Note that a file of the cache is used now: many file systems note it once a day, or never."""
    with contextlib.suppress(OSError):
        os.utime(file, ns=(time.time_ns(), file.stat().st_mtime_ns))


def _bound(cache: Path, folder: str, size: int, coming: int) -> None:
    try:
        bound = float(CACHE.read()) * 1e9
    except ValueError:
        raise HubError(f"{CACHE.name} takes a number of gigabytes, not {CACHE.read()!r}.") from None
    if size > bound:
        raise HubError(f"{size / 1e6:,.0f} MB would have to be fetched, more than the cache of this app may hold.")
    kept = sorted(_repository(path) for path in cache.glob("*--*") if path.is_dir())
    total, busy = coming + sum(held for _, held, _ in kept), {folder, *(name for name, _ in _coming.values())}
    for last, held, path in kept:
        if total <= bound:
            return
        if path.name not in busy and time.time() - last > IN_USE:
            shutil.rmtree(path, ignore_errors=True)
            total -= held
    if total > bound:
        raise HubError(
            f"The cache of this app is full, and all of it is in use: try again in {IN_USE / 60:.0f} minutes."
        )


def _repository(path: Path) -> tuple[float, int, Path]:
    """Return when a repository of the cache was last used, its bytes, and its folder."""
    last, held = path.stat().st_mtime, 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                found = os.lstat(os.path.join(folder, name))
                held += found.st_size
                if not stat.S_ISLNK(found.st_mode):  # looking at a link is a use of it
                    last = max(last, found.st_atime, found.st_mtime)
    return last, held, path
