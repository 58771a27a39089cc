"""Zips into a folder, within bounds."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from training.importing import MAX_FILE_BYTES, MAX_FILES, Refused
from zoo.manifest import brief


@dataclass
class Room:
    """A folder to unpack zips into, and how many bytes of all of them together, kept or not, may still come."""

    folder: Path
    left: int = field(default_factory=lambda: MAX_FILE_BYTES)


def extracted(path: Path, room: Room, place: str, *only: str, most: int = MAX_FILE_BYTES) -> Path:
    """The files of a zip in a folder, or those named; no file outside of it, no more bytes than are allowed."""
    folder = room.folder / place
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [item for item in archive.infolist() if not item.is_dir()]
            if len(members) > MAX_FILES:
                raise Refused(f"{brief(path.name)} holds more than {MAX_FILES:,} files.")
            if only:
                members = [item for item in members if item.filename in only]
            total, allowed = sum(item.file_size for item in members), min(most, room.left)
            if total > allowed:
                raise Refused(f"{brief(path.name)} unpacks to more than the {allowed:,} bytes allowed.")
            room.left -= total
            for item in members:
                name = PurePosixPath(item.filename)
                if name.is_absolute() or ".." in name.parts or "\\" in item.filename or len(item.filename) > 300:
                    raise Refused(f"{brief(path.name)} holds the file {brief(item.filename)}, which leads out of it.")
                if item.external_attr >> 28 == 0o12:
                    raise Refused(f"{brief(path.name)} holds the link {brief(item.filename)}.")
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                left = item.file_size
                with archive.open(item) as source, target.open("wb") as sink:
                    while block := source.read(min(1 << 20, left + 1)):
                        left -= len(block)
                        if left < 0:
                            raise Refused(f"{brief(path.name)} unpacks to more than it says.")
                        sink.write(block)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"{brief(path.name)} cannot be unpacked ({str(error)[:80]}).") from None
    return folder
