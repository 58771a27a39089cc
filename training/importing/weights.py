"""HDF5 weights as data: the structure is checked before a byte of an array is read, then arrays go to layers by name.

Three layouts are known: Keras 2 (`layer_names`, `weight_names`), Keras 3 and late Keras 2 (`layers/dense_1/vars/0`),
and files that hold both configuration and weights. Links, external and virtual storage, objects and filters other than
HDF5's own compression are refused; chunks are unpacked here, with a limit, since HDF5 unpacks whatever a chunk claims.
"""

import contextlib
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from training.importing import MAX_CONFIG_BYTES, MAX_FILE_BYTES, MAX_LAYERS, MAX_PARAMETERS, Refused
from training.importing.configs import Network
from training.importing.graphs import Graph, _is_operation
from zoo.manifest import brief

MAX_OBJECTS = 20_000
MAX_GROUP_DEPTH = 32
CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
DEFLATE, SHUFFLE, FLETCHER = 1, 2, 3
Arrays = dict[str, list[np.ndarray]]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file whose structure is harmless; raises Refused."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise Refused(
            f"{brief(path.name)} has {path.stat().st_size:,} bytes, more than the {MAX_FILE_BYTES:,} allowed."
        )
    try:
        with h5py.File(path, "r", locking=False) as file:
            _check(file, path.name)
            yield file
    except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
        raise Refused(f"{brief(path.name)} is damaged or no HDF5 file ({str(error)[:100]}).") from None


def _check(file: h5py.File, name: str) -> None:
    rest, seen = [("", file, 0)], 0
    while rest:
        where, group, depth = rest.pop()
        for key in group:
            seen += 1
            place = f"{where}/{key}" if where else key
            if seen > MAX_OBJECTS or depth > MAX_GROUP_DEPTH:
                raise Refused(f"{brief(name)} holds too many groups or nests them too deeply.")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise Refused(f"{brief(name)} holds a link at {brief(place)}; weights must lie in the file itself.")
            item = group[key]
            if isinstance(item, h5py.Group):
                rest.append((place, item, depth + 1))
            elif not isinstance(item, h5py.Dataset):
                raise Refused(f"{brief(name)} holds something that is no array at {brief(place)}.")
            elif item.external or item.is_virtual:
                raise Refused(f"{brief(name)} keeps the array {brief(place)} in another file; that is never followed.")
            elif item.dtype.hasobject:
                raise Refused(f"{brief(name)} holds objects instead of numbers at {brief(place)}.")


def attribute(item: h5py.HLObject, key: str, most: int = 2 * MAX_CONFIG_BYTES):
    """An attribute of bounded size, also one that Keras split in parts; None where there is none."""
    if key in item.attrs:
        found = h5py.h5a.open(item.id, key.encode())
        if math.prod(found.shape) > MAX_OBJECTS or math.prod(found.shape) * found.dtype.itemsize > most:
            raise Refused(f"The attribute {brief(key)} is larger than what is read.")
        return item.attrs[key]
    parts, index = [], 0
    while f"{key}{index}" in item.attrs and index < 1000:
        parts.extend(attribute(item, f"{key}{index}", most))
        index += 1
    return parts or None


def texts(value) -> list[str]:
    """A list of names in whatever form HDF5 gives it."""
    found = [] if value is None else np.asarray(value).ravel().tolist()
    return [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in found]


def text(value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def configuration(file: h5py.File) -> str | None:
    """The configuration that a file of a whole model holds."""
    value = attribute(file, "model_config")
    return None if value is None else text(value)


def read(item, shape: tuple[int, ...] | None, where: str) -> np.ndarray:
    """One array as float32, when it has the shape (None: any) and its values are finite."""
    if not isinstance(item, h5py.Dataset):
        raise Refused(f"{where} is missing in the file.")
    if shape is not None and item.shape != tuple(shape):
        raise Refused(f"{where} has the shape {brief(item.shape)} in the file, but {tuple(shape)} is needed.")
    if math.prod(item.shape) > MAX_PARAMETERS:
        raise Refused(f"{where} declares {math.prod(item.shape):,} values, more than the {MAX_PARAMETERS:,} allowed.")
    brain = text(item.attrs["dtype"]) == "bfloat16" if "dtype" in item.attrs else False
    if item.dtype.kind not in "fiu" and not (brain and item.dtype.itemsize == 2):
        raise Refused(f"{where} holds {item.dtype} instead of numbers.")
    raw = _unpacked(item, where) if item.chunks else item[()]
    if brain:
        raw = (np.asarray(raw).view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return finite(raw, where)


def finite(raw: np.ndarray, where: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        found = np.asarray(raw).astype(np.float32)
    if not np.isfinite(found).all():
        raise Refused(f"{where} holds values that are not finite (NaN or infinity); the network is broken.")
    return found


def _unpacked(item: h5py.Dataset, where: str) -> np.ndarray:
    """A chunked array, chunk by chunk, none of which may become larger than it says."""
    plist, size = item.id.get_create_plist(), item.dtype.itemsize
    filters = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    expected = math.prod(item.chunks) * size
    if set(filters) - {DEFLATE, SHUFFLE, FLETCHER} or expected > 4 * (item.size * size + (1 << 20)):
        raise Refused(f"{where} is packed in a way that is not read.")
    result = np.zeros(item.shape, item.dtype)
    for index in range(item.id.get_num_chunks()):
        info = item.id.get_chunk_info(index)
        if info.size > 2 * expected + 4096:
            raise Refused(f"{where} has a chunk that is larger than it can be.")
        mask, data = item.id.read_direct_chunk(info.chunk_offset)
        for position in reversed(range(len(filters))):
            if mask >> position & 1:
                continue
            if filters[position] == DEFLATE:
                try:
                    data = zlib.decompressobj().decompress(data, expected + 5)
                except zlib.error:
                    raise Refused(f"{where} is damaged.") from None
            elif filters[position] == SHUFFLE:
                whole = len(data) // size
                data = np.frombuffer(data, np.uint8, whole * size).reshape(size, whole).T.tobytes()
            else:
                data = data[:-4]
        if len(data) != expected:
            raise Refused(f"{where} has a chunk of another size than it says.")
        places = tuple(
            slice(start, min(start + length, full))
            for start, length, full in zip(info.chunk_offset, item.chunks, item.shape, strict=True)
        )
        part = np.frombuffer(data, item.dtype).reshape(item.chunks)
        result[places] = part[tuple(slice(0, place.stop - place.start) for place in places)]
    return result


# Arrays to layers --------------------------------------------------------------------------------------------------


def assigned(file: h5py.File, graph: Graph) -> Arrays:
    """The arrays of every layer of the graph that has weights, in Keras' order; raises Refused naming the layer."""
    root = file.get("model_weights", file)
    if attribute(root, "layer_names") is not None:
        return _second(root, graph)
    return _third(root, graph)


def _weighted(graph: Graph, network: Network, path: str) -> list:
    """The layers of a network inside that have weights, in the order of the configuration."""
    found = []
    for layer in network.layers:
        where = f"{path}/{layer.name}" if path else layer.name
        if isinstance(layer, Network):
            found += _weighted(graph, layer, where)
        elif where in graph.layers and graph.layers[where].spec.weights:
            found.append(graph.layers[where])
    return found


def _second(root: h5py.Group, graph: Graph) -> Arrays:
    """Keras 2: one group for each layer of the outermost network."""
    network, path = graph.network, graph.key
    if path and path in root and "weight_names" in root[path].attrs:  # networks held by a model of its own class
        return _group(root[path], _weighted(graph, network, path))
    arrays: Arrays = {}
    names = set(texts(attribute(root, "layer_names")))
    for layer in network.layers:
        where = f"{path}/{layer.name}" if path else layer.name
        nested = isinstance(layer, Network)
        needed = _weighted(graph, layer, where) if nested else [x for x in [graph.layers.get(where)] if x]
        needed = [item for item in needed if item.spec.weights]
        if needed:
            if layer.name not in names or layer.name not in root:
                raise Refused(f"The file holds no weights for the layer {brief(layer.name)}.")
            arrays |= _group(root[layer.name], needed)
    return arrays


def _group(group: h5py.Group, needed: list) -> Arrays:
    """Assign the weights of one group to the layers in it: by their names, or in one of the orders that Keras used."""
    stated = texts(attribute(group, "weight_names"))
    wanted = [(layer, name, shape) for layer in needed for name, shape in layer.spec.weights]
    last = [tuple(name.split(":")[0].split("/")[-2:]) for name in stated]
    by_name = dict(zip(last, stated, strict=True))
    if len(by_name) == len(stated) and all((layer.name, name) in by_name for layer, name, _ in wanted):
        order = [by_name[layer.name, name] for layer, name, _ in wanted]
    else:
        if len(stated) != len(wanted):
            raise Refused(
                f"The file holds {len(stated)} weights in {brief(group.name)}, but the layers there have {len(wanted)}."
            )
        state = ("moving_mean", "moving_variance", "mean", "variance")
        trainable_first = sorted(range(len(wanted)), key=lambda i: wanted[i][1] in state)
        orders = [list(range(len(wanted))), trainable_first]
        fits = [order for order in orders if all(last[k][-1] == wanted[i][1] for k, i in enumerate(order))]
        places = (fits or orders[::-1])[0]
        order = [stated[places.index(i)] for i in range(len(wanted))]
    arrays: Arrays = {}
    for name, (layer, weight, shape) in zip(order, wanted, strict=True):
        item = group.get(name)
        arrays.setdefault(layer.path, []).append(read(item, shape, f"The {weight} of the layer {brief(layer.name)}"))
    return arrays


def snake(name: str) -> str:
    """The name under which Keras 3 keeps a class: Conv2DTranspose → conv2d_transpose."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def places(network: Network, prefix: str, path: str) -> Iterator[tuple[str, str]]:
    """(path of a layer in the tree, its place in a file of Keras 3) of every layer: classes are counted."""
    counts: dict[str, int] = {}
    for layer in network.layers:
        if _is_operation(layer) or layer.name == "(input)":
            continue
        name = snake(layer.kind)
        number = counts[name] = counts.get(name, -1) + 1
        place = f"{prefix}{name}_{number}" if number else f"{prefix}{name}"
        where = f"{path}/{layer.name}" if path else layer.name
        if isinstance(layer, Network):
            yield from places(layer, f"{place}/layers/", where)
        else:
            yield where, place


def _third(root: h5py.Group, graph: Graph) -> Arrays:
    """Keras 3: the number of a layer among those of its class is its name."""
    inside = root[graph.key] if graph.key and graph.key in root else root
    container = next((name for name in CONTAINERS if name in inside), None)
    if container is None:
        raise Refused("The file holds no weights in a layout of Keras 2 or 3.")
    arrays: Arrays = {}
    for path, place in places(graph.network, "layers/", graph.key):
        layer = graph.layers.get(path)
        if layer is None or not layer.spec.weights:
            continue
        place = place.replace("layers/", f"{container}/")
        group = inside.get(f"{place}/vars")
        if not isinstance(group, h5py.Group):
            raise Refused(f"The file holds no weights for the layer {brief(layer.name)}.")
        arrays[path] = [
            read(group.get(str(index)), shape, f"The {name} of the layer {brief(layer.name)}")
            for index, (name, shape) in enumerate(layer.spec.weights)
        ]
    return arrays


@dataclass(frozen=True)
class Stated:
    """A layer as a weights file states it: the place of its network ("" outermost), its name, its weights."""

    network: str
    name: str
    weights: dict[str, tuple[int, ...]]


def stated(file: h5py.File) -> tuple[list[Stated], bool]:
    """What a weights file says by itself, and whether the order of the layers is kept."""
    root = file.get("model_weights", file)
    names, found = texts(attribute(root, "layer_names")), []
    for name in names[:MAX_LAYERS]:
        group = root.get(name)
        if not isinstance(group, h5py.Group):
            continue
        held: dict[str, dict[str, tuple[int, ...]]] = {}
        for weight in texts(attribute(group, "weight_names")):
            parts, item = weight.split(":")[0].split("/"), group.get(weight)
            if isinstance(item, h5py.Dataset):
                held.setdefault(parts[-2] if len(parts) > 1 else name, {})[parts[-1]] = item.shape
        if len(held) < 2:
            found.append(Stated("", name, next(iter(held.values()), {})))
        else:
            found += [Stated(name, inner, held[inner]) for inner in held]
    if names:
        return found, True

    def visit(place: str, item) -> None:
        *parts, last = place.split("/")
        if isinstance(item, h5py.Group) and last == "vars" and parts and parts[0] != "optimizer":
            arrays = {key: value.shape for key, value in item.items() if isinstance(value, h5py.Dataset)}
            if "seed_generator" not in parts and len(found) < MAX_LAYERS:
                found.append(Stated("/".join(parts[:-2]), parts[-1], arrays))

    root.visititems(visit)
    return found, False
