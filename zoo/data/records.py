"""Image folders and parquet files in the Hub's layout, read into arrays. Everything read is bounded."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageOps

from zoo.errors import DatasetUnavailable
from zoo.images import open_picture, read_pixels

Progress = Callable[[float, str], None]

SPLITS = {"train": r"train(ing)?", "test": r"test(ing)?", "validation": r"val(id|idation)?|dev"}
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
MAX_ROWS = 2_000_000
MAX_VALUES = 2**29  # numbers in one split: 2 GiB as float32
MAX_IMAGE_BYTES = 64 * 2**20
MAX_SIDE = 256
MAX_CLASSES = 10_000
HELD_OUT = 0.1


@dataclass(frozen=True)
class Request:
    """What is asked of a split; `classes` are the names to use where the files bring none, `revision` a commit of
    the Hub in place of the pinned one."""

    split: str
    count: int | None
    seed: int
    size: int | None
    image_column: str | None
    label_column: str | None
    classes: tuple[str, ...]
    revision: str | None = None


@dataclass(frozen=True)
class Split:
    """Images float32 (N, H, W, C) in [0, 1], labels int64 (N,) or None; `source` is one sentence on their origin."""

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    factors: dict[str, np.ndarray] | None
    revision: str | None
    source: str


class Files(NamedTuple):
    """Relative names of a split's files; `held_out` when they are a training split that gives a tenth for testing.

    `siblings` are the names of all splits' files: class names come from all of them.
    """

    names: list[str]
    held_out: bool
    siblings: list[str]


class Found(NamedTuple):
    """Images float32 (N, H, W, C) in [0, 1], labels int64 (N,) or None, class names, one sentence on the origin."""

    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    source: str


def subset(total: int, request: Request) -> np.ndarray:
    """Row numbers to return, in the order in which to return them."""
    if request.count is None:
        return np.arange(total)
    return np.random.default_rng(request.seed).permutation(total)[: request.count]


def _rows(total: int, held_out: bool, request: Request) -> np.ndarray:
    """As `subset`, out of the part of `total` stored rows that belongs to the split."""
    if not 0 < total <= MAX_ROWS:
        raise DatasetUnavailable(f"The split has {total:,} images, and between 1 and {MAX_ROWS:,} can be read.")
    if not held_out:
        return subset(total, request)
    order = np.random.default_rng(0).permutation(total)
    cut = max(1, round(total * HELD_OUT))
    part = np.sort(order[:cut] if request.split == "test" else order[cut:])
    return part[subset(len(part), request)]


# Which files


def listing(folder: Path) -> list[str]:
    """Relative names of the parquet files below a folder, or of its images where it has no parquet file."""
    suffixes = (".parquet", *SUFFIXES)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix.lower() in suffixes)
    return [n for n in names if n.endswith(".parquet")] or names


def _split_part(name: str) -> tuple[int, str] | None:
    """Which part of a relative name tells its split, and the split. A picture's own name tells nothing."""
    parts = name.lower().split("/")
    for index, part in enumerate(parts if name.endswith(".parquet") else parts[:-1]):
        for split, words in SPLITS.items():
            if re.match(rf"({words})(?![a-z])", part):
                return index, split
    return None


def split_files(names: list[str], split: str) -> Files:
    """The files of a split; without a test split, the training files, to be divided.

    A file belongs to the split that the first folder on its way, or a parquet file's own name, begins with. Of several
    parquet configurations the first folder is taken. Raises DatasetUnavailable when there are no such files.
    """
    found: dict[str | None, list[str]] = {}
    for name in names:
        part = _split_part(name)
        found.setdefault(part and part[1], []).append(name)
    if len(found) == 1 or (None in found and len(found) == 2 and not names[0].endswith(".parquet")):
        only = next(iter(found))
        if only is None or len(found) == 2:  # a class may be called "train": then the folder is not divided
            found = {"train": names}
    held_out = "test" not in found and split != "validation"
    files = found.get("train" if held_out else split, [])
    if not files:
        others = ", ".join(s for s in SPLITS if s in found) or "no images"
        raise DatasetUnavailable(f"The dataset has no {split} split: there is {others}.")
    if files[0].endswith(".parquet"):
        configuration = _configuration(files[0])
        files = [n for n in files if _configuration(n) == configuration]
    return Files(files, held_out, names)


def _configuration(name: str) -> str:
    part = _split_part(name)
    return "/".join(name.split("/")[: part[0]]) if part else name.rpartition("/")[0]


# Reading


def read(folder: Path, files: Files, origin: str, request: Request, report: Progress) -> Found:
    """Read the files of a split, which come from `origin` (what follows "Read from").

    Raises DatasetUnavailable when they are damaged, unfit or too large.
    """
    try:
        if files.names[0].endswith(".parquet"):
            images, labels, classes, note = _read_parquet([folder / n for n in files.names], files, request, report)
        else:
            images, labels, classes, note = _read_pictures(folder, files, request, report)
    except (pa.ArrowException, OSError) as error:
        raise DatasetUnavailable(f"A file of {origin} is damaged or incomplete: fetch it again.") from error
    except ValueError as error:
        raise DatasetUnavailable(f"An image of {origin} cannot be read: {error}") from error
    if files.held_out:
        note += ", a tenth of the training split held out for testing"
    return Found(images, labels, classes, f"Read from {origin}{note}.")


def _read_pictures(folder: Path, files: Files, request: Request, report: Progress):
    paths = [folder / n for n in files.names]
    # A file without a split means that the folder is not divided, and then folders are classes, whatever their names.
    divided = all(_split_part(n) is not None for n in files.names)
    parents = [_class_of(n, divided) for n in files.names]
    # Of all splits: a split that lacks a class must not number the others anew.
    listed = {_class_of(n, divided) for n in files.siblings if not divided or _split_part(n) is not None}
    classes = tuple(sorted(name for name in listed if name is not None))
    numbers = {c: k for k, c in enumerate(classes)}
    named = [parent for parent in parents if parent is not None]
    labels = np.array([numbers[name] for name in named], np.int64) if len(named) == len(parents) else None
    rows = _rows(len(paths), files.held_out, request)

    def encoded(wanted: np.ndarray) -> Iterator[bytes]:
        for row in np.flatnonzero(wanted):
            with paths[row].open("rb") as file:
                yield file.read(MAX_IMAGE_BYTES + 1)

    votes = np.zeros(len(paths), bool)
    votes[np.linspace(0, len(paths) - 1, 256).astype(int)] = True
    images, note = _decode(encoded, len(paths), votes, rows, request, report)
    return images, None if labels is None else labels[rows], classes if labels is not None else (), note


def _class_of(name: str, divided: bool) -> str | None:
    """The innermost folder of an image, other than the one that tells its split."""
    folders, part = name.split("/")[:-1], _split_part(name) if divided else None
    return folders[-1] if len(folders) > (part[0] + 1 if part else 0) else None


def _read_parquet(paths: list[Path], files: Files, request: Request, report: Progress):
    tables = [pq.ParquetFile(p) for p in paths]
    image, label, names = _columns(tables[0].schema_arrow, request)
    total = sum(t.metadata.num_rows for t in tables)
    rows = _rows(total, files.held_out, request)

    def encoded(wanted: np.ndarray) -> Iterator[bytes]:
        start, last = 0, np.flatnonzero(wanted)[-1]
        for table in tables:
            for batch in table.iter_batches(batch_size=512, columns=[image]):
                mask = wanted[start : start + len(batch)]
                start += len(batch)
                column = batch.column(0).filter(pa.array(mask))
                yield from (column.field("bytes") if pa.types.is_struct(column.type) else column).to_pylist()
                if start > last:
                    return

    images, note = _decode(encoded, total, np.arange(total) < 64, rows, request, report)
    if label is None:
        return images, None, (), note
    labels = np.concatenate([t.read([label]).column(0).fill_null(-1).to_numpy() for t in tables]).astype(np.int64)
    if labels.min() < 0:  # a test split published without its labels
        return images, None, (), note
    names = names or request.classes or tuple(str(k) for k in range(min(labels.max(), MAX_CLASSES) + 1))
    if labels.max() >= len(names):
        raise DatasetUnavailable(f"The label {labels.max()} has no class name: there are {len(names)} of them.")
    return images, labels[rows], names, note


def _columns(schema: pa.Schema, request: Request) -> tuple[str, str | None, tuple[str, ...]]:
    """The image column, the label column or None, and the class names in the Hub's metadata (possibly none)."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        features = {k: v for k, v in features.items() if isinstance(v, dict)}
    except (ValueError, KeyError, TypeError, AttributeError):
        features = {}

    def is_image(field: pa.Field) -> bool:
        if pa.types.is_struct(field.type):
            return field.type.get_field_index("bytes") >= 0
        return pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type)

    image = request.image_column or next((f.name for f in schema if is_image(f)), None)
    if image is None or image not in schema.names or not is_image(schema.field(image)):
        raise DatasetUnavailable(f"No column of images was found among {', '.join(schema.names)[:200]}.")
    integers = [f.name for f in schema if pa.types.is_integer(f.type)]
    named = [c for c in integers if features.get(c, {}).get("_type") == "ClassLabel"]
    label = request.label_column or next(iter([*named, *(c for c in integers if c in ("label", "labels"))]), None)
    if label is not None and label not in integers:
        raise DatasetUnavailable(f"The label column {label!r} is not a column of whole numbers.")
    names = features.get(label, {}).get("names") if label is not None and label in named else None
    return image, label, tuple(map(str, names[:MAX_CLASSES])) if isinstance(names, list) else ()


def _decode(
    encoded: Callable[[np.ndarray], Iterator[bytes]],
    total: int,
    votes: np.ndarray,
    rows: np.ndarray,
    request: Request,
    report: Progress,
) -> tuple[np.ndarray, str]:
    """Images float32 in the order of `rows`, and a note on what was changed.

    encoded: encoded images in stored order, of the rows where its argument (total,) is true. The images where `votes`
    is true decide, whatever is asked for: colour if any of them has it, and the most common size up to MAX_SIDE.
    """
    sizes, colour = Counter(), False
    for data in encoded(votes):
        picture = open_picture(data or b"", MAX_IMAGE_BYTES)
        sizes[picture.size] += 1
        colour |= picture.mode not in ("1", "L", "LA") and not picture.mode.startswith("I")
    width, height = sizes.most_common(1)[0][0]
    scale = min(1.0, MAX_SIDE / max(width, height))
    width, height = (request.size or max(1, round(side * scale)) for side in (width, height))
    shape = (height, width, 3 if colour else 1)
    most = MAX_VALUES // (height * width * shape[2])
    if len(rows) > most:
        raise DatasetUnavailable(f"Only {most:,} images of {height}×{width} fit into memory: ask for fewer.")
    wanted = np.zeros(total, bool)
    wanted[rows] = True
    stored = np.empty((len(rows), *shape), np.uint8)
    resized, index = False, -1
    for index, data in enumerate(encoded(wanted)):
        picture = read_pixels(open_picture(data or b"", MAX_IMAGE_BYTES))
        if picture.size != (width, height):
            resized = True
            picture = ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
        stored[index] = np.asarray(picture if len(picture.getbands()) == shape[2] else
                                   picture.convert("RGB" if colour else "L")).reshape(shape)  # fmt: skip
        if index % 2048 == 0:
            report(index / len(rows), "Reading images")
    if index + 1 != len(rows):
        raise DatasetUnavailable("The data ended before all images were read.")
    report(1.0, "Reading images")
    images = stored[np.argsort(np.argsort(rows))].astype(np.float32)
    images /= 255
    return images, f", images cropped and resized to {height}×{width}" if resized else ""
