"""A part of an ONNX file as an ONNX network of the entry's language, its own operators untouched.

Before them stand the steps from images in [0, 1], (N, H, W, C), to what the file takes, behind them those from what it
gives to [0, 1]. What comes out is compared with the file as it was given, run by ONNX Runtime.
"""

from collections.abc import Callable, Sequence
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
from zoo.manifest import Network, brief
from zoo.networks import check
from zoo.networks.checks import CHUNK
from zoo.networks.inference import CHUNK_PIXELS
from zoo.networks.session import open_session, run_batch, typed
from zoo.sharing.corrections import LOGITS, interval, to_unit

TOLERANCE = 1e-4  # of max(1, |value|), as for networks of Keras
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
            shape = (shape[0] + part.joined,)
        for step in _steps_in(self.graph, raw, shape):
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
        for step in _steps_out(self.graph, raw, name, shape):
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


def _steps_in(graph: OnnxGraph, raw: str, shape: tuple[int, ...]) -> list[Step]:
    """How a value of the entry's shape becomes the tensor of the file."""
    own = graph.model.shapes[raw]
    if raw in graph.first:
        return [Step((own[1], own[2], own[0])), Step(order=(0, 3, 1, 2))]
    if _one_channel_behind_the_other(graph, shape, own):
        return [Step(order=(0, 3, 1, 2)), Step(own)]
    return [Step(own)]


def _steps_out(graph: OnnxGraph, raw: str, name: str, shape: tuple[int, ...]) -> list[Step]:
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


# Comparison with the file ---------------------------------------------------------------------------------------------


def compare(
    networks: dict[str, OnnxNetwork], reads: str, makes: str, images: Callable[[tuple, int], np.ndarray], count: int
) -> float:
    """The largest difference between networks and the file that they are parts of, relative to max(1, |value|).

    All are given what the file itself computes at the places where they begin.

    Args:
        networks: by role, of one graph.
        reads, makes: the ranges with which they were built.
        images: gives so many images of a shape in [0, 1].
        count: how many examples are compared.

    Raises:
        Refused: they differ by more than TOLERANCE, or the answer for one image depends on the others beside it.
    """
    found = _answers(networks, images, count)
    largest = 0.0
    for role, made in networks.items():
        given = [_as_entry(made.part, item.name, found, reads, makes) for item in made.inputs]
        got, alone = made(given), made([value[:1] for value in given])
        for name, values in got.items():
            expected = _as_entry(made.part, name, found, reads, makes)
            scale = max(1.0, float(np.abs(expected).max()))
            error = float(np.abs(values - expected).max()) / scale
            if not float(np.abs(alone[name] - values[:1]).max()) / scale <= TOLERANCE:
                raise Refused(
                    f"The {role} mixes the images of a batch: what it makes of one depends on the others beside it."
                )
            if not error <= TOLERANCE:
                raise Refused(
                    f"The {role} differs from the file by {error:.2g} in {name} (allowed {TOLERANCE:.0e}); nothing was "
                    "written."
                )
            largest = max(largest, error)
    return largest


def _answers(networks: dict[str, OnnxNetwork], images: Callable, count: int) -> dict[str, np.ndarray]:
    """What the file as it was given computes at all places where networks begin and end, by the tensor's name."""
    parts = [made.part for made in networks.values()]
    graph = parts[0].graph
    assert isinstance(graph, OnnxGraph)
    model = graph.model
    if model.batch:
        count = -(-count // model.batch) * model.batch
    fed = {name: _fed(graph, name, parts, images, count) for name in model.kinds}
    wanted = {graph.sources[graph.derived.get(t, (t, 1))[0]] for p in parts for t in (p.inputs | p.outputs).values()}
    wanted |= {graph.sources[part.label.tensor] for part in parts if part.label}
    fetched = sorted(wanted - fed.keys())
    proto = onnx.ModelProto()
    proto.CopyFrom(model.original)
    have = {value.name for value in proto.graph.output}
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in fetched if name not in have)
    size = model.batch or count
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        runs = [
            session.run(fetched, {name: value[start : start + size] for name, value in fed.items()})
            for start in range(0, count, size)
        ]
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160].rstrip(".")
        raise Refused(f"{brief(model.name)} does not run in ONNX Runtime ({reason}).") from None
    joined = [np.concatenate([run[index] for run in runs]) for index in range(len(fetched))]
    return fed | dict(zip(fetched, joined, strict=True))


def _fed(graph: OnnxGraph, name: str, parts: list[Part], images: Callable, count: int) -> np.ndarray:
    """Values for one input of the file: images, random codes, or labels."""
    rng, own = np.random.default_rng(0), graph.model.shapes[name]
    kind = helper.tensor_dtype_to_np_dtype(graph.model.kinds[name])
    for part in parts:
        taken = {graph.sources[tensor]: key for key, tensor in part.inputs.items()}
        label = part.label if part.label and graph.sources[part.label.tensor] == name else None
        if label:
            classes = np.arange(count) % label.classes
            value = np.eye(label.classes)[classes] if label.one_hot else classes
            return value.reshape(count, *own).astype(kind)
        if (key := taken.get(name)) in PIXELS:
            value = images((part.source if key == "source" else part.image) or part.image, count)
            for step in _steps_in(graph, name, value.shape[1:]):
                value = step.applied(value)
            return np.ascontiguousarray(value, kind)
        if key and part.joined:
            value = rng.standard_normal((count, *own))
            value[:, -part.joined :] = np.eye(part.joined)[np.arange(count) % part.joined]
            return value.astype(kind)
    return rng.standard_normal((count, *own)).astype(kind)


def _as_entry(part: Part, name: str, found: dict[str, np.ndarray], reads: str, makes: str) -> np.ndarray:
    """A value of the file as the entry's input or output of this name."""
    graph = part.graph
    assert isinstance(graph, OnnxGraph)
    if name == "label":
        if not part.label:
            return found[graph.sources[part.inputs["latent"]]][:, -part.joined :].argmax(1)
        value = found[graph.sources[part.label.tensor]]
        return value.reshape(len(value), -1).argmax(1) if part.label.one_hot else value.reshape(-1)
    given = name in part.inputs
    tensor = part.inputs[name] if given else part.outputs.get(name, next(iter(part.outputs.values())))
    origin, factor = graph.derived.get(tensor, (tensor, 1.0))
    raw = graph.sources[origin]
    value = found[raw].astype(np.float32) * np.float32(factor)
    shape = {"image": part.image, "source": part.source}.get(name) or graph.seen(raw)
    for step in _steps_out(graph, raw, name, shape):
        value = step.applied(value)
    if name in PIXELS:
        return to_unit(value, reads if given else makes)
    if part.halves and not given:
        half = value.shape[1] // 2
        return value[:, :half] if name == "z_mean" else value[:, half:]
    return value[:, : -part.joined] if given and part.joined else value
