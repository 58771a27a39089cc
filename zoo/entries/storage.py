"""Where the files of an entry lie, and how one that is missing or damaged is had again: an entry is handed its storage.

A folder on this machine (embedded, local, imported) has all its files; a snapshot on the Hub (zoo.hub.cache.Snapshot)
fetches each when it is first asked for.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from zoo.errors import EntryError
from zoo.hub.origin import Origin


class Storage(Protocol):
    """The files of one entry."""

    @property
    def folder(self) -> Path:
        """Where they lie, zoo.json among them."""
        ...

    @property
    def boundary(self) -> Path:
        """The folder that no file may lead out of."""
        ...

    @property
    def place(self) -> str:
        """The name that messages use."""
        ...

    @property
    def origin(self) -> Origin | None:
        """Where on the Hub it is from, None for a folder."""
        ...

    @property
    def renewable(self) -> bool:
        """Whether a missing or damaged file can be had again."""
        ...

    def fetch(self, file: str, size: int, again: bool) -> None:
        """Bring a file of `size` bytes into the folder, with `again` even when it is there; raises EntryError."""
        ...

    def used(self, file: str) -> None:
        """Take note that a file is used now."""
        ...

    def refuse(self, file: str, reason: str) -> None:
        """Take note that a file stays wrong, so that it is not fetched on every occasion."""
        ...


@dataclass(frozen=True)
class Folder:
    """Files that all lie in one folder of this machine."""

    folder: Path
    origin = None
    renewable = False

    @property
    def boundary(self) -> Path:
        return self.folder

    @property
    def place(self) -> str:
        return self.folder.name

    def fetch(self, file: str, size: int, again: bool) -> None:
        raise EntryError(f"The entry {self.place} is incomplete: {file} is missing.")

    def used(self, file: str) -> None:
        """Nothing is deleted from a folder to make room."""

    def refuse(self, file: str, reason: str) -> None:
        """A folder is looked at anew each time."""
