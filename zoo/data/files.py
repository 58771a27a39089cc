"""Which files of a folder, a ZIP or a repository are images or tables, and to which split and class they belong."""

import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from zoo.errors import DatasetUnavailable
from zoo.images import SUFFIXES

SPLITS = {"train": r"train(ing)?", "test": r"test(ing)?", "validation": r"val(id|idation)?|dev"}
TABLE = ".parquet"
METADATA = ("metadata.csv", "metadata.jsonl")  # beside pictures, one row each (the Hub's layout "imagefolder")
# What computers and programs put beside files unasked; hidden files (.DS_Store, ._x.png) go by their first character.
UNASKED = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information"})


class Files(NamedTuple):
    """Relative names of a split's files; `held_out` when they are a training split that gives a tenth for testing.

    `siblings` are the names of all splits' files: class names come from all of them.
    """

    names: list[str]
    held_out: bool
    siblings: list[str]


def skipped(name: str) -> bool:
    """Whether a file is nobody's picture by its relative name: it or a folder on its way is hidden or UNASKED."""
    parts = PurePosixPath(name).parts
    return any((p.startswith(".") and p not in (".", "..")) or p.lower() in UNASKED for p in parts)


def is_table(name: str) -> bool:
    return name.lower().endswith(TABLE)


def listing(folder: Path) -> list[str]:
    """Relative names of the parquet files below a folder, or of its images where it has no parquet file."""
    wanted = (TABLE, *SUFFIXES)
    found = (p for p in folder.rglob("*") if p.suffix.lower() in wanted and p.is_file())
    names = sorted(name for name in (p.relative_to(folder).as_posix() for p in found) if not skipped(name))
    return [name for name in names if is_table(name)] or names


def split_part(name: str) -> tuple[int, str] | None:
    """Which part of a relative name tells its split, and the split. A picture's own name tells nothing."""
    parts = name.lower().split("/")
    for index, part in enumerate(parts if is_table(name) else parts[:-1]):
        for split, words in SPLITS.items():
            if re.match(rf"({words})(?![a-z])", part):
                return index, split
    return None


def split_files(names: list[str], split: str) -> Files:
    """The files of a split; without a test split, the training files, to be divided.

    A file belongs to the split that the first folder on its way, or a parquet file's own name, begins with. Of several
    parquet configurations the first folder is taken. Raises DatasetUnavailable when there are no such files.
    """
    found: dict[str | None, list[str]] = {}
    for name in names:
        part = split_part(name)
        found.setdefault(part and part[1], []).append(name)
    if len(found) == 1 or (None in found and len(found) == 2 and not is_table(names[0])):
        only = next(iter(found))
        if only is None or len(found) == 2:  # a class may be called "train": then the folder is not divided
            found = {"train": names}
    held_out = "test" not in found and split != "validation"
    files = found.get("train" if held_out else split, [])
    if not files:
        others = ", ".join(s for s in SPLITS if s in found) or "no images"
        raise DatasetUnavailable(f"The dataset has no {split} split: there is {others}.")
    if is_table(files[0]):
        configuration = _configuration(files[0])
        files = [name for name in files if _configuration(name) == configuration]
        names = [name for name in names if _configuration(name) == configuration]
    return Files(files, held_out, names)


def _configuration(name: str) -> str:
    part = split_part(name)
    return "/".join(name.split("/")[: part[0]]) if part else name.rpartition("/")[0]


def classes_by_folder(files: Files) -> tuple[list[str | None], list[str]]:
    """The class of each file of a split, None where no folder tells it, and the sorted classes of all splits.

    The innermost folder is the class, other than the one that tells the split. Of all splits, since a split that lacks
    a class must not number the others anew.
    """
    # A file without a split means that the folder is not divided, and then folders are classes, whatever their names.
    divided = all(split_part(name) is not None for name in files.names)
    siblings = {_class_of(name, divided) for name in files.siblings if not divided or split_part(name) is not None}
    return [_class_of(name, divided) for name in files.names], sorted(name for name in siblings if name is not None)


def _class_of(name: str, divided: bool) -> str | None:
    folders, part = name.split("/")[:-1], split_part(name) if divided else None
    return folders[-1] if len(folders) > (part[0] + 1 if part else 0) else None
