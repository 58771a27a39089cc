"""The store of imported entries: bounded, on this machine, each under the digest of what it was made from."""

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from zoo import atomic
from zoo.errors import ImportFailed

KEPT = 50  # imports in the store, the newest
REPORT = ".report.json"


def folder(digest: str) -> Path | None:
    """The folder that holds the entry of an import, None when it is no longer kept."""
    if not re.fullmatch(r"[0-9a-f]{16}", digest):
        return None
    found = _store() / digest
    return found if found.is_dir() else None


def report(digest: str) -> dict[str, Any]:
    """What was found on the way, {} when that is no longer kept."""
    place = folder(digest)
    try:
        return json.loads((place / REPORT).read_text("utf-8")) if place else {}
    except (OSError, ValueError):
        return {}


def keep(made: Path, digest: str, findings: dict[str, Any]) -> Path:
    """Copy the folder of an entry into the store, under the name `digest` of 16 hex digits, with what was found while
    it was imported; the oldest imports beyond KEPT go. Returns the entry's folder there; raises ImportFailed."""
    store = _store()
    try:
        store.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=store, prefix=".") as temporary:
            staged = Path(temporary) / digest
            shutil.copytree(made, staged / made.name)
            (staged / REPORT).write_text(json.dumps(findings), encoding="utf-8")
            atomic.exchange(staged, store / digest)
        os.utime(store / digest)
        kept = sorted((p for p in store.iterdir() if not p.name.startswith(".")), key=lambda p: p.stat().st_mtime)
        for old in kept[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise ImportFailed(f"The import cannot be kept on this machine ({error.strerror}); free some space.") from None
    return store / digest / made.name


def _store() -> Path:
    """Beside what the Hub's client keeps for libraries, without importing it."""
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    assets = os.environ.get("HF_ASSETS_CACHE") or os.path.join(home, "assets")
    return Path(assets).expanduser() / "latent-zoo" / "imports"
