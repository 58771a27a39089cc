"""Bring in what others made: the files are fetched here, understood in a separate process, and kept in a bounded store.

The process (`python -m training.importing`) needs Keras; it gets no token, no network, and limits on memory, time and
files. What it made is an ordinary entry, read back and verified like any other before it is kept.
"""

import contextlib
import importlib.util
import io
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from zoo import atomic
from zoo.entries import Entry, imported, read, remote, sources, verify
from zoo.entries.sources import Source
from zoo.errors import Cancelled, ImportFailed, SourceError
from zoo.hub import cache, connection, errand
from zoo.hub.origin import Origin
from zoo.manifest import MANIFEST, brief
from zoo.settings import hosted
from zoo.sharing import corrections

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("keras", "tensorflow", "h5py", "tf2onnx")
LIGHT = "Importing needs Keras and TensorFlow, which this installation leaves out: pip install -r requirements.txt."
SCHEME = "import:"
MAX_JSON_BYTES = 2 << 20  # of a configuration, whatever it is called
MAX_BYTES = 1 << 30  # of one file, and of all that is taken from a repository
MAX_REPOSITORY_FILES = 200
WANTED = re.compile(
    r"\.(h5|hdf5|keras|zip|onnx|safetensors|pth?|ckpt|index|json)$|(^|/)pytorch_model[\w.-]*\.bin$|\.data-\d+-of-\d+$|(^|/)(keras_metadata\.pb|saved_model\.pb|fingerprint\.pb)$|(^|/)variables/variables\.[^/]*$"
    r"|^README\.md$",
    re.IGNORECASE,
)
PLAIN = re.compile(r"(?!.*(^|/)\.)[\w .,=+@()\[\]-]+(/[\w .,=+@()\[\]-]+)*", re.ASCII)
CANCELLED = "The import was cancelled."

Say = Callable[[str], None]


@dataclass(frozen=True)
class Limits:
    """What the separate process may take: resident bytes, private bytes, seconds on the clock, bytes of one file."""

    memory: int = 4 << 30
    data: int = 12 << 30
    seconds: int = 600
    file: int = 2 << 30


LIMITS = Limits()


@dataclass(frozen=True)
class Upload:
    """Files that a visitor sent, by name."""

    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Result:
    """Imported entries, what was found and guessed about each on the way, and the short name of their place in the
    store."""

    entries: tuple[Entry, ...]
    digest: str
    reports: tuple[dict[str, Any], ...] = field(hash=False)

    @property
    def entry(self) -> Entry:
        """The first one, which shows most."""
        return self.entries[0]

    @property
    def report(self) -> dict[str, Any]:
        return self.reports[0]

    @property
    def source(self) -> str:
        """What ?source=… takes to show it."""
        return f"{SCHEME}{self.digest}"


_running = threading.Lock()


def import_model(
    source: str | Path | Upload,
    options: Mapping[str, Any] | None = None,
    say: Say = lambda text: None,
    cancelled: Callable[[], bool] = lambda: False,
    limits: Limits = LIMITS,
    visitor: bool = False,
) -> Result:
    """Import a file, a folder, a zip, an upload, or a Hub repository "owner/name[@revision]".

    Args:
        source: what to import; a string that names no path is a Hub repository.
        options: corrections: role, makes, reads, name, title, file, dataset, side, shape, classes, prior, architecture,
            strides, activation, last; see training.importing.options.Options.
        say: called with one line for each step.
        cancelled: asked several times a second; when it says True the process is ended and nothing is kept.
        limits: of the separate process.
        visitor: whether the source was typed into the app: where ZOO_HOSTED is set it then names no path of the
            server and nothing private.

    Raises:
        ImportFailed: with one sentence that says why nothing came in.
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise ImportFailed(LIGHT)
    options = {key: value for key, value in (options or {}).items() if value not in (None, "")}
    if "name" in options and not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,79}", options["name"]):
        raise ImportFailed("A name consists of small letters, digits, dots, dashes and underscores.")
    try:
        corrections.check(options)
    except ValueError as error:
        raise ImportFailed(str(error)) from None
    with _room() as room:
        name, path, revision = _fetched(source, visitor, room, options, say, cancelled)
        request = {
            "name": name, "path": str(path), "revision": revision, "destination": str(room / "made" / "entries"),
            "options": options, "limits": vars(limits),
        }  # fmt: skip
        (room / "made").mkdir()
        with _turn(say, cancelled):  # a slow download holds up nobody
            answer = _run(request, room, limits, say, cancelled)
            made = [read(room / "made" / "entries" / name) for name in answer["names"]]
            for item in made:
                verify(item)
            findings = dict(zip(answer["names"], answer["reports"], strict=True))
            kept = imported.keep([item.folder for item in made], answer["digest"], findings)
    return Result(tuple(read(kept / item.name) for item in made), answer["digest"], tuple(answer["reports"]))


def archive(made: Entry) -> bytes:
    """A ZIP file of an entry: unpacked, the folder is what keras.saving.load_model takes, unless all of it is ONNX."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in (MANIFEST, *made.manifest.files):
            packed.write(made.folder / name, f"{made.name}/{name}")
    return buffer.getvalue()


@contextlib.contextmanager
def _room() -> Iterator[Path]:
    """Give a temporary folder; a disk that takes nothing more ends the import in one sentence."""
    try:
        with atomic.room() as room:
            yield room
    except OSError as error:
        reason = atomic.reason(error) or error.strerror or error
        raise ImportFailed(f"The import cannot write its files: {reason}; free some space or set TMPDIR.") from error


@contextlib.contextmanager
def _turn(say: Say, cancelled: Callable[[], bool]) -> Iterator[None]:
    """One import at a time: it may take gigabytes."""
    if not _running.acquire(blocking=False):
        say("Waiting for another import to end")
        while not _running.acquire(timeout=0.2):
            if cancelled():
                raise ImportFailed(CANCELLED)
    try:
        yield
    finally:
        _running.release()


# Files -------------------------------------------------------------------------------------------------------------


def _fetched(source, visitor: bool, room: Path, options, say: Say, cancelled) -> tuple[str, Path, str | None]:
    """(what to call it, where the files are, commit)."""
    if isinstance(source, Upload):
        return _uploaded(source, room)
    if not (visitor and hosted()):
        # Names may be too long, hold a NUL byte, or start with the home of nobody.
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            path = Path(source).expanduser().resolve()
            if path.exists():
                return path.name, path, None
    try:
        found = sources.parse(str(source), visitor)
    except SourceError:
        found = None
    if isinstance(source, Path) or found is None or found.kind != "repository":
        raise ImportFailed(f"{brief(str(source))} is no file here and no repository of the Hub: write owner/name[@v1].")
    return _downloaded(found, options, say, cancelled)


def _uploaded(source: Upload, room: Path) -> tuple[str, Path, None]:
    place = room / "upload"
    place.mkdir()
    names = []
    for given, content in source.files.items():
        name = re.sub(r"[^\w.-]+", "_", Path(given.replace("\\", "/")).name, flags=re.ASCII).lstrip(".")[-120:]
        names.append(name or "upload")
        (place / names[-1]).write_bytes(content)
    if not names:
        raise ImportFailed("There is no file: choose one first.")
    return names[0], place / names[0] if len(names) == 1 else place, None


def _downloaded(source: Source, options, say: Say, cancelled) -> tuple[str, Path, str]:
    """Fetch what may be a model of a repository into the Hub's cache, at one commit."""
    what, chosen = source.text, options.get("file")
    chosen = [chosen] if isinstance(chosen, str) else list(chosen or [])
    say(f"Asking the Hub for {what}")
    (origin,) = remote.repository(source.name, source.revision, source.signed)
    sizes = _listed(origin, what)
    if chosen:
        sizes = {name: size for name, size in sizes.items() if _belongs(name, chosen)}
    if not sizes.keys() - {"README.md"}:
        raise ImportFailed(
            f"{what} holds no model that is read here: none of .keras, .h5, a SavedModel, Keras 3's layout, .onnx, "
            ".safetensors, .pt, .pth."
        )
    if any(not PLAIN.fullmatch(name) or ".." in name or len(name) > 300 for name in sizes):
        raise ImportFailed(f"{what} holds a file of a name that cannot be kept.")
    if len(sizes) > MAX_REPOSITORY_FILES or sum(sizes.values()) > MAX_BYTES:
        raise ImportFailed(
            f"{what} holds {len(sizes)} model files of {sum(sizes.values()) >> 20:,} MB together, more than "
            f"{MAX_BYTES >> 20:,} MB: name the one to import (file)."
        )
    for number, (name, size) in enumerate(sorted(sizes.items()), start=1):
        say(f"Downloading {name} ({size / 1e6:,.1f} MB), file {number} of {len(sizes)}")
        try:
            cache.download(origin, name, size, cancelled=cancelled)
        except Cancelled:
            raise ImportFailed(CANCELLED) from None
    return source.name, cache.snapshot(origin), origin.commit


def _belongs(name: str, chosen: list[str]) -> bool:
    """Whether a file is one of those chosen, in a folder that is, or a configuration that may belong to them."""
    beside = {item.rpartition("/")[0] for item in chosen}
    parts = any(
        name.startswith(f"{item}/") or name.startswith(f"{item.removesuffix('.index')}.data") for item in chosen
    )
    return name in (*chosen, "README.md") or parts or (name.endswith(".json") and name.rpartition("/")[0] in beside)


def _listed(origin: Origin, what: str) -> dict[str, int]:
    """The files of a commit that may belong to a model, with their sizes."""
    api = connection.api(None if origin.signed else False)
    try:
        with errand.question():
            info = api.model_info(origin.repo, revision=origin.commit, files_metadata=True)
        listed = [(item.rfilename, item.size) for item in info.siblings or []]
        sizes = {name: int(size or 0) for name, size in listed if WANTED.search(name)}
        return {n: size for n, size in sizes.items() if size <= MAX_JSON_BYTES or not n.lower().endswith(".json")}
    except Exception as error:  # the client lets whatever a strange answer causes through
        raise ImportFailed(connection.sentence(error, what)) from None


# The separate process ------------------------------------------------------------------------------------------------


def _run(request: dict, room: Path, limits: Limits, say: Say, cancelled) -> dict[str, Any]:
    """Run the process to its end; returns its result or raises ImportFailed with the reason."""
    passed = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT", "ZOO_DATA", "HF_HOME", "HOME")
    private = room / "tmp"
    private.mkdir()
    environment = {name: os.environ[name] for name in passed if name in os.environ} | {
        "PYTHONPATH": str(ROOT), "TMPDIR": str(private), "KERAS_HOME": str(private), "HF_HUB_OFFLINE": "1",
        "KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2",
    }  # fmt: skip
    with (room / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "training.importing"], cwd=ROOT, env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
        )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None  # both are pipes
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request).encode())
            process.stdin.close()
        return _answers(process, process.stdout, limits, say, cancelled)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def _answers(process: subprocess.Popen, answers: IO[bytes], limits: Limits, say: Say, cancelled) -> dict[str, Any]:
    lines: queue.Queue[bytes | None] = queue.Queue(1000)

    def read() -> None:
        with contextlib.suppress(ValueError, OSError):
            while line := answers.readline(1 << 20):
                lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    began = time.monotonic()
    while True:
        if cancelled():
            raise ImportFailed(CANCELLED)
        if time.monotonic() - began > limits.seconds:
            raise ImportFailed(f"The import took longer than {limits.seconds} seconds and was ended.")
        if _resident(process.pid) > limits.memory:
            raise ImportFailed(f"The import took more than {limits.memory >> 20:,} MB of memory and was ended.")
        try:
            line = lines.get(timeout=0.1)
        except queue.Empty:
            continue
        if line is None:
            raise ImportFailed("The import ended without a result: it met a limit of memory or time, or crashed.")
        try:
            answer = json.loads(line)
        except ValueError:
            continue
        if "say" in answer:
            say(str(answer["say"]))
        elif "refused" in answer:
            raise ImportFailed(str(answer["refused"]))
        elif "result" in answer:
            return answer["result"]


def _resident(pid: int) -> int:
    """Bytes of memory that a process holds, 0 where the system does not tell."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
