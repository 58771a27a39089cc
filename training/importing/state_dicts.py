"""Weights of PyTorch as safetensors: a JSON header and bytes, without a pickle and without code.

The format is described at https://github.com/huggingface/safetensors. Kernels of PyTorch are (out, in, height, width),
of transposed convolutions (in, out, height, width), of linear layers (out, in); turned round they are Keras' own.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from training.importing import MAX_CONFIG_BYTES, MAX_LAYERS, MAX_PARAMETERS, Refused, hdf5
from training.importing.layers import Shape
from training.importing.weights import Stated
from zoo.manifest import brief

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
NORMALISATION = ("weight", "bias", "running_mean", "running_var")  # in Keras' order
WRAPPERS = re.compile(r"^(module\.|_orig_mod\.|model\.)+")
PARTS = re.compile("encod|decod|generat|discrim|critic|^net_?[gd]$", re.IGNORECASE)


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """(what the header says of each array, where the arrays begin)."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > MAX_CONFIG_BYTES:
            raise Refused(f"{brief(path.name)} is no safetensors file, or its header is larger than what is read.")
        try:
            found = json.loads(stream.read(length))
        except (ValueError, RecursionError):
            raise Refused(f"{brief(path.name)} is damaged: its header is not JSON.") from None
    if not isinstance(found, dict):
        raise Refused(f"{brief(path.name)} is damaged: its header names no arrays.")
    found.pop("__metadata__", None)
    if len(found) > 10 * MAX_LAYERS:
        raise Refused(f"{brief(path.name)} holds more than {10 * MAX_LAYERS:,} arrays.")
    return found, 8 + length


def _shape(entry: Any, name: str) -> Shape:
    shape = entry.get("shape") if isinstance(entry, dict) else None
    if not isinstance(shape, list) or any(not isinstance(n, int) or n < 0 for n in shape) or len(shape) > 8:
        raise Refused(f"The array {brief(name)} has no shape.")
    return tuple(shape)


def turned(shape: Shape) -> Shape:
    """The shape of a kernel as Keras keeps it."""
    if len(shape) == 4:
        return shape[2], shape[3], shape[1], shape[0]
    return shape[::-1] if len(shape) == 2 else shape


def stated(path: Path) -> list[Stated]:
    """The layers of a state_dict, in the order in which the module states them."""
    header, _ = _header(path)
    layers: dict[str, dict[str, Shape]] = {}
    for name, entry in sorted(header.items(), key=lambda item: _place(item[1])):
        layer, _, own = name.rpartition(".")
        if own != "num_batches_tracked":
            layers.setdefault(layer, {})[own] = turned(_shape(entry, name))
    found = []
    for layer, shapes in layers.items():
        unknown = shapes.keys() - set(NORMALISATION)
        if unknown or "weight" not in shapes:
            raise Refused(f"The layer {brief(layer)} has {brief(min(unknown or {'no weight'}))}, which is not read.")
        plain = WRAPPERS.sub("", layer)
        first, _, rest = plain.partition(".")
        network = first if rest and PARTS.search(first) else ""
        order = {own: shapes[own] for own in NORMALISATION if own in shapes}
        name = re.sub(r"\W", "_", rest if network else plain)
        found.append(Stated(network, name, order, {own: f"{layer}.{own}" for own in order}, True))
    return found


def _place(entry: Any) -> int:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    return offsets[0] if isinstance(offsets, list) and offsets and isinstance(offsets[0], int) else 0


def fetch(path: Path, wanted: list[tuple[str, Shape, str]]) -> list[np.ndarray]:
    """Arrays by (key, shape in Keras' order, what to call it), each float32 of that shape; raises Refused."""
    header, start = _header(path)
    size, found = path.stat().st_size, []
    with path.open("rb") as stream:
        for key, shape, where in wanted:
            entry = header.get(key)
            stored, kind = _shape(entry, key), str(entry.get("dtype")) if isinstance(entry, dict) else ""
            if kind not in TYPES or turned(stored) != tuple(shape):
                raise Refused(f"{where} is {kind or 'of no type'} {brief(stored)} in the file, but {shape} is needed.")
            count = math.prod(stored) * np.dtype(TYPES[kind]).itemsize
            if not 0 <= _place(entry) <= size - start - count:
                raise Refused(f"{where} lies outside of the file.")
            if math.prod(stored) > MAX_PARAMETERS:
                raise Refused(f"{where} has more than the {MAX_PARAMETERS:,} values allowed.")
            stream.seek(start + _place(entry))
            raw = np.frombuffer(stream.read(count), TYPES[kind]).reshape(stored)
            if kind == "BF16":
                raw = (raw.astype(np.uint32) << 16).view(np.float32)
            axes = {4: (2, 3, 1, 0), 2: (1, 0)}.get(len(stored), tuple(range(len(stored))))
            found.append(hdf5.finite(raw.transpose(axes), where))
    return found
