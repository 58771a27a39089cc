"""An ONNX file as a checked model in which the number of images of a batch is free.

Nothing runs here. Operators are those of published entries (zoo.networks.checks.OPERATORS) and random numbers, at which
a VAE is cut; sizes follow from the shapes that onnx infers for two sizes of batch.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, numpy_helper

from training.importing import Refused
from zoo.manifest import brief
from zoo.networks.checks import MAX_NODES, OPERATORS
from zoo.networks.inference import MAX_NETWORK_BYTES

RANDOM = frozenset({"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"})
OLDEST = 7  # version of the operators from which on Add and Mul broadcast
PROBES = (2, 3)  # sizes of batch for which shapes are inferred
SIDE = 64  # of images whose size a network leaves open, where nobody says it
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
INTEGERS = (TensorProto.INT32, TensorProto.INT64)
Sizes = dict[str, list[int | None]]  # tensor → its dimensions, None for one that is not known


@dataclass
class Model:
    """A checked model.

    Attributes:
        name: what the file is called.
        proto: the model, its batch free, Reshape with constant sizes, constants as initializers.
        original: the model as it was given, for comparison.
        batch: how many images the original takes at once, None for any number.
        shapes: of each tensor that depends on an input and has an axis for the batch, without that axis.
        kinds: of each input, a type of onnx.TensorProto.
        constants: the initializers by name.
        assumed: the side taken for images whose size is open.
        notes: what was changed, in sentences.
    """

    name: str
    proto: onnx.ModelProto
    original: onnx.ModelProto
    batch: int | None
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    constants: dict[str, TensorProto] = field(default_factory=dict)
    assumed: int | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def opset(self) -> int:
        return _opset(self.proto)

    @property
    def torch(self) -> bool:
        """Whether PyTorch wrote it, whose images are channels first."""
        return self.proto.producer_name.lower() == "pytorch"

    def dims(self, name: str) -> tuple[int, ...] | None:
        """The shape of a constant, also of one that is kept in another type; None for what is none."""
        kept = self._kept(name)
        return None if kept is None else tuple(kept.dims)

    def number(self, name: str) -> float | None:
        """The value of a constant of one number, None for what is none."""
        kept = self._kept(name)
        if kept is None or math.prod(kept.dims) != 1:
            return None
        return float(numpy_helper.to_array(kept).reshape(-1)[0])

    def _kept(self, name: str) -> TensorProto | None:
        for _ in self._casts:  # not more often than there are casts: a broken file may lead in a circle
            name = self._casts.get(name, name)
        return self.constants.get(name)

    @cached_property
    def _casts(self) -> dict[str, str]:
        return {node.output[0]: node.input[0] for node in self.proto.graph.node if node.op_type == "Cast"}


def read(path: Path, name: str, side: int | None = None) -> Model:
    """Read and check a file.

    Args:
        path: of the file.
        name: what to call it.
        side: of images in pixels, where the network is open in size.

    Raises:
        Refused: what the file is or holds cannot come in; the sentence says why.
    """
    if path.stat().st_size > MAX_NETWORK_BYTES:
        raise Refused(f"{brief(name)} is larger than the {MAX_NETWORK_BYTES >> 20} MB that an ONNX file may have.")
    try:
        given = onnx.ModelProto.FromString(path.read_bytes())
    except DecodeError:
        raise Refused(f"{brief(name)} is damaged, or no ONNX file.") from None
    _check(given, name)
    proto = onnx.ModelProto()
    proto.CopyFrom(given)
    _constants_as_initializers(proto)
    known = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in known]
    del proto.graph.input[:]
    proto.graph.input.extend(inputs)
    model = Model(name, proto, given, _batch(inputs, name))
    model.kinds = {value.name: value.type.tensor_type.elem_type for value in inputs}
    _closed(model, side)
    _freed(model)
    model.constants = {tensor.name: tensor for tensor in proto.graph.initializer}
    model.shapes = _shapes(model)
    return model


def _opset(proto: onnx.ModelProto) -> int:
    return next((item.version for item in proto.opset_import if item.domain in ("", "ai.onnx")), 0)


def _check(proto: onnx.ModelProto, name: str) -> None:
    """Refuse what no published entry may hold, and what this ONNX does not know."""
    newest, found = onnx.defs.onnx_opset_version(), _opset(proto)
    if found > newest or proto.ir_version > onnx.IR_VERSION:
        what, known = f"version {found} of ONNX' operators", newest
        if found <= newest:
            what, known = f"version {proto.ir_version} of ONNX", onnx.IR_VERSION
        raise Refused(
            f"{brief(name)} is written in {what}, newer than the {known} that is read here; export it again with an "
            "older opset_version, for example 17."
        )
    if found < OLDEST:
        said = (
            f"is written in version {found} of ONNX' operators"
            if found
            else "does not say the version of its operators"
        )
        raise Refused(f"{brief(name)} {said}; export it again with opset_version of at least {OLDEST}, for example 17.")
    graph = proto.graph
    if len(graph.node) > MAX_NODES:
        raise Refused(f"{brief(name)} holds {len(graph.node):,} operators, more than the {MAX_NODES:,} allowed.")
    if proto.functions or proto.training_info or graph.sparse_initializer:
        raise Refused(f"{brief(name)} holds functions, training information or sparse tensors, which are not read.")
    keep_needed(proto)
    constants = [*graph.initializer, *(a.t for node in graph.node for a in node.attribute if a.HasField("t"))]
    for tensor in constants:
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            place = next((item.value for item in tensor.external_data if item.key == "location"), "?")
            raise Refused(
                f"{brief(name)} keeps its weights in another file ({brief(place)}), which is not read: write them into "
                'one file by onnx.save(onnx.load("model.onnx"), "whole.onnx") and import that.'
            )
    for node in graph.node:
        if node.domain not in ("", "ai.onnx"):
            raise Refused(
                f"{brief(name)} uses the operator {brief(node.op_type)} of the domain {brief(node.domain)}, which is "
                "not ONNX' own; export it again without optimising it for one runtime."
            )
        if node.op_type not in OPERATORS | RANDOM:
            raise Refused(f"{brief(name)} uses the operator {brief(node.op_type)}, which is not allowed here.")
        if any(a.HasField("g") or a.graphs or a.HasField("sparse_tensor") for a in node.attribute):
            raise Refused(
                f"{brief(name)} holds a graph inside the operator {brief(node.op_type)}, which is not run here."
            )
        if _trains(node):
            raise Refused(
                f"{brief(name)} was exported in training mode ({node.op_type}): call model.eval() and export it again."
            )


def _trains(node: onnx.NodeProto) -> bool:
    return node.op_type == "BatchNormalization" and any(
        item.name == "training_mode" and item.i for item in node.attribute
    )


def keep_needed(proto: onnx.ModelProto) -> None:
    """Leave out nodes that no output needs."""
    needed, kept = {value.name for value in proto.graph.output}, []
    for node in reversed(proto.graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    del proto.graph.node[:]
    proto.graph.node.extend(kept[::-1])


def _constants_as_initializers(proto: onnx.ModelProto) -> None:
    """Keep constants in one way, for whatever age wrote them."""
    graph, nodes = proto.graph, []
    for node in graph.node:
        value = _value(node) if node.op_type == "Constant" else None
        if value is None:
            nodes.append(node)
        else:
            graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
    del graph.node[:]
    graph.node.extend(nodes)


def _value(node: onnx.NodeProto) -> np.ndarray | None:
    for item in node.attribute:
        if item.name == "value":
            return numpy_helper.to_array(item.t)
        if item.name in ("value_float", "value_floats"):
            return np.asarray(item.f if item.name == "value_float" else list(item.floats), np.float32)
        if item.name in ("value_int", "value_ints"):
            return np.asarray(item.i if item.name == "value_int" else list(item.ints), np.int64)
    return None


# Sizes ---------------------------------------------------------------------------------------------------------------


def _batch(inputs: list[onnx.ValueInfoProto], name: str) -> int | None:
    """The number of images that a file is written for, None for any; raises Refused where an input has no such axis."""
    sizes = set()
    for value in inputs:
        tensor = value.type.tensor_type
        if tensor.elem_type not in (*FLOATS, *INTEGERS):
            kind = TensorProto.DataType.Name(tensor.elem_type).lower()
            raise Refused(f"{brief(name)} takes {brief(value.name)} of type {kind}; numbers as float or int are read.")
        if not tensor.HasField("shape") or not tensor.shape.dim:
            raise Refused(f"{brief(name)} does not say the shape of its input {brief(value.name)}.")
        first = tensor.shape.dim[0]
        sizes.add(first.dim_value if first.HasField("dim_value") and first.dim_value > 0 else None)
    if not inputs:
        raise Refused(f"{brief(name)} takes no input.")
    if len(sizes) > 1:
        raise Refused(
            f"{brief(name)} takes inputs of different numbers of images at once; export it with dynamic_axes."
        )
    return sizes.pop()


def _closed(model: Model, side: int | None) -> None:
    """Give open heights and widths of images a size; raises Refused for another axis that is open."""
    for value in model.proto.graph.input:
        dims = value.type.tensor_type.shape.dim
        unknown = [index for index, dim in enumerate(dims) if index and not dim.dim_value > 0]
        if unknown and len(dims) == 4 and len(unknown) == 2:
            model.assumed = None if side else SIDE
            for index in unknown:
                dims[index].dim_value = side or SIDE
        elif unknown:
            raise Refused(
                f"{brief(model.name)} leaves the size of its input {brief(value.name)} open; export it with all sizes "
                "but the first one fixed."
            )


def _freed(model: Model) -> None:
    """Let Reshape keep the number of images, and the inputs take any."""
    probes = (model.batch,) if model.batch else PROBES
    found = [_inferred(model, size) for size in probes]
    graph = model.proto.graph
    dependent = _dependent(model.proto)
    for node in graph.node:
        if node.op_type != "Reshape" or node.input[0] not in dependent:
            continue
        sizes = [sizes.get(node.output[0], [None]) for sizes in found]
        rest = [size for size in sizes[0][1:] if size is not None]
        if all(size == [probe, *rest] for size, probe in zip(sizes, probes, strict=True)):
            name = f"{node.output[0]}/sizes"
            graph.initializer.append(numpy_helper.from_array(np.asarray([-1, *rest], np.int64), name))
            node.input[1] = name
    keep_needed(model.proto)
    if model.batch:
        model.notes.append(f"The file is written for batches of exactly {model.batch}; the size was made free.")


def _dependent(proto: onnx.ModelProto) -> set[str]:
    """Tensors that depend on an input, or on random numbers."""
    found = {value.name for value in proto.graph.input}
    for node in proto.graph.node:
        if node.op_type in RANDOM or found.intersection(node.input):
            found.update(node.output)
    return found


def _inferred(model: Model, batch: int) -> Sizes:
    """The sizes of all tensors for a batch, as far as onnx infers them; what the file says of them is no evidence."""
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    del proto.graph.value_info[:]
    for value in proto.graph.output:
        value.type.tensor_type.ClearField("shape")
    for value in proto.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = batch
    try:
        graph = onnx.shape_inference.infer_shapes(proto, data_prop=True).graph
    except Exception as error:  # onnx raises its own errors, RuntimeError and ValueError here
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise Refused(f"{brief(model.name)} has shapes that contradict each other ({reason}).") from None
    return {
        value.name: [dim.dim_value if dim.HasField("dim_value") else None for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.value_info, *graph.output)
        if value.type.tensor_type.HasField("shape")
    }


def _shapes(model: Model) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor with an axis for the batch; raises Refused where an output has none."""
    try:
        found = [_inferred(model, size) for size in PROBES]
    except Refused:
        if model.batch:
            raise _of_one_batch(model) from None
        raise
    shapes: dict[str, tuple[int, ...]] = {}
    for name, sizes in found[0].items():
        other = found[1].get(name)
        if not sizes or not other or (sizes[0], other[0]) != PROBES:
            continue
        rest = [size for size in sizes[1:] if size is not None]
        if sizes[1:] == other[1:] and len(rest) == len(sizes) - 1:
            shapes[name] = tuple(rest)
    lost = next((value.name for value in model.proto.graph.output if value.name not in shapes), None)
    if lost is None:
        return shapes
    if model.batch:
        raise _of_one_batch(model)
    raise Refused(
        f"The output {brief(lost)} of {brief(model.name)} has no axis for the images of a batch, or its size is known "
        "only when it runs."
    )


def _of_one_batch(model: Model) -> Refused:
    return Refused(
        f"{brief(model.name)} is written for batches of exactly {model.batch}, and that number cannot be made free: "
        "export it again with dynamic_axes (or dynamic_shapes) for the first axis."
    )


def parameters(tensors: list[TensorProto]) -> int:
    """How many numbers initializers hold."""
    return sum(math.prod(tensor.dims) for tensor in tensors if tensor.data_type in FLOATS)
