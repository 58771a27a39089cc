"""Files and folders are replaced in one move: whoever reads meanwhile sees the old state or the new one, never a part.

What is not finished yet is a draft: a hidden file or folder beside its destination, or one in the system's folder for
temporary files. Its owner holds a lock on it (flock), which the system releases when the process ends, however it
ends. So a draft without a lock is a leftover: `sweep` deletes it, and first gives back what lay in it.
"""

import contextlib
import ctypes
import errno
import os
import re
import shutil
import stat
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # no flock on this system: nothing is swept
    fcntl = None

DRAFT = ".zoo-draft-"  # begins the name of every draft
_BEFORE = "before"  # folder of a draft that holds what is being replaced, under its own name
_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EFBIG: "the file would be larger than this system allows",
    errno.EROFS: "the disk can only be read",
    errno.EACCES: "writing there is not allowed",
    errno.EPERM: "writing there is not allowed",
    errno.EIO: "the disk fails",
}
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def write(path: Path, content: bytes | str) -> None:
    """Write a file in one move; text is UTF-8. Raises OSError, and then leaves the file as it was and no draft."""
    sweep(path.parent)
    draft, lock = _claimed(path.parent, lambda draft: draft.touch(exist_ok=False))
    try:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    finally:
        _release(lock)


@contextlib.contextmanager
def room(parent: Path | None = None) -> Iterator[Path]:
    """Give an empty folder in `parent`, by default the system's for temporary files; it is deleted when the block ends.

    Leftovers of others there are swept first. Raises OSError where no folder can be made.
    """
    place = _temporary() if parent is None else parent
    sweep(place)
    draft, lock = _claimed(place, lambda draft: draft.mkdir(mode=0o700))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        _release(lock)


def exchange(staged: Path, destination: Path) -> None:
    """Put a staged folder in the place of another one, or where there is none, and delete what it replaces.

    Both lie on one file system. Linux does it in one step (renameat2), so that a process that is killed leaves one of
    the two in place. Elsewhere there are two steps: of a process that is killed between them, `sweep` puts the old
    folder back. Raises OSError, and then leaves the destination as it was.
    """
    if not destination.exists():
        os.replace(staged, destination)
    elif _swap(staged, destination):
        shutil.rmtree(staged, ignore_errors=True)
    else:
        with room(destination.parent) as draft:
            before = draft / _BEFORE / destination.name
            before.parent.mkdir()
            os.replace(destination, before)
            try:
                os.replace(staged, destination)
            except OSError:
                os.replace(before, destination)
                raise


def sweep(folder: Path) -> None:
    """Delete the drafts in a folder whose owners are gone; what they were about to replace and did not is put back.

    Drafts that a living process owns, of whatever user, are left alone, and so is what cannot be changed.
    """
    with contextlib.suppress(OSError):
        for name in [name for name in os.listdir(folder) if name.startswith(DRAFT)]:
            with contextlib.suppress(OSError):
                _swept(folder / name)


def reason(error: OSError) -> str | None:
    """Say why a disk takes nothing, as "the disk is full"; None for an error that is about something else."""
    told = re.search(r"errno =? ?(\d+)", str(error), re.IGNORECASE)  # as HDF5 and shutil.copytree tell it
    number = error.errno or (int(told[1]) if told else 0)
    return _REASONS.get(number)


def _swept(draft: Path) -> None:
    found = draft.lstat()
    if (
        fcntl is None
        or found.st_uid != os.geteuid()
        or not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode))
    ):
        return
    lock = os.open(draft, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISREG(found.st_mode):
            draft.unlink()
            return
        for before in (draft / _BEFORE).glob("*"):
            if not os.path.lexists(draft.parent / before.name):
                os.replace(before, draft.parent / before.name)
        shutil.rmtree(draft)
    finally:
        os.close(lock)


def _temporary() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise OSError(errno.ENOENT, "there is no folder for temporary files that can be written") from None


def _claimed(parent: Path, make: Callable[[Path], object]) -> tuple[Path, int | None]:
    """Make a draft and lock it; return it with the open lock. Between the two steps it may be swept: then once more."""
    while True:
        draft = parent / f"{DRAFT}{uuid.uuid4().hex[:12]}"
        make(draft)
        if fcntl is None:
            return draft, None
        try:
            lock = os.open(draft, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        except OSError:  # a file system without locks: there nobody sweeps either
            return draft, lock
        if draft.exists():
            return draft, lock
        os.close(lock)


def _release(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _swap(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if os.name == "posix" else None
    if rename is None:
        return False
    return rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0
