"""Layers along one axis of steps × channels, and recurrent ones: where an image's rows are steps."""

from collections.abc import Sequence

from training.importing import Refused
from training.importing.layers.arguments import Arguments, Shape, Spec, rule
from training.importing.layers.spatial import slid

MAX_STEPS = 128  # recurrent layers are unrolled, since the app's networks have no loops


def _steps(a: Arguments, shape: Shape) -> tuple[int, int]:
    a.only("data_format", None, "channels_last")
    if len(shape) != 2:
        raise Refused(f"{a.where} needs an input of steps × channels, not {shape}.")
    return shape[0], shape[1]


@rule("Conv1D")
def _convolution(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    length, channels = _steps(a, shapes[0])
    filters, (kernel,), (stride,) = a.whole("filters"), a.wholes("kernel_size", None, 1), a.wholes("strides", 1, 1)
    (dilation,), padding = a.wholes("dilation_rate", 1, 1), a.choice("padding", "valid", "valid", "same", "causal")
    bias, groups = a.flag("use_bias", True), a.whole("groups", 1)
    if channels % groups or filters % groups:
        raise a.refuse("groups", "a divisor of the channels")
    arguments = {"filters": filters, "kernel_size": kernel, "strides": stride, "padding": padding, "groups": groups,
                 "dilation_rate": dilation, "use_bias": bias}  # fmt: skip
    weights = [("kernel", (kernel, channels // groups, filters)), *([("bias", (filters,))] if bias else [])]
    size = slid(length, kernel, stride, dilation, "valid" if padding == "valid" else "same")
    return a.finish(arguments | a.activation(), (size, filters), *weights)


@rule("Conv1DTranspose")
def _transposed(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    length, channels = _steps(a, shapes[0])
    filters, (kernel,), (stride,) = a.whole("filters"), a.wholes("kernel_size", None, 1), a.wholes("strides", 1, 1)
    padding, bias = a.choice("padding", "valid", "valid", "same"), a.flag("use_bias", True)
    a.only("dilation_rate", 1, [1])
    a.only("output_padding", None)
    size = length * stride + (max(kernel - stride, 0) if padding == "valid" else 0)
    arguments = {"filters": filters, "kernel_size": kernel, "strides": stride, "padding": padding, "use_bias": bias}
    weights = [("kernel", (kernel, filters, channels)), *([("bias", (filters,))] if bias else [])]
    return a.finish(arguments | a.activation(), (size, filters), *weights)


@rule("UpSampling1D")
def _upsampling(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    length, channels = _steps(a, shapes[0])
    size = a.whole("size", 2, high=4096)
    return a.finish({"size": size}, (length * size, channels))


@rule("MaxPooling1D", "AveragePooling1D")
def _pooling(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    length, channels = _steps(a, shapes[0])
    (pool,), padding = a.wholes("pool_size", 2, 1), a.choice("padding", "valid", "valid", "same")
    (stride,) = (pool,) if a.get("strides") is None else a.wholes("strides", None, 1)
    size = slid(length, pool, stride, 1, padding)
    return a.finish({"pool_size": pool, "strides": stride, "padding": padding}, (size, channels))


@rule("GlobalAveragePooling1D", "GlobalMaxPooling1D")
def _global_pooling(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    _, channels = _steps(a, shapes[0])
    a.only("keepdims", False)
    return a.finish({}, (channels,))


@rule("ZeroPadding1D", "Cropping1D")
def _margins(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    length, channels = _steps(a, shapes[0])
    key, sign = ("padding", 1) if a.kind == "ZeroPadding1D" else ("cropping", -1)
    margins = a.wholes(key, 1, low=0, high=4096)
    return a.finish({key: margins}, (length + sign * sum(margins), channels))


@rule("LSTM", "GRU")
def _recurrent(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    length, channels = _steps(a, shapes[0])
    if length > MAX_STEPS:
        raise Refused(f"{a.where} runs over {length:,} steps, more than the {MAX_STEPS} that are unrolled here.")
    units, bias = a.whole("units"), a.flag("use_bias", True)
    arguments = {"units": units, "use_bias": bias, "unroll": True}
    for key, default in (("activation", "tanh"), ("recurrent_activation", "sigmoid")):
        arguments[key] = {"activation": "linear", **a.activation(default, key)}["activation"]
    for key in ("dropout", "recurrent_dropout"):
        a.number(key, 0.0)
    a.only("return_state", False)
    a.only("stateful", False, True)
    a.only("time_major", False)
    for key in ("unroll", "zero_output_for_mask", "unit_forget_bias", "implementation", "use_cudnn"):
        a.get(key)
    arguments["go_backwards"] = a.flag("go_backwards", False)
    sequences = arguments["return_sequences"] = a.flag("return_sequences", False)
    gates = 4 if a.kind == "LSTM" else 3
    biases: Shape = (gates * units,)
    if a.kind == "GRU":
        arguments["reset_after"] = a.flag("reset_after", True)
        biases = (2, gates * units) if arguments["reset_after"] else biases
    weights = [("kernel", (channels, gates * units)), ("recurrent_kernel", (units, gates * units))]
    weights += [("bias", biases)] if bias else []
    return a.finish(arguments, (length, units) if sequences else (units,), *weights)
