"""Functions on tensors (`x * 2`, `tf.nn.relu(x)`, `keras.ops.add(x, y)`) as the stock layers that do the same.

What no stock layer does becomes an opaque step: it is refused only where a network that comes in needs it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from training.importing import configs, layers
from training.importing.configs import Network, Node
from zoo.manifest import brief

OPAQUE = "Opaque"
SYNONYMS = {
    "addv": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "truedivide": "divide", "realdiv":
    "divide", "concat": "concatenate", "leakyrelu": "leaky_relu", "getitem": "slice",
}  # fmt: skip
NAMED = ("x1", "x2", "x", "y", "b", "values", "axis", "shape", "num_or_size_splits", "indices_or_sections")
IDENTITIES = ("identity", "stopgradient", "converttotensor", "cast")
RANDOM = re.compile("^(random)?(normal|uniform|gaussian)$|^random")


@dataclass(frozen=True)
class Tensor:
    """A tensor of a graph by its number."""

    number: int


@dataclass(frozen=True)
class Constant:
    """An array that a configuration holds, as nested lists of numbers."""

    value: Any

    @property
    def shape(self) -> tuple[int, ...]:
        value, found = self.value, []
        while isinstance(value, list) and len(found) < 8:
            found.append(len(value))
            value = value[0] if value else None
        return tuple(found)


@dataclass(frozen=True)
class Step:
    """A layer of the allow-list, or OPAQUE, on tensors; the options of an opaque one are its function and why it is
    refused."""

    kind: str
    options: dict[str, Any]
    inputs: tuple[int, ...]


def is_operation(layer: configs.Layer | Network) -> bool:
    """Whether a layer of a configuration is a function on tensors."""
    if not isinstance(layer, configs.Layer):
        return False
    return layer.kind in ("TFOpLambda", "SlicingOpLambda") or ".ops" in layer.module


def tensors_named(layer: configs.Layer | Network, node: Node) -> dict[str, Any]:
    """The named arguments that hold tensors: all of a function, none of a stock layer (training, mask), those of a
    layer of its own class that is called by name alone."""
    if is_operation(layer):
        return node.named
    known = isinstance(layer, Network) or layers.ALIASES.get(layer.kind, layer.kind) in layers.RULES
    return {} if known or node.arguments else {k: v for k, v in node.named.items() if k not in ("training", "mask")}


def tensors(value: Any) -> Iterator[int]:
    """The numbers of all tensors in nested arguments, in order."""
    if isinstance(value, Tensor):
        yield value.number
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors(item)


def function_of(layer: configs.Layer) -> str:
    """The function that a layer applies, in one spelling: tf.math.multiply and keras.ops.Multiply → multiply."""
    stated = str(layer.options.get("function", "")) if layer.kind.endswith("OpLambda") else layer.kind
    name = re.sub("[^a-z]", "", stated.rpartition(".")[2].lower())
    name = SYNONYMS.get(name, name)
    return "random" if RANDOM.search(name) and ("random" in stated.lower() or "normal" in name) else name


def steps(layer: configs.Layer, arguments: list[Any], named: dict[str, Any], shapes: list) -> list[Step]:
    """What a function does, as one step for each of its results.

    Args:
        layer: its description.
        arguments, named: what it is called with, a Tensor or Constant in place of each array.
        shapes: of all tensors by number, without the batch axis.
    """
    function = function_of(layer)
    values = [*arguments, *(named[key] for key in NAMED if key in named)]
    given = tuple(tensors([values, named.get("slice_spec")]))
    if function == "slice" or function.startswith("split"):
        found = _slices(layer, function, values, named, given, shapes)
    elif len(given) == 1:
        found = _of_one(layer, function, values, named, given)
    else:
        found = _of_several(layer, function, values, given)
    if found:
        return found
    stated = layer.options.get("function") if layer.kind.endswith("OpLambda") else layer.kind
    reason = (
        f"The layer {brief(layer.name)} is the function {brief(stated)}, which has no stock layer that does the same; "
        "rebuild that part of the network from stock Keras layers."
    )
    return [Step(OPAQUE, {"function": function, "reason": reason}, given)]


def _of_one(layer, function: str, values: list, named: dict, given: tuple[int, ...]) -> list[Step]:
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    name = layers.ACTIVATION_ALIASES.get(function, function)
    if any(isinstance(value, Constant) for value in values):
        return []
    if name == "leaky_relu":
        return [Step("LeakyReLU", {"negative_slope": named.get("alpha", named.get("negative_slope", 0.2))}, given)]
    if name in layers.ACTIVATIONS and not numbers:
        return [Step("Activation", {"activation": name}, given)]
    if name in IDENTITIES:
        return [Step("Activation", {"activation": "linear"}, given)]
    if name == "reshape":
        target = next((v for v in [*values, layer.options.get("newshape")] if isinstance(v, list)), [])
        if any(isinstance(size, Tensor) for size in target[:1]):  # reshape(x, (tf.shape(x)[0], 7, 7, 8))
            target = [None, *target[1:]]
        return [Step("Reshape", {"target_shape": target[1:]}, given[:1])]
    if name == "depthtospace":
        return []
    if len(numbers) != 1 or name not in ("add", "subtract", "multiply", "divide"):
        return []
    number, leads = float(numbers[0]), bool(values) and not isinstance(values[0], Tensor)
    if name == "divide" and (leads or not number):
        return []
    scale, offset = {
        "add": (1.0, number),
        "subtract": (-1.0, number) if leads else (1.0, -number),
        "multiply": (number, 0.0),
        "divide": (1.0 / number if number else 1.0, 0.0),
    }[name]
    return [Step("Rescaling", {"scale": scale, "offset": offset}, given)]


def _of_several(layer, function: str, values: list, given: tuple[int, ...]) -> list[Step]:
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(given) == 2 and function in ("add", "subtract", "multiply", "maximum", "minimum") and not numbers:
        return [Step(function.title(), {}, given)]
    if len(given) > 1 and function == "concatenate":
        axis = layer.options.get("axis", numbers[0] if numbers else -1)
        return [Step("Concatenate", {"axis": axis}, given)]
    return []


def _slices(layer, function: str, values: list, named: dict, given: tuple[int, ...], shapes: list) -> list[Step]:
    """Parts of vectors: z[:, :2], or all parts of tf.split(z, 2, axis=1)."""
    if len(given) != 1 or len(shapes[given[0]]) != 1:
        return []
    (length,) = shapes[given[0]]
    if function.startswith("split"):
        parts = next((v for v in values if isinstance(v, int) and v > 1), layer.options.get("indices_or_sections"))
        if not isinstance(parts, int) or not 1 < parts <= 16 or length % parts:
            return []
        size = length // parts
        return [Step("Slice", {"start": i * size, "stop": (i + 1) * size}, given) for i in range(parts)]
    spec = named.get("slice_spec", values[1] if len(values) > 1 else None)
    if not isinstance(spec, list) or len(spec) != 2 or not all(isinstance(item, dict) for item in spec):
        return []
    first, second = (item.get("config", item) for item in spec)
    if any(value is not None for value in first.values()) or second.get("step") not in (None, 1):
        return []
    bounds = slice(second.get("start"), second.get("stop"))
    if any(bound is not None and not isinstance(bound, int) for bound in (bounds.start, bounds.stop)):
        return []
    start, stop, _ = bounds.indices(length)
    return [Step("Slice", {"start": start, "stop": stop}, given)] if start < stop else []
