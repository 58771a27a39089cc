"""Arrays in npz files of entries, read within bounds that hold before anything is allocated."""

import math
import zipfile
from collections.abc import Iterable
from io import BytesIO

import numpy as np

from zoo.entries.entry import Entry
from zoo.errors import EntryError


def read(entry: Entry, file: str, known: Iterable[str], limit: int) -> dict[str, np.ndarray]:
    """Return the known arrays of an entry's npz file; see unpack.

    Raises:
        EntryError: the file is missing, too large or damaged.
    """
    content = entry.content(file, limit)
    try:
        return unpack(content, known, limit)
    except Exception as error:  # damaged archives fail with many types, OverflowError and struct.error among them
        raise EntryError(f"The entry {entry.name} is refused: {file} cannot be read ({str(error)[:120]}).") from None


def unpack(content: bytes, known: Iterable[str], limit: int) -> dict[str, np.ndarray]:
    """Read the known arrays of an npz that unpack to at most `limit` bytes; np.load would allocate what a header
    claims before looking at the data. Damaged and hostile files raise exceptions of many types."""
    known = set(known)
    # Counted before the archive is opened, since its directory is read as a whole.
    if content.count(b"PK\x01\x02") > 16 * len(known):
        raise ValueError("it holds too many files")
    with zipfile.ZipFile(BytesIO(content)) as archive:
        members = [member for member in archive.infolist() if member.filename.removesuffix(".npy") in known]
        if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
            raise ValueError("it is not packed as numpy does")  # bzip2 and lzma unpack beyond any declared size
        if sum(member.file_size for member in members) > limit or len(members) > len(known):
            raise ValueError(f"it unpacks to more than {limit >> 20} MiB")
        return {member.filename.removesuffix(".npy"): _array(archive.read(member)) for member in members}


def _array(content: bytes) -> np.ndarray:
    stream = BytesIO(content)
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"array format {version} is not supported")
    shape, column_major, dtype = readers[version](stream)
    if (
        dtype.kind not in "fiu"
        or dtype.itemsize not in (1, 4, 8)
        or math.prod(shape) * dtype.itemsize != len(content) - stream.tell()
    ):
        raise ValueError("an array is not numeric or not as long as its header says")
    array = np.frombuffer(content, dtype, offset=stream.tell())
    return array.reshape(shape, order="F" if column_major else "C")
