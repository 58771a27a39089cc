"""Folders that change as a whole or not at all."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterator


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
