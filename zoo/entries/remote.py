"""Entries on the Hugging Face Hub: found, pinned to a commit, and read file by file into the Hub's own cache.

What was found is remembered beside that cache: with both warm, no request is made, not even by a new process.
"""

import contextlib
import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from huggingface_hub import constants

from zoo import atomic
from zoo.entries.entry import MAX_MANIFEST_BYTES, Entry
from zoo.entries.entry import read as read_entry
from zoo.errors import EntryError, HubError
from zoo.hub import connection, errand
from zoo.hub.cache import Snapshot, download
from zoo.hub.origin import COMMIT, REPOSITORY, TAG, Origin
from zoo.manifest import MANIFEST

MOST = 200  # repositories of one owner or collection
MAX_FETCH_BYTES = 1 << 30


def repository(repo: str, revision: str | None = None, signed: bool = True) -> list[Origin]:
    """Return the origin of one repository, its branch or tag resolved to a commit; raises HubError."""
    asked = revision or "main"
    # A commit needs no question, except from a visitor: what the host may read is perhaps not for him.
    commit = asked if signed and COMMIT.fullmatch(asked) else _resolve(repo, asked, signed)
    return [Origin(repo, commit, asked, signed)]


def repositories(owner: str, signed: bool = True) -> list[Origin]:
    """Return up to MOST repositories of a user or organisation that carry TAG; raises HubError."""

    def ask(api) -> list[Origin]:
        listed = api.list_models(author=owner, filter=TAG, expand=["sha"], limit=MOST)
        # Whether a visitor may read one is asked for each, when it is read.
        found = [(info.id, info.sha or "") for info in islice(listed, MOST) if REPOSITORY.fullmatch(info.id)]
        return [Origin(repo, sha if signed and COMMIT.fullmatch(sha) else "", "main", signed) for repo, sha in found]

    found = _ask(ask, owner, signed)
    if not found:
        raise HubError(f"{owner} has no repository with the tag {TAG} on the Hub, or there is nobody of this name.")
    return found


def collection(slug: str, signed: bool = True) -> list[Origin]:
    """Return up to MOST models of a collection "owner/slug", not yet resolved to commits; raises HubError."""

    def ask(api) -> list[Origin]:
        models = [item.item_id for item in api.get_collection(slug).items if item.item_type == "model"]
        return [Origin(repo, "", "main", signed) for repo in models if REPOSITORY.fullmatch(repo)][:MOST]

    what = f"the collection {slug}"
    found = _ask(ask, what, signed)
    if not found:
        raise HubError(f"{what[0].upper()}{what[1:]} holds no models.")
    return found


def _resolve(repo: str, revision: str, signed: bool) -> str:
    info = _ask(lambda api: api.model_info(repo, revision=revision), repo, signed)
    if not signed and (info.private or info.gated):
        raise HubError(f"{repo} is private or gated, and this app shows its visitors only what everybody may read.")
    if not isinstance(info.sha, str) or not COMMIT.fullmatch(info.sha):
        raise HubError(connection.sentence(ValueError(), repo))
    return info.sha


def _ask(question: Callable, what: str, signed: bool):
    api = connection.api(None if signed else False)  # outside of the errand: its import takes a second
    try:
        with errand.question():
            return question(api)
    except Exception as error:  # the client lets whatever a strange answer causes through
        raise HubError(connection.sentence(error, what)) from error


def read(origin: Origin) -> Entry:
    """Read an entry's manifest, fetching nothing but zoo.json where it is missing; raises EntryError."""
    if not origin.commit:
        origin = dataclasses.replace(origin, commit=_resolve(origin.repo, origin.asked, origin.signed))
    storage = Snapshot(origin)
    warm = (storage.folder / MANIFEST).is_file()
    download(origin, MANIFEST, MAX_MANIFEST_BYTES)
    try:
        return read_entry(storage)
    except EntryError as refused:
        if not warm:
            raise
        try:  # it may have been damaged on this disk
            download(origin, MANIFEST, MAX_MANIFEST_BYTES, again=True)
        except HubError:
            raise refused from None
        return read_entry(storage)


def fetch(
    entry: Entry,
    files: Iterable[str],
    report: Callable[[float], None] = lambda part: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Fetch those of the files that are listed but not here, of a folder none; `report` gets the part that is done.

    Raises HubError, or Cancelled once `cancelled` says so.
    """
    if entry.origin is None:
        return
    sizes = {file: entry.manifest.files[file].size for file in files if entry.has(file) and not entry.here(file)}
    total, done = sum(sizes.values()), 0
    if total > MAX_FETCH_BYTES:
        raise HubError(f"{entry.place} is refused: {total:,} bytes would have to be fetched.")

    def advanced(count: int) -> None:
        nonlocal done
        done += count
        report(min(1.0, done / max(1, total)))

    for file, size in sizes.items():
        again = (entry.folder / file).exists()
        download(entry.origin, file, size, again=again, advanced=advanced, cancelled=cancelled)


def remembered(key: str, signed: bool) -> list[Origin] | None:
    """Return what `remember` kept under this key, or None; no request."""
    try:
        found = json.loads(_record(key, signed).read_text())["origins"]
        origins = [Origin(str(repo), str(commit), str(asked), signed) for repo, commit, asked in found[:MOST]]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return origins if all(not o.commit or COMMIT.fullmatch(o.commit) for o in origins) else None


def remember(key: str, signed: bool, origins: Iterable[Origin]) -> None:
    """Keep which repositories at which commits a source stands for; where that cannot be written, do without."""
    path = _record(key, signed)
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path, json.dumps({"source": key, "origins": [[o.repo, o.commit, o.asked] for o in origins]}))


def _record(key: str, signed: bool) -> Path:
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", key)[:80] + "-" + hashlib.sha256(key.encode()).hexdigest()[:12]
    folder = Path(constants.HF_ASSETS_CACHE) / "latent-zoo" / "sources"
    return (folder if signed else folder / "visitors") / f"{name}.json"
