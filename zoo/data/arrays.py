"""Images of one's own as .npy and .npz: read within bounds, and their layout and range found out."""

import io
import math
import zipfile

import numpy as np

from zoo import images

MAGIC = b"\x93NUMPY"
PREFERRED = ("images", "samples", "x", "arr_0")  # of the arrays of an .npz
MAX_SIDE = 1024


def read(content: bytes, limit: int, shape: tuple[int, int, int]) -> tuple[np.ndarray, list[str]]:
    """Return the images of an .npy or .npz, (N, H, W, C) of what numbers and size they have, and what was chosen.

    Grey images may lack their channel, channels may come first, and images of `shape` may be rows of numbers. Raises
    ValueError, one sentence, for what unpacks to more than `limit` bytes or holds no images.
    """
    notes = []
    try:
        if content.startswith(MAGIC):
            values = _array(io.BytesIO(content), len(content))
        else:
            name, values = _largest(content, limit)
            notes = [] if name == "arr_0" else [f"The images are the array {name[:60]}."]
    except ValueError as error:
        raise error if str(error).endswith(".") else ValueError("The file holds no array that can be read.") from error
    except Exception as error:  # damaged archives fail with many types
        raise ValueError("The file is damaged: save the images anew.") from error
    return _arranged(values, shape), notes


def is_archive(content: bytes) -> bool:
    """Whether the members of a ZIP are arrays, by the name of the first."""
    return content[:4] == b"PK\x03\x04" and b".npy" in content[30 : 30 + int.from_bytes(content[26:28], "little")][-4:]


def _largest(content: bytes, limit: int) -> tuple[str, np.ndarray]:
    """The array of an .npz that holds images: one that is called so, or else the largest."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {m.filename.removesuffix(".npy"): m for m in archive.infolist() if m.filename.endswith(".npy")}
        name = next((name for name in PREFERRED if name in members), None)
        name = name or max(members, key=lambda each: members[each].file_size)
        member = members[name]
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("The file is packed in an unusual way: save it with numpy.")  # others unpack beyond bounds
        if member.file_size > limit:
            raise ValueError(f"The images unpack to more than {limit >> 20} MB: send fewer or smaller ones.")
        with archive.open(member) as file:
            return name, _array(io.BytesIO(file.read(member.file_size)), member.file_size)


def _array(stream: io.BytesIO, size: int) -> np.ndarray:
    """An array as it lies in the file: nothing is allocated that a header only claims, and no object is made."""
    version = np.lib.format.read_magic(stream)
    head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, column_major, kind = head(stream)
    if kind.kind not in "biuf":
        raise ValueError("The array holds no numbers: save the images as uint8 or float32.")
    if math.prod(shape) * kind.itemsize != size - stream.tell():
        raise ValueError("The array is not as long as it says: save it anew.")
    values = np.frombuffer(stream.getbuffer(), kind, offset=stream.tell())
    return values.reshape(shape, order="F" if column_major else "C")


def _arranged(values: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Images (N, H, W, C) from the layouts that people save."""
    if values.ndim == 2 and values.shape[1] == math.prod(shape):
        values = values.reshape(-1, *shape)
    if values.ndim == 3:
        values = values[..., None]
    if values.ndim == 4 and values.shape[3] not in (1, 3, 4) and values.shape[1] in (1, 3, 4):
        values = np.moveaxis(values, 1, 3)
    if (
        values.ndim != 4
        or values.shape[3] not in (1, 3, 4)
        or not all(0 < side <= MAX_SIDE for side in values.shape[1:3])
    ):
        raise ValueError(
            f"The array has the shape {'×'.join(map(str, values.shape))[:60]}: save images as N×H×W or N×H×W×C."
        )
    return values[..., :3]


def scaling(values: np.ndarray) -> tuple[float, float, str | None]:
    """Return what is black and what is white in images of numbers, and a sentence where that is no matter of course.

    Whole numbers have 8 bits, or 16 where they are larger; others lie in [0, 1], [−1, 1] or [0, 255], told by the
    extremes of a part of them. Raises ValueError for numbers that are not finite.
    """
    part = values[:: max(1, len(values) // 500)]
    least, most = float(part.min()), float(part.max())
    if not (math.isfinite(least) and math.isfinite(most)):
        raise ValueError("The images hold numbers that are not finite.")
    if values.dtype.kind == "b" or (values.dtype.kind in "iu" and least >= 0 and most <= 1):
        return 0.0, 1.0, None
    if values.dtype.kind in "iu":
        top = next((white for white in images.WHITES if most <= white), most)
        return 0.0, top, None if top == 255 else f"The numbers were read from [0, {top:,.0f}]."
    if least >= -0.05 and most <= 1.5:
        return 0.0, 1.0, None
    if least >= -1.5 and most <= 1.5:
        return -1.0, 1.0, "The numbers were read from [−1, 1]."
    if least >= -5 and most <= 260:
        return 0.0, 255.0, "The numbers were read from [0, 255]."
    raise ValueError(f"The numbers lie between {least:.3g} and {most:.3g}: save images in [0, 1], [−1, 1] or [0, 255].")
