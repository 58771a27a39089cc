"""Lambda layers that only scale and shift: their byte code is read as data, and never run.

Keras keeps a Lambda as the base64 of Python's marshal format. What is read of it here is the code's bytes and its
constants, by a reader of our own that creates numbers and strings alone; the bytes are then followed as arithmetic on
one linear function of x. Whatever is not +, -, × and ÷ with constants makes it an unknown Lambda.
"""

import base64
import binascii
import struct
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 4096
CODE, REFERENCE, FLAG = b"c", b"r", 0x80
# Operations by their numbers, before Python 3.11, in 3.11 and 3.12, and from 3.13 on.
OLD = {124: "x", 100: "constant", 83: "return", 20: "*", 23: "+", 24: "-", 27: "/", 57: "*", 55: "+", 56: "-"}
MIDDLE = {151: "nothing", 0: "nothing", 124: "x", 100: "constant", 83: "return", 122: "operator"}
NEW = {149: "nothing", 0: "nothing", 85: "x", 83: "constant", 36: "return", 45: "operator"}
OPERATORS = {0: "+", 5: "*", 10: "-", 11: "/", 13: "+", 18: "*", 23: "-", 24: "/"}
ACTIONS = (OLD, MIDDLE, NEW)


class _Unknown(Exception):
    """Not a Lambda of a known form."""


@dataclass(frozen=True)
class _Linear:
    """scale · x + offset."""

    scale: float
    offset: float


def scaling(options: dict[str, Any]) -> dict[str, float] | None:
    """The scale and offset of a Lambda that computes scale · x + offset, None for any other.

    Args:
        options: the configuration of the layer; its "function" holds the code, arguments and closure must be empty.
    """
    function = options.get("function")
    if isinstance(function, dict):
        config = function.get("config")
        function = [config.get(key) for key in ("code", "defaults", "closure")] if isinstance(config, dict) else None
    if not isinstance(function, list | tuple) or len(function) != 3 or not isinstance(function[0], str):
        return None
    if any(function[1:]) or options.get("arguments") or len(function[0]) > 2 * MAX_BYTES:
        return None
    try:
        content = base64.b64decode(function[0], validate=False)
        code, constants = _Reader(content).code()
        found = _followed(code, constants)
    except (_Unknown, binascii.Error, struct.error, IndexError, ValueError):
        return None
    return {"scale": found.scale, "offset": found.offset}


class _Reader:
    """A reader of marshal: numbers, strings and tuples of them; a code object gives its bytes and constants."""

    def __init__(self, content: bytes):
        self.content, self.place = content, 0
        self.references: list[Any] = []

    def take(self, count: int) -> bytes:
        if not 0 <= count <= MAX_BYTES or self.place + count > len(self.content):
            raise _Unknown
        self.place += count
        return self.content[self.place - count : self.place]

    def number(self) -> int:
        return int(struct.unpack("<i", self.take(4))[0])

    def code(self) -> tuple[bytes, list[Any]]:
        """The bytes and constants of the code object at the start; the fields before them differ with the age."""
        if self.take(1)[0] & ~FLAG != CODE[0]:
            raise _Unknown
        self.references.append(None)
        for fields in (6, 5):  # argument counts, stack size, flags; once with and once without the number of locals
            self.place, self.references = 1 + 4 * fields, [None]
            try:
                code, constants = self.value(0), self.value(0)
            except _Unknown:
                continue
            if isinstance(code, bytes) and isinstance(constants, list):
                return code, constants
        raise _Unknown

    def value(self, depth: int) -> Any:
        kind = self.take(1)[0]
        name, kept = bytes([kind & ~FLAG]), bool(kind & FLAG)
        if name == REFERENCE:
            return self.references[self.number()]
        place = len(self.references)
        if kept:
            self.references.append(None)
        found = self._plain(name, depth)
        if kept:
            self.references[place] = found
        return found

    def _plain(self, name: bytes, depth: int) -> Any:
        if depth > 2:
            raise _Unknown
        if name == b"N":
            return None
        if name == b"i":
            return self.number()
        if name == b"g":
            return float(struct.unpack("<d", self.take(8))[0])
        if name in (b"s", b"t", b"u", b"a", b"A"):
            return self.take(self.number())
        if name in (b"z", b"Z"):
            return self.take(self.take(1)[0])
        if name in (b")", b"("):
            count = self.take(1)[0] if name == b")" else self.number()
            if not 0 <= count <= 64:
                raise _Unknown
            return [self.value(depth + 1) for _ in range(count)]
        raise _Unknown


def _followed(code: bytes, constants: list[Any]) -> _Linear:
    """What the code computes, read with the numbers of each age of Python; raises _Unknown."""
    for actions in ACTIONS:
        try:
            return _result(code, constants, actions)
        except (_Unknown, IndexError):
            continue
    raise _Unknown


def _result(code: bytes, constants: list[Any], actions: dict[int, str]) -> _Linear:
    stack: list[_Linear] = []
    for operation, argument in zip(code[::2], code[1::2], strict=False):
        action = actions.get(operation)
        if action == "operator":
            action = OPERATORS.get(argument)
        if action is None:
            raise _Unknown
        if action == "x":
            if argument:
                raise _Unknown
            stack.append(_Linear(1.0, 0.0))
        elif action == "constant":
            value = constants[argument]
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e30:
                raise _Unknown
            stack.append(_Linear(0.0, float(value)))
        elif action == "return":
            if len(stack) != 1 or not stack[0].scale:
                raise _Unknown
            return stack[0]
        elif action != "nothing":
            second, first = stack.pop(), stack.pop()
            stack.append(_applied(action, first, second))
    raise _Unknown


def _applied(action: str, first: _Linear, second: _Linear) -> _Linear:
    if action == "+":
        return _Linear(first.scale + second.scale, first.offset + second.offset)
    if action == "-":
        return _Linear(first.scale - second.scale, first.offset - second.offset)
    if action == "*" and not first.scale:
        first, second = second, first
    if second.scale or (action == "/" and not second.offset):
        raise _Unknown
    factor = second.offset if action == "*" else 1 / second.offset
    return _Linear(first.scale * factor, first.offset * factor)
