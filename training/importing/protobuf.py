"""Protocol buffers by the wire format, which allocates nothing but what is asked for.

Read so are keras_metadata.pb, saved_model.pb and the object graph of a checkpoint; none is ever loaded as a program.
"""

from collections.abc import Iterator
from typing import Any

from training.importing import Refused


def fields(content: memoryview) -> Iterator[tuple[int, Any]]:
    """(number, value) of each field of a message: an int, or a memoryview for what has a length."""
    position, end = 0, len(content)

    def varint() -> int:
        nonlocal position
        value = shift = 0
        while True:
            if position >= end or shift > 63:
                raise Refused("The metadata is damaged.")
            byte = content[position]
            position += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    while position < end:
        key = varint()
        number, wire = key >> 3, key & 7
        if wire == 0:
            yield number, varint()
            continue
        length = {1: 8, 5: 4}.get(wire)
        if length is None:
            if wire != 2:
                raise Refused("The metadata is damaged.")
            length = varint()
        if length > end - position:
            raise Refused("The metadata is cut short.")
        yield number, content[position : position + length]
        position += length


def first(content: memoryview, number: int, default: Any = b"") -> Any:
    return next((value for found, value in fields(content) if found == number), default)


def text(content: memoryview, number: int) -> str:
    """The first field of this number as text, "" where there is none."""
    found = first(content, number)
    return "" if isinstance(found, int) else bytes(found).decode("utf-8", "replace")
