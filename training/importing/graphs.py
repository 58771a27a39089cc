"""A tree of networks as one flat list of calls with the shape of every tensor, computed within caps, nothing created.

Only what the outputs need is followed: losses, metrics and heads that hang beside it are left where they are.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

from training.importing import MAX_PARAMETERS, MAX_TENSOR_VALUES, Refused, configs, layers
from training.importing.configs import Network, Node, Reference
from zoo.manifest import brief

SAMPLING = "Sampling"
SAMPLING_NAMES = re.compile("sampl|reparam|latentspace", re.IGNORECASE)


@dataclass
class Layer:
    """A layer that will be made: its kind in the allow-list, its path in the tree, its spec."""

    kind: str
    path: str
    spec: layers.Spec

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Call:
    """A layer applied to tensors; every layer here has one output."""

    layer: Layer = field(compare=False)
    inputs: tuple[int, ...]
    output: int


@dataclass(frozen=True)
class Boundary:
    """Where a network inside the network begins and ends."""

    network: Network = field(compare=False)
    path: str
    inputs: tuple[int, ...]
    outputs: tuple[tuple[str, int], ...]


class Graph:
    """The calls of a network in an order that can be run.

    `shapes[t]` is the shape of tensor t without the batch axis, `names[t]` what the file calls it."""

    def __init__(self, network: Network, key: str = "", side: int | None = None):
        self.network, self.key, self.side = network, key, side
        self.shapes: list[tuple[int, ...]] = []
        self.names: list[str] = []
        self.integer: set[int] = set()
        self.calls: list[Call] = []
        self.layers: dict[str, Layer] = {}
        self.boundaries: list[Boundary] = []
        given = []
        for reference in network.inputs:
            layer = next((layer for layer in network.layers if layer.name == reference.layer), None)
            if not isinstance(layer, configs.Layer):
                raise Refused(f"The network {brief(network.name)} has no input layer {brief(reference.layer)}.")
            tensor = self._tensor(self._given(layer), layer.name)
            if "int" in str(layer.options.get("dtype", "")):
                self.integer.add(tensor)
            given.append(tensor)
        self.inputs = tuple(given)
        self.outputs = tuple(self._trace(network, self.inputs, key))
        self.made_by = {call.output: call for call in self.calls}

    @property
    def parameters(self) -> int:
        return sum(layer.spec.parameters for layer in self.layers.values())

    def between(self, starts: set[int], ends: set[int]) -> list[Call]:
        """The calls that lead from the tensors `starts` to `ends`; raises Refused when they need another input."""
        needed, rest = [], list(ends)
        seen = set(starts)
        while rest:
            tensor = rest.pop()
            if tensor in seen:
                continue
            seen.add(tensor)
            call = self.made_by.get(tensor)
            if call is None:
                raise Refused(f"The input {brief(self.names[tensor])} is needed where a part of the network begins.")
            needed.append(call)
            rest.extend(call.inputs)
        order = {id(call): index for index, call in enumerate(self.calls)}
        return sorted(needed, key=lambda call: order[id(call)])

    def _given(self, layer: configs.Layer) -> tuple[int, ...]:
        shape = configs.shape_of(layer.options)
        if shape is None:
            raise Refused(
                f"The network {brief(self.network.name)} does not say the shape of its input: save it after it was "
                "built, with an Input layer."
            )
        sizes = [self.side if size is None and self.side and len(shape) == 4 else size for size in shape[1:]]
        if any(size is None for size in sizes):
            raise Refused(
                f"The input {brief(layer.name)} is open in size {brief(shape)}: say the side of the images (side)."
            )
        if any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in sizes) or len(sizes) > 4:
            raise Refused(f"The input {brief(layer.name)} has the impossible shape {brief(shape)}.")
        return tuple(sizes)

    def _tensor(self, shape: tuple[int, ...], name: str) -> int:
        if math.prod(shape) > MAX_TENSOR_VALUES:
            raise Refused(
                f"The layer {brief(name)} gives {math.prod(shape):,} values per image, more than the "
                f"{MAX_TENSOR_VALUES:,} that are allowed."
            )
        self.shapes.append(shape)
        self.names.append(name)
        return len(self.shapes) - 1

    def _trace(self, network: Network, inputs: tuple[int, ...], path: str) -> list[tuple[str, int]]:
        """Follow one network from its inputs; returns (name, tensor) of its outputs."""
        here = {layer.name: layer for layer in network.layers}
        values: dict[tuple[str, int], list[int]] = {}
        if len(inputs) != len(network.inputs):
            raise Refused(f"The network {brief(network.name)} is called with {len(inputs)} inputs, it takes others.")
        for reference, tensor in zip(network.inputs, inputs, strict=True):
            values[reference.layer, 0] = [tensor]
        first = self._first_nodes(network)
        wanted = self._needed(network, here, first, values)
        while wanted:
            ready = [(name, node) for name, node in wanted if self._ready(here, name, node, first, values)]
            if not ready:
                raise Refused(f"The layer {brief(wanted[0][0])} is part of a loop; only feed-forward networks come in.")
            for name, node in ready:
                values[name, node] = self._call(here[name], here[name].nodes[node], first, values, path)
            wanted = [key for key in wanted if key not in values]
        found = []
        for name, reference in network.outputs:
            results = values.get(_key(reference, first), [])
            if not 0 <= reference.tensor < len(results):
                raise Refused(f"The network {brief(network.name)} has no output {brief(reference.layer)}.")
            found.append((name or reference.layer, results[reference.tensor]))
        return found

    @staticmethod
    def _first_nodes(network: Network) -> dict[str, int]:
        """The number of the first call of networks inside: Keras counts their own making as call 0."""
        inside = {layer.name for layer in network.layers if isinstance(layer, Network)}
        stated = [reference for _, reference in network.outputs]
        for layer in network.layers:
            for node in layer.nodes:
                stated += configs.references([node.arguments, node.named])
        numbers = {name: [r.node for r in stated if r.layer == name and not r.plain] for name in inside}
        return {name: int(bool(found) and 0 not in found) for name, found in numbers.items()}

    def _needed(self, network, here, first, values) -> list[tuple[str, int]]:
        rest, needed = [reference for _, reference in network.outputs], []
        seen = set(values)
        while rest:
            reference = rest.pop()
            key = _key(reference, first)
            if key in seen:
                continue
            seen.add(key)
            layer = here.get(reference.layer)
            if layer is None or not 0 <= key[1] < len(layer.nodes):
                raise Refused(
                    f"The network {brief(network.name)} refers to {brief(reference.layer)}, which is not there."
                )
            needed.append(key)
            rest.extend(configs.references([layer.nodes[key[1]].arguments, _tensors_named(layer, layer.nodes[key[1]])]))
        return needed[::-1]

    @staticmethod
    def _ready(here, name, node, first, values) -> bool:
        call = here[name].nodes[node]
        needs = configs.references([call.arguments, _tensors_named(here[name], call)])
        return all(_key(reference, first) in values for reference in needs)

    def _call(self, layer, node: Node, first, values, path: str) -> list[int]:
        def resolve(value):
            if isinstance(value, Reference):
                found = values[_key(value, first)]
                if not 0 <= value.tensor < len(found):
                    raise Refused(f"The layer {brief(layer.name)} takes an output that is not there.")
                return _Tensor(found[value.tensor])
            if isinstance(value, list):
                return [resolve(item) for item in value]
            if isinstance(value, dict):
                return {key: resolve(item) for key, item in value.items()}
            return value

        where = f"{path}/{layer.name}" if path else layer.name
        arguments = resolve(node.arguments)
        tensors = tuple(_flat(arguments))
        if isinstance(layer, Network):
            outputs = self._trace(layer, tensors, where)
            self.boundaries.append(Boundary(layer, where, tensors, tuple(outputs)))
            return [tensor for _, tensor in outputs]
        if _is_operation(layer):
            named = resolve(_tensors_named(layer, node))
            kind, options, tensors = _operation(layer, arguments, named)
            return [self._apply(kind, options, tensors, where, layer)]
        kind = layers.ALIASES.get(layer.kind, layer.kind)
        if kind not in layers.RULES:
            return [self._sampling(layer, tensors, where)]
        if node.named.get("training") is True and kind not in ("Dropout", "SpatialDropout2D", "GaussianNoise"):
            raise Refused(f"The layer {brief(layer.name)} is called in training mode; save the network without that.")
        return [self._apply(kind, layer.options, tensors, where, layer)]

    def _apply(self, kind: str, options: dict, tensors: tuple[int, ...], path: str, layer) -> int:
        where = f"The layer {brief(layer.name)} ({kind})"
        spec = layers.spec(kind, where, options, [self.shapes[t] for t in tensors])
        known = self.layers.get(path)
        if known is None:
            if kind == "ActivityRegularization":
                kind, spec = "Activation", layers.Spec({"activation": "linear"}, spec.shape)
            self.layers[path] = known = Layer(kind, path, spec)
            if self.parameters > MAX_PARAMETERS:
                raise Refused(
                    f"{where} brings the network to {self.parameters:,} parameters, more than the "
                    f"{MAX_PARAMETERS:,} that are allowed."
                )
        elif known.spec.weights != spec.weights:
            raise Refused(f"{where} is used twice with different shapes.")
        output = self._tensor(spec.shape, layer.name)
        self.calls.append(Call(known, tensors, output))
        if spec.then:
            kind, options = spec.then
            output = self._apply(kind, options, (output,), f"{path}_activation", layer)
        return output

    def _sampling(self, layer: configs.Layer, tensors: tuple[int, ...], path: str) -> int:
        """The step of a VAE that draws a code from mean and log-variance; it is cut out, its code is never read."""
        same = len(tensors) == 2 and self.shapes[tensors[0]] == self.shapes[tensors[1]]
        if same and (layer.kind == "Lambda" or SAMPLING_NAMES.search(layer.kind)):
            spec = layers.Spec({}, self.shapes[tensors[0]])
            self.layers[path] = made = Layer(SAMPLING, path, spec)
            output = self._tensor(spec.shape, layer.name)
            self.calls.append(Call(made, tensors, output))
            return output
        if layer.kind == "Lambda":
            raise Refused(
                f"The layer {brief(layer.name)} is a Lambda: it holds code, which is never run here; replace it by "
                "stock layers (Rescaling, Reshape, Activation) and save the network again."
            )
        raise Refused(
            f"The layer {brief(layer.name)} is of the class {brief(layer.kind)}, which is none of the stock layers "
            "understood here; rebuild that part of the network from stock Keras layers."
        )


def _key(reference: Reference, first: dict[str, int]) -> tuple[str, int]:
    """Layer and number of the call, counted from 0."""
    return reference.layer, reference.node - (0 if reference.plain else first.get(reference.layer, 0))


@dataclass(frozen=True)
class _Tensor:
    number: int


def _flat(value: Any):
    if isinstance(value, _Tensor):
        yield value.number
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)


def _is_operation(layer) -> bool:
    return isinstance(layer, configs.Layer) and (layer.kind == "TFOpLambda" or ".ops" in layer.module)


def _tensors_named(layer, node: Node) -> dict[str, Any]:
    """The named arguments that count: all of an operation, none of a layer (training, mask)."""
    return node.named if _is_operation(layer) else {}


def _operation(layer: configs.Layer, arguments, named) -> tuple[str, dict, tuple[int, ...]]:
    """A function on tensors (`x * 2`, `tf.nn.relu(x)`, `keras.ops.add(x, y)`) as the stock layer that does the same."""
    stated = str(layer.options.get("function", "")) if layer.kind == "TFOpLambda" else layer.kind
    function = re.sub("[^a-z]", "", stated.rpartition(".")[2].lower())
    function = {"addv": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "truedivide": "divide",
                "realdiv": "divide", "concat": "concatenate", "leakyrelu": "leaky_relu",
    }.get(function, function)  # fmt: skip
    values = [*arguments, *(named[k] for k in ("x1", "x2", "x", "y", "b", "values", "axis", "shape") if k in named)]
    tensors = tuple(_flat(values))
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    name = layers.ACTIVATION_ALIASES.get(function, function)
    if len(tensors) == 1 and name == "leaky_relu":
        return "LeakyReLU", {"negative_slope": named.get("alpha", named.get("negative_slope", 0.2))}, tensors
    if len(tensors) == 1 and name in layers.ACTIVATIONS and not numbers:
        return "Activation", {"activation": name}, tensors
    if len(tensors) == 1 and name in ("identity", "stopgradient", "converttotensor", "cast"):
        return "Activation", {"activation": "linear"}, tensors
    if len(tensors) == 1 and name == "reshape":
        target = next((v for v in [*values, layer.options.get("newshape")] if isinstance(v, list)), [])
        return "Reshape", {"target_shape": target[1:]}, tensors
    if len(tensors) == 1 and len(numbers) == 1 and name in ("add", "subtract", "multiply", "divide"):
        number, leads = float(numbers[0]), values and not isinstance(values[0], _Tensor)
        if name == "add":
            return "Rescaling", {"scale": 1.0, "offset": number}, tensors
        if name == "subtract":
            return "Rescaling", {"scale": -1.0 if leads else 1.0, "offset": number if leads else -number}, tensors
        if name == "multiply":
            return "Rescaling", {"scale": number, "offset": 0.0}, tensors
        if not leads and number:
            return "Rescaling", {"scale": 1.0 / number, "offset": 0.0}, tensors
    if len(tensors) == 2 and name in ("add", "subtract", "multiply", "maximum", "minimum") and not numbers:
        return name.title(), {}, tensors
    if len(tensors) > 1 and name == "concatenate":
        return "Concatenate", {"axis": layer.options.get("axis", numbers[0] if numbers else -1)}, tensors
    raise Refused(
        f"The layer {brief(layer.name)} is the function {brief(stated)}, which has no stock layer that does the same; "
        "rebuild that part of the network from stock Keras layers."
    )
