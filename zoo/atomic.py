"""Files and folders are replaced in one move: whoever reads meanwhile sees the old state or the new one, never a part.

Drafts are hidden files beside their destination, named after process and thread, so that two writers never share one.
"""

import ctypes
import os
import shutil
import tempfile
import threading
from pathlib import Path

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def write(path: Path, content: bytes | str) -> None:
    """Write a file in one move; text is UTF-8. Raises OSError, and then leaves the file as it was and no draft."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def exchange(staged: Path, destination: Path) -> None:
    """Put a staged folder in the place of another one, or where there is none, and delete what it replaces.

    Both lie on one file system. Linux does it in one step (renameat2), so that a process that is killed leaves one of
    the two in place; elsewhere there are two steps. Raises OSError, and then leaves the destination as it was.
    """
    if not destination.exists():
        os.replace(staged, destination)
    elif _swap(staged, destination):
        shutil.rmtree(staged, ignore_errors=True)
    else:
        with tempfile.TemporaryDirectory(dir=staged.parent, prefix=".") as temporary:
            before = Path(temporary) / "before"
            os.replace(destination, before)
            try:
                os.replace(staged, destination)
            except OSError:
                os.replace(before, destination)
                raise


def _swap(one: Path, other: Path) -> bool:
    """Exchange two paths in one step; False where the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None) if os.name == "posix" else None
    if rename is None:
        return False
    return rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0
