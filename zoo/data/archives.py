"""A set of images that a stranger sends, as a ZIP of pictures, .npy or .npz: bounded before anything is read, and
nothing touches the disk."""

import io
import zipfile
from collections import Counter
from collections.abc import Callable

import numpy as np

from zoo import images
from zoo.data import arrays, files

LEAST, MOST = 50, 5000  # images of a set
MAX_BYTES = 64 << 20  # of the ZIP
MAX_FILES = 20_000
REASONS = 3  # that are sentences of those for which images were left out
MAX_UNPACKED = 256 << 20  # bytes of all images before they are decoded
MAX_PIXELS, MAX_ALL_PIXELS = 1_000_000, 256_000_000  # of one image, and of all
NAMED = 3  # of the files that were left out for one reason
DIRECTORY = b"PK\x01\x02"  # begins each line of the table of contents


def read(
    content: bytes, shape: tuple[int, int, int], report: Callable[[float], None] = lambda part: None
) -> tuple[np.ndarray, list[str]]:
    """Return the images of a file, uint8 (N, *shape) in an order drawn at random once and for all, and what was done.

    The file is a ZIP of pictures, an .npy or an .npz. Folders do not matter, and what files.skipped names is nobody's
    picture. What cannot be used is left out, counted and named in the sentences, what has another shape is fitted; of
    more than MOST images that many are drawn.

    Args:
        content: the bytes of the file.
        shape: (H, W, C) that the images are fitted to.
        report: called with the part that is done, in [0, 1].

    Raises:
        ValueError: one sentence, for what is none of these, too large in any way or less than LEAST usable images.
    """
    if content.startswith(arrays.MAGIC) or arrays.is_archive(content):
        return _numbers(content, shape, report)
    members, others = _members(content)
    found, left_out, notices, scaled = [], {}, Counter(), Counter()
    rest, pixels = len(members), 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for index in np.random.default_rng(0).permutation(len(members)):
            if len(found) == MOST:
                break
            rest -= 1
            if rest % 50 == 0:
                report(1 - rest / len(members))
            try:
                picture = images.open_picture(_unpacked(archive, members[index]), max_pixels=MAX_PIXELS)
                pixels += picture.width * picture.height
                if pixels > MAX_ALL_PIXELS:
                    break
                fitted, notice, bits = images.fit_picture(picture, shape)
            except ValueError as error:
                left_out.setdefault(str(error), []).append(members[index].filename)
                continue
            found.append(images.to_uint8(fitted[0]))
            notices[notice] += 1
            scaled[bits] += 1
    if pixels > MAX_ALL_PIXELS:
        raise ValueError(
            f"The images have more than {MAX_ALL_PIXELS // 10**6} megapixels together: reduce them to "
            f"{shape[0]}×{shape[1]}, which is all that is looked at, and send them again."
        )
    sentences = _missed(left_out, others)
    if len(found) < LEAST:
        raise ValueError(" ".join([_too_few(len(found), "ZIP"), *sentences]))
    if rest:
        sentences.insert(0, f"{MOST:,} images were drawn at random from the ZIP, {rest:,} more were not looked at.")
    return np.stack(found), [*sentences, *_fitting(notices, shape), *filter(None, scaled)]


def _numbers(
    content: bytes, shape: tuple[int, int, int], report: Callable[[float], None]
) -> tuple[np.ndarray, list[str]]:
    """`read` for .npy and .npz."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"The file has more than {MAX_BYTES >> 20} MB: send fewer or smaller images.")
    values, notes = arrays.read(content, MAX_UNPACKED, shape)
    if len(values) < LEAST:
        raise ValueError(_too_few(len(values), "file"))
    if (rest := len(values) - MOST) > 0:
        notes.insert(0, f"{MOST:,} images were drawn at random from the file, {rest:,} more were not looked at.")
    values = values[np.random.default_rng(0).permutation(len(values))[:MOST]]
    black, white, told = arrays.scaling(values)
    found, notice = [], None
    for start in range(0, len(values), 500):  # as float32, a part at a time
        part = (values[start : start + 500].astype(np.float32) - black) / (white - black)
        fitted, notice = images.fit(np.nan_to_num(part).clip(0, 1), shape)
        found.append(images.to_uint8(fitted))
        report(min(1.0, (start + 500) / len(values)))
    return np.concatenate(found), [*notes, *filter(None, [told, notice])]


def _too_few(count: int, what: str) -> str:
    return f"At least {LEAST} images are needed, and the {what} holds {count}."


def _members(content: bytes) -> tuple[list[zipfile.ZipInfo], int]:
    """The images of a ZIP by their names, and how many files are none; nothing is unpacked."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"The ZIP has more than {MAX_BYTES >> 20} MB: send fewer or smaller images.")
    # Counted before the archive is opened, since its directory is read as a whole.
    if content.count(DIRECTORY) > MAX_FILES:
        raise ValueError(f"The ZIP holds more than {MAX_FILES:,} files: send at most {MOST:,} images.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = [item for item in archive.infolist() if not item.is_dir() and not files.skipped(item.filename)]
    except Exception as error:  # a hostile directory can fail anywhere in zipfile
        raise ValueError("The file is not a ZIP that can be read: pack the images anew.") from error
    found = [item for item in listed if item.filename.lower().endswith(images.SUFFIXES)]
    if not found:
        raise ValueError(f"The ZIP holds no images: pack files of {images.NAMES}, in folders or not.")
    if sum(item.file_size for item in found) > MAX_UNPACKED:
        raise ValueError(f"The images unpack to more than {MAX_UNPACKED >> 20} MB: send fewer or smaller ones.")
    return found, len(listed) - len(found)


def _unpacked(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> bytes:
    """The bytes of a member, never more than it declares; ValueError, one sentence, when it cannot be unpacked."""
    if item.flag_bits & 0x1:
        raise ValueError("The file is encrypted: pack it without a password.")
    if item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("The file is packed in an unusual way: choose Deflate.")  # others unpack beyond what they say
    if item.file_size > images.MAX_BYTES:
        raise ValueError(f"The file has more than {images.MAX_BYTES >> 20} MB.")
    try:
        with archive.open(item) as file:
            return file.read(item.file_size)
    except Exception as error:  # zlib.error, BadZipFile, EOFError, struct.error and more
        raise ValueError("The file is damaged.") from error


def _missed(left_out: dict[str, list[str]], others: int) -> list[str]:
    """Say what was left out and why, the most frequent reasons first, with the names of the first files."""
    reasons = sorted(left_out, key=lambda reason: -len(left_out[reason]))
    sentences = []
    for reason in reasons[:REASONS]:
        names = left_out[reason]
        more = ", …" if len(names) > NAMED else ""
        named = ", ".join(name[-60:] for name in names[:NAMED]) + more
        sentences.append(f"{len(names):,} left out: {reason.removesuffix('.')} ({named}).")
    if more := sum(len(left_out[reason]) for reason in reasons[REASONS:]):
        sentences.append(f"{more:,} left out for other reasons.")
    return [*sentences, f"{others:,} left out: no images by their names."] if others else sentences


def _fitting(notices: Counter, shape: tuple[int, int, int]) -> list[str]:
    """Say what was done to the images so that all have one shape, in at most one sentence."""
    changed = [notice for notice in notices if notice]
    if len(notices) == 1 or not changed:
        return changed
    colour = "grey" if shape[2] == 1 else "colour"
    return [f"The images have several shapes and were fitted to {shape[0]}×{shape[1]} in {colour}."]
