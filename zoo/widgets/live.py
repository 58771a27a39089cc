"""Pictures that follow the hand, without a round trip to the server: a plane to drag in, or a path to slide along."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import streamlit as st

from zoo import images
from zoo.widgets.components import component
from zoo.widgets.urls import bound


@dataclass(frozen=True)
class Axis:
    """One number that is moved: its name in the URL (?key=…) and to readers, its bounds, its value at first.

    step: of the arrow keys and of a path. up: whether it grows from the bottom to the top of a plane. ends: what stands
    at both ends of a path.
    """

    key: str
    label: str
    low: float
    high: float
    default: float
    step: float = 0.01
    decimals: int = 2
    up: bool = False
    ends: tuple[str, str] = ("", "")

    def value(self) -> float:
        """Return the value, from the URL or as it was left."""
        limits = {"min_value": self.low, "max_value": self.high}
        return bound(_held, self.label, key=self.key, default=self.default, **limits)


@dataclass(frozen=True)
class Frames:
    """What is sent once: a sheet of K grids, one below the other, each of rows × columns pictures (height × width).

    titles: of the K pictures that are shown side by side.
    """

    sheet: bytes
    rows: int
    columns: int
    height: int
    width: int
    titles: tuple[str, ...]


Exact = Callable[[list[float]], tuple[np.ndarray, Sequence[str]]]


def live(
    frames: Frames,
    axes: Sequence[Axis],
    exact: Exact,
    *,
    key: str,
    plane: dict[str, Any] | None = None,
    reads: dict[str, Any] | None = None,
    grey: bool = False,
) -> list[float]:
    """Draw pictures that follow a slider (one axis) or a plane (two), and return the values of the axes.

    Args:
        exact: takes the values and returns the pictures (K, H, W, C) there, and a plain text for each: what replaces
            the blended pictures once the hand is lifted.
        plane: for two axes, its `label` for those who do not see it, `points` (value, value, number of the kind), and
            `kinds` of points (name, colour, symbol, rgb).
        reads: what a classifier (`by`) sees: its `classes`, and at the places of a grid of `side` × `side`, row by row,
            `index` and `percent`.
        grey: whether the pictures behind the points are drawn as ink instead of as they are.
    """
    at = [axis.value() for axis in axes]
    data = {
        "key": key,
        "sheet": "data:image/webp;base64," + base64.b64encode(frames.sheet).decode(),
        "rows": frames.rows,
        "columns": frames.columns,
        "height": frames.height,
        "width": frames.width,
        "pictures": [{"title": title} for title in frames.titles],
        "axes": [asdict(axis) for axis in axes],
        "plane": plane,
        "reads": reads,
        "grey": grey,
    }
    data["id"] = hashlib.sha1(repr(data).encode()).hexdigest()
    draw = component("live", '<div class="live"></div>', "plane", "shapes", "blend")
    with st.container(key=f"live-{key}", gap=None):
        draw(key=f"{key}-live", data=data, default={"at": None}, on_at_change=lambda: _moved(key, axes))
        pictures, notes = exact(at)
        strip = images.png(images.strip([pictures], scale=1, gap=0))
        sheet = f"data:image/png;base64,{base64.b64encode(strip).decode()}"
        draw(key=f"{key}-exact", data={"exact": {"key": key, "at": at, "sheet": sheet, "notes": list(notes)}})
    return at


def _held(label: str, *, key: str, **limits: Any) -> float:
    """Stand in for an input of Streamlit: what is moved is drawn by `live`."""
    return st.session_state[key]


def _moved(key: str, axes: Sequence[Axis]) -> None:
    """Take over where the hand was lifted; what is no list of so many numbers is not from our component."""
    at = st.session_state[f"{key}-live"].at
    if isinstance(at, list) and len(at) == len(axes) and all(isinstance(value, int | float) for value in at):
        for axis, value in zip(axes, at, strict=True):
            st.session_state[axis.key] = min(max(round(float(value), axis.decimals), axis.low), axis.high)
