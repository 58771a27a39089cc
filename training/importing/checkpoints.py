"""Checkpoints of TensorFlow: the variables of a SavedModel, or what tf.train.Checkpoint saved while training."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from training.importing import MAX_LAYERS, Refused, hdf5, protobuf, weights
from training.importing.configs import Network
from training.importing.graphs import Graph
from training.importing.layers import Shape
from training.importing.weights import INSIDE, Stated
from zoo.manifest import brief

MAX_NODES = 200_000
MAX_DEPTH = 12
OBJECTS = "_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "VARIABLE_VALUE"
ORDER = ("kernel", "depthwise_kernel", "pointwise_kernel", "recurrent_kernel", "embeddings", "gamma", "bias", "beta",
         "moving_mean", "moving_variance")  # fmt: skip


@dataclass
class Node:
    """An object of a checkpoint: its children by name; for a variable its key and its full name."""

    children: dict[str, int] = field(default_factory=dict)
    key: str | None = None
    name: str = ""


class Checkpoint:
    """A checkpoint whose variables can be read one by one; raises Refused where it is damaged or too large."""

    def __init__(self, prefix: Path):
        import tensorflow as tf  # takes seconds, and no other format needs it

        for path in sorted(prefix.parent.glob(f"{glob_escaped(prefix.name)}*")):
            if path.stat().st_size > hdf5.MAX_FILE_BYTES:
                raise Refused(f"{path.name} has {path.stat().st_size:,} bytes, more than are read.")
        try:
            self.reader: Any = tf.train.load_checkpoint(str(prefix))
            self.shapes: dict[str, list[int]] = self.reader.get_variable_to_shape_map()
            self.kinds: dict[str, Any] = self.reader.get_variable_to_dtype_map()
            content = self.reader.get_tensor(OBJECTS) if OBJECTS in self.shapes else b""
        except Exception as error:  # TensorFlow raises errors of many classes here
            raise Refused(f"The variables in {brief(prefix.name)} cannot be read ({type(error).__name__}).") from None
        self.nodes = _nodes(content)
        if not self.nodes:
            raise Refused(
                f"The checkpoint {brief(prefix.name)} does not say which variable belongs to which layer, as those of "
                "TensorFlow 1 do not; save the network by model.save."
            )

    def read(self, key: str | None, shape: Shape, where: str) -> np.ndarray:
        """One variable as float32 of this shape; raises Refused."""
        if key is None or key not in self.shapes:
            raise Refused(f"{where} is missing in the file.")
        if tuple(self.shapes[key]) != tuple(shape):
            raise Refused(f"{where} has the shape {brief(self.shapes[key])} in the file, but {shape} is needed.")
        if not (self.kinds[key].is_floating or self.kinds[key].is_integer):
            raise Refused(f"{where} holds {self.kinds[key].name} instead of numbers.")
        try:
            raw = self.reader.get_tensor(key)
        except Exception as error:  # truncated or damaged data
            raise Refused(f"{where} cannot be read ({type(error).__name__}).") from None
        return hdf5.finite(raw, where)

    def child(self, node: int | None, name: str) -> int | None:
        """The object below another, None where there is none."""
        return None if node is None else self.nodes[node].children.get(name)


def glob_escaped(name: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", name)


def assigned(prefix: Path, graph: Graph) -> weights.Arrays:
    """The arrays of every layer of the graph from the checkpoint of a SavedModel; raises Refused naming the layer."""
    checkpoint = Checkpoint(prefix)
    start = 0
    if graph.key:
        found = checkpoint.child(0, graph.key)
        if found is None:
            raise Refused(f"The checkpoint of the SavedModel holds no {brief(graph.key)}.")
        start = found
    arrays: weights.Arrays = {}
    for path, kind, node in _placed(checkpoint, start, graph.network, graph.key):
        layer = graph.layers.get(path)
        if layer is None or not layer.spec.weights:
            continue
        inside = checkpoint.child(node, INSIDE.get(kind, "/").strip("/"))
        node = node if inside is None else inside
        for name, shape in layer.spec.weights:
            variable = checkpoint.child(node, name)
            key = None if variable is None else checkpoint.nodes[variable].key
            where = f"The {name} of the layer {brief(layer.name)}"
            arrays.setdefault(path, []).append(checkpoint.read(key, shape, where))
    return arrays


def _placed(
    checkpoint: Checkpoint, start: int | None, network: Network, path: str
) -> Iterator[tuple[str, str, int | None]]:
    """(path of a layer in the tree, its class, its object): Keras calls the layers of a network layer-0, layer-1."""
    listed = network.layers
    # A Sequential does not count its InputLayer.
    if network.kind == "Sequential" and listed and getattr(listed[0], "kind", "") == "InputLayer":
        listed = listed[1:]
    for index, layer in enumerate(listed):
        where = f"{path}/{layer.name}" if path else layer.name
        node = checkpoint.child(start, f"layer-{index}")
        if isinstance(layer, Network):
            yield from _placed(checkpoint, node, layer, where)
        else:
            yield where, layer.kind, node


def fetch(prefix: Path, wanted: list[tuple[str, Shape, str]]) -> list[np.ndarray]:
    """Variables by (key, shape, what to call it), each float32; raises Refused."""
    checkpoint = Checkpoint(prefix)
    return [checkpoint.read(key, shape, where) for key, shape, where in wanted]


def stated(prefix: Path) -> list[Stated]:
    """The layers of a checkpoint that describes none: objects that hold variables, in the order of the file.

    Their networks are the objects that hold them (generator/…), their names the variables' full names."""
    checkpoint = Checkpoint(prefix)
    listed = checkpoint.child(0, "variables")
    if listed is not None and "0" in checkpoint.nodes[listed].children:
        return _exported(checkpoint, checkpoint.nodes[listed])
    found: list[Stated] = []
    seen: set[int] = set()

    def visit(number: int, path: str, depth: int) -> None:
        if number in seen or depth > MAX_DEPTH or len(found) > MAX_LAYERS:
            return
        seen.add(number)
        node = checkpoint.nodes[number]
        variables = {n: checkpoint.nodes[c] for n, c in node.children.items() if checkpoint.nodes[c].key}
        if variables and number:
            place, _, own = path.rpartition("/")
            name = next(iter(variables.values())).name.split("/")
            found.append(_layer(place, name[-2] if len(name) > 1 else own, variables, checkpoint))
        for name, child in _in_order(node.children):
            if name not in variables and not re.search("optim|^keras_api|^_", name):
                visit(child, f"{path}/{name}" if path else name, depth + 1)

    visit(0, "", 0)
    return found


def _in_order(children: dict[str, int]) -> list[tuple[str, int]]:
    """Layers with weights by their numbers, all others as they stand."""

    def number(item: tuple[str, int]) -> int:
        found = re.search(r"-(\d+)$", item[0])
        return int(found[1]) if found else 0

    first = sorted((item for item in children.items() if item[0].startswith("layer_with_weights-")), key=number)
    return [*first, *(item for item in children.items() if item not in first)]


def _layer(network: str, name: str, variables: dict[str, Node], checkpoint: Checkpoint) -> Stated:
    names = sorted(variables, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    shapes = {own: tuple(checkpoint.shapes.get(variables[own].key or "", ())) for own in names}
    return Stated(network, name, shapes, {own: variables[own].key or "" for own in names})


def _exported(checkpoint: Checkpoint, listed: Node) -> list[Stated]:
    """The layers that model.export keeps: a list of variables with their full names, "generator/dense/kernel"."""
    groups: dict[str, dict[str, Node]] = {}
    for _, child in sorted(listed.children.items(), key=lambda item: int(item[0]) if item[0].isdecimal() else 0):
        node = checkpoint.nodes[child]
        layer, _, own = node.name.split(":")[0].rpartition("/")
        if node.key and "seed" not in own:
            groups.setdefault(layer, {})[own] = node
    return [
        _layer(path.rpartition("/")[0], path.rpartition("/")[2], variables, checkpoint)
        for path, variables in groups.items()
    ]


def _nodes(content: bytes) -> list[Node]:
    """The object graph of a checkpoint."""
    found: list[Node] = []
    count = 0
    for number, message in protobuf.fields(memoryview(content)):
        if number != 1 or isinstance(message, int):
            continue
        node = Node()
        for part, value in protobuf.fields(message):
            count += 1
            if isinstance(value, int):
                continue
            if part == 1:
                node.children[protobuf.text(value, 2)] = int(protobuf.first(value, 1, 0) or 0)
            elif part == 2 and protobuf.text(value, 1) == VALUE:
                node.name, node.key = protobuf.text(value, 2), protobuf.text(value, 3)
        found.append(node)
        if count > 10 * MAX_NODES or len(found) > MAX_NODES:
            raise Refused("The checkpoint lists too many objects.")
    for node in found:
        node.children = {name: child for name, child in node.children.items() if 0 <= child < len(found)}
    return found
