"""Parquet files in the Hub's layout, decoded into a pool: `python -m zoo.data.tables`, which zoo.data.apart starts.

A file of 820 bytes may stand for terabytes: one value in a dictionary, many rows. So a file is judged by what it says
of itself before anything is read, and it is read in parts whose size in bytes is known beforehand.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zoo import limits
from zoo.data import decoding, labels, pools
from zoo.data.records import Columns, Request, rows
from zoo.errors import DatasetUnavailable

PART = 1 << 28  # bytes that the values read at once may have
MOST_ROWS_OF_A_PART = 512
FEW = 10_000  # images that may be as small as they like
LEAST = 20  # bytes of a picture among many: none has fewer
PLACES = ("image", "img", "picture", "pixels", "photo")  # names of image columns, in the order of preference
SOUNDS = ("audio", "sound", "speech", "wav", "mp3")


def run(task: dict) -> dict[str, str | bool]:
    """Decode as a task of zoo.data.apart says; return how that ended."""
    folder, request = Path(task["folder"]), Request(**task["request"] | {"classes": tuple(task["request"]["classes"])})
    try:
        _decode(folder, task, request, Path(task["destination"]))
    except DatasetUnavailable as error:
        return {"unavailable": str(error)}
    except MemoryError:  # Arrow's among them
        return {"memory": True}
    except (pa.ArrowException, OSError):
        return {"damaged": True}
    except ValueError as error:
        return {"wrong": str(error)}
    return {"done": True}


def _decode(folder: Path, task: dict, request: Request, destination: Path) -> None:
    tables = [_opened(folder / name) for name in task["names"]]
    columns = _columns(tables[0].schema_arrow, request)
    total = sum(table.metadata.num_rows for table in tables)
    asked = rows(total, task["held_out"], request)
    parts = pa.types.is_struct(tables[0].schema_arrow.field(columns.image).type)
    leaf = f"{columns.image}.bytes" if parts else columns.image
    for table in tables:
        _judge(table, leaf)

    def encoded(wanted: np.ndarray) -> Iterator[tuple[int, bytes | None]]:
        if not wanted.any():
            return
        start, last = 0, np.flatnonzero(wanted)[-1]
        for table in tables:
            for batch in _parts(table, columns.image, leaf):
                mask = wanted[start : start + len(batch)]
                column = _bytes(batch).filter(pa.array(mask))
                yield from zip((start + np.flatnonzero(mask)).tolist(), column.to_pylist(), strict=True)
                start += len(batch)
                if start > last:
                    return

    votes = np.arange(total) < 64
    if not any(data for _, data in encoded(votes)) and not any(data for _, data in encoded(~votes)):
        raise ValueError("it holds only the paths of its files, not the pictures themselves.")
    seen = decoding.look(encoded, votes, request.size, _row)
    kept, told = decoding.decode(encoded, total, asked, seen, _row, destination, lambda part: _say({"part": part}))
    numbers, classes, note = _labels(folder, task, tables, columns, request)
    others = [name for name in columns.images if name != columns.image]
    if others:
        listed = others[0] if len(others) == 1 else f"{', '.join(others[:-1])} and {others[-1]}"
        told = [f"from the column {columns.image} (there is also {listed})", *told]
    arrays = {"rows": kept} | ({} if numbers is None else {"labels": numbers[kept]})
    facts = {
        "whole": seen.whole(total, len(asked)),
        "total": total,
        "classes": list(classes),
        "told": [*told, *filter(None, [note])],
    }
    facts["columns"] = asdict(columns) | {"label": columns.label if numbers is not None else None}
    pools.write(destination, facts, **arrays)


def _row(number: int) -> str:
    return f"row {number}"


def _opened(path: Path) -> pq.ParquetFile:
    # Pages are read as they are needed: a row group may be as large as the file.
    return pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False, memory_map=False)


def _chunks(table: pq.ParquetFile, leaf: str) -> list[pq.ColumnChunkMetaData]:
    """What the file says of the parts of a column: one for each group of rows."""
    groups = [table.metadata.row_group(number) for number in range(table.metadata.num_row_groups)]
    paths = [groups[0].column(number).path_in_schema for number in range(groups[0].num_columns)] if groups else []
    if groups and leaf not in paths:
        raise ValueError(f"the column {leaf!r} is not kept as one value a row.")
    return [group.column(paths.index(leaf)) for group in groups]


def _judge(table: pq.ParquetFile, leaf: str) -> None:
    """Raise ValueError for a file whose images cannot be as many as it says, from its own metadata alone."""
    chunks = _chunks(table, leaf)
    empty = sum(
        c.statistics.null_count or 0 for c in chunks if c.statistics is not None and c.statistics.has_null_count
    )
    images = sum(chunk.num_values for chunk in chunks) - empty
    size = sum(chunk.total_uncompressed_size for chunk in chunks)
    if images > FEW and size < images * LEAST:
        raise ValueError(
            f"its {images:,} images have {size:,} bytes together, so they repeat a few, which is no dataset."
        )


def _parts(table: pq.ParquetFile, column: str, leaf: str) -> Iterator[pa.Array]:
    """The values of a column in parts of at most PART bytes, though any of them may be as large as its chunk."""
    largest = max((chunk.total_uncompressed_size for chunk in _chunks(table, leaf)), default=0)
    count = max(1, min(MOST_ROWS_OF_A_PART, PART // max(1, largest)))
    for batch in table.iter_batches(batch_size=count, columns=[column], use_threads=False):
        yield batch.column(0)


def _bytes(column: pa.Array) -> pa.Array:
    """The encoded images; a null in the place of a picture is a picture without bytes."""
    return column.flatten()[column.type.get_field_index("bytes")] if pa.types.is_struct(column.type) else column


def _columns(schema: pa.Schema, request: Request) -> Columns:
    """The columns to read. Images are in what the Hub's metadata declares as such, or what is called so, or else the
    first that could be; labels are declared or called so. Raises DatasetUnavailable for a wrong request."""
    kinds = {name: feature.get("_type") for name, feature in _features(schema).items()}
    possible = [f.name for f in schema if _holds_bytes(f) and kinds.get(f.name) != "Audio" and f.name not in SOUNDS]

    def rank(name: str) -> tuple[bool, int, int]:
        place = PLACES.index(name.lower()) if name.lower() in PLACES else len(PLACES)
        return kinds.get(name) != "Image", place, schema.get_field_index(name)

    possible.sort(key=rank)
    image = request.image_column or next(iter(possible), None)
    if image is None or image not in schema.names or not _holds_bytes(schema.field(image)):
        raise DatasetUnavailable(
            f"No column of images {'called ' + repr(image) + ' ' if image else ''}was found among "
            f"{', '.join(schema.names)[:200]}."
        )
    could = [f.name for f in schema if f.name != image and _could_label(f.type)]
    named = [name for name in could if kinds.get(name) == "ClassLabel"]
    label = request.label_column or next(iter([*named, *(name for name in labels.NAMES if name in could)]), None)
    if label is not None and label not in could:
        raise DatasetUnavailable(f"The label column {label!r} holds no words or whole numbers, or is not there.")
    return Columns(image, label, tuple(possible), tuple(could))


def _features(schema: pa.Schema) -> dict[str, dict]:
    """What the Hub's library declares of the columns, {} where it does not."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return {name: feature for name, feature in features.items() if isinstance(feature, dict)}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _holds_bytes(column: pa.Field) -> bool:
    kind = column.type
    if pa.types.is_struct(kind):
        place = kind.get_field_index("bytes")
        return place >= 0 and (_binary(kind.field(place).type) or pa.types.is_null(kind.field(place).type))
    return _binary(kind)


def _binary(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _could_label(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_boolean,
        pa.types.is_string,
        pa.types.is_large_string,
    )
    return any(test(kind) for test in tests)


def _labels(
    folder: Path, task: dict, tables: list[pq.ParquetFile], columns: Columns, request: Request
) -> tuple[np.ndarray | None, tuple[str, ...], str]:
    """Class numbers of all rows (None without), the classes, and why there are none where a column looked like them."""
    column = columns.label
    if column is None:
        return None, (), ""
    declared = _features(tables[0].schema_arrow).get(column, {}).get("names")
    names = tuple(map(str, declared[: labels.MAX_CLASSES])) if isinstance(declared, list) else request.classes
    values = labels.Values(column)
    try:
        numbers = np.concatenate([_numbers(table, column, values) for table in tables])
        if values.missing:  # as in a test split published without its labels
            return None, (), f"no labels: some rows of {column} have none" if values.known else ""
        if not names:  # of all splits: one that lacks a class must not number the others anew
            for name in sorted(set(task["siblings"]) - set(task["names"])):
                if column in (table := _opened(folder / name)).schema_arrow.names:
                    _numbers(table, column, values)
        places, classes = values.classes(names)
    except labels.Unlabelled as error:
        if request.label_column:
            raise
        return None, (), f"no labels: {error}"
    return places[numbers], classes, ""


def _numbers(table: pq.ParquetFile, column: str, values: labels.Values) -> np.ndarray:
    found = [values.number(part.to_pylist()) for part in _parts(table, column, column)]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _say(answer: dict) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    given = json.loads(sys.stdin.buffer.read())
    limits.limit(given["memory"], given["seconds"])
    _say(run(given))
