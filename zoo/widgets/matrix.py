"""Rows of crisp pictures with a heading each, as one matrix that shrinks to its place."""

import base64
from collections.abc import Sequence

import numpy as np

from zoo import images
from zoo.charts.poster import Row
from zoo.widgets.components import component, reserve


def image_matrix(rows: Sequence[Row], columns: Sequence[str], *, key: str, size: int = 96, least: int = 36) -> None:
    """Draw rows of pictures, at most one for each column, enlarged without smoothing; rows may differ in their shape.

    Rows of one picture each stand side by side.

    Args:
        columns: what the pictures of each column show, for those who do not see them.
        size, least: largest and smallest width of a picture in pixels of the screen.
    """
    data = [
        {
            "title": row.title,
            "note": row.note,
            "apart": row.apart,
            "height": row.pictures.shape[1],
            "width": row.pictures.shape[2],
            "sheet": "data:image/png;base64," + base64.b64encode(_sheet(row.pictures)).decode(),
            "tiles": [
                {"alt": f"{row.title}: {name}", "caption": caption}
                for name, caption in zip(columns, row.captions or [""] * len(row.pictures), strict=False)
            ],
        }
        for row in rows
    ]
    options = {"rows": data, "columns": len(columns), "size": size, "least": least}
    reserve(f"{key}-matrix", _space(rows, len(columns), size))
    component(
        "matrix",
        '<div class="around"><div class="matrix" tabindex="0" role="group" aria-label="Pictures"></div></div>',
        "drawn",
    )(key=f"{key}-matrix", data=options)


def _sheet(pictures: np.ndarray) -> bytes:
    return images.png(images.strip([pictures], scale=1, gap=0))


def _space(rows: Sequence[Row], columns: int, size: int) -> str:
    """Return the CSS that keeps the space of a matrix: its full height, or its share of a narrower window."""
    lines = [len(max(row.captions, key=len, default="").splitlines()) for row in rows]
    height = sum(
        size * row.pictures.shape[1] / row.pictures.shape[2] + 8 + 17 * n for row, n in zip(rows, lines, strict=True)
    )
    return f"aspect-ratio: {160 + columns * (size + 8)} / {height:.0f}; max-height: {height:.0f}px; width: 100%;"
