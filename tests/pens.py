"""Rows of digits as strokes of a pen: strokes.json, drawn by a hand of its own for each row."""

import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

FILE = json.loads((Path(__file__).parent / "strokes.json").read_text())
ROWS = FILE["rows"]
STEPS = 5  # points between two that are given


def strokes(row: dict, width: float, height: float) -> list[np.ndarray]:
    """Return the strokes (points, 2) of a row, x and y in pixels of a pad of this size, one digit per sixth of it."""
    hand, rng, found = row["hand"], np.random.default_rng(row["hand"]["seed"]), []
    cell = width / len(row["number"])
    for index, digit in enumerate(row["number"]):
        size = height * hand["height"] * (1 + hand["uneven"] * rng.uniform(-1, 1))
        broad = min(height * hand["width"], 0.7 * cell) * (0.6 if digit == "1" else 1)
        top = (height - size) / 2 * (1 + hand["uneven"] * rng.uniform(-1, 1))
        for points in FILE["ways"][digit][hand["ways"][int(digit)]]:
            path = _smooth(np.array(points) + rng.normal(0, hand["wobble"], (len(points), 2)))
            x = (path[:, 0] - 0.5) * broad + hand["slant"] * (0.5 - path[:, 1]) * size + (index + 0.5) * cell
            y = path[:, 1] * size + top
            found.append(np.clip(np.stack([x, y], 1), 2, [width - 2, height - 2]))
    return found


def _smooth(points: np.ndarray) -> np.ndarray:
    """Catmull and Rom's curve through points (1974)."""
    if len(points) < 3:
        return points
    p = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, STEPS, endpoint=False)[:, None]
    parts = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True)
    ]
    return np.concatenate([*parts, points[-1:]])


def drawn(row: dict, shape: tuple[int, int, int], pen: float, scale: int = 4) -> np.ndarray:
    """Return a row as the pad gives it, float32 of the shape, drawn here instead of in a browser."""
    height, width, _ = shape
    page = Image.new("L", (width * scale, height * scale))
    draw = ImageDraw.Draw(page)
    for path in strokes(row, width * scale, height * scale):
        draw.line([tuple(point) for point in path], fill=255, width=round(pen * scale), joint="curve")
        for x, y in path[[0, -1]]:
            radius = pen * scale / 2
            draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=255)
    return np.asarray(page.reduce(scale), np.float32)[..., None] / 255


def draw(page, row: dict) -> None:
    """Draw a row on the pad of a page in a browser, by the mouse."""
    pad = page.get_by_label("Drawing pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    for path in strokes(row, box["width"], box["height"]):
        page.mouse.move(box["x"] + path[0, 0], box["y"] + path[0, 1])
        page.mouse.down()
        for x, y in path[1:]:
            page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.up()
