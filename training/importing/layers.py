"""The allow-list of layers: what a description may say, and the shapes and weights that follow from it.

A rule reads the arguments of one layer and the shapes of its inputs (without the batch axis) and gives a `Spec`:
arguments for the stock layer of that name, the shape of its output and the shapes of its weights in Keras' order.
Nothing is created here, so a layer of 10⁹ units costs nothing before it is refused.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from training.importing import Refused
from zoo.manifest import brief

Shape = tuple[int, ...]

ACTIVATIONS = frozenset(
    "linear relu relu6 sigmoid tanh softmax elu selu softplus softsign silu gelu leaky_relu exponential mish".split()  # noqa: SIM905
)
ACTIVATION_ALIASES = {"swish": "silu", "exp": "exponential"}
# Layers that may stand where a layer names its activation; they become calls of their own.
ACTIVATION_LAYERS = frozenset({"LeakyReLU", "ReLU", "ELU", "Softmax", "Activation"})
ALIASES = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "MaxPool2D": "MaxPooling2D",
    "AvgPool2D": "AveragePooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
}
# Arguments that do not change what a trained layer computes.
IGNORED = frozenset(
    """
    name trainable dtype batch_input_shape batch_shape input_shape input_dtype input_dim input_length sparse ragged
    optional autocast seed implementation fused synchronized noise_shape quantization_config lora_rank lora_alpha
    mask_zero momentum virtual_batch_size adjustment renorm_clipping renorm_momentum build_input_shape
    """.split()  # noqa: SIM905
)
IGNORED_ENDS = ("_initializer", "_regularizer", "_constraint")


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
        value = _whole(self.get(key, default))
        if value is None or not low <= value <= high:
            raise self.refuse(key, f"a whole number from {low} to {high}")
        return value

    def wholes(self, key: str, default: Any, count: int = 2, low: int = 1, high: int = 1 << 20) -> Shape:
        value = self.get(key, default)
        value = [value] * count if _whole(value) is not None else value
        found = tuple(map(_whole, value)) if isinstance(value, list | tuple) else ()
        if len(found) != count or any(item is None or not low <= item <= high for item in found):
            raise self.refuse(key, f"{count} whole numbers from {low} up")
        return found

    def number(self, key: str, default: float | None = None, optional: bool = False) -> float | None:
        value = self.get(key, default)
        if isinstance(value, dict):  # numpy scalars of some ages: {"type": "ndarray", "value": 0.2}
            value = value.get("value")
        if value is None and optional:
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

    def activation(self, default: str = "linear") -> dict[str, str]:
        """The layer's activation as an argument; one that is a layer becomes `then`."""
        value = self.get("activation", default)
        if isinstance(value, dict) and ALIASES.get(value.get("class_name"), value.get("class_name")) in RULES:
            kind, options = value["class_name"], value.get("config")
            if kind not in ACTIVATION_LAYERS or not isinstance(options, dict):
                raise self.refuse("activation", "a stock activation without weights")
            self.then = (kind, options)
            return {}
        if isinstance(value, dict):  # {"class_name": "function", "config": "tanh"}
            value = value.get("config")
            value = value.get("activation", value.get("name")) if isinstance(value, dict) else value
            value = value if isinstance(value, str) else ""
        name = "linear" if value is None else ACTIVATION_ALIASES.get(value, value) if isinstance(value, str) else None
        if name not in ACTIVATIONS:
            raise self.refuse("activation", f"one of {', '.join(sorted(ACTIVATIONS))}")
        return {} if name == "linear" else {"activation": name}

    def finish(self, arguments: dict[str, Any], shape: Shape, *weights: tuple[str, Shape]) -> Spec:
        unknown = [key for key in self.values if key not in self.used | IGNORED and not key.endswith(IGNORED_ENDS)]
        if unknown:
            raise Refused(f"{self.where} has the argument {brief(unknown[0])}, which is not understood.")
        if any(size < 1 for size in shape):
            raise Refused(f"{self.where} would give a result of shape {shape}: its input is too small for it.")
        return Spec(arguments, shape, tuple(weights), self.then)


def _whole(value: Any) -> int | None:
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
    read = Arguments(where, {key: value for key, value in arguments.items() if isinstance(key, str)})
    read.kind = kind
    return function(read, shapes)


def _grid(a: Arguments, shape: Shape) -> Shape:
    if a.get("data_format") == "channels_first":
        raise Refused(f"{a.where} is channels_first; save the network with channels_last, as images are here.")
    a.only("data_format", None, "channels_last")
    if len(shape) != 3:
        raise Refused(f"{a.where} needs an input of height × width × channels, not {shape}.")
    return shape


def _slid(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Length after a window slid over `size` places."""
    return -(-size // stride) if padding == "same" else (size - (kernel - 1) * dilation - 1) // stride + 1


def _axes(a: Arguments, key: str, rank: int, default: Any = -1) -> list[int]:
    """Axes as counted without the batch axis, from 0."""
    value = a.get(key, default)
    value = value if isinstance(value, list | tuple) else [value]
    found = [_whole(item) for item in value]
    if any(item is None or item == 0 or not -rank <= item <= rank for item in found):
        raise a.refuse(key, f"an axis of a tensor of rank {rank + 1} other than the batch")
    return [item - 1 if item > 0 else item + rank for item in found]


@rule("Dense")
def _dense(a, shapes):
    (shape,) = shapes
    units, bias = a.whole("units"), a.flag("use_bias", True)
    if not shape:
        raise Refused(f"{a.where} needs a vector.")
    weights = [("kernel", (shape[-1], units)), *([("bias", (units,))] if bias else [])]
    return a.finish({"units": units, "use_bias": bias, **a.activation()}, (*shape[:-1], units), *weights)


@rule("Conv2D", "SeparableConv2D", "DepthwiseConv2D")
def _convolution(a, shapes):
    height, width, channels = _grid(a, shapes[0])
    kernel, strides = a.wholes("kernel_size", None), a.wholes("strides", 1)
    dilation, padding = a.wholes("dilation_rate", 1), a.choice("padding", "valid", "valid", "same")
    bias, groups = a.flag("use_bias", True), a.whole("groups", 1)
    arguments = {"kernel_size": kernel, "strides": strides, "padding": padding, "dilation_rate": dilation}
    multiplier = 1 if a.kind == "Conv2D" else a.whole("depth_multiplier", 1, high=1 << 16)
    if a.kind == "DepthwiseConv2D":
        filters = channels * multiplier
        arguments["depth_multiplier"] = multiplier
        weights = [("depthwise_kernel", (*kernel, channels, multiplier))]
    else:
        filters = arguments["filters"] = a.whole("filters")
        if a.kind == "Conv2D":
            if channels % groups or filters % groups:
                raise a.refuse("groups", "a divisor of the channels")
            arguments["groups"] = groups
            weights = [("kernel", (*kernel, channels // groups, filters))]
        else:
            arguments["depth_multiplier"] = multiplier
            weights = [
                ("depthwise_kernel", (*kernel, channels, multiplier)),
                ("pointwise_kernel", (1, 1, channels * multiplier, filters)),
            ]
    if a.kind != "Conv2D":
        a.only("groups", 1)
    if bias:
        weights.append(("bias", (filters,)))
    size = [_slid(n, k, s, d, padding) for n, k, s, d in zip((height, width), kernel, strides, dilation, strict=True)]
    return a.finish(arguments | {"use_bias": bias} | a.activation(), (*size, filters), *weights)


@rule("Conv2DTranspose")
def _transposed(a, shapes):
    height, width, channels = _grid(a, shapes[0])
    filters, kernel, strides = a.whole("filters"), a.wholes("kernel_size", None), a.wholes("strides", 1)
    padding, bias = a.choice("padding", "valid", "valid", "same"), a.flag("use_bias", True)
    a.only("groups", 1)
    a.only("dilation_rate", 1, [1, 1])
    extra = None if a.get("output_padding") is None else a.wholes("output_padding", None, low=0)
    arguments = {"filters": filters, "kernel_size": kernel, "strides": strides, "padding": padding, "use_bias": bias}
    if extra is None:
        grow = [max(k - s, 0) if padding == "valid" else 0 for k, s in zip(kernel, strides, strict=True)]
        size = [n * s + g for n, s, g in zip((height, width), strides, grow, strict=True)]
    else:
        arguments["output_padding"] = extra
        cut = [2 * (k // 2) if padding == "same" else 0 for k in kernel]
        size = [
            (n - 1) * s + k - c + e for n, s, k, c, e in zip((height, width), strides, kernel, cut, extra, strict=True)
        ]
    weights = [("kernel", (*kernel, filters, channels)), *([("bias", (filters,))] if bias else [])]
    return a.finish(arguments | a.activation(), (*size, filters), *weights)


@rule("UpSampling2D")
def _upsampling(a, shapes):
    height, width, channels = _grid(a, shapes[0])
    size, how = a.wholes("size", 2), a.choice("interpolation", "nearest", "nearest", "bilinear")
    return a.finish({"size": size, "interpolation": how}, (height * size[0], width * size[1], channels))


@rule("MaxPooling2D", "AveragePooling2D")
def _pooling(a, shapes):
    height, width, channels = _grid(a, shapes[0])
    pool, padding = a.wholes("pool_size", 2), a.choice("padding", "valid", "valid", "same")
    strides = pool if a.get("strides") is None else a.wholes("strides", None)
    size = [_slid(n, k, s, 1, padding) for n, k, s in zip((height, width), pool, strides, strict=True)]
    return a.finish({"pool_size": pool, "strides": strides, "padding": padding}, (*size, channels))


@rule("GlobalAveragePooling2D", "GlobalMaxPooling2D")
def _global_pooling(a, shapes):
    channels, keep = _grid(a, shapes[0])[2], a.flag("keepdims", False)
    return a.finish({"keepdims": keep}, (1, 1, channels) if keep else (channels,))


def _sides(a: Arguments, key: str, default: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    value = a.get(key, default)
    if isinstance(value, list | tuple) and any(isinstance(item, list | tuple) for item in value):
        pairs = [tuple(map(_whole, item)) if isinstance(item, list | tuple) else () for item in value]
        if len(pairs) == 2 and all(len(p) == 2 and all(n is not None and 0 <= n <= 4096 for n in p) for p in pairs):
            return tuple(pairs)
        raise a.refuse(key, "margins from 0 to 4096")
    high, wide = a.wholes(key, default, low=0, high=4096)
    return (high, high), (wide, wide)


@rule("ZeroPadding2D", "Cropping2D")
def _margins(a, shapes):
    height, width, channels = _grid(a, shapes[0])
    key, sign = ("padding", 1) if a.kind == "ZeroPadding2D" else ("cropping", -1)
    margins = _sides(a, key, 1 if sign > 0 else 0)
    return a.finish({key: margins}, (height + sign * sum(margins[0]), width + sign * sum(margins[1]), channels))


@rule("BatchNormalization")
def _batch_normalization(a, shapes):
    (shape,) = shapes
    axes = _axes(a, "axis", len(shape))
    a.only("renorm", False)
    if len(axes) != 1:
        raise a.refuse("axis", "one axis")
    center, scale, epsilon = a.flag("center", True), a.flag("scale", True), a.number("epsilon", 1e-3)
    size = (shape[axes[0]],)
    names = [*(["gamma"] if scale else []), *(["beta"] if center else []), "moving_mean", "moving_variance"]
    momentum = min(max(a.number("momentum", 0.99), 0.0), 1.0)
    arguments = {"axis": axes[0] + 1, "epsilon": epsilon, "center": center, "scale": scale, "momentum": momentum}
    return a.finish(arguments, shape, *[(name, size) for name in names])


@rule("LayerNormalization")
def _layer_normalization(a, shapes):
    (shape,) = shapes
    axes = sorted(_axes(a, "axis", len(shape)))
    center, scale, epsilon = a.flag("center", True), a.flag("scale", True), a.number("epsilon", 1e-3)
    a.only("rms_scaling", False)
    size = tuple(shape[axis] for axis in axes)
    names = [*(["gamma"] if scale else []), *(["beta"] if center else [])]
    arguments = {"axis": [axis + 1 for axis in axes], "epsilon": epsilon, "center": center, "scale": scale}
    return a.finish(arguments, shape, *[(name, size) for name in names])


@rule("GroupNormalization")
def _group_normalization(a, shapes):
    (shape,) = shapes
    axes = _axes(a, "axis", len(shape))
    if axes != [len(shape) - 1]:
        raise a.refuse("axis", "the last axis")
    groups = a.whole("groups", 32, low=-1)
    if groups == 0 or (groups > 0 and shape[-1] % groups):
        raise a.refuse("groups", "a divisor of the channels")
    center, scale, epsilon = a.flag("center", True), a.flag("scale", True), a.number("epsilon", 1e-3)
    names = [*(["gamma"] if scale else []), *(["beta"] if center else [])]
    arguments = {"groups": groups, "epsilon": epsilon, "center": center, "scale": scale}
    return a.finish(arguments, shape, *[(name, (shape[-1],)) for name in names])


@rule("Normalization")
def _normalization(a, shapes):
    (shape,) = shapes
    axis = a.get("axis", -1)
    axes = [] if axis is None or axis == [] else _axes(a, "axis", len(shape))
    if axes not in ([], [len(shape) - 1]):
        raise a.refuse("axis", "the last axis or none")
    a.only("invert", False)
    size = (shape[-1],) if axes else ()
    given = [a.get("mean"), a.get("variance")]
    if given == [None, None]:
        return a.finish({"axis": -1 if axes else None}, shape, ("mean", size), ("variance", size))
    values = [_numbers(value, 4096) for value in given]
    if None in values or any(len(value) not in (1, math.prod(size)) for value in values):
        raise a.refuse("mean", "one number for each channel")
    return a.finish({"axis": -1 if axes else None, "mean": values[0], "variance": values[1]}, shape)


def _numbers(value: Any, most: int) -> list[float] | None:
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    value = value if isinstance(value, list) else [value]
    if len(value) > most or any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        return None
    return [float(v) for v in value] if all(abs(v) < 1e30 for v in value) else None


@rule("Rescaling")
def _rescaling(a, shapes):
    found = {}
    for key, default in (("scale", 1.0), ("offset", 0.0)):
        values = _numbers(a.get(key, default), 3)
        if values is None or (len(values) > 1 and (not shapes[0] or len(values) != shapes[0][-1])):
            raise a.refuse(key, "a finite number or one for each channel")
        found[key] = values if len(values) > 1 else values[0]
    return a.finish(found, shapes[0])


@rule("Activation")
def _activation(a, shapes):
    return a.finish({"activation": "linear"} | a.activation(), shapes[0])


@rule("LeakyReLU")
def _leaky(a, shapes):
    slope = a.number("negative_slope", None, optional=True)
    old = a.number("alpha", None, optional=True)
    return a.finish({"negative_slope": next((v for v in (slope, old) if v is not None), 0.3)}, shapes[0])


@rule("ReLU")
def _relu(a, shapes):
    most, slope = a.number("max_value", None, optional=True), a.number("negative_slope", 0.0)
    return a.finish({"max_value": most, "negative_slope": slope, "threshold": a.number("threshold", 0.0)}, shapes[0])


@rule("ELU")
def _elu(a, shapes):
    return a.finish({"alpha": a.number("alpha", 1.0)}, shapes[0])


@rule("PReLU")
def _prelu(a, shapes):
    (shape,) = shapes
    shared = a.get("shared_axes")
    shared = sorted(_axes(a, "shared_axes", len(shape))) if shared else []
    size = tuple(1 if axis in shared else n for axis, n in enumerate(shape))
    return a.finish({"shared_axes": [axis + 1 for axis in shared] or None}, shape, ("alpha", size))


@rule("Softmax")
def _softmax(a, shapes):
    return a.finish({"axis": [axis + 1 for axis in _axes(a, "axis", len(shapes[0]))]}, shapes[0])


@rule("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout")
def _dropout(a, shapes):
    rate = a.number("rate", 0.0)
    a.get("data_format")
    return a.finish({"rate": min(max(rate, 0.0), 0.99)}, shapes[0])


@rule("GaussianNoise")
def _noise(a, shapes):
    return a.finish({"stddev": min(max(a.number("stddev", 0.0), 0.0), 1.0)}, shapes[0])


@rule("ActivityRegularization")
def _identity(a, shapes):
    a.used |= set(a.values)
    return a.finish({}, shapes[0])


@rule("Flatten")
def _flatten(a, shapes):
    a.only("data_format", None, "channels_last")
    return a.finish({}, (math.prod(shapes[0]),))


@rule("Reshape")
def _reshape(a, shapes):
    (shape,) = shapes
    target = a.get("target_shape")
    sizes = [_whole(n) for n in target] if isinstance(target, list | tuple) and len(target) <= 8 else [None]
    total = math.prod(shape)
    known = math.prod(n for n in sizes if n and n > 0)
    if sizes.count(-1) == 1 and known and total % known == 0:
        sizes = [total // known if n == -1 else n for n in sizes]
    if any(n is None or n < 1 for n in sizes) or math.prod(sizes) != total:
        raise a.refuse("target_shape", f"a shape of {total:,} values")
    return a.finish({"target_shape": tuple(sizes)}, tuple(sizes))


@rule("Permute")
def _permute(a, shapes):
    (shape,) = shapes
    order = a.wholes("dims", None, len(shape))
    if sorted(order) != list(range(1, len(shape) + 1)):
        raise a.refuse("dims", f"an order of 1 to {len(shape)}")
    return a.finish({"dims": order}, tuple(shape[n - 1] for n in order))


@rule("RepeatVector")
def _repeat(a, shapes):
    if len(shapes[0]) != 1:
        raise Refused(f"{a.where} needs a vector, not {shapes[0]}.")
    count = a.whole("n", high=1 << 22)
    return a.finish({"n": count}, (count, *shapes[0]))


@rule("Embedding")
def _embedding(a, shapes):
    count, size = a.values.get("input_dim"), a.whole("output_dim")
    count = a.whole("input_dim") if count is not None else None
    if count is None:
        raise a.refuse("input_dim", "a whole number")
    a.only("sparse", False)
    return a.finish({"input_dim": count, "output_dim": size}, (*shapes[0], size), ("embeddings", (count, size)))


@rule("Add", "Multiply", "Average", "Maximum", "Minimum", inputs=None)
def _merged(a, shapes):
    return a.finish({}, _broadcast(a, shapes))


@rule("Subtract", inputs=2)
def _subtracted(a, shapes):
    return a.finish({}, _broadcast(a, shapes))


def _broadcast(a: Arguments, shapes: Sequence[Shape]) -> Shape:
    rank = max(map(len, shapes))
    if any(len(shape) != rank for shape in shapes):
        raise Refused(f"{a.where} joins tensors of different rank: {brief(list(shapes))}.")
    sizes = [set(column) - {1} for column in zip(*shapes, strict=True)]
    if any(len(size) > 1 for size in sizes):
        raise Refused(f"{a.where} joins tensors of shapes that do not fit: {brief(list(shapes))}.")
    return tuple(max(column) for column in zip(*shapes, strict=True))


@rule("Concatenate", inputs=None)
def _concatenated(a, shapes):
    rank = len(shapes[0])
    if any(len(shape) != rank for shape in shapes):
        raise Refused(f"{a.where} joins tensors of different rank: {brief(list(shapes))}.")
    (axis,) = _axes(a, "axis", rank)[:1]
    others = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    if len(others) != 1:
        raise Refused(f"{a.where} joins tensors of shapes that do not fit: {brief(list(shapes))}.")
    shape = list(shapes[0])
    shape[axis] = sum(item[axis] for item in shapes)
    return a.finish({"axis": axis + 1}, tuple(shape))


@rule("Dot", inputs=2)
def _dot(a, shapes):
    if any(len(shape) != 1 for shape in shapes) or shapes[0] != shapes[1]:
        raise Refused(f"{a.where} is understood for two vectors of one length, not for {brief(list(shapes))}.")
    a.only("axes", -1, 1, [1, 1], [-1, -1])
    return a.finish({"axes": 1, "normalize": a.flag("normalize", False)}, (1,))
