"""A pad to draw on."""

import math

import numpy as np

from zoo.widgets.components import component, reserve

WIDE = 720  # pixels of the screen that a pad for a row of digits takes at most


def draw_pad(key: str, shape: tuple[int, int, int]) -> np.ndarray | None:
    """Draw a pad for mouse, pen or finger; return the drawing, float32 of the shape in [0, 1], None while empty.

    Grey pads draw white on black, as MNIST does; colour pads offer a colour on a light ground. One that is far wider
    than high, for a row of digits, takes more of the page.
    """
    height, width, channels = shape
    html = (
        '<canvas role="img" aria-label="Drawing pad"></canvas><div class="tools"><button type="button">Clear</button>'
        '<label>Colour <input type="color" aria-label="Colour of the pen"></label></div>'
    )
    ground, ink = ("#000000", "#ffffff") if channels == 1 else ("#e8e4dc", "#c8321e")
    pen = max(1.0, 2.2 * min(height, width) / 28)
    size = WIDE if width > 2 * height else 240
    data = {"height": height, "width": width, "channels": channels, "pen": pen, "ground": ground, "ink": ink}
    space = f"aspect-ratio: {width} / {height}; max-width: {size}px; width: 100%; margin-bottom: 2.75rem;"
    reserve(f"{key}-pad", space)
    result = component("pad", html, "drawn")(
        key=f"{key}-pad",
        data=data | {"size": size},
        default={"pixels": None},
        on_pixels_change=lambda: None,
        width=size + 20,
    )
    pixels = result.pixels
    if not isinstance(pixels, list) or len(pixels) != math.prod(shape):
        return None
    return np.clip(np.asarray(pixels, np.float32), 0, 255).reshape(shape) / 255
