"""The layers of an ONNX network: which operators make each, which tensor it gives, in which shape."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import onnx

BATCH = 251  # images for which shapes are inferred: a prime that is no size of a layer, so it tells the batch axis
MAX_LAYERS, MAX_NAME = 200, 80
FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
WINDOWED = ("Conv", "ConvTranspose", "AveragePool", "MaxPool")
WEIGHTED = {"Conv", "ConvTranspose", "Gather", "Gemm", "MatMul", "Einsum"}
CHANNELS_FIRST = {
    "AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "DepthToSpace", "GlobalAveragePool", "GlobalMaxPool",
    "GroupNormalization", "InstanceNormalization", "MaxPool", "SpaceToDepth",
}  # fmt: skip
# After these, the axes of a tensor are not those that it had before.
REARRANGING = {"Einsum", "Flatten", "Gather", "Gemm", "MatMul", "Reshape", "Squeeze", "Transpose", "Unsqueeze"}
HELPER = re.compile(r"__\d+$")  # what tf2onnx writes behind the name of a node that it adds, as a transposition
KINDS = {
    "AveragePool": "average pooling", "Concat": "concatenation", "Conv": "convolution", "Einsum": "product",
    "ConvTranspose": "transposed convolution", "Gather": "embedding", "Gemm": "dense", "MatMul": "dense",
    "GlobalAveragePool": "average over the map", "GlobalMaxPool": "largest of the map", "MaxPool": "max pooling",
    "ReduceMean": "mean", "TopK": "largest", "Resize": "enlarged", "Tile": "enlarged", "Pad": "padded",
    "Slice": "cropped", "Sub": "difference",
}  # fmt: skip
ACTIVATIONS = {
    "Elu": "ELU", "Gelu": "GELU", "HardSigmoid": "hard sigmoid", "LeakyRelu": "leaky ReLU", "PRelu": "PReLU",
    "Relu": "ReLU", "Selu": "SELU", "Softmax": "softmax", "Softplus": "softplus", "Tanh": "tanh",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of a network: a layer that computes something new, with the activation and the order of values after it.

    name: of the Keras layer, or of the tensor where operators have no names; layers: the names of all Keras layers in
    it; kind: what it does, as "convolution 3×3, stride 2, SiLU"; tensor: the name of what it gives in the ONNX file;
    shape: (H, W, C) of maps or (U,) of a vector; channels_first: whether the file holds maps as (C, H, W); parameters:
    how many numbers were trained for it; inputs: the names of the layers that it takes from, ""
    for the network's input.
    """

    name: str
    layers: tuple[str, ...]
    kind: str
    tensor: str
    shape: tuple[int, ...]
    channels_first: bool
    parameters: int
    inputs: tuple[str, ...]

    @property
    def units(self) -> int:
        """The number of channels of maps, of neurons of a vector."""
        return self.shape[-1]

    @property
    def values(self) -> int:
        return math.prod(self.shape)

    @property
    def stored(self) -> tuple[int, ...]:
        """The shape in the file, without the batch axis."""
        return (self.shape[-1], *self.shape[:-1]) if self.channels_first else self.shape


@dataclass
class _Step:
    """What becomes a Layer: its operators, the number of the last one, the tensor that it gives, its weights' sizes."""

    layers: list[str]
    name: str = ""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    last: int = 0
    tensor: str = ""
    inputs: list[str] = field(default_factory=list)
    weights: dict[str, int] = field(default_factory=dict)


def layers_of(content: bytes, counts: dict[str, int] | None = None) -> list[Layer]:
    """Return the layers of a checked ONNX file in the order of the data.

    Args:
        content: the file, accepted by `zoo.networks.checks.check`.
        counts: parameters of each Keras layer by name, in their order; what the export folded into other layers is
            then counted too. Without them the constants of the file are counted.

    Raises:
        ValueError: no layer of it gives maps or vectors of a known shape.
    """
    graph = _Graph(onnx.ModelProto.FromString(content))
    steps, makers = _steps(graph)
    if not steps:
        raise ValueError("has no layer whose maps could be shown")
    names: set[str] = set()
    for step in steps:
        free = [layer for layer in step.layers if layer not in names]
        known = [layer for layer in free if layer in (counts or ())]
        step.name = (known or free or [f"layer {len(names) + 1}"])[0][:MAX_NAME]
        names.add(step.name)
    owned = _owned(steps, counts) if counts else [sum(step.weights.values()) for step in steps]
    return [_layer(step, own, makers, graph) for step, own in zip(steps, owned, strict=True)][:MAX_LAYERS]


def _layer(step: "_Step", parameters: int, makers: "dict[str, _Step]", graph: "_Graph") -> Layer:
    shape = graph.shapes[step.tensor][1:]
    first = len(shape) == 3 and step.tensor in graph.channels_first
    taken = dict.fromkeys(makers[tensor].name if tensor in makers else "" for tensor in step.inputs)
    return Layer(
        step.name,
        tuple(dict.fromkeys(step.layers)),
        _kind(step, graph),
        step.tensor,
        (*shape[1:], shape[0]) if first else tuple(shape),
        first,
        parameters,
        tuple(name for name in taken if name != step.name),
    )


def exposing(content: bytes, layers: Iterable[Layer]) -> bytes:
    """Return an ONNX file of the same nodes and constants whose outputs are also what these layers give."""
    model = onnx.ModelProto.FromString(content)
    known = {value.name for value in model.graph.output}
    for layer in layers:
        if layer.tensor not in known:
            value = onnx.helper.make_tensor_value_info(layer.tensor, onnx.TensorProto.FLOAT, ["batch", *layer.stored])
            model.graph.output.append(value)
    return model.SerializeToString()


class _Graph:
    """An ONNX graph with the shapes of its results, its constants, and who computes what."""

    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        self.inputs = [value.name for value in graph.input if value.name not in self.constants]
        for value in graph.input:
            if value.name in self.inputs:
                value.type.tensor_type.shape.dim[0].dim_value = BATCH
        for value in graph.output:
            value.type.tensor_type.ClearField("shape")
        del graph.value_info[:]
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
        known = [*inferred.value_info, *inferred.output, *graph.input]
        types = {value.name: value.type.tensor_type for value in known}
        self.shapes = {name: [dim.dim_value for dim in kind.shape.dim] for name, kind in types.items()}
        self.floats = {name for name, kind in types.items() if kind.elem_type == onnx.TensorProto.FLOAT}
        self.dynamic = set(self.inputs)
        self.nodes: list[onnx.NodeProto] = []
        for node in graph.node:
            if node.op_type == "Cast" and node.input[0] in self.constants:
                self.constants[node.output[0]] = self.constants[node.input[0]]
            elif node.op_type != "Shape" and self.dynamic.intersection(node.input):
                self.dynamic.update(node.output)
                self.nodes.append(node)
        roots = Counter(node.name.partition("/")[0] for node in self.nodes if "/" in node.name)
        self.root = max(roots, key=lambda root: roots[root], default="")
        self.channels_first = self._channels_first()

    def data(self, node: onnx.NodeProto) -> list[str]:
        """Return the inputs of a node that follow from the network's input."""
        return [name for name in node.input if name in self.dynamic]

    def weights(self, node: onnx.NodeProto) -> list[str]:
        """Return the inputs of a node that are arrays of trained or folded numbers."""
        return [
            name
            for name in node.input
            if name in self.constants and self.constants[name].data_type in FLOATS and self.constants[name].dims
        ]

    def shown(self, tensor: str) -> bool:
        """Whether a tensor is one map or vector of numbers for each image."""
        shape = self.shapes.get(tensor, [])
        return tensor in self.floats and len(shape) in (2, 4) and shape[0] == BATCH and min(shape) > 0

    def size(self, tensor: str) -> int:
        return math.prod(self.shapes.get(tensor, [0]))

    def _channels_first(self) -> set[str]:
        """Return the tensors of rank 4 whose second axis is the channels: what touches a convolution, and what has the
        same axes."""
        same: dict[str, list[list[str]]] = {}
        found: set[str] = set()
        for node in self.nodes:
            tensors = [name for name in (*self.data(node), *node.output) if len(self.shapes.get(name, [])) == 4]
            if node.op_type in CHANNELS_FIRST:
                found.update(tensors)
            if node.op_type not in REARRANGING:
                for name in tensors:
                    same.setdefault(name, []).append(tensors)
        rest = list(found)
        while rest:
            for name in (name for tensors in same.pop(rest.pop(), []) for name in tensors if name not in found):
                found.add(name)
                rest.append(name)
        return found


def _scope(name: str, root: str) -> str:
    """Return the layer in a path as "root/body_1/BiasAdd"; "" in what is no path."""
    return name.removeprefix(f"{root}/").partition("/")[0] if "/" in name else ""


def _owners(graph: _Graph) -> list[str]:
    """Return for each node the layer that it belongs to, by the path in its name.

    What the export added between layers belongs to the layer whose result it takes, a convolution that it fused to the
    one whose weights it has."""
    owners: dict[str, str] = {}
    found = []
    for node in graph.nodes:
        weights = [_scope(HELPER.sub("", name), graph.root) for name in graph.weights(node)]
        owner = _scope(node.name, graph.root)
        if HELPER.search(node.name):
            owner = next(filter(None, weights), None) if "/" not in node.name else None
            owner = owner or next((owners[name] for name in graph.data(node) if name in owners), "")
        elif not owner:
            owner = next(filter(None, weights), None) or node.name or node.output[0]
        found.append(owner)
        owners.update(dict.fromkeys(node.output, owner))
    return found


@dataclass
class _Part:
    """The operators of one Keras layer: what they take from other layers, and what they give that can be shown."""

    name: str
    nodes: list[onnx.NodeProto]
    taken: list[str]
    made: set[str]
    given: list[tuple[int, str]]  # number of the operator and name of the tensor, the last one is what is shown


def _parts(graph: _Graph) -> list[_Part]:
    suffix = "_1" if graph.root.endswith("_1") else ""  # of a model that was called a second time, for the export
    groups: dict[str, list[tuple[int, onnx.NodeProto]]] = {}
    users: dict[str, set[str]] = {}
    for index, (owner, node) in enumerate(zip(_owners(graph), graph.nodes, strict=True)):
        name = owner.removesuffix(suffix)
        groups.setdefault(name, []).append((index, node))
        for tensor in node.input:
            users.setdefault(tensor, set()).add(name)
    found = []
    for name, numbered in groups.items():
        nodes = [node for _, node in numbered]
        made = {tensor for node in nodes for tensor in node.output}
        taken = list(dict.fromkeys(tensor for node in nodes for tensor in graph.data(node) if tensor not in made))
        pairs = [(index, tensor) for index, node in numbered for tensor in node.output if graph.shown(tensor)]
        given = [(index, tensor) for index, tensor in pairs if users.get(tensor, {""}) != {name}]
        found.append(_Part(name, nodes, taken, made, given))
    return found


def _steps(graph: _Graph) -> tuple[list[_Step], dict[str, _Step]]:
    """Return the steps in the order of the data, and which of them makes each tensor.

    A layer is a step of its own where it computes something new; activations, normalisations and other orders of the
    same values belong to the step before them, but a flattening and what comes before all steps to the one after."""
    makers: dict[str, _Step] = {}
    waiting: dict[str, list[str]] = {}  # layers that belong to the step after, by the tensors that they make
    found: list[_Step] = []
    for part in _parts(graph):
        sources = [makers[tensor] for tensor in part.taken if tensor in makers]
        before = [layer for tensor in part.taken for layer in waiting.get(tensor, [])]
        starts = bool(part.name and part.given) and _starts(part, sources, graph)
        if starts:
            step = _Step([part.name, *before], inputs=part.taken)
            found.append(step)
        elif sources and not _flattens(part, graph):
            step = sources[0]
            step.layers += filter(None, [part.name])
        else:
            waiting.update(dict.fromkeys(part.made, [*before, *filter(None, [part.name])]))
            makers.update(dict.fromkeys(part.made, sources[0]) if sources else {})
            continue
        step.nodes += part.nodes
        if part.given:
            step.last, step.tensor = part.given[-1]
        makers.update(dict.fromkeys(part.made, step))
    _count(found, graph)
    return sorted(found, key=lambda step: step.last), makers


def _starts(part: _Part, sources: Sequence[_Step], graph: _Graph) -> bool:
    """Whether a layer computes something new: from several, by weights, or another number of values."""
    size = graph.size(part.given[-1][1])
    return (
        len({id(step) for step in sources}) > 1
        or any(node.op_type in WEIGHTED for node in part.nodes)
        or all(graph.size(tensor) != size for tensor in part.taken)
    )


def _flattens(part: _Part, graph: _Graph) -> bool:
    reshapes = all(node.op_type in ("Reshape", "Flatten") for node in part.nodes)
    return reshapes and bool(part.given) and len(graph.shapes[part.given[-1][1]]) == 2


def _count(steps: Sequence[_Step], graph: _Graph) -> None:
    """Give each weight to the first step that uses it, and the layers that its name tells to that step."""
    taken: set[str] = set()
    known = {layer for step in steps for layer in step.layers}
    for step in steps:
        for node in step.nodes:
            for name in graph.weights(node):
                if graph.constants[name].name not in taken:
                    taken.add(graph.constants[name].name)
                    step.weights[name] = math.prod(graph.constants[name].dims)
                layer = _scope(name, graph.root).removesuffix("_1")
                if layer and layer not in known:
                    known.add(layer)
                    step.layers.append(layer)


def _owned(steps: Sequence[_Step], counts: dict[str, int]) -> list[int]:
    """Share out the parameters of Keras layers; one that left no operator joins the layer before it."""
    places = {layer: index for index, step in enumerate(steps) for layer in step.layers}
    owned, place = [0] * len(steps), 0
    for layer, count in counts.items():
        place = places.get(layer, place)
        owned[place] += count
    return owned


def _kind(step: _Step, graph: _Graph) -> str:
    """Say in a few words what a step does."""
    said = []
    gates = {(a, b) for node in step.nodes if node.op_type == "Mul" for a in node.input for b in node.input}
    for node in step.nodes:
        text = KINDS.get(node.op_type) or ACTIVATIONS.get(node.op_type, "")
        sizes = {attribute.name: list(attribute.ints) for attribute in node.attribute if attribute.ints}
        if node.op_type in WINDOWED and sizes.get("kernel_shape"):
            text += f" {'×'.join(map(str, sizes['kernel_shape']))}"
            text += f", stride {max(sizes['strides'])}" if max(sizes.get("strides", [1])) > 1 else ""
        if node.op_type in ("MatMul", "Gemm") and not graph.weights(node):
            text = "inner product"
        if node.op_type == "Sigmoid":
            text = "SiLU" if (node.input[0], node.output[0]) in gates else "sigmoid"
        if node.op_type == "Add" and len(graph.data(node)) > 1:
            text = "sum"
        if len(graph.shapes.get(node.output[0], [])) == 6:  # rows and columns of small blocks
            text = "depth to space"
        said += [text] if node.output[0] in graph.floats else []
    return ", ".join(dict.fromkeys(filter(None, said))) or "values"
