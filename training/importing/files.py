"""A file, a folder or a zip as the models in it; each says which networks it describes and hands out their weights."""

import hashlib
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from training.importing import (
    MAX_CONFIG_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES,
    Refused,
    checkpoints,
    configs,
    hdf5,
    safetensors,
    savedmodel,
    state_dicts,
    torch_zips,
    weights,
)
from training.importing.configs import Network
from training.importing.foreign import refuse_foreign
from training.importing.graphs import Graph
from training.importing.interchange import models as onnx_models
from training.importing.interchange.graphs import OnnxGraph
from training.importing.unpacking import Room, extracted
from zoo.manifest import brief

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
MAX_FOLDERS = 6  # how deep folders are searched
MAX_JSONS = 20  # configurations that are tried on one file of weights
ZIPPED = (".pt", ".pth", ".bin", ".ckpt")  # what torch.save is given as names
TORCH = (*ZIPPED, ".safetensors")
WEIGHTS = (".h5", ".hdf5", ".keras", ".safetensors", ".onnx")
ALONE = "weights without a configuration"

Wanted = list[tuple[str, weights.Shape, str]]  # key in the file, shape, what to call it


@dataclass
class Model:
    """One model on disk.

    Attributes:
        name: where it lies in the source.
        format: what it was saved as, in words.
        main: the file whose sha256 the manifest records.
        networks: by name; None for weights without a configuration.
        graph: of an ONNX file, reads it as a graph, given the side of images that it leaves open.
        assign: reads the arrays for a graph's layers, where there are networks.
        stated: for weights alone, the layers of the file and whether their order is kept.
        fetch: for weights alone, reads arrays by their keys.
        keras: the version of Keras that wrote it, as far as it says.
    """

    name: str
    format: str
    main: Path
    networks: dict[str, Network] | None
    assign: Callable[[Graph], weights.Arrays] = lambda graph: {}
    stated: tuple[list[weights.Stated], bool] = field(default_factory=lambda: ([], True))
    fetch: Callable[[Wanted], list[np.ndarray]] = lambda wanted: []
    keras: str | None = None
    graph: Callable[[int | None], OnnxGraph] | None = None

    @property
    def alone(self) -> bool:
        """Whether it holds weights, but no network."""
        return self.networks is None and self.graph is None

    @property
    def sha256(self) -> str:
        with self.main.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()


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
    refuse_foreign(source, source.name)
    if _magic(source) == ZIP and not torch_zips.is_one(source) and not _is_keras_zip(source):
        return _folder(extracted(source, Room(room), "zip"), Room(room))
    if source.suffix == ".index" and source.with_name(f"{source.stem}.data-00000-of-00001").is_file():
        return {source.name: lambda: _checkpoint(source, source.name)}
    return {source.name: lambda: _file(source, source.name, Room(room), _jsons(source))}


def _folder(folder: Path, room: Room) -> dict[str, Callable[[], Model]]:
    found: dict[str, Callable[[], Model]] = {}
    for path in walk(folder):
        name = path.relative_to(folder).as_posix()
        if path.name == "saved_model.pb":
            place = path.parent
            found[_label(folder, place)] = lambda place=place, folder=folder: _saved(place, _label(folder, place))
        elif path.name == "config.json" and (path.parent / "model.weights.h5").is_file():
            place = path.parent
            found[_label(folder, place)] = lambda place=place, folder=folder: _native(place, _label(folder, place))
        elif path.name == "model.weights.json":
            raise Refused("The weights are split over several files (model.weights.json); save them in one file.")
        elif (
            path.suffix.lower() in TORCH
            and torch_zips.is_one(path)
            or path.suffix.lower() in WEIGHTS
            and not (path.name == "model.weights.h5" and (path.parent / "config.json").is_file())
        ):
            found[name] = lambda path=path, name=name: _file(path, name, room, _jsons(path))
        elif path.suffix == ".index" and path.parent.name != "variables":
            found[name] = lambda path=path, name=name: _checkpoint(path, name)
    if not found:
        for path in walk(folder):
            refuse_foreign(path, path.relative_to(folder).as_posix())
        raise Refused(
            f"{brief(folder.name)} holds no model that is read here: none of .keras, .h5, config.json with "
            "model.weights.h5, saved_model.pb, .onnx, .safetensors, .pt, .pth."
        )
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def _label(folder: Path, place: Path) -> str:
    return place.relative_to(folder).as_posix() if place != folder else "model"


def _natural(name: str) -> list:
    return [int(part) if part.isdecimal() else part.lower() for part in re.split(r"(\d+)", name)]


def walk(folder: Path) -> Iterator[Path]:
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


def _jsons(path: Path) -> list[Path]:
    """Configurations that may belong to a file of weights, the likeliest first: those of its name (generator.json or
    generator_model.json for generator_weights.h5), config.json and model.json, then all others beside it."""
    stem = re.sub(r"[._ -]?weights?$", "", re.sub(r"(\.weights)?\.\w+$", "", path.name), flags=re.IGNORECASE)
    ends = ("", "_model", "-model", "_config", "-config", "_architecture", "-architecture", "_arch", ".config")
    names = [path.with_suffix(".json").name, *(f"{stem}{end}.json" for end in ends), "config.json", "model.json"]
    named = [path.with_name(name) for name in dict.fromkeys(names)]
    others = sorted(path.parent.glob("*.json"))[: 4 * MAX_JSONS]
    found = [item for item in dict.fromkeys([*named, *others]) if item.is_file()]
    return [item for item in found if item.stat().st_size <= MAX_CONFIG_BYTES][:MAX_JSONS]


def _file(path: Path, name: str, room: Room, jsons: list[Path]) -> Model:
    magic = _magic(path)
    refuse_foreign(path, name)
    if path.suffix.lower() == ".onnx":
        return Model(name, "ONNX", path, None, graph=lambda side: OnnxGraph(onnx_models.read(path, name, side)))
    if path.suffix.lower() == ".safetensors":
        return _state_dict(path, name, safetensors.tensors(path))
    if torch_zips.is_one(path):
        return _state_dict(path, name, torch_zips.tensors(path, name))
    if magic == ZIP:
        return _packed(path, name, room)
    if magic != HDF5:
        raise Refused(f"{brief(name)} is neither HDF5 nor a zip, as the files of Keras and PyTorch are.")
    with hdf5.opened(path) as file:
        config = hdf5.configuration(file)
        version = hdf5.attribute(file, "keras_version")
        stated = ([], True) if config else weights.stated(file)
        if config is None and not stated[0]:
            _refuse_torch(file, name)
    version = None if version is None else hdf5.text(version)[:40]
    found = Model(name, ALONE, path, None, stated=stated, keras=version)

    def assign(graph: Graph) -> weights.Arrays:
        with hdf5.opened(path) as file:
            return weights.assigned(file, graph)

    def fetch(wanted: Wanted) -> list[np.ndarray]:
        with hdf5.opened(path) as file:
            return [hdf5.read(file.get(key), shape, where) for key, shape, where in wanted]

    found.assign, found.fetch = assign, fetch
    if config is not None:
        document = configs.load(config, f"The configuration in {brief(name)}")
        found.networks = configs.networks(document, brief(name))
        found.format = f"Keras {(version or '2')[:1]} .h5"
    else:
        _described_beside(found, jsons)
    return found


def _state_dict(path: Path, name: str, tensors: state_dicts.Tensors) -> Model:
    return Model(
        name,
        "PyTorch weights",
        path,
        None,
        stated=(state_dicts.stated(tensors), True),
        fetch=lambda wanted: state_dicts.fetch(tensors, wanted),
    )


def _described_beside(found: Model, jsons: list[Path]) -> None:
    """Give a file of weights the networks of the configuration whose layers it holds, as far as one is beside it."""
    refusals: list[Refused] = []
    for path in jsons:
        try:
            document = _json(path)
            if not isinstance(document, dict | list) or (isinstance(document, dict) and "class_name" not in document):
                continue
            networks = configs.networks(document, brief(path.name))
            for key, network in networks.items():
                found.assign(Graph(network, "" if len(networks) == 1 else key, side=64))
        except Refused as refusal:
            if path.stem.lower() in found.main.name.lower() or path.stem in ("config", "model"):
                refusals.append(refusal)
            continue
        found.networks, found.format = networks, f"weights with {path.name}"
        return
    if refusals and not found.stated[0]:
        raise refusals[0]


def _refuse_torch(file: h5py.File, name: str) -> None:
    """Name weights of another framework in an HDF5 file."""
    names: list[str] = []
    file.visit(lambda key: names.append(key) if len(names) < 1000 else None)
    if any(re.search(r"(^|[./])(weight|running_mean|num_batches_tracked)$", key) for key in names):
        raise Refused(
            f"{brief(name)} holds weights under the names of PyTorch, without the network: save its state_dict by "
            "torch.save or as safetensors, or export the network as ONNX."
        )


def _checkpoint(path: Path, name: str) -> Model:
    """A checkpoint of tf.train, which names the variables of each layer, but not the layers' classes."""
    prefix = path.with_suffix("")
    return Model(
        name,
        "TensorFlow checkpoint",
        path,
        None,
        stated=(checkpoints.stated(prefix), True),
        fetch=lambda wanted: checkpoints.fetch(prefix, wanted),
    )


def _json(path: Path) -> Any:
    with path.open("rb") as stream:
        return configs.load(stream.read(MAX_CONFIG_BYTES + 1), brief(path.name))


def _packed(path: Path, name: str, room: Room) -> Model:
    """A .keras file: its weights are unpacked once its configuration is understood; what is refused is removed."""
    place = hashlib.sha256(name.encode()).hexdigest()[:12]
    try:
        inside = extracted(path, room, place, "config.json", "metadata.json", most=2 * MAX_CONFIG_BYTES)
        found = _described(inside, name) if (inside / "config.json").is_file() else None
        if found:
            extracted(path, room, place, "model.weights.h5")
        if not found or not found.main.is_file():
            raise Refused(f"{brief(name)} is a zip, but holds no config.json and model.weights.h5 as .keras files do.")
        with hdf5.opened(found.main):
            pass
    except Refused:
        shutil.rmtree(room.folder / place, ignore_errors=True)
        raise
    found.main = path
    return found


def _native(folder: Path, name: str) -> Model:
    found = _described(folder, name)
    with hdf5.opened(found.main):
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
        with hdf5.opened(path) as file:
            return weights.assigned(file, graph)

    old = bool(version and version.startswith("2."))
    return Model(name, "Keras 2 .keras" if old else "Keras 3", path, networks, assign, keras=version or None)


def _saved(folder: Path, name: str) -> Model:
    prefix, main = folder / "variables" / "variables", folder / "saved_model.pb"
    if not prefix.with_suffix(".index").is_file():
        raise Refused(f"The SavedModel {brief(name)} lacks variables/variables.index.")
    networks = savedmodel.networks(folder)
    if networks is None:  # what model.export writes: variables and a graph, which is never run, but no configuration
        return Model(
            name,
            "exported SavedModel",
            main,
            None,
            stated=(checkpoints.stated(prefix), True),
            fetch=lambda wanted: checkpoints.fetch(prefix, wanted),
        )
    return Model(name, "Keras 2 SavedModel", main, networks, lambda graph: checkpoints.assigned(prefix, graph))


def card(path: Path) -> dict[str, str]:
    """What the model card of a folder says about its licence, {} where there is none."""
    page = path / "README.md"
    if not page.is_file() or page.stat().st_size > MAX_CONFIG_BYTES:
        return {}
    head = re.match(r"---\s*\n(.*?)\n---", page.read_text("utf-8", "replace")[:20_000], re.DOTALL)
    if not head:
        return {}
    licence = re.search(r"^license:\s*([A-Za-z0-9.-]{1,40})\s*$", head[1], re.MULTILINE)
    return {"license": licence[1].lower()} if licence else {}
