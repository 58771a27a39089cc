"""One file of one commit: in the Hub's own cache, or fetched into it; what failed rests before it is tried again."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants

from zoo.errors import Cancelled, HubError
from zoo.hub import connection, errand, room
from zoo.hub.origin import Origin
from zoo.manifest import MANIFEST

RESTING = 60.0  # seconds until what failed is tried again

_failures: dict[tuple[str, str, str], tuple[float, str]] = {}


@dataclass(frozen=True)
class Snapshot:
    """The files of an entry at one commit, fetched when they are first asked for (see zoo.entries.storage.Storage)."""

    origin: Origin
    renewable = True

    @property
    def folder(self) -> Path:
        return snapshot(self.origin)

    @property
    def place(self) -> str:
        return self.origin.repo

    @property
    def boundary(self) -> Path:
        """The snapshot is made of links to blobs, which several repositories may share."""
        return self.folder.resolve().parents[2]

    def fetch(self, file: str, size: int, again: bool) -> None:
        download(self.origin, file, size, again=again)

    def used(self, file: str) -> None:
        room.used(self.folder / file)

    def refuse(self, file: str, reason: str) -> None:
        refuse(self.origin, file, reason)


def snapshot(origin: Origin) -> Path:
    """Return the folder of an origin in the Hub's cache; it may not exist yet."""
    return Path(constants.HF_HUB_CACHE) / _folder(origin) / "snapshots" / origin.commit


def _folder(origin: Origin) -> str:
    return f"models--{origin.repo.replace('/', '--')}"


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
        connection.bound()
        with room.reserved(_folder(origin), size), errand.transfer(size, advanced, cancelled):
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
