"""The picture of a point in a chart, shown while the pointer is over it."""

import base64
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from zoo import images
from zoo.widgets.components import component, selector
from zoo.widgets.loading import cached

MOST = 32  # pixels of a side of what is sent for many points
SHOWN = 112  # pixels of the screen that a picture has about
QUALITY = 85
NOTHING = {"sheet": "", "across": 1, "height": 1, "width": 1, "scale": 1}
WANTED = "charts that a pointer entered"


@st.fragment
def peek(
    chart: str, pictures: Callable[[], np.ndarray], *of: Any, rows: np.ndarray | None = None, most: int = MOST
) -> None:
    """Let the points of the chart drawn under the key `chart` show pictures, made once a pointer enters it.

    Args:
        pictures: gives (N, H, W, C) in [0, 1]; a point shows the one that its customdata counts, or whose place in
            `rows` holds its customdata.
        of: entries, numbers and the like that the pictures depend on, wholly: they are kept by these.
        most: larger pictures are reduced to so many pixels a side.
    """
    key = f"peek-{chart}"
    wanted: set[str] = st.session_state.setdefault(WANTED, set())
    data = {
        "chart": selector(chart),
        "wanted": key in wanted,
        "rows": None if rows is None else rows.tolist(),
    }
    data |= sprites(key, of, most, pictures) if key in wanted else NOTHING
    draw = component("peek", '<div class="peek" hidden aria-hidden="true"></div>')
    with st.container(key=f"over-{chart}"):
        draw(key=key, data=data, default={"wanted": False}, on_wanted_change=lambda: wanted.add(key))


@cached(max_entries=8)
def sprites(key: str, of: tuple, most: int, _pictures: Callable[[], np.ndarray]) -> dict[str, Any]:
    """Return all pictures in one sheet. What makes them is no part of the cache's key: `of` says what they are."""
    found = _pictures()
    height, width, channels = found.shape[1:]
    if (factor := max(height, width) / most) > 1:
        height, width = round(height / factor), round(width / factor)
        found = images.fit(found, (height, width, channels))[0]
    across = math.ceil(math.sqrt(len(found)))
    sheet = base64.b64encode(images.webp(images.sheet(found, columns=across, gap=0), QUALITY)).decode()
    scale = max(1, SHOWN // max(height, width))
    return {
        "sheet": f"data:image/webp;base64,{sheet}",
        "across": across,
        "height": height,
        "width": width,
        "scale": scale,
    }
