"""One template for all figures, and the one place that every string of a figure passes before it is drawn."""

import html
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly import io

from zoo.charts.palette import NEUTRAL, faded

io.templates.default = "none"  # laid_out puts ours in its place; building Plotly's own takes longer than a figure
MAX_POINTS = 1000  # per scattered series: SVG stays quick, and WebGL contexts are few
_GRID = "rgba(136,136,136,0.25)"
_AXIS = {"automargin": True, "ticks": "", "zeroline": False, "title": {"standoff": 8}}
TEMPLATE = go.layout.Template(
    layout={
        **dict.fromkeys(("paper_bgcolor", "plot_bgcolor"), "rgba(0,0,0,0)"),
        "font": {"color": NEUTRAL},  # a figure on its own; Streamlit's theme puts its text colour here
        "margin": {"l": 60, "r": 24, "t": 48, "b": 56},
        "legend": {"orientation": "h", "x": 0, "yref": "container", "y": 0.995, "yanchor": "top"},
        "xaxis": {**_AXIS, "gridcolor": _GRID, "showgrid": False},
        "yaxis": {**_AXIS, "gridcolor": _GRID},
    }
)
OWN = ("hovertemplate", "texttemplate")  # written here, never taken from an entry: they hold our own markup


def laid_out(figure: go.Figure, height: int = 360, **layout: Any) -> go.Figure:
    """Return the figure in the template, each of its strings escaped: every function of this package ends here.

    Plotly takes what stands in angle brackets for HTML, links included, wherever a string is drawn: in names, ticks,
    titles, texts and annotations. Class names, titles and labels come from entries, which are untrusted.
    """
    drawn: Any = figure.update_layout(height=height, **layout)  # plotly declares no types for its parts
    data = [_escaped(trace.to_plotly_json()) for trace in drawn.data]
    return go.Figure(data, _escaped(drawn.layout.to_plotly_json())).update_layout(template=TEMPLATE)


def _escaped(value: Any, key: str = "") -> Any:
    """Return a part of a figure with &, < and > as entities in all its strings but those under a key of OWN."""
    if isinstance(value, str):
        return value if key in OWN else html.escape(value, quote=False)
    if isinstance(value, dict):
        return {name: _escaped(part, name) for name, part in value.items()}
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype.kind in "OUS"):
        return [_escaped(part, key) for part in value]
    return value


def add_steps(figure, centres, values, name, style, fill=False, **place) -> None:
    """A histogram as one line of steps, on a faint area when `fill` says so."""
    line = {"color": style.colour, "dash": style.dash, "width": 2, "shape": "hvh"}
    area = {"fill": "tozeroy", "fillcolor": faded(style.colour, 0.18)} if fill else {}
    look = {"name": name, "legendgroup": name, "mode": "lines", "line": line, "hovertemplate": "%{y:.3g}", **area}
    figure.add_scatter(x=centres, y=values, **look, **place)


def value_axis(title: str, values: np.ndarray) -> dict:
    """Logarithmic with labels at 1, 2, 5 or at powers of ten, if all values are positive and span a factor of ten."""
    low, high = np.nanmin(values, initial=np.inf), np.nanmax(values, initial=-np.inf)
    if not 0 < 10 * low < high:
        return {"title": title}
    steps = np.array([1, 2, 5]) if high <= 100 * low else np.array([1])
    ticks = (steps * 10.0 ** np.arange(np.floor(np.log10(low)), np.log10(high) + 1)[:, None]).ravel()
    return {"type": "log", "title": f"{title}, log scale", "tickvals": ticks, "ticktext": [f"{t:g}" for t in ticks]}


def subset(count: int) -> np.ndarray:
    """Rows to draw, in order: all, or a fixed random choice of MAX_POINTS."""
    return np.sort(np.random.default_rng(0).permutation(count)[:MAX_POINTS])
