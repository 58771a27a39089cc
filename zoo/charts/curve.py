"""The training curve as a picture: what a model card shows where no interactive figure can be."""

import io
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from zoo.charts.history import LABELS, MEASURES
from zoo.charts.palette import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION

COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
INK, FAINT, GRID, PAPER = "#14120F", "#6B655C", "#E4DFD6", "#FDFCFA"
WIDTH, PANEL, TOP, LEFT, RIGHT, BOTTOM = 960, 200, 40, 64, 24, 56  # in points; PANEL is the height of one plot
SHARP = 2  # pixels per point, drawn at twice that and reduced
MARKERS = 12  # on each line
MAX_CURVES, MAX_POINTS = 12, 100_000
DRAWN = 2000  # points of each line; more would not show
FARTHEST = 1e30  # beyond it axes have no round numbers
_SCALE = 2 * SHARP


def png(history: Mapping[str, Sequence[float]]) -> bytes | None:
    """Draw the content of history.json: losses, accuracy and Fréchet distance, each over the images seen.

    Lines differ by colour and marker, validation is dotted. An axis is logarithmic when all its values are positive and
    span more than a factor of ten. Returns the bytes of a PNG file, None when there is nothing that can be drawn."""
    try:
        table = {name[:40]: np.asarray(values, float) for name, values in history.items()}
    except (TypeError, ValueError, AttributeError):
        return None
    seen = table.pop("images", table.get("epoch"))
    if seen is None or seen.ndim != 1 or not 2 <= len(seen) <= MAX_POINTS or not (np.abs(seen) < FARTHEST).all():
        return None
    every = -(-len(seen) // DRAWN)
    panels: dict[str, dict[str, np.ndarray]] = {}
    for name, values in list(table.items())[:MAX_CURVES]:
        if name in ("epoch", "seconds") or values.shape != seen.shape:
            continue
        values = np.where(np.abs(values) < FARTHEST, values, np.nan)[::every]
        if np.isfinite(values).any():
            title = next((title for word, title in MEASURES.items() if word in name), "loss")
            panels.setdefault(title, {})[name] = values
    if not panels:
        return None
    seen = seen[::every]
    names = list(dict.fromkeys(name.removeprefix("val_") for curves in panels.values() for name in curves))
    size = (WIDTH * _SCALE, (len(panels) * (PANEL + TOP) + BOTTOM) * _SCALE)
    picture = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(picture)
    for row, (title, curves) in enumerate(panels.items()):
        top = row * (PANEL + TOP) + TOP
        _panel(pen, top, title, seen, curves, names, last=row == len(panels) - 1)
    picture = picture.reduce(2).quantize(64, method=Image.Quantize.MEDIANCUT)
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()


def _panel(
    pen, top: int, title: str, seen: np.ndarray, curves: dict[str, np.ndarray], names: list[str], last: bool
) -> None:
    """Draw one plot with its title, legend, grid and lines; `top` is where the plot area begins."""
    low, high, ticks, logarithmic = _axis(np.concatenate(list(curves.values())))
    measure = np.log10 if logarithmic else np.asarray
    start, end = (float(measure(value)) for value in (low, high))
    right, bottom = max(float(seen.max()), 1e-9), top + PANEL

    def x(value: Any) -> Any:
        return (LEFT + (WIDTH - LEFT - RIGHT) * value / right) * _SCALE

    def y(value: Any) -> Any:
        return (bottom - PANEL * (measure(value) - start) / (end - start)) * _SCALE

    for tick in ticks:
        pen.line([(x(0), y(tick)), (x(right), y(tick))], fill=GRID, width=_SCALE)
        _text(pen, LEFT - 8, y(tick) / _SCALE, f"{tick:g}", "rm", FAINT)
    pen.line([(x(0), bottom * _SCALE), (x(right), bottom * _SCALE)], fill=FAINT, width=_SCALE)
    for tick in _steps(0, right, 8):
        pen.line([(x(tick), bottom * _SCALE), (x(tick), (bottom + 4) * _SCALE)], fill=FAINT, width=_SCALE)
        if last:
            _text(pen, x(tick) / _SCALE, bottom + 8, _short(tick), "ma", FAINT)
    if last:
        _text(pen, WIDTH - RIGHT, bottom + 28, "images seen", "ra", INK)
    across = LEFT + _text(pen, LEFT, top - 16, title + (", log scale" if logarithmic else ""), "lm", INK) + 28
    for name, values in curves.items():
        kind = names.index(name.removeprefix("val_"))
        dotted, colour = name.startswith("val_"), COLOURS[kind % len(COLOURS)]
        known = np.isfinite(values) & ((values > 0) if logarithmic else True)
        points = list(zip(x(seen[known]), y(values[known]), strict=True))
        _line(pen, points, colour, dotted)
        every = max(1, len(points) // MARKERS)
        for point in points[every - 1 :: every]:
            _marker(pen, *point, kind, colour)
        label = LABELS.get(name, name.replace("val_", "validation ").replace("_", " "))
        if label == title:
            continue
        beside = (top - 16) * _SCALE
        _line(pen, [(across * _SCALE, beside), ((across + 32) * _SCALE, beside)], colour, dotted)
        _marker(pen, (across + 16) * _SCALE, beside, kind, colour)
        across += 40 + _text(pen, across + 40, top - 16, label, "lm", INK) + 24


def _line(pen, points: list, colour: str, dotted: bool) -> None:
    if not dotted:
        pen.line(points, fill=colour, width=2 * _SCALE, joint="curve")
        return
    xs, ys = np.array(points).T
    along = np.concatenate([[0], np.cumsum(np.hypot(np.diff(xs), np.diff(ys)))])
    at, radius = np.arange(0, along[-1], 6 * _SCALE), 1.25 * _SCALE
    for x, y in zip(np.interp(at, along, xs), np.interp(at, along, ys), strict=True):
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)


def _marker(pen, x: float, y: float, kind: int, colour: str) -> None:
    """A disc, a square, a diamond, a triangle, or one of these hollow."""
    radius = 4 * _SCALE
    fill = {"fill": colour} if kind % 8 < 4 else {"fill": PAPER, "outline": colour, "width": _SCALE + 2}
    if kind % 4 == 0:
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], **fill)
    else:
        sides, turn = ((4, 0), (4, 45), (3, 0))[kind % 4 - 1]
        pen.regular_polygon((x, y, radius * 1.25), sides, rotation=turn, **fill)


def _text(pen, x: float, y: float, text: str, anchor: str, colour: str) -> float:
    """Write text and return its width in points; Pillow's own font knows no accents."""
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    font = ImageFont.load_default(13 * _SCALE)
    pen.text((x * _SCALE, y * _SCALE), text, font=font, anchor=anchor, fill=colour)
    return pen.textlength(text, font=font) / _SCALE


def _axis(values: np.ndarray) -> tuple[float, float, list[float], bool]:
    """Ends of the axis, its ticks, and whether it is logarithmic."""
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    if 0 < 10 * low < high:
        steps = (1, 2, 5) if high <= 100 * low else (1,)
        powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        ticks = [step * 10.0**power for power in powers for step in steps]
        inside = [tick for tick in ticks if low / 1.1 <= tick <= high * 1.1]
        return low / 1.15, high * 1.15, inside[:: 1 + len(inside) // 8], True
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return low - margin, high + margin, _steps(low - margin, high + margin, 6), False


def _steps(low: float, high: float, count: int) -> list[float]:
    """Round numbers between two values, about `count` of them."""
    rough = (high - low) / count
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = int(np.ceil(low / step - 1e-9))
    return [round(index * step, 12) for index in range(first, int(np.floor(high / step + 1e-9)) + 1)]


def _short(number: float) -> str:
    for scale, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= scale:
            return f"{number / scale:g}{unit}"
    return f"{number:g}"
