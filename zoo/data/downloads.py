"""Dataset files from the Hub by its own client, in its own cache, at a revision resolved once and remembered.

The client reads HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE. With a warm cache no request is made.
It takes a second to import, so that happens only where it is needed.
"""

import json
from pathlib import Path

from huggingface_hub import constants

from zoo import atomic
from zoo.data.files import Files, is_table, skipped, split_files
from zoo.data.records import Progress
from zoo.errors import DatasetUnavailable, HubError
from zoo.hub import connection, errand, room
from zoo.hub.origin import REPOSITORY
from zoo.settings import hosted

MAX_BYTES = 4 * 2**30
MEANWHILE = "meanwhile digits and fruits need no download, and ZOO_DATA can name a folder with a copy"

Pinned = dict[str, tuple[str, ...]]


def _record_path(hub_id: str) -> Path:
    """Where revisions and file names of a Hub dataset are remembered: among the Hub's assets, beside its cache."""
    from huggingface_hub import cached_assets_path

    folder = cached_assets_path("latent-zoo", namespace="datasets", subfolder=hub_id.replace("/", "--"))
    return folder / "revisions.json"


def _records(hub_id: str) -> dict:
    try:
        records = json.loads(_record_path(hub_id).read_text())
    except (OSError, ValueError):
        return {}
    return records if isinstance(records, dict) else {}


def cached(
    hub_id: str, pinned: str | None, pinned_files: Pinned | None, revision: str | None, split: str
) -> tuple[str, Path, Files] | None:
    """Revision, snapshot folder and files of a split that lies complete in the Hub's cache, or None; no request."""
    stored = Path(constants.HF_HUB_CACHE) / _folder(hub_id)
    if not REPOSITORY.fullmatch(hub_id) or not stored.is_dir():
        return None
    if pinned_files is None and hosted():
        return None  # it may be private to the host: asked for anew, without the host's token
    if pinned is not None and pinned_files is not None and revision in (None, pinned):
        sha, names = pinned, [n for names in pinned_files.values() for n in names]
    else:
        record = _records(hub_id).get(revision or "main")
        if record is None:
            return None
        sha, names = record["revision"], record["files"]
    files = split_files(names, split)
    here = [path for name in files.names if (path := _here(hub_id, name, sha))]
    if len(here) < len(files.names):
        return None
    return sha, here[0].parents[files.names[0].count("/")], files


def _folder(hub_id: str) -> str:
    return f"datasets--{hub_id.replace('/', '--')}"


def _here(hub_id: str, name: str, sha: str) -> Path | None:
    """Return where a file of a dataset lies in the Hub's cache, None where it does not."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(hub_id, name, revision=sha, repo_type="dataset")
    return Path(found) if isinstance(found, str) else None


def fetch(
    hub_id: str, pinned: str | None, revision: str | None, split: str, report: Progress
) -> tuple[str, Path, Files]:
    """As `cached`, downloading what is missing. Raises DatasetUnavailable with what works meanwhile."""
    from huggingface_hub import hf_hub_download

    # Names of datasets come from entries: where visitors are strangers, the host's token is not for them.
    token = False if hosted() else None
    api = connection.api(token)
    try:
        # Asked even when the revision is pinned: it tells the sizes before anything is fetched.
        report(0.0, f"Asking the Hub for {hub_id}")
        with errand.question():
            info = api.dataset_info(hub_id, revision=revision or pinned, files_metadata=True)
        if info.sha is None:
            raise ValueError("the Hub tells no revision")
        sizes = {s.rfilename: s.size or 0 for s in info.siblings or [] if _wanted(s.rfilename)}
        files = split_files(sorted(sizes), split)
        total, done = sum(sizes[n] for n in files.names), 0
        if total > MAX_BYTES:
            raise DatasetUnavailable(f"{hub_id} is too large to download: {total / 2**30:.1f} GiB.")

        def advanced(count: int) -> None:
            nonlocal done
            done += count
            report(min(1.0, done / max(1, total)), f"Downloading {hub_id}")

        missing = total - sum(sizes[n] for n in files.names if _here(hub_id, n, info.sha))
        transfer = errand.transfer(total, advanced, answers=errand.MAX_ANSWER_BYTES)
        with room.reserved(_folder(hub_id), missing), transfer:
            paths = [
                hf_hub_download(hub_id, name, repo_type="dataset", revision=info.sha, token=token)
                for name in files.names
            ]
    except DatasetUnavailable:
        raise
    except HubError as error:
        raise DatasetUnavailable(f"{str(error).removesuffix('.')}; {MEANWHILE}.") from error
    except Exception as error:  # the client lets whatever a strange answer causes through
        reason = connection.sentence(error, hub_id, MEANWHILE).removesuffix(".")
        reason += "" if MEANWHILE in reason else f"; {MEANWHILE}"
        raise DatasetUnavailable(f"{reason}.") from error
    if revision is not None or pinned is None:
        _remember(hub_id, revision or "main", info.sha, sorted(sizes))
    return info.sha, Path(paths[-1]).parents[files.names[-1].count("/")], files


def _wanted(name: str) -> bool:
    return is_table(name) and not skipped(name)


def _remember(hub_id: str, revision: str, sha: str, names: list[str]) -> None:
    path = _record_path(hub_id)
    atomic.write(path, json.dumps(_records(hub_id) | {revision: {"revision": sha, "files": names}}))
