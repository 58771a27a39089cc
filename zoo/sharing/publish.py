"""Publish an entry as a model repository on the Hugging Face Hub: checked, with its card, in one commit, read back.

What is uploaded is a staged copy: the files that the manifest lists, a card and a curve made anew, and a manifest that
says so. Until the commit nobody sees anything; broken off, the next attempt finds what is there and goes on.
"""

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo import atomic, entries, networks
from zoo.entries import Entry, remote
from zoo.entries.entry import MAX_MANIFEST_BYTES
from zoo.errors import Cancelled, EntryError, PublishError
from zoo.hub import connection, errand
from zoo.hub.origin import TAG
from zoo.manifest import MANIFEST, SCHEMA_FILE, brief
from zoo.sharing import card

MAX_CONFIG_BYTES = 16 << 20
MAX_GIT_BYTES = 10 << 20  # above this, or when it is binary, the Hub stores a file by its sha256 (Git LFS)
MAX_ANSWERS = 256 << 20  # bytes that all answers of the Hub may have together
LONGEST = 3600.0  # seconds for everything
AGAIN = "publishing again goes on where this ended"

Report = Callable[[float, str], None]


class Upload(NamedTuple):
    """One file as it will lie in the repository."""

    path: str
    size: int
    sha256: str
    large: bool  # stored by sha256 instead of in Git itself


class Published(NamedTuple):
    """Where an entry now is: its commit is the 40 hex digits that pin it; `new` is false when it was there already."""

    repo: str
    commit: str
    link: str
    new: bool
    files: int


class _Problem(Exception):
    """A finished sentence on its way out."""


@contextlib.contextmanager
def staged(entry: Entry, repo: str) -> Iterator[Entry]:
    """Check an entry and give the copy that would be uploaded to `repo`, for as long as the block lasts.

    Raises EntryError when a hash is wrong, a network does not run, the Keras model has other than stock layers, or
    there is no room for the copy.
    """
    if entry.origin is not None:
        remote.fetch(entry, entry.manifest.files)
    entries.verify(entry)
    for role in entry.manifest.networks:
        _try(entry, role)
    _check_layers(entry)
    with contextlib.ExitStack() as stack:
        try:
            copy = _copied(entry, repo, stack.enter_context(atomic.room()) / entry.name)
        except OSError as error:
            reason = f"{atomic.reason(error) or error.strerror or error}; free some space or set TMPDIR"
            raise EntryError(f"The entry {entry.name} cannot be copied to be published: {reason}.") from error
        yield copy


def _copied(entry: Entry, repo: str, folder: Path) -> Entry:
    """Write the files that the manifest lists, no others, and what is made anew for `repo`."""
    for file in entry.manifest.files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entry.path(file), folder / file)
    shutil.copyfile(SCHEMA_FILE, folder / SCHEMA_FILE.name)
    tags = tuple(dict.fromkeys([TAG, *entry.manifest.tags]))[:64]
    manifest = entry.manifest.model_copy(update={"tags": tags})
    card.write(entries.write(folder, manifest), repo)
    return entries.write(folder, manifest)


def uploads(copy: Entry) -> list[Upload]:
    """Return what a staged copy consists of, in the order of the paths."""
    found = []
    for file in sorted([*copy.manifest.files, MANIFEST]):
        path = copy.folder / file
        with path.open("rb") as stream:
            binary = b"\0" in stream.read(1 << 16)
            stream.seek(0)
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = path.stat().st_size
        found.append(Upload(file, size, sha256, binary or size > MAX_GIT_BYTES))
    return found


def check_names(repo: str, tag: str | None = None) -> None:
    """Raise PublishError unless these can be the names of a repository and a tag."""
    plain = r"[A-Za-z0-9](?:[\w.-]{0,94}[\w])?"
    if not re.fullmatch(f"{plain}/{plain}", repo, re.ASCII) or re.search(r"--|\.\.|\.git$", repo):
        raise PublishError(f"{brief(repo)} cannot be a repository: write owner/name, as in ada/mnist-vae.")
    if tag is None:
        return
    if not re.fullmatch(plain, tag, re.ASCII) or re.search(r"\.\.|\.lock$|^main$|^[0-9a-f]{40}$", tag):
        raise PublishError(f"{brief(tag)} cannot be a tag: write letters, digits, '.', '-' and '_', as in v1.")


def publish(
    entry: Entry,
    repo: str,
    *,
    token: str | None = None,
    private: bool = False,
    tag: str | None = None,
    report: Report = lambda part, text: None,
) -> Published:
    """Publish an entry; doing it twice makes no second commit.

    Args:
        entry: what to publish; it is not changed.
        repo: "owner/name" on the Hub, made when it does not exist.
        token: may write there; None stands for HF_TOKEN or a stored login. It is kept nowhere.
        private: make a new repository private.
        tag: name for the commit; an existing tag is never moved.
        report: told of the share done, 0 to 1, and of what is being done.

    Raises:
        EntryError: the entry is not fit to be published.
        PublishError: what the Hub, the token or the network did not allow; nothing half-published is visible.
    """
    check_names(repo, tag)
    if token is not None and not re.fullmatch(r"[\x21-\x7e]{1,500}", token):
        raise PublishError("What was given as token is none: copy it again from the token settings of the Hub.")
    report(0.0, "Checking the entry")
    try:
        with staged(entry, repo) as copy, errand.errand(LONGEST, MAX_ANSWERS):
            return _Visit(repo, token, report).run(copy, private, tag)
    except (EntryError, Cancelled):
        raise
    except Exception as error:  # the client raises its own errors, httpx2's, ValueError and OSError
        reason = _sentence(error, repo)
    # Raised out here, so that no traceback leads to the request and its headers.
    raise PublishError(reason)


class _Visit:
    """One conversation with the Hub."""

    def __init__(self, repo: str, token: str | None, report: Report) -> None:
        from huggingface_hub import constants, get_token
        from huggingface_hub.utils import disable_progress_bars

        if constants.HF_HUB_OFFLINE:
            raise _Problem("HF_HUB_OFFLINE forbids to ask the Hub: unset it to publish.")
        if token is None and get_token() is None:
            raise _Problem("Publishing needs a token that may write: set HF_TOKEN, or log in with `hf auth login`.")
        constants.HF_HUB_DISABLE_XET = True  # its uploader knows no time limit; the Hub takes plain HTTP as well
        disable_progress_bars()
        self.api, self.repo, self.report = connection.api(token), repo, report

    def run(self, copy: Entry, private: bool, tag: str | None) -> Published:
        files = uploads(copy)
        self.report(0.1, f"Asking for {self.repo}")
        self._create(private)
        head = self.api.model_info(self.repo, revision="main", files_metadata=True)
        if head.sha is None:
            raise ValueError("the Hub tells no revision")
        there = {file.rfilename: file for file in head.siblings or []}
        changed = [file for file in files if not _same(copy, file, there.get(file.path))]
        stale = self._stale(copy, files, there, head.sha)
        new = bool(changed or stale)
        tagged = self._tagged(tag)
        if tagged and (new or tagged != head.sha):
            raise _Problem(f"The tag {tag} of {self.repo} names the revision {tagged[:8]} already: choose another tag.")
        commit = self._commit(copy, changed, stale, head.sha) if new else head.sha
        self._read_back(copy, files, commit)
        if tag and not tagged:
            self.report(0.97, f"Tagging {tag}")
            self.api.create_tag(self.repo, tag=tag, revision=commit)
        self.report(1.0, "Published")
        return Published(self.repo, commit, f"{self.api.endpoint}/{self.repo}/tree/{commit}", new, len(files))

    def _create(self, private: bool) -> None:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            found = self.api.model_info(self.repo)
        except RepositoryNotFoundError:
            self.api.create_repo(self.repo, private=private or None, exist_ok=True)
            found = self.api.model_info(self.repo)
        if private and not found.private:
            raise _Problem(f"{self.repo} is public: make it private in its settings first, or publish it as it is.")

    def _stale(self, copy: Entry, files: list[Upload], there: dict, head: str) -> list[str]:
        """What an older version listed and the new one has no more; other files in the repository are left alone."""
        kept = {file.path for file in files}
        if MANIFEST not in there:
            if found := sorted(kept & there.keys() - {card.README}):
                raise _Problem(f"{self.repo} holds something else already, a {found[0]}: choose another name.")
            return []
        if not there.keys() - kept - {".gitattributes"} or (there[MANIFEST].size or 0) > MAX_MANIFEST_BYTES:
            return []
        try:
            listed = json.loads(self._download(copy, MANIFEST, head))["files"]
            return sorted(set(listed) & there.keys() - kept)
        except (ValueError, KeyError, TypeError, RecursionError):
            return []  # whatever it is, it lists nothing

    def _tagged(self, tag: str | None) -> str | None:
        tags = self.api.list_repo_refs(self.repo).tags if tag else []
        return next((found.target_commit for found in tags if found.name == tag), None)

    def _commit(self, copy: Entry, changed: list[Upload], stale: list[str], parent: str) -> str:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        total, done, operations = sum(file.size for file in changed) or 1, 0, []
        for file in changed:
            self.report(0.15 + 0.6 * done / total, f"Uploading {file.path} ({file.size / 1e6:.1f} MB)")
            operations.append(CommitOperationAdd(file.path, copy.folder / file.path))
            if file.large:  # the others travel in the commit itself
                self.api.preupload_lfs_files(self.repo, operations[-1:], free_memory=False)
            done += file.size
        self.report(0.75, "Committing")
        operations += [CommitOperationDelete(path) for path in stale]
        title = f"{copy.title}: {copy.name} of the Latent Zoo"[:200]
        return self.api.create_commit(
            self.repo, operations, commit_message=" ".join(title.split()), parent_commit=parent
        ).oid

    def _read_back(self, copy: Entry, files: list[Upload], commit: str) -> None:
        """Compare all files of the commit with what was sent: large ones by the Hub's sha256, small ones by content."""
        info = self.api.model_info(self.repo, revision=commit, files_metadata=True)
        there = {file.rfilename: file for file in info.siblings or []}
        for index, file in enumerate(files):
            self.report(0.8 + 0.15 * index / len(files), f"Reading back {file.path}")
            right = info.sha == commit and _same(copy, file, there.get(file.path))
            if right and there[file.path].lfs is None:
                right = hashlib.sha256(self._download(copy, file.path, commit)).hexdigest() == file.sha256
            if not right:
                raise _Problem(f"{file.path} of {self.repo} at {commit[:8]} is not what was sent; {AGAIN}.")

    def _download(self, copy: Entry, file: str, revision: str) -> bytes:
        """Read a small file anew, past every cache."""
        with atomic.room(copy.folder.parent) as place:
            return Path(self.api.hf_hub_download(self.repo, file, revision=revision, local_dir=place)).read_bytes()


def _same(copy: Entry, file: Upload, found) -> bool:
    """Whether the Hub describes a file as the one that is to be there."""
    if found is None or found.size != file.size:
        return False
    if found.lfs is not None:
        return found.lfs.sha256 == file.sha256
    content = (copy.folder / file.path).read_bytes()
    return found.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _try(entry: Entry, role: str) -> None:
    """Run a network on two inputs; raises EntryError when it does not do what the manifest says."""
    rng, inputs = np.random.default_rng(0), {}
    for name, shape in entry.manifest.networks[role].inputs.items():
        draw = {"image": rng.random, "latent": rng.standard_normal}.get(name, np.zeros)
        inputs[name] = draw((2, *shape))
    networks.run(entry, role, **inputs)


def _check_layers(entry: Entry) -> None:
    """Raise EntryError unless the Keras model, where there is one, consists of what plain Keras knows."""
    if not entry.has(card.KERAS[0]):
        return
    try:
        rest = [json.loads(entry.content(card.KERAS[0], MAX_CONFIG_BYTES))]
    except (ValueError, RecursionError) as error:
        if isinstance(error, EntryError):
            raise
        raise EntryError(f"The entry {entry.name} cannot be published: {card.KERAS[0]} is not JSON.") from None
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            kind, module = value.get("class_name"), value.get("module", "keras")
            stock = re.fullmatch(r"keras(\..+)?|builtins", str(module)) and kind not in ("Lambda", "__lambda__")
            if isinstance(kind, str) and not stock:
                reason = (
                    f"its Keras model uses {brief(kind)}, which plain Keras does not load; build it from stock layers"
                )
                raise EntryError(f"The entry {entry.name} cannot be published: {reason}.")
        if isinstance(value, dict | list):
            rest.extend(value.values() if isinstance(value, dict) else value)


def _sentence(error: BaseException, repo: str) -> str:
    if isinstance(error, _Problem):
        return str(error)
    while type(error) in (RuntimeError, errand.Ended) and error.__cause__ is not None:
        error = error.__cause__  # an upload that failed is told as a RuntimeError
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return f"The Hub does not accept this token for {repo}: make one that may write, in your settings there."
    if status == 403:
        return f"This token may not write to {repo}: use one that may, or publish under a name of your own."
    if status == 412:
        return f"{repo} was changed meanwhile by somebody else, so nothing was committed: publish again to build on it."
    if isinstance(error, ValueError) and str(error).startswith("Invalid metadata"):
        return f"The Hub refuses the model card of {repo}: {' '.join(str(error).split())[:200].rstrip('.')}."
    return connection.sentence(error, repo, AGAIN)
