"""Weights as safetensors: a JSON header and bytes, without a pickle and without code.

The format is described at https://github.com/huggingface/safetensors.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from training.importing import MAX_CONFIG_BYTES, Refused
from training.importing.state_dicts import Tensor, Tensors, numbers
from zoo.manifest import brief

TYPES = {"F64": ("float64", 8), "F32": ("float32", 4), "F16": ("float16", 2), "BF16": ("bfloat16", 2)}


def tensors(path: Path) -> Tensors:
    """The arrays of a file in the order in which they lie there; raises Refused where it is damaged."""
    header, start = _header(path)
    listed = sorted(header.items(), key=lambda item: _place(item[1]))
    return {name: _tensor(path, name, entry, start) for name, entry in listed}


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
    return found, 8 + length


def _tensor(path: Path, name: str, entry: Any, start: int) -> Tensor:
    shape = entry.get("shape") if isinstance(entry, dict) else None
    if not isinstance(shape, list) or any(not isinstance(n, int) or n < 0 for n in shape) or len(shape) > 8:
        raise Refused(f"The array {brief(name)} has no shape.")
    said = str(entry.get("dtype"))
    kind, size = TYPES.get(said, (said, 0))

    def read() -> np.ndarray:
        count = math.prod(shape) * size
        if not 0 <= _place(entry) <= path.stat().st_size - start - count:
            raise Refused(f"The array {brief(name)} lies outside of the file.")
        with path.open("rb") as stream:
            stream.seek(start + _place(entry))
            return numbers(stream.read(count), kind).reshape(shape)

    return Tensor(kind, tuple(shape), read)


def _place(entry: Any) -> int:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    return offsets[0] if isinstance(offsets, list) and offsets and isinstance(offsets[0], int) else 0
