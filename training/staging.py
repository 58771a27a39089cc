"""Folders that change as a whole or not at all."""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Iterator

from zoo import entries
from zoo.sharing import card


@contextlib.contextmanager
def replacing(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Give an empty folder to fill; it takes the place of `folder` when the block ends, and vanishes when it fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".") as temporary:
        staged = pathlib.Path(temporary) / folder.name
        staged.mkdir()
        yield staged
        if folder.exists():
            os.replace(folder, pathlib.Path(temporary) / "replaced")
        os.replace(staged, folder)


@contextlib.contextmanager
def revising(entry: entries.Entry) -> Iterator[tuple[pathlib.Path, dict]]:
    """Give a copy of an entry and its manifest, both to be changed; it takes the entry's place when the block ends, its
    card written anew."""
    with replacing(entry.folder) as staged:
        shutil.copytree(entry.folder, staged, dirs_exist_ok=True)
        manifest = json.loads((staged / "zoo.json").read_text())
        yield staged, manifest
        finish(staged, manifest)


def finish(staged: pathlib.Path, manifest: dict) -> entries.Entry:
    """Write the manifest of the files in `staged`, and the card, which is one of them."""
    card.write(entries.write(staged, manifest))
    return entries.write(staged, manifest)
