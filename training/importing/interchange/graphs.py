"""An ONNX model as the flat list of calls in which roles are found, named as the layers of Keras that do the same.

Images are seen as height × width × channels, whatever the file's order of axes; a grid of one pixel is seen as a vector
and a score without an axis of its own as one number. A code that is drawn inside is one call of kind SAMPLING.
"""

from typing import Any

import onnx

from training.importing.configs import Network
from training.importing.graphs import Call, Graph, Layer
from training.importing.interchange.models import INTEGERS, RANDOM, Model
from training.importing.layers import Shape, Spec

# Operator → the layer of Keras as which the search for roles and ranges sees it.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "Sigmoid": ("Activation", {"activation": "sigmoid"}),
    "Tanh": ("Activation", {"activation": "tanh"}),
    "Relu": ("Activation", {"activation": "relu"}),
    "Exp": ("Activation", {"activation": "exponential"}),
    "LogSoftmax": ("Softmax", {}),
    "Gemm": ("Dense", {}),
    "Conv": ("Conv2D", {}),
    "ConvTranspose": ("Conv2DTranspose", {}),
    "Pad": ("ZeroPadding2D", {}),
    "Transpose": ("Permute", {}),
    **{name: ("Reshape", {}) for name in ("Flatten", "Squeeze", "Unsqueeze")},
    "Cast": ("Dropout", {}),
}
SAME = ("Identity", "Dropout")  # what comes out is what goes in
# What turns a label into the index that a table is asked for, as TensorFlow does for negative ones.
INDEXING = frozenset(
    """
    Cast Reshape Squeeze Unsqueeze Add Sub Mul Less Greater Equal Not Where Clip
    """.split()  # noqa: SIM905
)
# Operators whose first input and output are (N, channels, height, width).
SPATIAL = frozenset(
    """
    Conv ConvTranspose AveragePool MaxPool GlobalAveragePool GlobalMaxPool BatchNormalization InstanceNormalization
    GroupNormalization DepthToSpace SpaceToDepth
    """.split()  # noqa: SIM905
)
MOVING = frozenset(
    """
    Reshape Transpose Flatten Squeeze Unsqueeze Gather GatherND Einsum MatMul Gemm Expand Tile
    """.split()  # noqa: SIM905
)
TO_LAST, TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]
DRAWN = "draws random numbers in a way that is not understood; export encoder and decoder as networks of their own."


class OnnxGraph(Graph):
    """The calls of a model.

    Attributes:
        model: the model.
        sources: tensor → its name in the model; a tensor without one is `derived`.
        derived: tensor → (the tensor that it is a multiple of, by what).
        first: the names of tensors that are (N, channels, height, width).
    """

    def __init__(self, model: Model):
        super().__init__(Network("ONNX", "", [], [], []))
        self.model, self.assumed = model, model.assumed
        self.sources: dict[int, str] = {}
        self.first = _channels_first(model)
        self._tensors: dict[str, int] = {}
        for value in model.proto.graph.input:
            self._named(value.name, self._tensor(self.seen(value.name), value.name))
        self.inputs = tuple(self._tensors.values())
        self.integer = {self._tensors[name] for name, kind in model.kinds.items() if kind in INTEGERS}
        for node in model.proto.graph.node:
            self._add(node)
        self.outputs = tuple((value.name, self._tensors[value.name]) for value in model.proto.graph.output)

    @property
    def derived(self) -> dict[int, tuple[int, float]]:
        made = {t: self.made_by[t] for t in range(len(self.shapes)) if t in self.made_by and t not in self.sources}
        return {
            t: (call.inputs[0], call.layer.spec.arguments["scale"])
            for t, call in made.items()
            if call.layer.kind == "Rescaling"
        }

    def seen(self, name: str) -> Shape:
        """The shape of a tensor as roles see it, () for one that has no axis for the batch."""
        shape = self.model.shapes.get(name, ())
        if name in self.model.shapes and not shape and self.model.kinds.get(name) not in INTEGERS:
            return (1,)
        if len(shape) != 3:
            return shape
        height, width, channels = shape[1:] + shape[:1] if name in self.first else shape
        return (channels,) if height == width == 1 else (height, width, channels)

    def _named(self, name: str, tensor: int) -> None:
        self._tensors[name] = tensor
        self.sources[tensor] = name

    def _add(self, node: onnx.NodeProto) -> None:
        """Append the calls of a node, one for each of its outputs."""
        inputs = tuple(self._tensors[name] for name in node.input if name in self._tensors)
        for output in filter(None, node.output):
            if inputs and (node.op_type in SAME or (node.op_type in INDEXING and self.integer.issuperset(inputs))):
                self._tensors[output] = inputs[0]
                continue
            if node.op_type in RANDOM:
                tensor = self._opaque("random", inputs, output, f"The operator {node.op_type} {DRAWN}")
                self.noise.add(tensor)
            elif self.noise.intersection(inputs):
                function = {"Mul": "multiply", "Add": "add"}.get(node.op_type, node.op_type)
                drawn = self._drawn(function, inputs, output)
                tensor = self._opaque(function, inputs, output, f"The network {DRAWN}") if drawn is None else drawn
            elif inputs:
                tensor = self._call_of(node, inputs, output)
            else:
                continue  # computed of constants alone
            self._named(output, tensor)

    def _call_of(self, node: onnx.NodeProto, inputs: tuple[int, ...], output: str) -> int:
        kind, arguments = KINDS.get(node.op_type, (node.op_type, {}))
        fixed = [self.model.dims(name) for name in node.input]
        weights = tuple((name, dims) for name, dims in zip(node.input, fixed, strict=True) if dims is not None)
        if linear := _linear(node.op_type, [self.model.number(name) for name in node.input]):
            kind, arguments, weights = "Rescaling", linear, ()
        elif node.op_type == "MatMul" and weights:
            kind = "Dense"
        elif node.op_type == "Add" and weights and self._is_product(inputs):
            kind, inputs = "Dense", self.made_by[inputs[0]].inputs  # the bias belongs to the layer
        elif node.op_type == "Gather" and fixed[0] and len(fixed[0]) == 2:
            kind, arguments = "Embedding", {"input_dim": fixed[0][0]}
        elif node.op_type == "OneHot" and (depth := self.model.number(node.input[1])):
            kind, arguments = "Embedding", {"input_dim": int(depth)}
        elif kind in ("Reshape", "Dropout", "ZeroPadding2D"):
            weights = ()
        name = next((name.rpartition(".")[0] for name, _ in weights if "." in name), "") or output
        spec = Spec(arguments, self.seen(output), weights)
        self.layers[output] = layer = Layer(kind, output, spec)
        tensor = self._tensor(spec.shape, name)
        self.made_by[tensor] = call = Call(layer, inputs, tensor)
        self.calls.append(call)
        return tensor

    def _is_product(self, inputs: tuple[int, ...]) -> bool:
        call = self.made_by.get(inputs[0])
        return call is not None and call.layer.kind == "Dense" and len(call.layer.spec.weights) == 1


def _linear(operator: str, numbers: list[float | None]) -> dict[str, float] | None:
    """scale · x + offset, where an operator with one constant number is that."""
    if len(numbers) != 2 or numbers.count(None) != 1:
        return None
    behind = numbers[0] is None
    value = numbers[1] if behind else numbers[0]
    assert value is not None
    if operator == "Mul":
        return {"scale": value, "offset": 0.0}
    if operator == "Div" and behind and value:
        return {"scale": 1 / value, "offset": 0.0}
    if operator == "Add":
        return {"scale": 1.0, "offset": value}
    if operator == "Sub":
        return {"scale": 1.0, "offset": -value} if behind else {"scale": -1.0, "offset": value}
    return None


def _order(node: onnx.NodeProto) -> list[int]:
    return next((list(item.ints) for item in node.attribute if item.name == "perm"), [])


def _channels_first(model: Model) -> set[str]:
    """The tensors of four axes that are (N, channels, height, width): what convolutions take and give, and what is
    joined to it without moving an axis; for the others their shapes decide."""
    known: dict[str, bool] = {}
    grids = {name for name, shape in model.shapes.items() if len(shape) == 3}
    nodes = model.proto.graph.node
    for node in nodes:
        if node.op_type in SPATIAL:
            known |= {name: True for name in (node.input[0], node.output[0]) if name in grids}
    changed = True
    while changed:
        before = len(known)
        for node in nodes:
            beside = [name for name in (*node.input, *node.output) if name in grids]
            if node.op_type == "Transpose" and len(beside) == 2:
                order = _order(node)
                if order in (TO_LAST, TO_FIRST):
                    known |= {beside[0]: order == TO_LAST, beside[1]: order == TO_FIRST}
            elif node.op_type not in MOVING:
                told = next((known[name] for name in beside if name in known), None)
                known |= {name: told for name in beside if told is not None and name not in known}
        changed = len(known) > before
    # Whoever keeps channels last turns every tensor for its convolutions.
    turned = any(node.op_type == "Transpose" and _order(node) in (TO_LAST, TO_FIRST) for node in nodes)
    usual = model.torch or (bool(known) and not turned)
    for name in grids - known.keys():
        front, back = model.shapes[name][0] in (1, 3), model.shapes[name][2] in (1, 3)
        known[name] = front if front != back else usual
    return {name for name, first in known.items() if first}
