"""A Keras 2 SavedModel: layers from the metadata that Keras wrote beside it, variables from its checkpoint.

The graph in saved_model.pb is never loaded and never run. The two protocol buffers that are read (keras_metadata.pb,
the checkpoint's object graph) are walked by the wire format, which allocates nothing but what is asked for.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from training.importing import MAX_LAYERS, Refused, configs, weights
from training.importing.configs import Network
from training.importing.graphs import Graph
from zoo.manifest import brief

MAX_METADATA_BYTES = 32 << 20
MAX_NODES = 200_000
OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "VARIABLE_VALUE"


def _fields(content: memoryview) -> Iterator[tuple[int, Any]]:
    """(number, value) of each field of a message: an int, or a memoryview for what has a length."""
    position, end = 0, len(content)

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            if position >= end or shift > 63:
                raise Refused("The metadata of the SavedModel is damaged.")
            byte = content[position]
            position += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    while position < end:
        key = varint()
        number, wire = key >> 3, key & 7
        if wire == 0:
            yield number, varint()
            continue
        length = {1: 8, 5: 4}.get(wire)
        if length is None:
            if wire != 2:
                raise Refused("The metadata of the SavedModel is damaged.")
            length = varint()
        if length > end - position:
            raise Refused("The metadata of the SavedModel is cut short.")
        yield number, content[position : position + length]
        position += length


def _first(content: memoryview, number: int, default: Any = b"") -> Any:
    return next((value for found, value in _fields(content) if found == number), default)


def networks(folder: Path) -> dict[str, Network]:
    """The networks that a SavedModel describes, by their path in it ("" is the whole model); raises Refused."""
    described = _metadata(folder)
    root = described.get("root")
    if root is None:
        raise Refused("The SavedModel holds no Keras model: only models saved by Keras can be rebuilt.")
    document = configs.load(root, "The metadata of the SavedModel")
    if isinstance(document, dict) and configs._is_network(document):
        found = configs.networks(_with_shape(document), "The SavedModel")
        return {"": next(iter(found.values()))}
    held = {}
    for path, content in described.items():
        if path.count(".") != 1 or len(held) > 16:
            continue
        part = configs.load(content, "The metadata of the SavedModel")
        if configs._is_network(part):
            name = path.partition(".")[2]
            held[name] = next(iter(configs.networks(_with_shape(part), "The SavedModel").values()))
    if not held:
        kind = document.get("class_name") if isinstance(document, dict) else None
        raise Refused(
            f"The SavedModel is a model of the class {brief(kind)}, and none of its parts is a Functional or "
            "Sequential network that could be rebuilt."
        )
    return held


def _with_shape(document: dict) -> dict:
    """A Sequential that was built by its first call: the metadata keeps the shape beside the configuration."""
    config, shape = document.get("config"), document.get("build_input_shape")
    if isinstance(config, dict) and isinstance(shape, list) and not config.get("build_input_shape"):
        config["build_input_shape"] = shape
    return document


def _metadata(folder: Path) -> dict[str, bytes]:
    """Node path → JSON of the Keras objects that may be networks."""
    path = folder / "keras_metadata.pb"
    old = not path.is_file()
    path = folder / "saved_model.pb" if old else path
    if path.stat().st_size > MAX_METADATA_BYTES:
        raise Refused(f"{path.name} has {path.stat().st_size:,} bytes, more than the {MAX_METADATA_BYTES:,} allowed.")
    content = memoryview(path.read_bytes())
    if old:
        return _old_metadata(content)
    found: dict[str, bytes] = {}
    for count, (number, node) in enumerate(_fields(content)):
        if count > MAX_NODES:
            raise Refused("The metadata of the SavedModel lists too many objects.")
        if number != 1 or isinstance(node, int):
            continue
        parts = {key: value for key, value in _fields(node) if not isinstance(value, int)}
        where = bytes(parts.get(3, b"")).decode("utf-8", "replace")
        kind = bytes(parts.get(4, b"")).decode("utf-8", "replace")
        if kind in ("_tf_keras_model", "_tf_keras_network", "_tf_keras_sequential") and len(found) < MAX_LAYERS:
            found[where] = bytes(parts.get(5, b""))
    return found


def _old_metadata(content: memoryview) -> dict[str, bytes]:
    """TensorFlow 2.0 to 2.4 kept the metadata inside saved_model.pb: meta_graphs[0].object_graph_def.nodes[…]."""
    graph = _first(_first(content, 2), 7)
    nodes = [node for number, node in _fields(memoryview(graph)) if number == 1][:MAX_NODES]
    found: dict[str, bytes] = {}
    if not nodes:
        return found

    def keras(index: int) -> bytes | None:
        user = _first(nodes[index], 4)
        kind = bytes(_first(memoryview(user), 1)).decode("utf-8", "replace")
        return bytes(_first(memoryview(user), 3)) if kind.startswith("_tf_keras_") else None

    if (root := keras(0)) is not None:
        found["root"] = root
        for number, child in _fields(nodes[0]):
            if number == 1:
                target, name = _first(child, 1, 0), bytes(_first(child, 2)).decode("utf-8", "replace")
                if isinstance(target, int) and 0 < target < len(nodes) and "." not in name:
                    held = keras(target)
                    if held:
                        found[f"root.{name}"] = held
    return found


def assigned(folder: Path, graph: Graph) -> weights.Arrays:
    """The arrays of every layer of the graph from the checkpoint; raises Refused naming the layer."""
    import tensorflow as tf

    prefix = folder / "variables" / "variables"
    for path in sorted(prefix.parent.glob("variables*")):
        if path.stat().st_size > weights.MAX_FILE_BYTES:
            raise Refused(f"{path.name} has {path.stat().st_size:,} bytes, more than are read.")
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        declared = reader.get_variable_to_shape_map()
        kinds = reader.get_variable_to_dtype_map()
        objects = _objects(reader.get_tensor(OBJECTS)) if OBJECTS in declared else []
    except Refused:
        raise
    except Exception as error:  # TensorFlow raises errors of many classes here
        raise Refused(f"The variables of the SavedModel cannot be read ({type(error).__name__}).") from None
    if not objects:
        raise Refused("The checkpoint of the SavedModel does not say which variable belongs to which layer.")

    def value(key: str, shape: tuple[int, ...], where: str) -> np.ndarray:
        if tuple(declared.get(key, ())) != shape or key not in declared:
            raise Refused(f"{where} has the shape {brief(declared.get(key))} in the file, but {shape} is needed.")
        if not (kinds[key].is_floating or kinds[key].is_integer):
            raise Refused(f"{where} holds {kinds[key].name} instead of numbers.")
        try:
            return weights.finite(reader.get_tensor(key), where)
        except Refused:
            raise
        except Exception as error:  # truncated or damaged data
            raise Refused(f"{where} cannot be read ({type(error).__name__}).") from None

    start = _child(objects, 0, graph.key) if graph.key else 0
    arrays: weights.Arrays = {}
    for path, node in _nodes(objects, start, graph.network, graph.key):
        layer = graph.layers.get(path)
        if layer is None or not layer.spec.weights:
            continue
        for name, shape in layer.spec.weights:
            where = f"The {name} of the layer {brief(layer.name)}"
            found = None if node is None else objects[node][0].get(name)
            key = None if found is None else objects[found][1].get(VALUE)
            if key is None:
                raise Refused(f"{where} is missing in the file.")
            arrays.setdefault(path, []).append(value(key, shape, where))
    return arrays


def _objects(content: bytes) -> list[tuple[dict[str, int], dict[str, str]]]:
    """The object graph of a checkpoint: for each object its children by name, and its variables' keys."""
    found, count = [], 0
    for number, node in _fields(memoryview(content)):
        if number != 1 or isinstance(node, int):
            continue
        children, keys = {}, {}
        for part, value in _fields(node):
            count += 1
            if part == 1:
                children[bytes(_first(value, 2)).decode("utf-8", "replace")] = int(_first(value, 1, 0) or 0)
            elif part == 2:
                keys[bytes(_first(value, 1)).decode("utf-8", "replace")] = bytes(_first(value, 3)).decode(
                    "utf-8", "replace"
                )
        found.append((children, keys))
        if count > 10 * MAX_NODES or len(found) > MAX_NODES:
            raise Refused("The checkpoint of the SavedModel lists too many objects.")
    count = len(found)
    return [({k: v for k, v in children.items() if 0 <= v < count}, keys) for children, keys in found]


def _child(objects, node: int, name: str) -> int:
    child = objects[node][0].get(name)
    if child is None:
        raise Refused(f"The checkpoint of the SavedModel holds no {brief(name)}.")
    return child


def _nodes(objects, start: int | None, network: Network, path: str) -> Iterator[tuple[str, int | None]]:
    """(path of a layer in the tree, its object): Keras calls the layers of a network layer-0, layer-1 and so on."""
    listed = network.layers
    # A Sequential does not count its InputLayer.
    if network.kind == "Sequential" and listed and getattr(listed[0], "kind", "") == "InputLayer":
        listed = listed[1:]
    for index, layer in enumerate(listed):
        where = f"{path}/{layer.name}" if path else layer.name
        node = None if start is None else objects[start][0].get(f"layer-{index}")
        if isinstance(layer, Network):
            yield from _nodes(objects, node, layer, where)
        else:
            yield where, node
