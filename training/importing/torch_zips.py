"""Weights as torch.save writes them: a zip with a pickle that names tensors, and one file of bytes for each.

The pickle is first read as a list of opcodes, of which only those that build dictionaries, lists and numbers may occur,
and as names only those below; then it is built with objects of our own in their place. So nothing in it can run, and
what else it names is refused by that name. The format is that of torch.serialization since PyTorch 1.6.
"""

import io
import math
import pickle
import pickletools
import re
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from training.importing import MAX_CONFIG_BYTES, MAX_LAYERS, MAX_PARAMETERS, Refused
from training.importing.state_dicts import Tensor, Tensors, numbers
from zoo.manifest import brief

PICKLE = "data.pkl"
SAVE = "save its state_dict alone, by torch.save(net.state_dict(), FILE) or as safetensors"
OPCODES = frozenset(
    """
    PROTO STOP MARK GLOBAL REDUCE BUILD BINPERSID EMPTY_DICT SETITEM SETITEMS EMPTY_LIST APPEND APPENDS EMPTY_TUPLE
    TUPLE TUPLE1 TUPLE2 TUPLE3 NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE BINPUT
    LONG_BINPUT BINGET LONG_BINGET
    """.split()  # noqa: SIM905
)
MEMO = ("BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET")
# Storage class → type of its values; integers are counters, which are not read.
STORAGES = {"DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16",
            "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16",
            "ByteStorage": "uint8", "CharStorage": "int8", "BoolStorage": "bool"}  # fmt: skip
WIDTHS = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}  # bytes of a value
UNREAD = re.compile("optim|sched|scaler", re.IGNORECASE)  # what a checkpoint keeps beside networks
DEPTH = 3  # of dictionaries inside dictionaries


class _Storage(NamedTuple):
    kind: str
    key: str


class _View(NamedTuple):
    """A tensor: where it begins in a storage, its shape and steps."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any


def _rebuilt(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _View:
    return _View(storage, offset, shape, strides)


def _parameter(view: Any, *_: Any) -> Any:
    return view


NAMES: dict[str, Any] = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": _rebuilt,
    "torch._utils._rebuild_parameter": _parameter,
    **{f"torch.{name}": kind for name, kind in STORAGES.items()},
}


class _Reader(pickle.Unpickler):
    """Builds what NAMES lists and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        return NAMES[f"{module}.{name}"]

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, *_ = pid
        return _Storage(str(kind), str(key))


def is_one(path: Path) -> bool:
    """Whether a file is a zip as torch.save writes it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(_last(name) == PICKLE for name in archive.namelist()[:MAX_LAYERS])
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def tensors(path: Path, name: str) -> Tensors:
    """The tensors of the dictionaries in a file, their keys joined by dots.

    Args:
        path: of the file.
        name: what to call it.

    Raises:
        Refused: it holds more than tensors, numbers and dictionaries; what it names is in the sentence.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = {item.filename: item for item in archive.infolist()[: 10 * MAX_LAYERS]}
            root = next(item for item in files if _last(item) == PICKLE).removesuffix(PICKLE)
            if f"{root}constants.pkl" in files or any(item.startswith(f"{root}code/") for item in files):
                raise Refused(
                    f"{brief(name)} is a module of TorchScript, which holds code; {SAVE}, or export it as ONNX."
                )
            if files[f"{root}{PICKLE}"].file_size > MAX_CONFIG_BYTES:
                raise Refused(f"{brief(name)} names more than is read of a file of PyTorch.")
            order = archive.read(f"{root}byteorder") if f"{root}byteorder" in files else b"little"
            content = archive.read(f"{root}{PICKLE}")
        if order != b"little":
            raise Refused(f"{brief(name)} was written by a machine of another byte order; {SAVE} on a usual one.")
        _check(content, name)
        value = _Reader(io.BytesIO(content)).load()
        found = dict(_views(value))
        made = {key: _tensor(path, f"{root}data/", key, view) for key, view in found.items()}
    except (Refused, MemoryError):
        raise
    except Exception as error:  # a damaged zip or pickle raises errors of many classes
        raise Refused(f"{brief(name)} is a damaged file of PyTorch ({type(error).__name__}).") from None
    if not made:
        raise Refused(f"{brief(name)} is a file of PyTorch that holds no state_dict; {SAVE}.")
    return made


def _check(content: bytes, name: str) -> None:
    """Refuse opcodes and names that no state_dict needs, before anything is built."""
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name == "GLOBAL":
            named = str(argument).replace(" ", ".")
            if named not in NAMES:
                raise Refused(
                    f"{brief(name)} is a file of PyTorch that holds {brief(named)}, which is no tensor: opening it "
                    f"could run its code; {SAVE}."
                )
        elif opcode.name not in OPCODES:
            raise Refused(
                f"{brief(name)} is a file of PyTorch that is pickled in an unusual way ({opcode.name}); {SAVE}."
            )
        elif opcode.name in MEMO and isinstance(argument, int) and argument > len(content):
            raise Refused(f"{brief(name)} is a damaged file of PyTorch ({opcode.name}).")


def _views(value: Any) -> Iterator[tuple[str, _View]]:
    """(name, tensor) of all dictionaries in a value but those of optimisers; each dictionary counts once."""
    rest, seen = [("", value, 0)], set()
    while rest:
        prefix, held, depth = rest.pop(0)
        if not isinstance(held, dict) or id(held) in seen or depth > DEPTH:
            continue
        seen.add(id(held))
        for key, item in dict.items(held):
            if isinstance(key, str) and isinstance(item, _View):
                yield f"{prefix}{key}", item
            elif isinstance(key, str) and not UNREAD.search(key):
                rest.append((f"{prefix}{key}.", item, depth + 1))


def _tensor(path: Path, folder: str, name: str, view: _View) -> Tensor:
    whole = [view.offset, *view.shape, *view.strides]
    uneven = len(view.shape) != len(view.strides) or len(view.shape) > 8
    if uneven or not isinstance(view.storage, _Storage) or any(type(n) is not int or n < 0 for n in whole):
        raise Refused(f"The tensor {brief(name)} has no shape.")
    kind, shape, strides = view.storage.kind, tuple(view.shape), tuple(view.strides)

    def read() -> np.ndarray:
        place = f"{folder}{view.storage.key}"
        count = math.prod(shape)
        last = view.offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
        size = last + 1 if count else 0
        if max(size, count) > MAX_PARAMETERS:
            raise Refused(f"The tensor {brief(name)} needs more than the {MAX_PARAMETERS:,} values allowed.")
        with zipfile.ZipFile(path) as archive:
            if place not in archive.NameToInfo:
                raise Refused(f"The values of {brief(name)} are missing in the file.")
            with archive.open(place) as stream:
                raw = stream.read(size * WIDTHS[kind])
        if len(raw) < size * WIDTHS[kind]:
            raise Refused(f"The tensor {brief(name)} lies outside of its values.")
        values = numbers(raw, kind)
        steps = [step * values.itemsize for step in strides]
        if not count:
            return np.zeros(shape, np.float32)
        return np.lib.stride_tricks.as_strided(values[view.offset :], shape, steps, writeable=False)

    return Tensor(kind, shape, read)
