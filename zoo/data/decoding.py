"""Pictures of a dataset, decoded one after the other into one array on disk; those that cannot be read are left out."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from zoo import images
from zoo.data import pools
from zoo.errors import DatasetUnavailable

MAX_VALUES = 2**29  # numbers in one split: 2 GiB as float32
MAX_WHOLE = 2**29  # bytes of a split that is decoded whole, so that whatever is asked for later is there
SHARE = 4  # where less than one in SHARE images is asked for, only these are decoded
MAX_IMAGE_BYTES = 64 * 2**20
MAX_SIDE = 256
NAMED = 3  # of the images that are left out

Encoded = Callable[[np.ndarray], Iterator[tuple[int, bytes | None]]]  # (total,) bool → rows in stored order


@dataclass
class Look:
    """What the images of a dataset become, and what is white in those of more than 8 bits."""

    height: int
    width: int
    channels: int
    white: float | None

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    def whole(self, total: int, asked: int) -> bool:
        """Whether all images are decoded, since a large part is asked for and they do not take too much."""
        return total <= SHARE * asked and total * math.prod(self.shape) <= MAX_WHOLE


@dataclass
class Left:
    """Images that are left out: how many, and the names of the first."""

    count: int = 0
    names: list[str] = field(default_factory=list)
    reason: str = ""

    def add(self, name: str, reason: str) -> None:
        self.count += 1
        self.reason = self.reason or reason
        if len(self.names) < NAMED:
            self.names.append(name)

    def told(self) -> str:
        """Return how many were left out and which, "" for none."""
        if not self.count:
            return ""
        more = f" and {self.count - len(self.names):,} more" if self.count > len(self.names) else ""
        return f"{self.count:,} image{'s' if self.count > 1 else ''} left out: {', '.join(self.names)}{more}"


def look(encoded: Encoded, votes: np.ndarray, size: int | None, name: Callable[[int], str]) -> Look:
    """Find out from the images where `votes` (N,) is true what all become: colour if any of them has it, and the most
    common size up to MAX_SIDE, or `size`. Raises ValueError where no image can be read."""
    sizes, colour, whites, first = Counter(), False, [], ""
    for rows in (votes, ~votes):
        for row, data in encoded(rows):
            try:
                picture = _opened(data)
                white = images.white(picture)
            except Exception as error:  # damaged pixels of more than 8 bits fail with many types
                first = first or f"{name(row)}: {_lowered(error)}"
                continue
            sizes[picture.size] += 1
            colour |= not images.is_grey(picture)
            whites += [] if white is None else [white]
            if rows is not votes:
                break
        if sizes:
            break
    if not sizes:
        raise ValueError(f"no image of it is whole, for example {first}")
    width, height = sizes.most_common(1)[0][0]
    scale = min(1.0, MAX_SIDE / max(width, height))
    width, height = (size or max(1, round(side * scale)) for side in (width, height))
    return Look(height, width, 3 if colour else 1, max(whites, default=None))


def bounded(count: int, shape: tuple[int, ...]) -> int:
    """Return `count`; raises DatasetUnavailable where as many images (H, W, C) do not fit into memory as float32."""
    if count > (most := MAX_VALUES // math.prod(shape)):
        raise DatasetUnavailable(f"Only {most:,} images of {shape[0]}×{shape[1]} fit into memory: ask for fewer.")
    return count


def decode(
    encoded: Encoded,
    total: int,
    rows: np.ndarray,
    seen: Look,
    name: Callable[[int], str],
    folder: Path,
    report: Callable[[float], None],
) -> tuple[np.ndarray, list[str]]:
    """Decode images into the file of a pool, in stored order; return the rows (K,) that are in it, and what was done.

    Args:
        encoded: encoded images in stored order, of the rows where its argument (total,) is true.
        rows: which to decode, unless all are.
        name: what a row is called where it is left out.

    Raises:
        ValueError: none of them can be read, or the data ends early.
        DatasetUnavailable: as many as are asked for do not fit into memory.
    """
    if seen.whole(total, len(rows)):
        rows = np.arange(total)
    else:
        bounded(len(rows), seen.shape)
    wanted = np.zeros(total, bool)
    wanted[rows] = True
    left, kept, resized = Left(), [], False
    stored = np.lib.format.open_memmap(folder / pools.PICTURES, "w+", np.uint8, (len(rows), *seen.shape))
    met = 0
    for row, data in encoded(wanted):
        met += 1
        try:
            picture = images.read_pixels(_opened(data), brightest=seen.white)
        except ValueError as error:
            left.add(name(row), _lowered(error))
            continue
        if picture.size != (seen.width, seen.height):
            resized = True
            picture = ImageOps.fit(picture, (seen.width, seen.height), Image.Resampling.LANCZOS)
        if len(picture.getbands()) != seen.channels:
            picture = picture.convert("RGB" if seen.channels == 3 else "L")
        stored[len(kept)] = np.asarray(picture).reshape(seen.shape)
        kept.append(row)
        if met % 512 == 0:
            report(met / len(rows))
    if met != len(rows):
        raise ValueError("the data ends before all images were read.")
    if not kept:
        raise ValueError(f"no image of it is whole, for example {left.names[0]}: {left.reason}")
    if left.count:
        part = folder / "part.npy"
        np.save(part, stored[: len(kept)])
        del stored
        part.replace(folder / pools.PICTURES)
    told = [f"images cropped and resized to {seen.height}×{seen.width}"] if resized else []
    if seen.white in images.WHITES[:2]:
        told.append(
            f"grey values of {'8' if seen.white == images.WHITES[0] else '12'} of 16 bits scaled to all of them"
        )
    return np.array(kept), [*told, *filter(None, [left.told()])]


def _opened(data: bytes | None) -> Image.Image:
    if not data:
        raise ValueError("It is empty.")
    return images.open_picture(data, MAX_IMAGE_BYTES)


def _lowered(error: Exception) -> str:
    """The text of an error, to stand behind a colon."""
    text = str(error)
    return text[:1].lower() + text[1:]
