"""A tour as a Jupyter notebook: `python -m zoo.analysis.tour.notebook` writes the one of the lecture anew.

Texts are those of the stops; the code of a stop stands in its data file under `code` and runs on the installed package
without a network. The app never runs it.
"""

import json
import re
from pathlib import Path
from typing import Any

from zoo.analysis.tour.facts import filled
from zoo.analysis.tour.reading import EMBEDDED, Stop, Tour, read
from zoo.analysis.tour.setting import Setting

FIRST = '''import io

import numpy as np
from PIL import Image

from zoo import charts, models
from zoo.charts import Row
from zoo.data import datasets
from zoo.entries import catalog

zoo = {entry.id: entry for entry in catalog.entries()}
fruits = datasets.load("fruits", "test", 400)
digits = datasets.load("digits", "test", 360)


def show(*rows):
    """Show rows of pictures, each given as a title and images (N, H, W, C) in [0, 1]; `display` is Jupyter's own."""
    display(Image.open(io.BytesIO(charts.poster("", [Row(title, pictures) for title, pictures in rows]))))'''


def notebook(tour: Tour, setting: Setting | None = None) -> str:
    """Return a tour as the JSON of a notebook (nbformat 4.5): the same tour and zoo give the same text."""
    entries = (setting or Setting.here()).entries
    cells = [_markdown("title", f"# {tour.heading.title}\n\n{tour.heading.description}"), _code("setup", FIRST)]
    for number, (name, stop) in enumerate(tour.stops.items(), start=1):
        cells.append(_markdown(name, filled(_told(stop, number), entries)))
        if stop.code:
            cells.append(_code(f"{name}-code", stop.code))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _told(stop: Stop, number: int) -> str:
    """Return the words of a stop as Markdown of Jupyter."""
    symbols = [f"- ${symbol.tex}$: {symbol.meaning}" for symbol in stop.formula.symbols]
    choices = [f"{index}. {choice}" for index, choice in enumerate(stop.prediction.choices, start=1)]
    answer = f"Answer {stop.prediction.answer}. {stop.prediction.reason}"
    parts = [
        f"## {number}. {stop.title}", stop.text, f"$${stop.formula.tex}$$", "\n".join(symbols),
        f"**Predict.** {stop.prediction.question}", "\n".join(choices),
        f"<details><summary>The answer</summary>\n\n{answer}\n\n</details>",
    ]  # fmt: skip
    if stop.references:
        parts.append("\n".join(f"- [{reference.title}]({reference.url})" for reference in stop.references))
    return "\n\n".join(parts)


def _markdown(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": _id(name), "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(name: str, text: str) -> dict[str, Any]:
    source = text.strip().splitlines(keepends=True)
    return {
        "cell_type": "code", "execution_count": None, "id": _id(name), "metadata": {}, "outputs": [], "source": source,
    }  # fmt: skip


def _id(name: str) -> str:
    """Return a name as the format wants ids of cells: letters, digits, - and _, at most 64."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", name)[:64]


def place(tour: Tour) -> Path:
    """Return where the notebook of a tour that comes with the zoo lies: beside its folder."""
    return EMBEDDED / f"{tour.name}.ipynb"


if __name__ == "__main__":
    lecture = read(EMBEDDED / "lecture")
    place(lecture).write_text(notebook(lecture), "utf-8")
