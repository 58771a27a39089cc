"""A file, a folder or a zip as the models in it; each says which networks it describes and hands out their weights."""

import hashlib
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from training.importing import MAX_CONFIG_BYTES, MAX_FILE_BYTES, MAX_FILES, Refused, configs, savedmodel, weights
from training.importing.configs import Network
from training.importing.graphs import Graph
from zoo.manifest import brief

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
MAX_FOLDERS = 6  # how deep folders are searched
WEIGHTS = (".h5", ".hdf5", ".keras")


@dataclass
class Model:
    """One model on disk.

    `networks` is None for weights without a configuration; then `stated` says what the file holds. `assign(graph)`
    reads the arrays for a graph's layers."""

    name: str  # where it lies in the source
    format: str
    main: Path  # the file whose sha256 is told
    networks: dict[str, Network] | None
    assign: Callable[[Graph], weights.Arrays]
    stated: tuple[list, bool] = ((), True)
    keras: str | None = None

    @property
    def sha256(self) -> str:
        with self.main.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass
class Room:
    """A folder to unpack zips into, and how many bytes of all of them together, kept or not, may still come."""

    folder: Path
    left: int = field(default_factory=lambda: MAX_FILE_BYTES)


def models(source: Path, room: Path) -> dict[str, Callable[[], Model]]:
    """The models of a file, folder or zip, by name; each is read when it is called. `room` is an empty folder."""
    if source.is_dir():
        return _folder(source, Room(room))
    if not source.is_file():
        raise Refused(f"There is no file {brief(str(source))}.")
    if source.stat().st_size > MAX_FILE_BYTES:
        raise Refused(
            f"{brief(source.name)} has {source.stat().st_size:,} bytes, more than the {MAX_FILE_BYTES:,} allowed."
        )
    if _magic(source) == ZIP and not _is_keras_zip(source):
        return _folder(_extracted(source, Room(room), "zip"), Room(room))
    return {source.name: lambda: _file(source, source.name, Room(room), _beside(source))}


def _folder(folder: Path, room: Room) -> dict[str, Callable[[], Model]]:
    found: dict[str, Callable[[], Model]] = {}
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if path.name == "saved_model.pb":
            place = path.parent
            found[_label(folder, place)] = lambda place=place, folder=folder: _saved(place, _label(folder, place))
        elif path.name == "config.json" and (path.parent / "model.weights.h5").is_file():
            place = path.parent
            found[_label(folder, place)] = lambda place=place, folder=folder: _native(place, _label(folder, place))
        elif path.name == "model.weights.json":
            raise Refused("The weights are split over several files (model.weights.json); save them in one file.")
        elif path.suffix.lower() in WEIGHTS and not (
            path.name == "model.weights.h5" and (path.parent / "config.json").is_file()
        ):
            found[name] = lambda path=path, name=name: _file(path, name, room, _beside(path))
    if not found:
        raise Refused(
            f"{brief(folder.name)} holds no Keras model: none of .keras, .h5, config.json with model.weights.h5, "
            "saved_model.pb."
        )
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def _label(folder: Path, place: Path) -> str:
    return place.relative_to(folder).as_posix() if place != folder else "model"


def _natural(name: str) -> list:
    return [int(part) if part.isdecimal() else part.lower() for part in re.split(r"(\d+)", name)]


def _walk(folder: Path) -> Iterator[Path]:
    """Files of a folder, in order; links that lead elsewhere and hidden folders are passed over."""
    # A snapshot in the Hub's cache consists of links into the repository's folder.
    boundary = (folder.parent.parent if folder.parent.name == "snapshots" else folder).resolve()
    rest, count = [(folder, 0)], 0
    while rest:
        place, depth = rest.pop()
        for path in sorted(place.iterdir(), key=lambda path: _natural(path.name)):
            count += 1
            if count > MAX_FILES:
                raise Refused(f"{brief(folder.name)} holds more than {MAX_FILES:,} files; choose a smaller folder.")
            if path.name.startswith(".") or not path.resolve().is_relative_to(boundary):
                continue
            if path.is_dir() and depth < MAX_FOLDERS:
                rest.append((path, depth + 1))
            elif path.is_file():
                yield path


def _magic(path: Path) -> bytes:
    with path.open("rb") as stream:
        start = stream.read(8)
    return ZIP if start.startswith(ZIP) else start


def _is_keras_zip(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return {"config.json", "model.weights.h5"} <= set(archive.namelist())
    except zipfile.BadZipFile:
        raise Refused(f"{brief(path.name)} is a damaged zip file.") from None


def _extracted(path: Path, room: Room, place: str, *only: str, most: int = MAX_FILE_BYTES) -> Path:
    """The files of a zip in a folder, or those named; no file outside of it, no more bytes than are allowed."""
    folder = room.folder / place
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [item for item in archive.infolist() if not item.is_dir()]
            if len(members) > MAX_FILES:
                raise Refused(f"{brief(path.name)} holds more than {MAX_FILES:,} files.")
            if only:
                members = [item for item in members if item.filename in only]
            total, allowed = sum(item.file_size for item in members), min(most, room.left)
            if total > allowed:
                raise Refused(f"{brief(path.name)} unpacks to more than the {allowed:,} bytes allowed.")
            room.left -= total
            for item in members:
                name = PurePosixPath(item.filename)
                if name.is_absolute() or ".." in name.parts or "\\" in item.filename or len(item.filename) > 300:
                    raise Refused(f"{brief(path.name)} holds the file {brief(item.filename)}, which leads out of it.")
                if item.external_attr >> 28 == 0o12:
                    raise Refused(f"{brief(path.name)} holds the link {brief(item.filename)}.")
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                left = item.file_size
                with archive.open(item) as source, target.open("wb") as sink:
                    while block := source.read(min(1 << 20, left + 1)):
                        left -= len(block)
                        if left < 0:
                            raise Refused(f"{brief(path.name)} unpacks to more than it says.")
                        sink.write(block)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"{brief(path.name)} cannot be unpacked ({str(error)[:80]}).") from None
    return folder


def _beside(path: Path) -> Path | None:
    """The configuration that belongs to a weights file: a .json of its name, or the only one that is a model."""
    stems = [path.with_suffix(".json"), path.with_name(path.name.split(".")[0] + ".json"),
             path.with_name("config.json"), path.with_name("model.json")]  # fmt: skip
    return next((item for item in stems if item.is_file() and item.stat().st_size <= MAX_CONFIG_BYTES), None)


def _file(path: Path, name: str, room: Room, beside: Path | None) -> Model:
    magic = _magic(path)
    if magic == ZIP:
        return _packed(path, name, room)
    if magic != HDF5:
        raise Refused(f"{brief(name)} is neither HDF5 nor a zip, as the files of Keras are.")
    with weights.opened(path) as file:
        config = weights.configuration(file)
        version = weights.attribute(file, "keras_version")
        stated = ([], True) if config else weights.stated(file)
    form = "Keras 2 .h5"
    if config is None and beside is not None:
        document = _json(beside)
        if isinstance(document, dict) and "class_name" in document:
            config, form = document, f"weights with {beside.name}"
    networks = None
    if config is not None:
        document = configs.load(config, f"The configuration in {brief(name)}") if isinstance(config, str) else config
        networks = configs.networks(document, brief(name))
    else:
        form = "weights without a configuration"

    def assign(graph: Graph) -> weights.Arrays:
        with weights.opened(path) as file:
            return weights.assigned(file, graph)

    version = None if version is None else weights.text(version)[:40]
    return Model(name, form, path, networks, assign, stated, version)


def _json(path: Path):
    with path.open("rb") as stream:
        return configs.load(stream.read(MAX_CONFIG_BYTES + 1), brief(path.name))


def _packed(path: Path, name: str, room: Room) -> Model:
    """A .keras file: its weights are unpacked once its configuration is understood; what is refused is removed."""
    place = hashlib.sha256(name.encode()).hexdigest()[:12]
    try:
        inside = _extracted(path, room, place, "config.json", "metadata.json", most=2 * MAX_CONFIG_BYTES)
        found = _described(inside, name) if (inside / "config.json").is_file() else None
        if found:
            _extracted(path, room, place, "model.weights.h5")
        if not found or not found.main.is_file():
            raise Refused(f"{brief(name)} is a zip, but holds no config.json and model.weights.h5 as .keras files do.")
        with weights.opened(found.main):
            pass
    except Refused:
        shutil.rmtree(room.folder / place, ignore_errors=True)
        raise
    found.main = path
    return found


def _native(folder: Path, name: str) -> Model:
    found = _described(folder, name)
    with weights.opened(found.main):
        pass
    return found


def _described(folder: Path, name: str) -> Model:
    """The model of a folder in the layout of Keras 3, before its weights are looked at."""
    networks = configs.networks(_json(folder / "config.json"), f"The configuration of {brief(name)}")
    path, version = folder / "model.weights.h5", None
    if (folder / "metadata.json").is_file():
        metadata = _json(folder / "metadata.json")
        version = str(metadata.get("keras_version", ""))[:40] if isinstance(metadata, dict) else None

    def assign(graph: Graph) -> weights.Arrays:
        with weights.opened(path) as file:
            return weights.assigned(file, graph)

    old = bool(version and version.startswith("2."))
    return Model(name, "Keras 2 .keras" if old else "Keras 3", path, networks, assign, keras=version or None)


def _saved(folder: Path, name: str) -> Model:
    if not (folder / "variables" / "variables.index").is_file():
        raise Refused(f"The SavedModel {brief(name)} lacks variables/variables.index.")
    return Model(
        name,
        "Keras 2 SavedModel",
        folder / "saved_model.pb",
        savedmodel.networks(folder),
        lambda graph: savedmodel.assigned(folder, graph),
    )


def told(path: Path) -> dict:
    """What the card of a folder says about its licence, {} where there is none."""
    card = path / "README.md"
    if not card.is_file() or card.stat().st_size > MAX_CONFIG_BYTES:
        return {}
    head = re.match(r"---\s*\n(.*?)\n---", card.read_text("utf-8", "replace")[:20_000], re.DOTALL)
    if not head:
        return {}
    licence = re.search(r"^license:\s*([A-Za-z0-9.-]{1,40})\s*$", head[1], re.MULTILINE)
    return {"license": licence[1].lower()} if licence else {}
