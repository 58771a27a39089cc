"""HDF5 as data: the structure of a file is checked before a byte of an array is read.

Links, external and virtual storage, objects and filters other than HDF5's own compression are refused; chunks are
unpacked here, with a limit, since HDF5 unpacks whatever a chunk claims.
"""

import contextlib
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from training.importing import MAX_CONFIG_BYTES, MAX_FILE_BYTES, MAX_PARAMETERS, Refused
from zoo.manifest import brief

MAX_OBJECTS = 20_000
MAX_GROUP_DEPTH = 32
DEFLATE, SHUFFLE, FLETCHER = 1, 2, 3


@contextlib.contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file whose structure is harmless; raises Refused."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise Refused(
            f"{brief(path.name)} has {path.stat().st_size:,} bytes, more than the {MAX_FILE_BYTES:,} allowed."
        )
    try:
        with h5py.File(path, "r", locking=False) as file:
            _check(file, path.name)
            yield file
    except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
        raise Refused(f"{brief(path.name)} is damaged or no HDF5 file ({str(error)[:100]}).") from None


def _check(file: h5py.File, name: str) -> None:
    rest: list[tuple[str, h5py.Group, int]] = [("", file, 0)]
    seen = 0
    while rest:
        where, group, depth = rest.pop()
        for key in map(str, group):
            seen += 1
            place = f"{where}/{key}" if where else key
            if seen > MAX_OBJECTS or depth > MAX_GROUP_DEPTH:
                raise Refused(f"{brief(name)} holds too many groups or nests them too deeply.")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise Refused(f"{brief(name)} holds a link at {brief(place)}; weights must lie in the file itself.")
            item = group[key]
            if isinstance(item, h5py.Group):
                rest.append((place, item, depth + 1))
            elif not isinstance(item, h5py.Dataset):
                raise Refused(f"{brief(name)} holds something that is no array at {brief(place)}.")
            elif item.external or item.is_virtual:
                raise Refused(f"{brief(name)} keeps the array {brief(place)} in another file; that is never followed.")
            elif item.dtype.hasobject:
                raise Refused(f"{brief(name)} holds objects instead of numbers at {brief(place)}.")


def group_of(item: h5py.Group, place: str) -> h5py.Group | None:
    """The group at a place, None where there is none."""
    found = item.get(place) if place else item
    return found if isinstance(found, h5py.Group) else None


def attribute(item: h5py.HLObject, key: str, most: int = 2 * MAX_CONFIG_BYTES) -> Any:
    """An attribute of bounded size, also one that Keras split in parts; None where there is none."""
    if key in item.attrs:
        found = h5py.h5a.open(item.id, key.encode())
        if math.prod(found.shape) > MAX_OBJECTS or math.prod(found.shape) * found.dtype.itemsize > most:
            raise Refused(f"The attribute {brief(key)} is larger than what is read.")
        return item.attrs[key]
    parts: list[Any] = []
    index = 0
    while f"{key}{index}" in item.attrs and index < 1000:
        parts.extend(attribute(item, f"{key}{index}", most))
        index += 1
    return parts or None


def texts(value: Any) -> list[str]:
    """A list of names in whatever form HDF5 gives it."""
    found = [] if value is None else np.asarray(value).ravel().tolist()
    return [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in found]


def text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def configuration(file: h5py.File) -> str | None:
    """The configuration that a file of a whole model holds."""
    value = attribute(file, "model_config")
    return None if value is None else text(value)


def read(item: object, shape: tuple[int, ...] | None, where: str) -> np.ndarray:
    """One array as float32 of the given shape (None: of any shape).

    Raises:
        Refused: it is missing, has another shape, holds no numbers, or a value that is not finite.
    """
    if not isinstance(item, h5py.Dataset):
        raise Refused(f"{where} is missing in the file.")
    if shape is not None and item.shape != tuple(shape):
        raise Refused(f"{where} has the shape {brief(item.shape)} in the file, but {tuple(shape)} is needed.")
    values = math.prod(item.shape or ())
    if values > MAX_PARAMETERS:
        raise Refused(f"{where} declares {values:,} values, more than the {MAX_PARAMETERS:,} allowed.")
    brain = text(item.attrs["dtype"]) == "bfloat16" if "dtype" in item.attrs else False
    if item.dtype.kind not in "fiu" and not (brain and item.dtype.itemsize == 2):
        raise Refused(f"{where} holds {item.dtype} instead of numbers.")
    raw = _unpacked(item, where) if item.chunks else item[()]
    if brain:
        raw = (np.asarray(raw).view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return finite(raw, where)


def finite(raw: np.ndarray, where: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        found = np.asarray(raw).astype(np.float32)
    if not np.isfinite(found).all():
        raise Refused(f"{where} holds values that are not finite (NaN or infinity); the network is broken.")
    return found


def _unpacked(item: h5py.Dataset, where: str) -> np.ndarray:
    """A chunked array, chunk by chunk, none of which may become larger than it says."""
    plist, size, chunks = item.id.get_create_plist(), item.dtype.itemsize, item.chunks
    assert chunks is not None
    filters = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    expected = math.prod(chunks) * size
    if set(filters) - {DEFLATE, SHUFFLE, FLETCHER} or expected > 4 * (item.size * size + (1 << 20)):
        raise Refused(f"{where} is packed in a way that is not read.")
    result = np.zeros(item.shape, item.dtype)
    for index in range(item.id.get_num_chunks()):
        info = item.id.get_chunk_info(index)
        if info.size > 2 * expected + 4096:
            raise Refused(f"{where} has a chunk that is larger than it can be.")
        mask, data = item.id.read_direct_chunk(info.chunk_offset)
        for position in reversed(range(len(filters))):
            if mask >> position & 1:
                continue
            if filters[position] == DEFLATE:
                try:
                    data = zlib.decompressobj().decompress(data, expected + 5)
                except zlib.error:
                    raise Refused(f"{where} is damaged.") from None
            elif filters[position] == SHUFFLE:
                whole = len(data) // size
                data = np.frombuffer(data, np.uint8, whole * size).reshape(size, whole).T.tobytes()
            else:
                data = data[:-4]
        if len(data) != expected:
            raise Refused(f"{where} has a chunk of another size than it says.")
        places = tuple(
            slice(start, min(start + length, full))
            for start, length, full in zip(info.chunk_offset, chunks, item.shape or (), strict=True)
        )
        part = np.frombuffer(data, item.dtype).reshape(chunks)
        result[places] = part[tuple(slice(0, place.stop - place.start) for place in places)]
    return result
