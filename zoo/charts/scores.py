"""Figures of scores of sets of images, and of what linear probes read from codes."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from zoo.charts.layout import add_steps, laid_out
from zoo.charts.palette import HATCHING, REAL, A, B, series_styles

MARKED = "single images"


def score_histogram(
    normal: tuple[str, np.ndarray],
    other: tuple[str, np.ndarray],
    axis: str,
    marks: np.ndarray | None = None,
    bins: int = 30,
) -> tuple[go.Figure, bool]:
    """Histograms of a score over each other, of the images that a model was trained on and of other ones.

    One sees whether the score tells the two apart: where the lines do not overlap, it does. Each set is a name and its
    scores (N,); marks are scores of single images, drawn as diamonds on the axis. The axis reaches one width of the
    first set beyond it; whether anything lies further out, and is counted in the outermost bar, is returned too.
    """
    first, second = (np.asarray(values, float) for _, values in (normal, other))
    extra = np.empty(0) if marks is None else np.asarray(marks, float)
    pooled = np.concatenate([first, second, extra])
    low, high = first.min(), first.max()
    width = max(high - low, 1e-9 * max(1.0, abs(high)))
    start, end = max(pooled.min(), low - width), min(pooled.max(), high + width)
    edges = np.linspace(start, end if end > start else start + width, bins + 1)
    step, figure = edges[1] - edges[0], go.Figure()
    centres = np.linspace(edges[0] - step / 2, edges[-1] + step / 2, bins + 2)  # with an empty one at either end
    for (name, _), values, style, fill in ((normal, first, REAL, True), (other, second, B, False)):
        counts = np.histogram(values.clip(edges[0], edges[-1]), edges)[0]
        add_steps(figure, centres, np.pad(100 * counts / max(1, len(values)), 1), name, style, fill=fill)
    if len(extra):
        marker = {"color": A.colour, "symbol": A.symbol, "size": 10, "line": {"width": 1, "color": "white"}}
        figure.add_scatter(
            x=extra.clip(edges[0], edges[-1]), y=np.zeros(len(extra)), name=MARKED, mode="markers", marker=marker,
            cliponaxis=False, hovertemplate="%{x:.4g}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text=axis, nticks=5)
    figure.update_yaxes(title_text="share of images (%)", rangemode="tozero")
    beyond = bool((pooled < edges[0]).any() or (pooled > edges[-1]).any())
    return laid_out(figure, height=320, showlegend=True, margin_t=64), beyond


def label_curves(series: Mapping[str, np.ndarray], counts: Sequence[int], title: str) -> go.Figure:
    """What a probe reads from each representation with more and more labels; series are (seeds, counts), in [0, 1].

    One sees how many labels each representation needs. The line is the mean over seeds, the bar reaches from the least
    to the most of them; a little apart from each other, so that bars at one count do not hide each other.
    """
    figure = go.Figure()
    for index, (name, style) in enumerate(series_styles(series)):
        values = np.asarray(series[name], float)
        mean, low, high = values.mean(0), values.min(0), values.max(0)
        error = {"type": "data", "symmetric": False, "array": high - mean, "arrayminus": mean - low, "width": 5}
        look = {"line": {"color": style.colour, "dash": style.dash, "width": 2}, "mode": "lines+markers"}
        marker = {"color": style.colour, "symbol": style.symbol, "size": 9}
        figure.add_scatter(x=np.array(counts) * 1.06**index, y=mean, name=name, error_y=error, marker=marker, **look)
    figure.update_traces(hovertemplate="%{y:.3f}")
    ticks = {"tickvals": list(counts), "ticktext": [f"{count:,}" for count in counts]}
    figure.update_xaxes(type="log", title_text="labelled images, log scale", **ticks)
    figure.update_yaxes(title_text=title)
    return laid_out(figure, height=380, showlegend=True)


def grouped_bars(
    series: Mapping[str, np.ndarray], names: Sequence[str], x_title: str, y_title: str, lowest: float = 0.0
) -> go.Figure:
    """A group of bars for each name, one for each of the series (K,); values below `lowest` are cut there."""
    figure = go.Figure()
    for name, style in series_styles(series):
        marker = {"color": style.colour, "pattern": {**HATCHING, "shape": style.pattern}}
        values = np.asarray(series[name], float)
        look = {"customdata": values, "hovertemplate": "%{x}: %{customdata:.3f}"}
        figure.add_bar(x=list(names), y=values.clip(lowest), name=name, marker=marker, **look)
    figure.update_xaxes(title_text=x_title, type="category")
    figure.update_yaxes(title_text=y_title, range=[lowest, 1.02])
    return laid_out(figure, height=380, barmode="group", showlegend=True)
