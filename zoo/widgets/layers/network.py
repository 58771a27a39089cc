"""The drawing of networks: a row of blocks, one for each layer, to choose from."""

import base64
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from zoo import images
from zoo.analysis import layers
from zoo.analysis.layers import Block
from zoo.widgets.components import component, reserve
from zoo.widgets.urls import bound

KEY = "layer"
SIDE, LEAST, CARD = 72, 16, 3  # pixels: of the largest map, of the smallest, from sheet to sheet
COLUMN = 14  # pixels across a vector
LETTER, MOST_LETTERS = 7, 18  # pixels of a letter, letters of a name that is not cut
LABEL = 66  # pixels of the three lines of text of a block, with its padding
WINDOWS = (390, 700, 1024, 1440)  # widths of the window for which space is kept
MARGINS = {390: 32, 700: 32, 1024: 160, 1440: 160}


def network(blocks: Sequence[Block], maps: dict[str, np.ndarray], default: str) -> Block:
    """Draw networks and return the block that is chosen (?layer=role.name); maps are of one input, without its axis."""
    keys = [block.key for block in blocks]
    chosen = bound(_held, "layer", keys, key=KEY, default=default)
    largest = max((max(block.layer.shape[:2]) for block in blocks if len(block.layer.shape) == 3), default=1)
    drawn = [_drawn(block, maps[block.key], largest) for block in blocks]
    for block, before, data in zip(blocks, [None, *blocks], drawn, strict=False):
        data["title"] = block.role if before is None or before.role != block.role else ""
        data["wide"] = max(data["wide"], 9 * len(data["title"]))
    area = max(data["height"] + CARD * data["cards"] for data in drawn) + 8
    reserve("network-layers", _space([data["wide"] for data in drawn], area + LABEL))
    component(
        "layers/network",
        '<div class="network" role="radiogroup" aria-label="Layers in the order of the data"></div>',
        "drawn",
    )(
        key="network-layers",
        data={"blocks": drawn, "selected": chosen, "area": area},
        default={"layer": None},
        on_layer_change=lambda: _choose(keys),
    )
    return blocks[keys.index(chosen)]


def _drawn(block: Block, maps: np.ndarray, largest: int) -> dict[str, Any]:
    """Return one block: its height tells the resolution or the number of neurons, its sheets the channels."""
    shape = block.layer.shape
    picture = maps if block.layer.tensor in ("", "image") and maps.ndim == 3 else layers.face(maps)
    if len(shape) == 3:
        height, width = (max(LEAST, round(SIDE * size / largest)) for size in shape[:2])
        cards = round(math.log2(shape[2]))
    else:
        height, width, cards = LEAST + round(7 * math.log2(shape[-1])), COLUMN, 0
    code = base64.b64encode(images.png(picture)).decode()
    kind = "bottleneck, " if block.code else ""
    return {
        "key": block.key,
        "name": block.layer.name,
        "size": block.size,
        "alt": f"{block.role}, {block.layer.name}: {kind}{block.layer.kind}, {block.size}",
        "picture": f"data:image/png;base64,{code}",
        "width": width,
        "height": height,
        "cards": cards,
        "code": block.code,
        "wide": max(72, width + CARD * cards + 16, LETTER * len(block.layer.name[:MOST_LETTERS]) + 8),
    }


def _space(widths: Sequence[int], line: int) -> str:
    """Return the CSS that keeps the height of all lines of blocks, for windows of several widths."""
    said = []
    for window in reversed(WINDOWS):
        lines, left = 1, window - MARGINS[window]
        for width in widths:
            if width > left:
                lines, left = lines + 1, window - MARGINS[window]
            left -= width
        said.append(f"@media (max-width: {window}px) {{ min-height: {lines * line + 6}px; }}")
    return f"min-height: {line + 6}px; {' '.join(said)}"


def _held(label: str, options: Sequence[str], *, key: str) -> str:
    """Stand in for an input of Streamlit: what is chosen is drawn by `network`."""
    return st.session_state[key]


def _choose(keys: Sequence[str]) -> None:
    """Take over the block that was chosen; its units are others, so none of them is chosen."""
    chosen = st.session_state["network-layers"].layer
    if chosen in keys:
        st.session_state[KEY] = chosen
        st.query_params.pop("unit", None)
