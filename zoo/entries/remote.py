"""Entries on the Hugging Face Hub: found, pinned to a commit, and read file by file into the Hub's own cache.

What was found is remembered beside that cache: with both warm, no request is made, not even by a new process.
"""

import dataclasses
import errno
import hashlib
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from huggingface_hub import constants

from zoo.entries import entry as contract
from zoo.entries.entry import MAX_MANIFEST_BYTES, Entry, Origin
from zoo.entries.sources import NAME
from zoo.errors import Cancelled, EntryError, HubError
from zoo.hub import connection
from zoo.manifest import MANIFEST
from zoo.sharing.card import TAG

MOST = 200  # repositories of one owner or collection
PATIENCE = 20.0  # seconds for a question, and for a download besides what its size takes
SLOWEST = 50_000  # bytes per second
MAX_ANSWER_BYTES = 16 << 20
MAX_FETCH_BYTES = 1 << 30
SPARE_BYTES = 64 << 20  # that must stay free on the disk
RESTING = 60.0  # seconds until what failed is tried again
COMMIT = re.compile(r"[0-9a-f]{40}")
REPOSITORY = re.compile(rf"{NAME}/{NAME}")  # both become names of folders, whatever the Hub answers

_failures: dict[tuple[str, str, str], tuple[float, str]] = {}


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
        with connection.errand(PATIENCE, MAX_ANSWER_BYTES):
            return question(api)
    except Exception as error:  # the client lets whatever a strange answer causes through
        raise HubError(connection.sentence(error, what)) from error


def read(origin: Origin) -> Entry:
    """Read an entry's manifest, fetching nothing but zoo.json where it is missing; raises EntryError."""
    if not origin.commit:
        origin = dataclasses.replace(origin, commit=_resolve(origin.repo, origin.asked, origin.signed))
    folder = snapshot(origin)
    warm = (folder / MANIFEST).is_file()
    download(origin, MANIFEST, MAX_MANIFEST_BYTES)
    try:
        return contract.read(folder, origin)
    except EntryError as refused:
        if not warm:
            raise
        try:  # it may have been damaged on this disk
            download(origin, MANIFEST, MAX_MANIFEST_BYTES, again=True)
        except HubError:
            raise refused from None
        return contract.read(folder, origin)


def fetch(
    entry: Entry,
    files: Iterable[str],
    report: Callable[[float], None] = lambda part: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Fetch those of the files that are listed but not here; `report` is told the part that is done.

    Raises HubError, or Cancelled once `cancelled` says so.
    """
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


def snapshot(origin: Origin) -> Path:
    """Return the folder of an origin in the Hub's cache; it may not exist yet."""
    return Path(constants.HF_HUB_CACHE) / f"models--{origin.repo.replace('/', '--')}" / "snapshots" / origin.commit


def download(
    origin: Origin,
    file: str,
    size: int,
    *,
    again: bool = False,
    advanced: Callable[[int], None] = lambda count: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Path:
    """Return where a file of at most `size` bytes lies, fetching it unless it is here; with `again` even then.

    What failed is not tried again for RESTING seconds. Raises HubError or Cancelled.
    """
    path = snapshot(origin) / file
    if path.is_file() and not again:
        return path
    failed, reason = _failures.get((origin.repo, origin.commit, file), (-RESTING, ""))
    if time.monotonic() - failed < RESTING:
        raise HubError(reason)
    from huggingface_hub import errors, hf_hub_download  # outside of the errand, as in _ask

    try:
        if (path.parents[file.count("/") + 2] / ".no_exist" / origin.commit / file).exists():
            raise _absent(origin, file)
        _spare(size)
        connection.bound()
        with connection.errand(PATIENCE + size / SLOWEST, size + (1 << 16), advanced, cancelled):
            token = None if origin.signed else False
            hf_hub_download(origin.repo, file, revision=origin.commit, token=token, force_download=again)
    except (Cancelled, HubError):
        raise
    except Exception as error:  # as in _ask
        missing = isinstance(error, errors.RemoteEntryNotFoundError)
        found = _absent(origin, file) if missing else HubError(connection.sentence(error, origin.repo))
        refuse(origin, file, str(found))
        raise found from error
    return path


def _absent(origin: Origin, file: str) -> HubError:
    if file != MANIFEST:
        return HubError(f"{origin.repo} is incomplete: its repository does not hold {file}.")
    return HubError(
        f"{origin.repo} is not an entry: it holds no {MANIFEST}; "
        "if it holds a Keras model, the Import page can make an entry of it."
    )


def _spare(size: int) -> None:
    """Raise OSError before the disk is full."""
    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(cache).free < size + SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def refuse(origin: Origin, file: str, reason: str) -> None:
    """Remember why a file cannot be had, so that it is not asked for on every occasion."""
    if len(_failures) > 1000:
        _failures.clear()
    _failures[origin.repo, origin.commit, file] = (time.monotonic(), reason)


def forget(repos: Iterable[str] | None = None) -> None:
    """Let what failed, of all or some repositories, be tried again at once."""
    wanted = None if repos is None else set(repos)
    for key in [key for key in _failures if wanted is None or key[0] in wanted]:
        _failures.pop(key, None)


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
    draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps({"source": key, "origins": [[o.repo, o.commit, o.asked] for o in origins]}))
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)


def _record(key: str, signed: bool) -> Path:
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", key)[:80] + "-" + hashlib.sha256(key.encode()).hexdigest()[:12]
    folder = Path(constants.HF_ASSETS_CACHE) / "latent-zoo" / "sources"
    return (folder if signed else folder / "visitors") / f"{name}.json"
