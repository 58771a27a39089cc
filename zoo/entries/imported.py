"""The store of imports: bounded, on this machine, the entries of each under the digest of what they were made from."""

import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo import atomic, settings
from zoo.entries.entry import Entry, read
from zoo.errors import ImportFailed
from zoo.manifest import MANIFEST

KEPT = 50  # imports in the store, the newest
REPORT = ".report.json"


def folder(digest: str) -> Path | None:
    """The folder that holds the entries of an import, None when it is no longer kept."""
    if not re.fullmatch(r"[0-9a-f]{16}", digest):
        return None
    atomic.sweep(_store())
    found = _store() / digest
    return found if found.is_dir() else None


def contents(digest: str) -> list[tuple[Entry, dict[str, Any]]]:
    """Return the entries of an import, each with what was found while it was imported; [] when it is no longer kept.

    Raises EntryError for an entry that is no longer what it was."""
    place, reports = folder(digest), report(digest)
    found = sorted(path.parent for path in place.glob(f"*/{MANIFEST}")) if place else []
    return [(read(each), reports.get(each.name, {})) for each in found]


def report(digest: str) -> dict[str, Any]:
    """Name of each entry → what was found on the way, {} when that is no longer kept."""
    place = folder(digest)
    try:
        return json.loads((place / REPORT).read_text("utf-8")) if place else {}
    except (OSError, ValueError):
        return {}


def keep(made: Sequence[Path], digest: str, findings: dict[str, Any]) -> Path:
    """Copy the folders of entries into the store, under the name `digest` of 16 hex digits, with what was found while
    they were imported; the oldest imports beyond KEPT go. Returns the folder that holds them there; raises
    ImportFailed."""
    store = _store()
    try:
        store.mkdir(parents=True, exist_ok=True)
        with atomic.room(store) as draft:
            staged = draft / digest
            for item in made:
                shutil.copytree(item, staged / item.name)
            (staged / REPORT).write_text(json.dumps(findings), encoding="utf-8")
            atomic.exchange(staged, store / digest)
        os.utime(store / digest)
        kept = sorted((p for p in store.iterdir() if not p.name.startswith(".")), key=lambda p: p.stat().st_mtime)
        for old in kept[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        reason = atomic.reason(error) or error.strerror or error
        raise ImportFailed(f"The import cannot be kept on this machine: {reason}; free some space.") from None
    return store / digest


def _store() -> Path:
    return settings.kept("imports")
