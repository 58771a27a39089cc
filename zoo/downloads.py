"""Dataset files from the Hub by its own client, in its own cache, at a revision resolved once and remembered.

The client reads HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE. With a warm cache no request is made.
It takes a second to import, so that happens only where it is needed.
"""

import io
import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

from huggingface_hub import constants

from zoo.records import DatasetUnavailable, Files, Progress, split_files

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
MAX_BYTES = 4 * 2**30
TIMEOUT = 8.0  # seconds
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
    stored = Path(constants.HF_HUB_CACHE) / f"datasets--{hub_id.replace('/', '--')}"
    if not HUB_ID.fullmatch(hub_id) or not stored.is_dir():
        return None
    from huggingface_hub import try_to_load_from_cache

    if pinned_files is not None and revision in (None, pinned):
        sha, names = pinned, [n for names in pinned_files.values() for n in names]
    else:
        record = _records(hub_id).get(revision or "main")
        if record is None:
            return None
        sha, names = record["revision"], record["files"]
    files = split_files(names, split)
    paths = [try_to_load_from_cache(hub_id, n, revision=sha, repo_type="dataset") for n in files.names]
    if not all(isinstance(p, str) for p in paths):
        return None
    return sha, Path(paths[0]).parents[files.names[0].count("/")], files


def fetch(
    hub_id: str, pinned: str | None, revision: str | None, split: str, report: Progress
) -> tuple[str, Path, Files]:
    """As `cached`, downloading what is missing. Raises DatasetUnavailable with what works meanwhile."""
    import httpx2
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub import errors as hub_errors

    try:
        # Asked even when the revision is pinned: one bounded request finds out that there is no network, where the
        # downloader would retry for minutes, and it tells the sizes before anything is fetched.
        report(0.0, f"Asking the Hub for {hub_id}")
        info = HfApi().dataset_info(hub_id, revision=revision or pinned, timeout=TIMEOUT, files_metadata=True)
        sizes = {s.rfilename: s.size or 0 for s in info.siblings or [] if s.rfilename.endswith(".parquet")}
        files = split_files(sorted(sizes), split)
        total = sum(sizes[n] for n in files.names)
        if total > MAX_BYTES:
            raise DatasetUnavailable(f"{hub_id} is too large to download: {total / 2**30:.1f} GiB.")
        bar = _progress_bar(lambda done: report(min(1.0, done / max(1, total)), f"Downloading {hub_id}"))
        for name in files.names:
            path = hf_hub_download(
                hub_id, name, repo_type="dataset", revision=info.sha, tqdm_class=bar, etag_timeout=TIMEOUT
            )
    except (hub_errors.OfflineModeIsEnabled, hub_errors.LocalEntryNotFoundError, httpx2.TransportError) as error:
        raise DatasetUnavailable(
            f"{hub_id} is not on this machine and the Hub cannot be reached: {MEANWHILE}."
        ) from error
    except (hub_errors.RepositoryNotFoundError, hub_errors.RevisionNotFoundError) as error:
        raise DatasetUnavailable(f"The Hub shows no dataset {hub_id} at that revision: {MEANWHILE}.") from error
    except (hub_errors.HfHubHTTPError, OSError) as error:
        raise DatasetUnavailable(f"{hub_id} could not be downloaded from the Hub: {MEANWHILE}.") from error
    if revision is not None or pinned is None:
        _remember(hub_id, revision or "main", info.sha, sorted(sizes))
    return info.sha, Path(path).parents[files.names[-1].count("/")], files


def _remember(hub_id: str, revision: str, sha: str, names: list[str]) -> None:
    path = _record_path(hub_id)
    draft = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
    draft.write_text(json.dumps(_records(hub_id) | {revision: {"revision": sha, "files": names}}))
    draft.replace(path)


def _progress_bar(advanced: Callable[[int], None]) -> type:
    """A tqdm class for the Hub's client that draws nothing and reports the bytes done over all files."""
    from tqdm import tqdm

    done, lock = 0, threading.Lock()

    class Bar(tqdm):
        def __init__(self, *args, **kwargs):
            kwargs.pop("name", None)
            super().__init__(*args, **(kwargs | {"file": io.StringIO(), "disable": False}))

        def update(self, n=1):
            nonlocal done
            with lock:
                done += n or 0
                advanced(done)
            return super().update(n)

    return Bar
