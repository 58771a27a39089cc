"""Lambdas that only scale and shift are read as data; all others stay unknown."""

import base64
import marshal

import pytest

from training.importing.lambdas import scaling

# x * 0.5 + 0.5 and x[:, 0], as these ages of Python compile them.
AGES = {
    "3.8": (
        "4wEAAAAAAAAAAAAAAAEAAAACAAAAQwAAAPMMAAAAfABkARQAZAEXAFMAqQJO5wAAAAAAAOA/qQCpAdoBeHIEAAAAcgQAAADaAW7a"
        "CDxsYW1iZGE+AgAAAPMAAAAA",
        "4wEAAAAAAAAAAAAAAAEAAAADAAAAQwAAAPMQAAAAfABkAGQAhQJkAWYCGQBTAKkCTukAAAAAqQCpAdoBeHIEAAAAcgQAAADaAW7a"
        "CDxsYW1iZGE+AgAAAPMAAAAA",
    ),
    "3.10": (
        "4wEAAAAAAAAAAAAAAAEAAAACAAAAQwAAAPMMAAAAfABkARQAZAEXAFMAqQJO5wAAAAAAAOA/qQCpAdoBeHIEAAAAcgQAAADaAW7a"
        "CDxsYW1iZGE+AgAAAPMCAAAADAA=",
        "4wEAAAAAAAAAAAAAAAEAAAADAAAAQwAAAPMQAAAAfABkAGQAhQJkAWYCGQBTAKkCTukAAAAAqQCpAdoBeHIEAAAAcgQAAADaAW7a"
        "CDxsYW1iZGE+AgAAAPMCAAAAEAA=",
    ),
    "3.11": (
        "4wEAAAAAAAAAAAAAAAIAAAADAAAA8xIAAACXAHwAZAF6BQAAZAF6AAAAUwCpAk7nAAAAAAAA4D+pACkB2gF4cwEAAAAg2gFu+gg8"
        "bGFtYmRhPnIHAAAAAgAAAPMOAAAAgACQQZBjkUWYI5FJgADzAAAAAA==",
        "4wEAAAAAAAAAAAAAAAMAAAADAAAA8xoAAACXAHwAZABkAIUCZAFmAhkAAAAAAAAAAABTAKkCTukAAAAAqQApAdoBeHMBAAAAINoB"
        "bvoIPGxhbWJkYT5yBwAAAAIAAADzEgAAAIAAqBGoMagxqDGoYag0rBeAAPMAAAAA",
    ),
    "3.12": (
        "4wEAAAAAAAAAAAAAAAIAAAADAAAA8xIAAACXAHwAZAF6BQAAZAF6AAAAUwCpAk7nAAAAAAAA4D+pACkB2gF4cwEAAAAg2gFu+gg8"
        "bGFtYmRhPnIHAAAAAgAAAPMOAAAAgACQQZBjkUWYI5FJgADzAAAAAA==",
        "4wEAAAAAAAAAAAAAAAMAAAADAAAA8xQAAACXAHwAZABkAIUCZAFmAhkAAABTAKkCTukAAAAAqQApAdoBeHMBAAAAINoBbvoIPGxh"
        "bWJkYT5yBwAAAAIAAADzDgAAAIAAqBGqMahhqDSpF4AA8wAAAAA=",
    ),
    "3.13": (
        "4wEAAAAAAAAAAAAAAAIAAAADAAAA8xIAAACVAFUAUwEtBQAAUwEtAAAAJACpAk7nAAAAAAAA4D+pACkB2gF4cwEAAAAg2gFu2gg8"
        "bGFtYmRhPnIHAAAAAgAAAPMMAAAAgACQQZBjkUWYI5JJ8wAAAAA=",
        "4wEAAAAAAAAAAAAAAAMAAAADAAAA8xQAAACVAFUAUwBTADICUwE0AgUAAAAkAKkCTukAAAAAqQApAdoBeHMBAAAAINoBbtoIPGxh"
        "bWJkYT5yBwAAAAIAAADzDAAAAIAAqBGqMahhqDSqF/MAAAAA",
    ),
}


def layer(code, **options):
    return {"function": [code, None, None]} | options


def compiled(function):
    return base64.b64encode(marshal.dumps(function.__code__)).decode()


@pytest.mark.parametrize("age", AGES)
def test_a_lambda_of_any_age_that_scales_is_read(age):
    assert scaling(layer(AGES[age][0])) == {"scale": 0.5, "offset": 0.5}
    assert scaling(layer(AGES[age][1])) is None


@pytest.mark.parametrize(
    ("function", "scale", "offset"),
    [
        (lambda x: x / 127.5 - 1, 1 / 127.5, -1.0),
        (lambda x: (x + 1) / 2, 0.5, 0.5),
        (lambda x: 1 - x, -1.0, 1.0),
        (lambda x: 2.0 * x, 2.0, 0.0),
        (lambda x: x * 255, 255.0, 0.0),
    ],
)
def test_arithmetic_with_constants_is_followed(function, scale, offset):
    assert scaling(layer(compiled(function))) == {"scale": scale, "offset": offset}
    held = {"class_name": "__lambda__", "config": {"code": compiled(function), "defaults": None, "closure": None}}
    assert scaling({"function": held}) == {"scale": scale, "offset": offset}


@pytest.mark.parametrize(
    "function",
    [lambda x: x**2, lambda x: x * x, lambda x: x[0], lambda x: print(x), lambda x: x / 0, lambda x: 5.0, lambda: 1],
)
def test_whatever_else_it_does_is_unknown(function):
    assert scaling(layer(compiled(function))) is None


def test_a_lambda_with_values_from_elsewhere_is_unknown():
    code = compiled(lambda x: x * 2)
    assert scaling({"function": [code, [3], None]}) is None
    assert scaling({"function": [code, None, [1]]}) is None
    assert scaling(layer(code, arguments={"y": 2})) is None


@pytest.mark.parametrize("length", range(0, 200, 7))
def test_damaged_code_is_unknown(length):
    content = marshal.dumps((lambda x: x * 0.5 + 0.5).__code__)
    assert scaling(layer(base64.b64encode(content[:length] + bytes(3)).decode())) in (
        None,
        {"scale": 0.5, "offset": 0.5},
    )
