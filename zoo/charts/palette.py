"""One palette: the same colour for the same thing in every figure.

Colours are given for data only; text, grid and background are left to the page's theme, so that each figure works on
light and on dark. No meaning hangs on colour alone: series also differ by dash, marker or hatching.

Where a function takes `series`, a dict from name to data, the series named REAL_NAME is drawn as REAL and the others,
in order, as A, B and on; a page that has no real data therefore keeps A and B in their colours.
"""

from collections.abc import Iterable
from itertools import cycle
from typing import NamedTuple

import numpy as np

# Okabe and Ito 2008, "Color universal design". Black and yellow are left out: each vanishes on one of the backgrounds.
GREEN, BLUE, VERMILLION, PURPLE, ORANGE, SKY = "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#E69F00", "#56B4E9"
NEUTRAL = "#888888"  # references such as a prior; 3.5 : 1 on white, 5 : 1 on a dark page


class Style(NamedTuple):
    """How one series looks in lines, points and bars."""

    colour: str
    dash: str
    symbol: str
    pattern: str


REAL_NAME = "Real"
REAL = Style(GREEN, "solid", "circle", "")
A = Style(BLUE, "dash", "diamond", "/")
B = Style(VERMILLION, "dot", "cross", "x")
FURTHER = (
    Style(PURPLE, "dashdot", "square", "-"),
    Style(ORANGE, "longdash", "triangle-up", "\\"),
    Style(SKY, "longdashdot", "star", "+"),
)
HATCHING = {"fillmode": "overlay", "fgcolor": "rgba(255,255,255,0.6)", "solidity": 0.2, "size": 7}
SYMBOLS = ("circle", "diamond", "cross", "square", "triangle-up", "star", "x", "triangle-down", "pentagon", "hexagram")


def series_styles(series: Iterable[str]) -> list[tuple[str, Style]]:
    """Name and style of each series, the real one first so that it lies underneath."""
    others = zip([name for name in series if name != REAL_NAME], cycle((A, B, *FURTHER)), strict=False)
    return ([(REAL_NAME, REAL)] if REAL_NAME in series else []) + list(others)


def class_style(index: int) -> tuple[str, str]:
    """Colour and marker of a class: seven colours and ten markers repeat together only after seventy classes."""
    colours = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, NEUTRAL)
    return colours[index % len(colours)], SYMBOLS[index % len(SYMBOLS)]


def ramp(count: int) -> list[str]:
    """Colours from little (BLUE) over NEUTRAL to much (ORANGE): seen on both themes, told apart by the colour-blind."""
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (BLUE, NEUTRAL, ORANGE)])
    at = np.linspace(0, len(stops) - 1, count)
    mixed = np.stack([np.interp(at, range(len(stops)), channel) for channel in stops.T], 1).round().astype(int)
    return ["#" + "".join(f"{value:02x}" for value in colour) for colour in mixed.tolist()]


def faded(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
