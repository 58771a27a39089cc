"""The layers of an ONNX network: which operators make each, which tensor it gives, in which shape."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import onnx

BATCH = 251  # images for which shapes are inferred: a prime that is no size of a layer, so it tells the batch axis
MAX_LAYERS = 200
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
    "ReduceMean": "mean", "TopK": "largest", "Resize": "enlarged", "Tile": "enlarged", "Pad": "padded", "Slice": "cropped", "Sub": "difference",
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
    how many numbers were trained for it; inputs: the names of the layers that it takes from, "" for the network's input.
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
    for step in steps:
        step.name = next((layer for layer in step.layers if layer in (counts or ())), step.layers[0])
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
        for value in graph.input:
            value.type.tensor_type.shape.dim[0].dim_value = BATCH
        for value in graph.output:
            value.type.tensor_type.ClearField("shape")
        del graph.value_info[:]
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
        known = [*inferred.value_info, *inferred.output, *graph.input]
        types = {value.name: value.type.tensor_type for value in known}
        self.shapes = {name: [dim.dim_value for dim in kind.shape.dim] for name, kind in types.items()}
        self.floats = {name for name, kind in types.items() if kind.elem_type == onnx.TensorProto.FLOAT}
        self.inputs = [value.name for value in graph.input]
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
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
        floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
        return [n for n in node.input if n in self.constants and self.constants[n].data_type in floats and self.constants[n].dims]  # fmt: skip

    def shown(self, tensor: str) -> bool:
        """Whether a tensor is one map or vector of numbers for each image."""
        shape = self.shapes.get(tensor, [])
        return tensor in self.floats and len(shape) in (2, 4) and shape[0] == BATCH and min(shape) > 0

    def size(self, tensor: str) -> int:
        return math.prod(self.shapes.get(tensor, [0]))

    def _channels_first(self) -> set[str]:
        """Return the tensors of rank 4 whose second axis is the channels: what touches a convolution, and what has the
        same axes."""
        found: set[str] = set()
        groups = []
        for node in self.nodes:
            tensors = {name for name in (*node.input, *node.output) if name in self.dynamic and len(self.shapes.get(name, [])) == 4}  # fmt: skip
            if node.op_type in CHANNELS_FIRST:
                found |= tensors
            if node.op_type not in REARRANGING:
                groups.append(tensors)
        grown = -1
        while grown != len(found):
            grown = len(found)
            for tensors in groups:
                if tensors & found:
                    found |= tensors
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


def _steps(graph: _Graph) -> tuple[list[_Step], dict[str, _Step]]:
    """Return the steps in the order of the data, and which of them makes each tensor."""
    owners = _owners(graph)
    suffix = "_1" if graph.root.endswith("_1") else ""  # of a model that was called a second time, for the export
    layers: dict[str, list[tuple[int, onnx.NodeProto]]] = {}
    for index, (owner, node) in enumerate(zip(owners, graph.nodes, strict=True)):
        layers.setdefault(owner.removesuffix(suffix), []).append((index, node))
    made: dict[str, _Step] = {}  # by tensor
    waiting: dict[str, list[str]] = {}  # layers before any that is shown, by the tensors that they give
    found = []
    for name, nodes in sorted(layers.items(), key=lambda item: item[1][0][0]):
        inside = {tensor for _, node in nodes for tensor in node.output}
        outside = dict.fromkeys(tensor for _, node in nodes for tensor in graph.data(node) if tensor not in inside)
        given = [(i, tensor) for i, node in nodes for tensor in node.output if graph.shown(tensor) and _leaves(tensor, inside, graph)]  # fmt: skip
        sources = list(dict.fromkeys(id(made[t]) for t in outside if t in made))
        before = [layer for tensor in outside for layer in waiting.get(tensor, [])]
        starts = _starts(nodes, list(outside), given, graph) or len(sources) > 1
        flattens = bool(given) and not starts and all(node.op_type in ("Reshape", "Flatten") for _, node in nodes) and len(graph.shapes[given[-1][1]]) == 2  # fmt: skip
        if not name or (not starts and not sources) or not given or flattens:
            if sources and not flattens and not starts:  # an order of values that is not shown, as of six axes
                step = made[next(tensor for tensor in outside if tensor in made)]
                step.nodes += [node for _, node in nodes]
                step.layers.append(name)
                made.update(dict.fromkeys(inside, step))
                continue
            waiting.update(dict.fromkeys(inside, [*before, *filter(None, [name])]))
            for tensor in outside:
                if tensor in made:
                    made.update(dict.fromkeys(inside, made[tensor]))
            continue
        if starts:
            step = _Step([name, *before], inputs=list(outside))
            found.append(step)
        else:
            step = made[next(tensor for tensor in outside if tensor in made)]
            step.layers.append(name)
        step.nodes += [node for _, node in nodes]
        step.last, step.tensor = given[-1]
        made.update(dict.fromkeys(inside, step))
    _count(found, graph)
    return sorted(found, key=lambda step: step.last), made


def _leaves(tensor: str, inside: set[str], graph: _Graph) -> bool:
    """Whether a layer's tensor is used by other layers, or is the network's output."""
    users = [node for node in graph.nodes if tensor in node.input]
    return not users or any(not inside.intersection(node.output) for node in users)


def _starts(nodes: Sequence, outside: Sequence[str], given: Sequence, graph: _Graph) -> bool:
    """Whether a layer computes something new: it has weights of its own kind, or another number of values."""
    if not given or not outside:
        return bool(given)
    weighted = any(node.op_type in WEIGHTED for _, node in nodes)
    return weighted or all(graph.size(tensor) != graph.size(given[-1][1]) for tensor in outside)


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
    for node in step.nodes:
        text = KINDS.get(node.op_type) or ACTIVATIONS.get(node.op_type, "")
        attributes = {a.name: list(a.ints) for a in node.attribute if a.ints}
        if node.op_type in ("Conv", "ConvTranspose", "AveragePool", "MaxPool") and attributes.get("kernel_shape"):
            text += f" {'×'.join(map(str, attributes['kernel_shape']))}"
            if max(attributes.get("strides", [1])) > 1:
                text += f", stride {max(attributes['strides'])}"
        if node.op_type in ("MatMul", "Gemm") and not graph.weights(node):
            text = "inner product"
        if node.op_type == "Sigmoid":
            gates = [
                n for n in step.nodes if n.op_type == "Mul" and node.output[0] in n.input and node.input[0] in n.input
            ]
            text = "SiLU" if gates else "sigmoid"
        if node.op_type == "Add" and len(graph.data(node)) > 1:
            text = "sum"
        if len(graph.shapes.get(node.output[0], [])) == 6:  # rows and columns of small blocks
            text = "depth to space"
        said += [text] if node.output[0] in graph.floats else []
    return ", ".join(dict.fromkeys(filter(None, said))) or "values"
