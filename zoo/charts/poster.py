"""Rows of pictures with their names as one picture that fits a slide."""

import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from zoo.charts.curve import FAINT, INK, PAPER
from zoo.images import enlarge, to_uint8

LEAST = 1600  # pixels of its width
NAMES, MARGIN, GAP = 360, 40, 12  # pixels: of the row names, around everything, between pictures
TITLE, NAME, NOTE = 36, 24, 20  # pixels of the letters


@dataclass(frozen=True)
class Row:
    """N pictures (N, H, W, C) in [0, 1], what they are, and one plain text under each; `apart` begins a new group."""

    title: str
    pictures: np.ndarray
    note: str = ""
    captions: Sequence[str] = field(default=())
    apart: bool = False


def lines(pictures: np.ndarray, across: int = 8) -> list[Row]:
    """Return pictures as rows of at most `across`, in reading order."""
    return [Row("", pictures[start : start + across]) for start in range(0, len(pictures), across)]


def poster(title: str, rows: Sequence[Row], columns: Sequence[str] = ()) -> bytes:
    """Return a PNG file, at least LEAST pixels wide: a title, the names of columns and rows, pictures enlarged by whole
    factors.

    Args:
        columns: a name above each column, or none; rows without names take no place for them.
    """
    count = max(len(row.pictures) for row in rows)
    left = MARGIN + (NAMES if any(row.title for row in rows) else 0)
    widest = max(row.pictures.shape[2] for row in rows)
    cell = widest * max(1, -(-(LEAST - left - MARGIN - (count - 1) * GAP) // (count * widest)))
    scales = [max(1, cell // row.pictures.shape[2]) for row in rows]
    lines = [max((len(text.splitlines()) for text in row.captions), default=0) for row in rows]
    heights = [
        row.pictures.shape[1] * scale + n * (NOTE + 6) for row, scale, n in zip(rows, scales, lines, strict=True)
    ]
    top = MARGIN + TITLE + 2 * GAP + (NAME + GAP if columns else 0)
    size = (left + count * (cell + GAP) - GAP + MARGIN, top + sum(heights) + (len(rows) - 1) * 2 * GAP + MARGIN)
    page = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(page)
    _write(pen, MARGIN, MARGIN, title, TITLE, INK, size[0] - 2 * MARGIN)
    for index, name in enumerate(columns):
        _write(pen, left + index * (cell + GAP), top - NAME - GAP, name, NAME, FAINT, cell)
    for row, scale, height in zip(rows, scales, heights, strict=True):
        below = _write(pen, MARGIN, top, row.title, NAME, INK, NAMES - GAP)
        _write(pen, MARGIN, below, row.note, NOTE, FAINT, NAMES - GAP)
        for index, picture in enumerate(enlarge(to_uint8(row.pictures), scale)):
            at = left + index * (cell + GAP)
            page.paste(Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture), (at, top))
            if row.captions:
                _write(pen, at, top + len(picture) + 4, row.captions[index], NOTE, FAINT, cell)
        top += height + 2 * GAP
    content = io.BytesIO()
    page.save(content, "PNG", optimize=True)
    return content.getvalue()


def _write(pen: ImageDraw.ImageDraw, x: int, y: int, text: str, size: int, colour: str, width: int) -> int:
    """Write text in lines of at most `width` pixels and return where it ends; Pillow's own font knows no accents."""
    font = ImageFont.load_default(size)
    for paragraph in text.replace("→", "to").replace("·", "-").replace("−", "-").replace("…", "to").splitlines():
        line = ""
        for word in unicodedata.normalize("NFKD", paragraph).encode("ascii", "ignore").decode().split():
            longer = f"{line} {word}".strip()
            if line and pen.textlength(longer, font=font) > width:
                pen.text((x, y), line, font=font, fill=colour)
                y, longer = y + size + 6, word
            line = longer
        while line and pen.textlength(line, font=font) > width:
            line = line[:-1]
        pen.text((x, y), line, font=font, fill=colour)
        y += size + 6
    return y
