"""The arguments of one layer as a configuration states them, read with bounds, and the register of rules.

A rule reads the arguments of one layer and the shapes of its inputs (without the batch axis) and gives a `Spec`:
arguments for the stock layer of that name, the shape of its output and the shapes of its weights in Keras' order.
Nothing is created here, so a layer of 10⁹ units costs nothing before it is refused.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from training.importing import Refused
from training.importing.layers.names import ALIASES
from zoo.manifest import brief

Shape = tuple[int, ...]

ACTIVATIONS = frozenset(
    "linear relu relu6 sigmoid tanh softmax elu selu softplus softsign silu gelu leaky_relu exponential mish".split()  # noqa: SIM905
)
ACTIVATION_ALIASES = {"swish": "silu", "exp": "exponential"}
# Layers that may stand where a layer names its activation; they become calls of their own.
ACTIVATION_LAYERS = frozenset({"LeakyReLU", "ReLU", "ELU", "Softmax", "Activation"})
# Arguments that do not change what a trained layer computes.
IGNORED = frozenset(
    """
    name trainable dtype batch_input_shape batch_shape input_shape input_dtype input_dim input_length sparse ragged
    optional autocast seed implementation fused synchronized noise_shape quantization_config lora_rank lora_alpha
    mask_zero momentum init shared_object_id virtual_batch_size adjustment renorm_clipping renorm_momentum
    build_input_shape
    """.split()  # noqa: SIM905
)
IGNORED_ENDS = ("_initializer", "_regularizer", "_constraint", "_init")


@dataclass(frozen=True)
class Spec:
    """What a layer is: arguments for the stock layer, output shape, weights as (name, shape)."""

    arguments: dict[str, Any]
    shape: Shape
    weights: tuple[tuple[str, Shape], ...] = ()
    then: tuple[str, dict] | None = None  # an activation that is a layer of its own

    @property
    def parameters(self) -> int:
        return sum(math.prod(shape) for _, shape in self.weights)


@dataclass
class Arguments:
    """The arguments of one layer, read with bounds; what nobody asked for is refused at the end."""

    kind: str
    where: str
    values: dict[str, Any]
    used: set[str] = field(default_factory=set)
    then: tuple[str, dict] | None = None

    def get(self, key: str, default: Any = None) -> Any:
        self.used.add(key)
        return self.values.get(key, default)

    def refuse(self, key: str, wanted: str) -> Refused:
        return Refused(f"{self.where} has {key} = {brief(self.values.get(key))}, where {wanted} is understood.")

    def whole(self, key: str, default: Any = None, low: int = 1, high: int = 1 << 40) -> int:
        value = whole(self.get(key, default))
        if value is None or not low <= value <= high:
            raise self.refuse(key, f"a whole number from {low} to {high}")
        return value

    def wholes(self, key: str, default: Any, count: int = 2, low: int = 1, high: int = 1 << 20) -> Shape:
        value = self.get(key, default)
        value = [value] * count if whole(value) is not None else value
        listed = list(map(whole, value)) if isinstance(value, list | tuple) else []
        found = tuple(item for item in listed if item is not None and low <= item <= high)
        if len(listed) != count or len(found) != count:
            raise self.refuse(key, f"{count} whole numbers from {low} up")
        return found

    def number(self, key: str, default: float | None = None) -> float:
        found = self.optional(key, default)
        if found is None:
            raise self.refuse(key, "a finite number")
        return found

    def optional(self, key: str, default: float | None = None) -> float | None:
        """A finite number, or None where None is said."""
        value = self.get(key, default)
        if isinstance(value, dict):  # numpy scalars of some ages: {"type": "ndarray", "value": 0.2}
            value = value.get("value")
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e30:
            raise self.refuse(key, "a finite number")
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        value = self.get(key, default)
        if not isinstance(value, bool | int) or value not in (0, 1):
            raise self.refuse(key, "true or false")
        return bool(value)

    def only(self, key: str, *allowed: Any) -> None:
        """Accept only values that leave a layer what it is; a missing key is one of them."""
        value = self.get(key, allowed[0])
        if _plain(value) not in [_plain(item) for item in allowed]:
            raise self.refuse(key, " or ".join(map(repr, allowed)))

    def choice(self, key: str, default: str, *allowed: str) -> str:
        value = self.get(key, default)
        if value not in allowed:
            raise self.refuse(key, " or ".join(allowed))
        return value

    def activation(self, default: str = "linear", key: str = "activation") -> dict[str, str]:
        """The layer's activation as an argument; one that is a layer becomes `then`."""
        value = self.get(key, default)
        kind = value.get("class_name") if isinstance(value, dict) else None
        if isinstance(value, dict) and isinstance(kind, str) and ALIASES.get(kind, kind) in RULES:
            options = value.get("config")
            if kind not in ACTIVATION_LAYERS or not isinstance(options, dict) or key != "activation":
                raise self.refuse(key, "a stock activation without weights")
            self.then = (kind, options)
            return {}
        if isinstance(value, dict):  # {"class_name": "function", "config": "tanh"}
            value = value.get("config")
            value = value.get("activation", value.get("name")) if isinstance(value, dict) else value
            value = value if isinstance(value, str) else ""
        name = "linear" if value is None else ACTIVATION_ALIASES.get(value, value) if isinstance(value, str) else None
        if name not in ACTIVATIONS:
            raise self.refuse(key, f"one of {', '.join(sorted(ACTIVATIONS))}")
        return {} if name in (None, "linear") else {"activation": name}

    def finish(self, arguments: dict[str, Any], shape: Shape, *weights: tuple[str, Shape]) -> Spec:
        unknown = [key for key in self.values if key not in self.used | IGNORED and not key.endswith(IGNORED_ENDS)]
        if unknown:
            raise Refused(f"{self.where} has the argument {brief(unknown[0])}, which is not understood.")
        if any(size < 1 for size in shape):
            raise Refused(f"{self.where} would give a result of shape {shape}: its input is too small for it.")
        return Spec(arguments, shape, tuple(weights), self.then)


def whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e18:
        return None
    return int(value) if int(value) == value else None


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


Rule = Callable[[Arguments, Sequence[Shape]], Spec]
RULES: dict[str, tuple[Rule, int | None]] = {}  # kind → (rule, number of inputs; None: two or more)


def rule(*kinds: str, inputs: int | None = 1) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        for kind in kinds:
            RULES[kind] = (function, inputs)
        return function

    return register


def spec(kind: str, where: str, arguments: dict[str, Any], shapes: Sequence[Shape]) -> Spec:
    """The spec of a layer of the allow-list for inputs of these shapes; raises Refused."""
    function, count = RULES[kind]
    if (count is not None and len(shapes) != count) or (count is None and len(shapes) < 2):
        raise Refused(f"{where} is called with {len(shapes)} inputs, not {count or 'two or more'}.")
    known = {key: value for key, value in arguments.items() if isinstance(key, str)}
    return function(Arguments(kind, where, known), shapes)


def axes_of(a: Arguments, key: str, rank: int, default: Any = -1) -> list[int]:
    """Axes as counted without the batch axis, from 0."""
    value = a.get(key, default)
    value = value if isinstance(value, list | tuple) else [value]
    listed = [whole(item) for item in value]
    found = [item for item in listed if item and -rank <= item <= rank]
    if len(found) != len(listed):
        raise a.refuse(key, f"an axis of a tensor of rank {rank + 1} other than the batch")
    return [item - 1 if item > 0 else item + rank for item in found]


def numbers(value: Any, most: int) -> list[float] | None:
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    value = value if isinstance(value, list) else [value]
    if len(value) > most or any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        return None
    return [float(v) for v in value] if all(abs(v) < 1e30 for v in value) else None
