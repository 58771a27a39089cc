"""Folders that change as a whole or not at all."""

import contextlib
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

from zoo import atomic, entries
from zoo.manifest import Manifest
from zoo.sharing import card


@contextlib.contextmanager
def replacing(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Give an empty folder to fill: it takes the place of `folder` when the block ends, and is deleted when it fails.

    Raises OSError where the folder cannot be written; what was there then stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic.room(folder.parent) as draft:
        staged = draft / folder.name
        staged.mkdir()
        yield staged
        atomic.exchange(staged, folder)


@contextlib.contextmanager
def revising(entry: entries.Entry, **changes: Any) -> Iterator[pathlib.Path]:
    """Give a copy of an entry's folder, to be changed: it takes the entry's place when the block ends, with `changes`
    of the manifest's fields and a new card. When the block fails, the entry stays as it was."""
    with replacing(entry.folder) as staged:
        shutil.copytree(entry.folder, staged, dirs_exist_ok=True)
        yield staged
        finish(staged, entry.manifest.model_copy(update=changes))


def finish(staged: pathlib.Path, manifest: Manifest) -> entries.Entry:
    """Write the card and the manifest, which lists the card among the files in `staged`; return the entry."""
    card.write(entries.write(staged, manifest))
    return entries.write(staged, manifest)
