"""Layers on grids of height × width × channels: convolutions, pooling, up-sampling, margins."""

from collections.abc import Sequence
from typing import Any

from training.importing import Refused
from training.importing.layers.arguments import Arguments, Shape, Spec, rule, whole


def _grid(a: Arguments, shape: Shape) -> Shape:
    if a.get("data_format") == "channels_first":
        raise Refused(f"{a.where} is channels_first; save the network with channels_last, as images are here.")
    a.only("data_format", None, "channels_last")
    if len(shape) != 3:
        raise Refused(f"{a.where} needs an input of height × width × channels, not {shape}.")
    return shape


def slid(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Length after a window slid over `size` places."""
    return -(-size // stride) if padding == "same" else (size - (kernel - 1) * dilation - 1) // stride + 1


@rule("Conv2D", "SeparableConv2D", "DepthwiseConv2D")
def _convolution(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    height, width, channels = _grid(a, shapes[0])
    kernel, strides = a.wholes("kernel_size", None), a.wholes("strides", 1)
    dilation, padding = a.wholes("dilation_rate", 1), a.choice("padding", "valid", "valid", "same")
    bias, groups = a.flag("use_bias", True), a.whole("groups", 1)
    arguments = {"kernel_size": kernel, "strides": strides, "padding": padding, "dilation_rate": dilation}
    weights: list[tuple[str, Shape]]
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
    size = [slid(n, k, s, d, padding) for n, k, s, d in zip((height, width), kernel, strides, dilation, strict=True)]
    return a.finish(arguments | {"use_bias": bias} | a.activation(), (*size, filters), *weights)


@rule("Conv2DTranspose")
def _transposed(a: Arguments, shapes: Sequence[Shape]) -> Spec:
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
def _upsampling(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    height, width, channels = _grid(a, shapes[0])
    size, how = a.wholes("size", 2), a.choice("interpolation", "nearest", "nearest", "bilinear")
    return a.finish({"size": size, "interpolation": how}, (height * size[0], width * size[1], channels))


@rule("Resizing")
def _resizing(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    _, _, channels = _grid(a, shapes[0])
    height, width = a.whole("height", high=4096), a.whole("width", high=4096)
    how = a.choice("interpolation", "bilinear", "bilinear", "nearest")
    for key in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"):
        a.only(key, False)
    a.used |= {"fill_mode", "fill_value"}
    return a.finish({"height": height, "width": width, "interpolation": how}, (height, width, channels))


@rule("MaxPooling2D", "AveragePooling2D")
def _pooling(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    height, width, channels = _grid(a, shapes[0])
    pool, padding = a.wholes("pool_size", 2), a.choice("padding", "valid", "valid", "same")
    strides = pool if a.get("strides") is None else a.wholes("strides", None)
    size = [slid(n, k, s, 1, padding) for n, k, s in zip((height, width), pool, strides, strict=True)]
    return a.finish({"pool_size": pool, "strides": strides, "padding": padding}, (*size, channels))


@rule("GlobalAveragePooling2D", "GlobalMaxPooling2D")
def _global_pooling(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    channels, keep = _grid(a, shapes[0])[2], a.flag("keepdims", False)
    return a.finish({"keepdims": keep}, (1, 1, channels) if keep else (channels,))


def _sides(a: Arguments, key: str, default: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    value = a.get(key, default)
    if isinstance(value, list | tuple) and any(isinstance(item, list | tuple) for item in value):
        listed = [n for item in value if isinstance(item, list | tuple) and len(item) == 2 for n in map(whole, item)]
        found = [n for n in listed if n is not None and 0 <= n <= 4096]
        if len(value) != 2 or len(found) != 4:
            raise a.refuse(key, "margins from 0 to 4096")
        return (found[0], found[1]), (found[2], found[3])
    high, wide = a.wholes(key, default, low=0, high=4096)
    return (high, high), (wide, wide)


@rule("ZeroPadding2D", "Cropping2D")
def _margins(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    height, width, channels = _grid(a, shapes[0])
    key, sign = ("padding", 1) if a.kind == "ZeroPadding2D" else ("cropping", -1)
    margins = _sides(a, key, 1 if sign > 0 else 0)
    return a.finish({key: margins}, (height + sign * sum(margins[0]), width + sign * sum(margins[1]), channels))
