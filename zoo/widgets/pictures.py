"""Crisp tiles of images and a drawing pad, as two small components whose JavaScript and CSS lie beside this file."""

import base64
import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from zoo import images

_FOLDER = Path(__file__).parent


@functools.cache
def _component(name: str, html: str) -> Any:
    css, js = ((_FOLDER / f"{name}.{kind}").read_text("utf-8") for kind in ("css", "js"))
    return st.components.v2.component(f"latent_zoo_{name}", html=html, css=css, js=js)


def image_grid(
    pictures: np.ndarray,
    captions: Sequence[str] | None = None,
    *,
    alts: Sequence[str] | str,
    key: str,
    size: int = 96,
    columns: int | None = None,
    select: str | None = None,
    selected: Sequence[int] = (),
) -> list[int]:
    """Draw images as crisp tiles (enlarged without smoothing) and return the indices of the chosen ones.

    Args:
        pictures: (N, H, W, C) in [0, 1].
        captions: one line under each tile, plain text.
        alts: what each tile shows, for those who do not see it; one string is numbered.
        size: largest width of a tile in pixels.
        columns: a fixed number makes a matrix that scrolls sideways on a phone; None fills the width.
        select: None, "one" or "many": tiles are buttons (mouse, touch, keyboard); the URL keeps the choice (?key=…).
        selected: chosen at first.
    """
    count, height, width, _ = pictures.shape
    across = math.ceil(math.sqrt(count))
    sheet = images.png(images.sheet(pictures, columns=across, scale=1, gap=0))
    names = [f"{alts} {index + 1}" for index in range(count)] if isinstance(alts, str) else list(alts)
    chosen = _chosen(key, count, selected) if select else []
    _component("tiles", '<div class="tiles"></div>')(
        key=f"{key}-tiles",
        data={
            "sheet": f"data:image/png;base64,{base64.b64encode(sheet).decode()}",
            "across": across,
            "height": height,
            "width": width,
            "size": size,
            "columns": columns,
            "tiles": [{"alt": alt, "caption": text} for alt, text in zip(names, captions or [""] * count, strict=True)],
            "select": select,
            "selected": chosen,
        },
        default={"selected": None},
        on_selected_change=functools.partial(_choose, key),
    )
    return chosen


def _chosen(key: str, count: int, selected: Sequence[int]) -> list[int]:
    texts = st.query_params.get_all(key) or [str(index) for index in selected]
    return [int(text) for text in dict.fromkeys(texts) if text.isdecimal() and len(text) < 6 and int(text) < count]


def _choose(key: str) -> None:
    st.query_params[key] = [str(index) for index in st.session_state[f"{key}-tiles"].selected or ()]


def draw_pad(key: str, shape: tuple[int, int, int]) -> np.ndarray | None:
    """Draw a pad for mouse, pen or finger; return the drawing, float32 of the shape in [0, 1], None while empty.

    Grey pads draw white on black, as MNIST does; colour pads offer a colour on a light ground.
    """
    height, width, channels = shape
    html = (
        '<canvas role="img" aria-label="Drawing pad"></canvas><div class="tools"><button type="button">Clear</button>'
        '<label>Colour <input type="color" aria-label="Colour of the pen"></label></div>'
    )
    ground, ink = ("#000000", "#ffffff") if channels == 1 else ("#e8e4dc", "#c8321e")
    pen = max(1.0, 2.2 * max(height, width) / 28)
    data = {"height": height, "width": width, "channels": channels, "pen": pen, "ground": ground, "ink": ink}
    result = _component("pad", html)(
        key=f"{key}-pad", data=data, default={"pixels": None}, on_pixels_change=lambda: None, width=260
    )
    pixels = result.pixels
    if not isinstance(pixels, list) or len(pixels) != math.prod(shape):
        return None
    return np.clip(np.asarray(pixels, np.float32), 0, 255).reshape(shape) / 255
