"""Crisp tiles of images, some of them to choose."""

import base64
import functools
import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import images
from zoo.widgets.components import component, reserve, selector


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
    leads_to: str = "",
) -> list[int]:
    """Draw images as crisp tiles (enlarged without smoothing) and return the indices of the chosen ones.

    Args:
        pictures: (N, H, W, C) in [0, 1].
        captions: one line under each tile, plain text.
        alts: what each tile shows, for those who do not see it; one string is numbered.
        size: largest width of a tile in pixels.
        columns: a fixed number makes a matrix, whose tiles shrink to fit; None fills the width.
        select: None, "one" or "many": tiles are buttons (mouse, touch, keyboard); the URL keeps the choice (?key=…).
        selected: chosen at first.
        leads_to: key of the container that a click scrolls to on a narrow window.
    """
    count, height, width, _ = pictures.shape
    across = math.ceil(math.sqrt(count))
    sheet = images.png(images.sheet(pictures, columns=across, scale=1, gap=0))
    names = [f"{alts} {index + 1}" for index in range(count)] if isinstance(alts, str) else list(alts)
    found = chosen(key, count, selected) if select else []
    in_row = columns or count
    line = size * height / width + 12 + (20 if captions else 0)
    full = line * math.ceil(count / in_row)
    reserve(
        f"{key}-tiles", f"aspect-ratio: {in_row * (size + 12)} / {full:.0f}; max-height: {full:.0f}px; width: 100%;"
    )
    component("tiles", '<div class="around"><div class="tiles"></div></div>', "drawn")(
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
            "leads_to": leads_to and selector(leads_to),
            "selected": found,
        },
        default={"selected": None},
        on_selected_change=functools.partial(_choose, key),
    )
    return found


def chosen(key: str, count: int, selected: Sequence[int] = ()) -> list[int]:
    """Return the tiles that the URL chooses of `count` under a key, where it names none those of `selected`."""
    texts = st.query_params.get_all(key) or [str(index) for index in selected]
    return [int(text) for text in dict.fromkeys(texts) if text.isdecimal() and len(text) < 6 and int(text) < count]


def _choose(key: str) -> None:
    st.query_params[key] = [str(index) for index in st.session_state[f"{key}-tiles"].selected or ()]
