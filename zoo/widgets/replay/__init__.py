"""Widgets of the Training replay: runs side by side that play in the browser, without a round trip to the server."""

import base64
import hashlib
from typing import Any

import numpy as np

from zoo import images
from zoo.analysis import game
from zoo.analysis.game import Curve, Game
from zoo.charts.palette import BLUE, GREEN, VERMILLION
from zoo.entries import Entry
from zoo.widgets.components import component, reserve
from zoo.widgets.loading import cached

QUALITY = 88  # of the pictures as WebP
SHARED = ("Told apart", "Fréchet distance", "Coverage")  # figures that have one scale for all runs


@cached(max_entries=16)
def loaded(entry: Entry) -> Game | None:
    """Return the game of an entry, cached; raises EntryError."""
    return game.load(entry)


@cached(max_entries=16)
def run(entry: Entry) -> dict[str, Any] | None:
    """Return what the browser gets of one run, without its scales: pictures, moments, curves, histograms."""
    found = loaded(entry)
    if found is None:
        return None
    picture, across = game.tiled(found.pictures)
    losses = found.losses or (None, None)
    told = found.told
    verdicts = None
    if found.real is not None and found.fake is not None and found.edges is not None:
        verdicts = {"real": found.real.tolist(), "fake": found.fake.tolist(), "edges": found.edges.tolist()}
    return {
        "label": entry.label,
        "sheet": "data:image/webp;base64," + base64.b64encode(images.webp(picture, QUALITY)).decode(),
        "across": across,
        "height": found.pictures.shape[1],
        "width": found.pictures.shape[2],
        "seen": found.seen.tolist(),
        "verdicts": verdicts,
        "sides": list(found.sides),
        "plots": [
            _plot("Losses", [("D", BLUE, losses[0]), ("opponent" if found.sides[1].startswith("codes") else "G",
                                                      VERMILLION, losses[1])]),
            _plot("Told apart", [("", BLUE, told)], low=0.0, high=1.0, percent=True),
            _plot("Fréchet distance", [("", VERMILLION, found.frechet)], log=True),
            _plot("Coverage", [("", VERMILLION, found.coverage)], low=0.0, high=1.0, percent=True),
        ],
    }  # fmt: skip


def film(entries: list[Entry], key: str = "replay") -> None:
    """Draw runs side by side, in step by the number of images seen: pictures of one batch of latents, histograms of the
    discriminator's verdicts, curves with a marker. The place is in the URL as ?moment=, which the browser writes."""
    runs = [found for found in map(run, entries) if found]
    for title in SHARED:
        _share([plot for one in runs for plot in one["plots"] if plot["title"] == title])
    data: dict[str, Any] = {"runs": runs, "colours": {"real": GREEN, "fake": VERMILLION}}
    data["id"] = hashlib.sha1(repr(data).encode()).hexdigest()
    reserve(key, f"min-height: {42 if len(runs) > 1 else 44}rem;")
    component("replay/film", '<div class="film"></div>', "replay/figures", "drawn")(key=key, data=data)


def _plot(title: str, lines: list[tuple[str, str, Curve | None]], **options: Any) -> dict[str, Any]:
    """Describe a figure of curves; without any curve it says that they are not stored."""
    drawn = [
        {"name": name, "colour": colour, "points": np.column_stack([curve.seen, curve.values]).tolist()}
        for name, colour, curve in lines
        if curve is not None and len(curve.seen)
    ]
    values = np.array([value for line in drawn for _, value in line["points"]] or [0.0, 1.0])
    values = values[np.isfinite(values)]
    scale = {"log": False, "percent": False, "low": float(values.min()), "high": float(values.max())} | options
    for line in drawn:
        line["points"] = [[seen, value] for seen, value in line["points"] if np.isfinite(value)]
    return {"title": title, "lines": drawn, **scale}


def _share(plots: list[dict[str, Any]]) -> None:
    """Give figures of one kind the scale of all of them, which makes runs comparable at a glance."""
    drawn = [plot for plot in plots if plot["lines"]]
    low = min((plot["low"] for plot in drawn), default=0.0)
    high = max((plot["high"] for plot in drawn), default=1.0)
    for plot in drawn:
        plot |= {"low": low, "high": high}
