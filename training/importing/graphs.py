"""A tree of networks as one flat list of calls with the shape of every tensor, computed within caps, nothing created.

Only what the outputs need is followed: losses, metrics and heads that hang beside it are left where they are. The step
of a VAE that draws a code from mean and log-variance, a layer of its own class or arithmetic on tensors, becomes one
call of kind SAMPLING, at which the network can be cut.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

from training.importing import MAX_PARAMETERS, MAX_TENSOR_VALUES, Refused, configs, lambdas, layers, operations
from training.importing.configs import Network, Node, Reference
from training.importing.operations import OPAQUE, Constant, Step, Tensor
from zoo.manifest import brief

SAMPLING = "Sampling"
SIDE = 64  # of images whose size a network leaves open, where nobody says it
SAMPLING_NAMES = re.compile("sampl|reparam|latentspace", re.IGNORECASE)
LOG_VARIANCE = re.compile("var|sigma|std|log", re.IGNORECASE)


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
        self.assumed: int | None = None  # the side that was taken for images whose size is open
        self.shapes: list[tuple[int, ...]] = []
        self.names: list[str] = []
        self.integer: set[int] = set()
        self.calls: list[Call] = []
        self.layers: dict[str, Layer] = {}
        self.boundaries: list[Boundary] = []
        self.made_by: dict[int, Call] = {}
        self.noise: set[int] = set()  # tensors that hold random numbers, or what arithmetic makes of them
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
        sizes = list(shape[1:])
        if len(sizes) == 3 and sizes[:2] == [None, None]:
            self.assumed = None if self.side else SIDE
            sizes[:2] = [self.side or SIDE] * 2
        if any(size is None for size in sizes):
            raise Refused(
                f"The input {brief(layer.name)} is open in size {brief(shape)}: say the side of the images (side)."
            )
        found = tuple(n for n in sizes if isinstance(n, int) and not isinstance(n, bool) and n >= 1)
        if len(found) != len(sizes) or len(sizes) > 4:
            raise Refused(f"The input {brief(layer.name)} has the impossible shape {brief(shape)}.")
        return found

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

    def _needed(self, network: Network, here, first, values) -> list[tuple[str, int]]:
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
            rest.extend(
                configs.references(
                    [layer.nodes[key[1]].arguments, operations.tensors_named(layer, layer.nodes[key[1]])]
                )
            )
        return needed[::-1]

    @staticmethod
    def _ready(here, name, node, first, values) -> bool:
        call = here[name].nodes[node]
        needs = configs.references([call.arguments, operations.tensors_named(here[name], call)])
        return all(_key(reference, first) in values for reference in needs)

    def _call(self, layer: configs.Layer | Network, node: Node, first, values, path: str) -> list[int]:
        """Apply a layer to what its node names; returns the tensors that it gives."""

        def resolve(value: Any) -> Any:
            if isinstance(value, Reference):
                found = values[_key(value, first)]
                if not 0 <= value.tensor < len(found):
                    raise Refused(f"The layer {brief(layer.name)} takes an output that is not there.")
                return Tensor(found[value.tensor])
            if isinstance(value, list):
                return [resolve(item) for item in value]
            if isinstance(value, dict):
                if value.get("class_name") in ("__tensor__", "__numpy__"):
                    held = value.get("config") or {}
                    held = held.get("value") if isinstance(held, dict) else held
                    return Constant(held) if isinstance(held, list) else held
                return {key: resolve(item) for key, item in value.items()}
            return value

        where = f"{path}/{layer.name}" if path else layer.name
        arguments, named = resolve(node.arguments), resolve(operations.tensors_named(layer, node))
        inputs = tuple(operations.tensors([arguments, named]))
        if isinstance(layer, Network):
            outputs = self._trace(layer, inputs, where)
            self.boundaries.append(Boundary(layer, where, inputs, tuple(outputs)))
            return [tensor for _, tensor in outputs]
        if operations.is_operation(layer):
            steps = operations.steps(layer, arguments, named, self.shapes)
            numbered = [(step, f"{where}_{index}" if index else where) for index, step in enumerate(steps)]
            return [self._step(step, place, layer) for step, place in numbered]
        kind, options = layers.unwrapped(layer.kind, layer.options)
        if kind == "Lambda" and len(inputs) == 1 and (form := lambdas.scaling(options)):
            kind, options = "Rescaling", form
        if kind not in layers.RULES:
            return [self._sampling(layer, kind, inputs, where)]
        if node.named.get("training") is True and kind == "BatchNormalization":
            raise Refused(f"The layer {brief(layer.name)} is called in training mode; save the network without that.")
        return [self._apply(kind, options, inputs, where, layer)]

    def _apply(self, kind: str, options: dict, inputs: tuple[int, ...], path: str, layer: configs.Layer) -> int:
        where = f"The layer {brief(layer.name)} ({kind})"
        if self.noise.intersection(inputs):
            return self._opaque(
                kind.lower(), inputs, path, f"{where} reads random numbers, which no stock layer draws."
            )
        spec = layers.spec(kind, where, options, [self.shapes[t] for t in inputs])
        known = self.layers.get(path)
        if known is None:
            if kind in layers.IDENTITIES:
                kind, spec = "Activation", layers.Spec({"activation": "linear"}, spec.shape)
            self.layers[path] = known = Layer(kind, path, spec)
            if self.parameters > MAX_PARAMETERS:
                raise Refused(
                    f"{where} brings the network to {self.parameters:,} parameters, more than the "
                    f"{MAX_PARAMETERS:,} that are allowed."
                )
        elif known.spec.weights != spec.weights:
            raise Refused(f"{where} is used twice with different shapes.")
        output = self._called(known, inputs, spec.shape)
        if spec.then:
            kind, options = spec.then
            output = self._apply(kind, options, (output,), f"{path}_activation", layer)
        return output

    def _called(self, layer: Layer, inputs: tuple[int, ...], shape: tuple[int, ...]) -> int:
        output = self._tensor(shape, layer.name)
        call = Call(layer, inputs, output)
        self.calls.append(call)
        self.made_by[output] = call
        return output

    # Random codes ----------------------------------------------------------------------------------------------------

    def _step(self, step: Step, path: str, layer: configs.Layer) -> int:
        """Apply a function; one on random numbers, or that no stock layer does, is kept as an opaque step."""
        function = operations.function_of(layer)
        if function == "random" or (step.kind == OPAQUE and function in ("multiply", "add") and len(step.inputs) == 1):
            # A product with an array is what Keras 3 keeps of noise that was drawn once, when the network was built.
            output = self._opaque(function, step.inputs, path, str(step.options.get("reason", "")))
            self.noise.add(output)
            return output
        if self.noise.intersection(step.inputs):
            code = self._drawn(function, step.inputs, path)
            if code is not None:
                return code
        if step.kind == OPAQUE or self.noise.intersection(step.inputs):
            reason = step.options.get("reason") or (
                f"The layer {brief(layer.name)} draws random numbers in a way that is not understood; save encoder and "
                "decoder as networks of their own."
            )
            return self._opaque(function, step.inputs, path, reason)
        return self._apply(step.kind, step.options, step.inputs, path, layer)

    def _opaque(self, function: str, inputs: tuple[int, ...], path: str, reason: str) -> int:
        """A step that is never built; its shape is that of its largest input."""
        shape = max((self.shapes[t] for t in inputs), key=lambda shape: (len(shape), math.prod(shape)), default=())
        if function == "shape":
            shape = ()
        self.layers[path] = made = Layer(OPAQUE, path, layers.Spec({"function": function, "reason": reason}, shape))
        output = self._called(made, inputs, shape)
        if self.noise.intersection(inputs):
            self.noise.add(output)
        return output

    def _drawn(self, function: str, inputs: tuple[int, ...], path: str) -> int | None:
        """The code mean + exp(log-variance / 2) · noise as one call of SAMPLING; None for what is another sum."""
        if function != "add" or len(inputs) != 2:
            return None
        noisy, mean = sorted(inputs, key=lambda tensor: tensor not in self.noise)
        product = self.made_by.get(noisy)
        if mean in self.noise or product is None:
            return None
        if product.layer.spec.arguments.get("function") == "multiply":
            factors = [t for t in product.inputs if t not in self.noise]
        else:
            factors = []
        exponential = self.made_by.get(factors[0]) if len(factors) == 1 else None
        if exponential is None or exponential.layer.spec.arguments.get("activation") != "exponential":
            return None
        log_variance, halved = exponential.inputs[0], self.made_by.get(exponential.inputs[0])
        if halved and halved.layer.kind == "Rescaling" and halved.layer.spec.arguments == {"scale": 0.5, "offset": 0.0}:
            log_variance = halved.inputs[0]
        else:  # exp(x) · noise: x is the logarithm of the deviation
            spec = layers.Spec({"scale": 2.0, "offset": 0.0}, self.shapes[log_variance])
            self.layers[f"{path}_twice"] = twice = Layer("Rescaling", f"{path}_twice", spec)
            log_variance = self._called(twice, (log_variance,), spec.shape)
        if self.shapes[mean] != self.shapes[log_variance]:
            return None
        self.layers[path] = made = Layer(SAMPLING, path, layers.Spec({}, self.shapes[mean]))
        return self._called(made, (mean, log_variance), self.shapes[mean])

    def _sampling(self, layer: configs.Layer, kind: str, inputs: tuple[int, ...], path: str) -> int:
        """A layer of its own class that draws a code from mean and log-variance; it is cut out, its code never read."""
        same = len(inputs) in (2, 3) and len({self.shapes[t] for t in inputs}) == 1
        names = [self.names[t] for t in inputs]
        heads = len(inputs) == 2 and [bool(LOG_VARIANCE.search(name)) for name in names] == [False, True]
        if same and (kind == "Lambda" or heads or SAMPLING_NAMES.search(f"{kind} {layer.name}")):
            self.layers[path] = made = Layer(SAMPLING, path, layers.Spec({}, self.shapes[inputs[0]]))
            return self._called(made, inputs, self.shapes[inputs[0]])
        if kind == "Lambda":
            raise Refused(
                f"The layer {brief(layer.name)} is a Lambda: it holds code, which is never run here; replace it by "
                "stock layers (Rescaling, Reshape, Activation) and save the network again."
            )
        if kind in layers.STOCK:
            raise Refused(
                f"The layer {brief(layer.name)} is a {kind}, a stock layer that is not understood here; rebuild that "
                "part of the network from convolutions, Dense and what goes with them."
            )
        raise Refused(
            f"The layer {brief(layer.name)} is of the class {brief(layer.kind)}, its author's own class, which is none "
            "of the stock layers understood here; rebuild that part of the network from stock Keras layers."
        )


def _key(reference: Reference, first: dict[str, int]) -> tuple[str, int]:
    """Layer and number of the call, counted from 0."""
    return reference.layer, reference.node - (0 if reference.plain else first.get(reference.layer, 0))
