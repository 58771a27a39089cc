"""How many numbers each layer of a Keras network has, from its configuration: read as data, no Keras."""

import json
import math
from typing import Any

MAX_CONFIG_BYTES = 4 << 20
CONFIG = "config.json"
MAX_DEPTH = 8


def layer_parameters(content: bytes, role: str) -> dict[str, int]:
    """Return the parameters of each layer of the network of a role, in the order of the configuration.

    Layers without weights are listed with 0. Empty where the configuration is of another form: it is a stranger's, and
    whoever asks compares the sum with the manifest.
    """
    try:
        found = _network(json.loads(content), role, 0)
        return {str(name): count for name, count in found if count >= 0}
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        return {}


def _network(config: Any, role: str, depth: int) -> list[tuple[str, int]]:
    if depth > MAX_DEPTH:
        return []
    for layer in config["config"]["layers"]:
        inner = layer["config"].get("layers")
        if inner is not None and layer["config"]["name"] == role:
            return [(item["config"]["name"], _count(item, depth)) for item in inner]
    if config["config"]["name"] == role:
        return [(item["config"]["name"], _count(item, depth)) for item in config["config"]["layers"]]
    return []


def _count(layer: dict[str, Any], depth: int) -> int:
    """Return the weights of one layer, those that are not trained included, as Keras' count_params does."""
    if depth > MAX_DEPTH:
        raise ValueError(depth)
    kind, config = layer["class_name"], layer["config"]
    shape = (layer.get("build_config") or {}).get("input_shape") or [0]
    if kind in ("Functional", "Sequential", "Model"):
        return sum(_count(item, depth + 1) for item in config["layers"])
    if kind == "SpectralNormalization":
        inner = config["layer"]["config"]
        return _count(config["layer"], depth + 1) + int(inner.get("filters") or inner.get("units") or 0)
    if kind == "Dense":
        return (int(shape[-1]) + bool(config["use_bias"])) * int(config["units"])
    if kind == "Embedding":
        return int(config["input_dim"]) * int(config["output_dim"])
    if kind.startswith(("Conv", "Depthwise", "Separable")):
        return _convolution(kind, config, shape)
    if kind == "PReLU":
        shared = config.get("shared_axes") or []
        return math.prod(int(size) for axis, size in enumerate(shape[1:], 1) if axis not in shared)
    return _normalisation(kind, config, shape) if kind.endswith("Normalization") else 0


def _convolution(kind: str, config: dict[str, Any], shape: list[int]) -> int:
    area, bias, channels = math.prod(map(int, config["kernel_size"])), bool(config["use_bias"]), int(shape[-1])
    deep = channels * int(config.get("depth_multiplier") or 1)
    if kind.startswith("Depthwise"):
        return (area + bias) * deep
    filters = int(config["filters"])
    if kind.startswith("Separable"):
        return area * deep + (deep + bias) * filters
    return (area * channels // int(config.get("groups") or 1) + bias) * filters


def _normalisation(kind: str, config: dict[str, Any], shape: list[int]) -> int:
    axes = config.get("axis", -1)
    size = math.prod(int(shape[axis]) for axis in (axes if isinstance(axes, list) else [axes]))
    told = bool(config.get("scale")) + bool(config.get("center"))
    return {
        "BatchNormalization": size * (told + 2),
        "LayerNormalization": size * told,
        "GroupNormalization": size * told,
        "RMSNormalization": size,
    }.get(kind, 0)
