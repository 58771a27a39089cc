"""Figures of digits that are written and read back."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image, ImageDraw, ImageFont

from zoo.charts.layout import laid_out
from zoo.charts.palette import GREEN, HATCHING, NEUTRAL, ORANGE, VERMILLION
from zoo.images import enlarge, to_uint8

WIDEST = 1200  # pixels that a small picture is enlarged towards
OUTCOMES = {
    "the same number": (GREEN, ""),
    "a digit read otherwise": (VERMILLION, "x"),
    "more or fewer digits found": (NEUTRAL, "/"),
}


def boxed(picture: np.ndarray, boxes: Sequence[tuple[int, int, int, int]], names: Sequence[str]) -> np.ndarray:
    """Return a picture (H, W, C) as uint8 RGB with a frame around each box and its name above.

    One sees what was taken for a digit, and what it was read as. It is enlarged by a whole factor towards WIDEST, and a
    band for the names is added on top. boxes: (left, top, right, bottom) in pixels of the picture.
    """
    scale = max(1, WIDEST // picture.shape[1])
    pixels = enlarge(to_uint8(np.asarray(picture)), scale)
    pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3)) if pixels.shape[2] == 1 else pixels
    tallest = max([bottom - top for _, top, _, bottom in boxes], default=0) * scale
    letters = int(np.clip(tallest // 5, 18, max(18, pixels.shape[1] // 28)))
    band, pen_width = letters + letters // 2, max(2, pixels.shape[1] // 500)
    page = Image.new("RGB", (pixels.shape[1], pixels.shape[0] + band), tuple(int(c) for c in pixels[0, 0]))
    page.paste(Image.fromarray(np.ascontiguousarray(pixels)), (0, band))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(letters)
    for (left, top, right, bottom), name in zip(boxes, names, strict=True):
        edges = [left * scale - 1, top * scale + band - 1, right * scale, bottom * scale + band]
        pen.rectangle(edges, outline=ORANGE, width=pen_width)
        wide = pen.textlength(name, font=font) + letters // 2
        at = edges[0], max(0, edges[1] - letters - letters // 4)
        pen.rectangle([*at, at[0] + wide, edges[1]], fill=ORANGE)
        pen.text((at[0] + letters // 4, at[1]), name, font=font, fill="black")
    return np.asarray(page)


def returned(outcomes: Mapping[str, tuple[int, int, int]]) -> go.Figure:
    """One bar per writer: shares of numbers that came back the same, with a digit read otherwise, and with more or
    fewer digits found, in this order.

    One sees how often the way there and back gives the same number, and where it is lost.
    """
    figure = go.Figure()
    names = list(outcomes)
    counts = np.array([outcomes[name] for name in names], float).reshape(len(names), len(OUTCOMES))
    percent = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    for index, (title, (colour, pattern)) in enumerate(OUTCOMES.items()):
        figure.add_bar(
            x=percent[:, index], y=names, orientation="h", name=title, customdata=counts[:, index],
            marker={"color": colour, "pattern": {"shape": pattern, **HATCHING}},
            hovertemplate="%{x:.1f} %, %{customdata:.0f} numbers",
        )  # fmt: skip
    figure.update_xaxes(title_text="numbers (%)", range=[0, 103], tickvals=[0, 25, 50, 75, 100], showgrid=True)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return laid_out(
        figure,
        height=150 + 44 * len(names),
        barmode="stack",
        showlegend=True,
        legend_traceorder="normal",
        hovermode="closest",
    )
