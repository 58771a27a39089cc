"""The layers of a state_dict of PyTorch, whatever file holds it: safetensors.py or torch_zips.py read the arrays.

Kernels of PyTorch are (out, in, height, width), of transposed convolutions (in, out, height, width), of linear layers
(out, in); turned round they are Keras' own.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.importing import MAX_LAYERS, MAX_PARAMETERS, Refused, hdf5
from training.importing.layers import Shape
from training.importing.weights import Stated
from zoo.manifest import brief

NORMALISATION = ("weight", "bias", "running_mean", "running_var")  # in Keras' order
WRAPPERS = re.compile(r"^((module|_orig_mod|model|(model_)?state_dict|params(_ema)?)\.)+")
KEPT_AS = re.compile(r"_?(model_)?state(_dict)?$", re.IGNORECASE)  # what a checkpoint adds to a network's name
PARTS = re.compile(r"encod|decod|generat|discrim|critic|^(net_?|model_?)?[gd]$|^gen$|^disc?$", re.IGNORECASE)


@dataclass(frozen=True)
class Tensor:
    """An array of a file: its type, its shape, and how it is read, in PyTorch's order of axes."""

    kind: str
    shape: Shape
    read: Callable[[], np.ndarray]


Tensors = dict[str, Tensor]  # by the names of a state_dict, in the order in which the module states them


def turned(shape: Shape) -> Shape:
    """The shape of a kernel as Keras keeps it."""
    if len(shape) == 4:
        return shape[2], shape[3], shape[1], shape[0]
    return shape[::-1] if len(shape) == 2 else shape


def stated(tensors: Tensors) -> list[Stated]:
    """The layers of a state_dict, in order; raises Refused for a layer that is none of those that are known."""
    if len(tensors) > 10 * MAX_LAYERS:
        raise Refused(f"The file holds more than {10 * MAX_LAYERS:,} arrays.")
    layers: dict[str, dict[str, Shape]] = {}
    for name, tensor in tensors.items():
        layer, _, own = name.rpartition(".")
        if own != "num_batches_tracked" and tensor.shape:
            layers.setdefault(layer, {})[own] = turned(tensor.shape)
    found = []
    for layer, shapes in layers.items():
        unknown = shapes.keys() - set(NORMALISATION)
        if unknown or "weight" not in shapes:
            raise Refused(f"The layer {brief(layer)} has {brief(min(unknown or {'no weight'}))}, which is not read.")
        plain = WRAPPERS.sub("", layer)
        first, _, rest = plain.partition(".")
        first = KEPT_AS.sub("", first)
        network = first if rest and PARTS.search(first) else ""
        order = {own: shapes[own] for own in NORMALISATION if own in shapes}
        name = re.sub(r"\W", "_", WRAPPERS.sub("", rest) if network else plain)
        found.append(Stated(network, name, order, {own: f"{layer}.{own}" for own in order}, True))
    return found


def fetch(tensors: Tensors, wanted: list[tuple[str, Shape, str]]) -> list[np.ndarray]:
    """Arrays by (key, shape in Keras' order, what to call it), each float32 of that shape; raises Refused."""
    found = []
    for key, shape, where in wanted:
        tensor = tensors[key]
        if tensor.kind not in ("float64", "float32", "float16", "bfloat16") or turned(tensor.shape) != tuple(shape):
            raise Refused(f"{where} is {tensor.kind} {brief(tensor.shape)} in the file, but {shape} is needed.")
        if math.prod(tensor.shape) > MAX_PARAMETERS:
            raise Refused(f"{where} has more than the {MAX_PARAMETERS:,} values allowed.")
        axes = {4: (2, 3, 1, 0), 2: (1, 0)}.get(len(tensor.shape), tuple(range(len(tensor.shape))))
        found.append(hdf5.finite(tensor.read().transpose(axes), where))
    return found


def numbers(raw: bytes, kind: str) -> np.ndarray:
    """The float values (N,) of little-endian bytes of a type; bfloat16 is the upper half of float32."""
    if kind == "bfloat16":
        return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(raw, np.dtype(kind).newbyteorder("<"))
