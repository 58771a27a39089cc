"""A part of an ONNX file as an ONNX network of the entry's language, its own operators untouched.

Before them stand the steps from images in [0, 1], (N, H, W, C), to what the file takes, behind them those from what it
gives to [0, 1].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from training.importing import Refused
from training.importing.interchange.graphs import OnnxGraph
from training.importing.interchange.models import parameters
from training.importing.roles.parts import Part
from zoo.manifest import Network
from zoo.networks import check
from zoo.networks.checks import CHUNK
from zoo.networks.inference import CHUNK_PIXELS
from zoo.networks.session import open_session, run_batch, typed
from zoo.sharing.corrections import LOGITS, interval

PIXELS = ("image", "source")


@dataclass(frozen=True)
class Given:
    """An input of a network: its name, its shape with None for the batch."""

    name: str
    shape: tuple[int | None, ...]


class OnnxNetwork:
    """A network that is called as those of Keras are: with one array or a list, to a dictionary of arrays."""

    def __init__(self, part: Part, content: bytes, declared: Network):
        self.part, self.content, self.declared = part, content, declared
        self.inputs = [Given(name, (None, *shape)) for name, shape in declared.inputs.items()]

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        try:
            return open_session(self.content, self.declared)
        except ValueError as error:
            raise self._refusal(error) from None

    def __call__(self, inputs: Any, training: bool = False) -> dict[str, np.ndarray]:
        """What comes out of one array for each input, in order; raises Refused."""
        arrays = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        batch = {given.name: np.asarray(array) for given, array in zip(self.inputs, arrays, strict=True)}
        try:
            return run_batch(self._session, self.declared, typed(batch))
        except ValueError as error:
            raise self._refusal(error) from None

    def count_params(self) -> int:
        return self.declared.parameters

    def _refusal(self, error: ValueError) -> Refused:
        return Refused(f"The {self.part.role} cannot be shown: its network {error}.")


def network(part: Part, reads: str = "unit", makes: str = "unit") -> OnnxNetwork:
    """The network of a part of an OnnxGraph, checked as published entries are.

    Args:
        part: what to build.
        reads: the range that the network expects of images that go in, as corrections.interval reads it.
        makes: the range of images that come out, or LOGITS.

    Raises:
        Refused: the part holds what no published entry may hold.
    """
    builder = _Builder(part)
    for name, tensor in part.inputs.items():
        builder.take(name, tensor, reads)
    if part.label:
        builder.take_label(part.label.tensor, part.label.classes if part.label.one_hot else 0)
    for name, tensor in part.outputs.items():
        builder.give(name, tensor, makes)
    content = builder.model().SerializeToString()
    pixels = max(prod(image[:2]) for image in (part.image, part.source or part.image))
    try:
        check(content, max(1, min(CHUNK, CHUNK_PIXELS // pixels)))
    except ValueError as error:
        raise Refused(f"The {part.role} cannot be shown: its network {error}.") from None
    return OnnxNetwork(part, content, builder.declared())


class _Builder:
    """The nodes of a network under construction; tensors of the file bear a prefix, so that none has a name of ours."""

    def __init__(self, part: Part):
        assert isinstance(part.graph, OnnxGraph)
        self.part, self.graph, self.source = part, part.graph, part.graph.model
        self.before: list[onnx.NodeProto] = []
        self.after: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []
        self.inputs: dict[str, tuple[int, ...]] = {}
        self.outputs: dict[str, tuple[int, ...]] = {}
        self.starts: set[str] = set()
        self.ends: set[str] = set()
        self.count = 0

    def model(self) -> onnx.ModelProto:
        nodes, constants = self._between()
        kinds = {name: TensorProto.INT32 if name == "label" else TensorProto.FLOAT for name in self.inputs}
        given = [helper.make_tensor_value_info(n, kinds[n], ["N", *shape]) for n, shape in self.inputs.items()]
        made = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *s]) for n, s in self.outputs.items()]
        graph = helper.make_graph(
            [*self.before, *nodes, *self.after], self.part.role, given, made, [*self.constants, *constants]
        )
        imports = [helper.make_opsetid("", self.source.opset)]
        return helper.make_model(graph, opset_imports=imports, ir_version=self.source.proto.ir_version)

    def declared(self) -> Network:
        numbers = parameters(self._between()[1])
        file = f"onnx/{self.part.role}.onnx"
        return Network(file=file, inputs=dict(self.inputs), outputs=dict(self.outputs), parameters=numbers)

    def _between(self) -> tuple[list[onnx.NodeProto], list[TensorProto]]:
        """The file's own nodes between the tensors where it begins and ends, and the constants that they need."""
        needed, nodes = set(self.ends), []
        for node in reversed(self.source.proto.graph.node):
            if needed.intersection(node.output) and not self.starts.issuperset(node.output):
                needed.update(name for name in node.input if name not in self.starts)
                nodes.append(_renamed(node))
        constants = []
        for name in sorted(needed & self.source.constants.keys()):
            tensor = TensorProto()
            tensor.CopyFrom(self.source.constants[name])
            tensor.name = _own(name)
            constants.append(tensor)
        return nodes[::-1], constants

    # What goes in ---------------------------------------------------------------------------------------------------

    def take(self, name: str, tensor: int, reads: str) -> None:
        """An image in [0, 1] or a code, as the file takes it."""
        part, raw = self.part, self.graph.sources[tensor]
        image = {"image": part.image, "source": part.source}.get(name)
        x, shape = name, image or part.latent or ()
        self.inputs[name] = shape
        if image and reads != "unit":
            low, high = interval(reads)
            x = self._scaled(self.before, x, high - low, low)
        if part.joined and name == "latent":
            x = self._add(self.before, "Concat", x, self._one_hot(part.joined), axis=1)
            shape = self.graph.shapes[tensor]
        for step in steps_in(self.graph, raw, shape):
            x = self._moved(self.before, x, step)
        self._begin(x, raw)

    def take_label(self, tensor: int, classes: int) -> None:
        """A label (N,) as the file takes it: its index, or one-hot."""
        raw = self.graph.sources[tensor]
        if classes:
            x = self._one_hot(classes)
        else:
            self.inputs["label"], x = (), "label"
        self._begin(self._shaped(self.before, x, self.source.shapes[raw]), raw)

    def _one_hot(self, classes: int) -> str:
        self.inputs["label"] = ()
        table = self._constant(np.eye(classes, dtype=np.float32))
        return self._add(self.before, "Gather", table, "label", axis=0)

    def _begin(self, x: str, raw: str) -> None:
        kind = self.source.kinds.get(raw, self._kind_of(raw))
        self.before.append(helper.make_node("Cast", [x], [_own(raw)], to=kind))
        self.starts.add(raw)

    def _kind_of(self, raw: str) -> int:
        """The type of a tensor inside: that of the numbers of the file."""
        kinds = {self.source.kinds[n] for n in self.source.kinds} - {TensorProto.INT32, TensorProto.INT64}
        return next(iter(kinds), TensorProto.FLOAT)

    # What comes out -------------------------------------------------------------------------------------------------

    def give(self, name: str, tensor: int, makes: str) -> None:
        """An output of the file as the entry gives it."""
        origin, factor = self.graph.derived.get(tensor, (tensor, 1.0))
        raw = self.graph.sources[origin]
        self.ends.add(raw)
        x = self._add(self.after, "Cast", _own(raw), to=TensorProto.FLOAT)
        shape = self.part.image if name == "image" else self.graph.seen(raw)
        for step in steps_out(self.graph, raw, name, shape):
            x = self._moved(self.after, x, step)
        if factor != 1:
            x = self._scaled(self.after, x, factor, 0.0)
        if self.part.halves:
            size = (self.part.latent or (0,))[0]
            for index, half in enumerate(("z_mean", "z_log_var")):
                places = self._constant(np.arange(index * size, (index + 1) * size))
                self._end(self._add(self.after, "Gather", x, places, axis=1), half, (size,))
            return
        if name == "image" and makes == LOGITS:
            x = self._add(self.after, "Sigmoid", x)
        elif name == "image" and makes != "unit":
            low, high = interval(makes)
            x = self._scaled(self.after, x, 1 / (high - low), -low / (high - low))
        self._end(x, name, (1,) if name == "score" else shape)

    def _end(self, x: str, name: str, shape: tuple[int, ...]) -> None:
        self.after.append(helper.make_node("Identity", [x], [name]))
        self.outputs[name] = shape

    # Nodes ------------------------------------------------------------------------------------------------------------

    def _add(self, nodes: list[onnx.NodeProto], operator: str, *inputs: str, **attributes: Any) -> str:
        self.count += 1
        name = f"border_{self.count}"
        nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def _constant(self, value: np.ndarray) -> str:
        self.count += 1
        self.constants.append(numpy_helper.from_array(value, f"constant_{self.count}"))
        return f"constant_{self.count}"

    def _scaled(self, nodes: list[onnx.NodeProto], x: str, scale: float, offset: float) -> str:
        x = self._add(nodes, "Mul", x, self._constant(np.asarray(scale, np.float32)))
        return self._add(nodes, "Add", x, self._constant(np.asarray(offset, np.float32))) if offset else x

    def _shaped(self, nodes: list[onnx.NodeProto], x: str, shape: Sequence[int]) -> str:
        return self._add(nodes, "Reshape", x, self._constant(np.asarray([-1, *shape], np.int64)))

    def _moved(self, nodes: list[onnx.NodeProto], x: str, step: "Step") -> str:
        if step.order:
            return self._add(nodes, "Transpose", x, perm=list(step.order))
        return self._add(nodes, "GlobalAveragePool", x) if step.mean else self._shaped(nodes, x, step.shape)


@dataclass(frozen=True)
class Step:
    """A change of a tensor's axes: to another order, to the mean of each channel, or to another shape."""

    shape: tuple[int, ...] = ()
    order: tuple[int, ...] = ()
    mean: bool = False

    def applied(self, x: np.ndarray) -> np.ndarray:
        if self.order:
            return x.transpose(self.order)
        return x.mean(axis=(2, 3), keepdims=True) if self.mean else x.reshape(len(x), *self.shape)


def steps_in(graph: OnnxGraph, raw: str, shape: tuple[int, ...]) -> list[Step]:
    """How a value of the entry's shape becomes the tensor of the file."""
    own = graph.model.shapes[raw]
    if raw in graph.first:
        return [Step((own[1], own[2], own[0])), Step(order=(0, 3, 1, 2))]
    if _one_channel_behind_the_other(graph, shape, own):
        return [Step(order=(0, 3, 1, 2)), Step(own)]
    return [Step(own)]


def steps_out(graph: OnnxGraph, raw: str, name: str, shape: tuple[int, ...]) -> list[Step]:
    """How the tensor of the file becomes the entry's value of a name and shape."""
    own = graph.model.shapes[raw]
    if name == "score":
        if len(own) == 3:
            return [*([] if raw in graph.first else [Step(order=(0, 3, 1, 2))]), Step(mean=True), Step((1,))]
        return [Step((1,))]
    if raw in graph.first:
        return [Step(order=(0, 2, 3, 1)), Step(shape)]
    if name in PIXELS and _one_channel_behind_the_other(graph, shape, own):
        return [Step((shape[2], *shape[:2])), Step(order=(0, 2, 3, 1))]
    return [Step(shape)]


def _one_channel_behind_the_other(graph: OnnxGraph, image: tuple[int, ...], own: tuple[int, ...]) -> bool:
    """Whether a vector is an image in colour as PyTorch flattens it."""
    return graph.model.torch and len(image) == 3 and image[2] > 1 and len(own) == 1


def _own(name: str) -> str:
    return f"file/{name}"


def _renamed(node: onnx.NodeProto) -> onnx.NodeProto:
    found = onnx.NodeProto()
    found.CopyFrom(node)
    for names in (found.input, found.output):
        names[:] = [_own(name) if name else "" for name in names]
    found.ClearField("name")
    found.ClearField("doc_string")
    found.ClearField("metadata_props")
    return found
