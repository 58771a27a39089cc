"""Figures that compare entries."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from zoo.charts.layout import laid_out, value_axis
from zoo.charts.palette import GREEN, A, class_style, series_styles

METRICS = {"mse": "MSE ↓", "psnr": "PSNR (dB) ↑", "ssim": "SSIM ↑"}


def ranking(
    labels: Sequence[str],
    values: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    title: str,
    floor: float | None = None,
) -> go.Figure:
    """One row per label, the first on top: a point at the value, a bar over its interval, a line at the floor.

    One sees who is ahead, and whether the intervals leave any doubt. lows and highs are equal to the value where there
    is no interval; floor is what real images score. customdata counts the rows.
    """  # fmt: skip
    middle, low, high = (np.asarray(numbers, dtype=float) for numbers in (values, lows, highs))
    figure = go.Figure()
    error = {"type": "data", "symmetric": False, "array": high - middle, "arrayminus": middle - low, "width": 5}
    marker = {"color": A.colour, "symbol": "circle", "size": 10}
    look = {"mode": "markers", "marker": marker, "customdata": np.arange(len(middle))}
    figure.add_scatter(x=middle, y=list(labels), error_x=error, name=title, **look)
    figure.update_traces(hovertemplate="%{y}: %{x:.3g}", error_x_color=A.colour)
    axis = value_axis(title, np.append(np.r_[low, high], [] if floor is None else floor))
    figure.update_xaxes(**axis, showgrid=True)
    figure.update_yaxes(autorange="reversed", type="category", title_text="entry", showgrid=False)
    if floor is not None:
        figure.add_vline(floor, line={"color": GREEN, "dash": "dot", "width": 2})
        figure.add_annotation(
            x=np.log10(floor) if axis.get("type") == "log" else floor,
            y=1, yref="paper", yanchor="bottom", showarrow=False, text="real images",
        )  # fmt: skip
    return laid_out(figure, height=160 + 28 * len(labels), showlegend=False)


def parameter_bars(counts: Mapping[str, int]) -> go.Figure:
    """The number of weights of each layer, in the order of the data.

    One sees where a network keeps most of its numbers.
    """
    names, numbers = list(counts), list(counts.values())
    text = [f"{number:,}" for number in numbers]
    figure = go.Figure(go.Bar(x=numbers, y=names, orientation="h", text=text, textposition="outside"))
    figure.update_traces(marker_color=A.colour, cliponaxis=False, hovertemplate="%{y}: %{x:,}<extra></extra>")
    figure.update_xaxes(title_text="weights", range=[0, 1.25 * max(numbers, default=1)])
    figure.update_yaxes(title_text="layer", type="category", autorange="reversed", showgrid=False)
    return laid_out(figure, height=90 + 26 * len(names), margin_t=16)


def tradeoff(
    labels: Sequence[str], x: Sequence[float], y: Sequence[float], groups: Sequence[str], x_title: str, y_title: str
) -> go.Figure:
    """Two figures of each row against each other, a colour and a marker for each group.

    One sees that the two are bought from each other, and which rows are beaten in both by another one. customdata
    counts the rows.
    """
    figure, known = go.Figure(), list(dict.fromkeys(groups))
    for index, group in enumerate(known):
        colour, symbol = class_style(index)
        chosen = [i for i, found in enumerate(groups) if found == group]
        figure.add_scatter(
            x=[x[i] for i in chosen], y=[y[i] for i in chosen], text=[labels[i] for i in chosen], name=group,
            mode="markers", marker={"color": colour, "symbol": symbol, "size": 12}, customdata=chosen,
            hovertemplate="%{text}<br>%{x:.3g}, %{y:.3g}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(**value_axis(x_title, np.asarray(x, dtype=float)), showgrid=True)
    figure.update_yaxes(**value_axis(y_title, np.asarray(y, dtype=float)))
    return laid_out(figure, height=420, showlegend=True)


def reconstruction_bars(series: Mapping[str, Mapping[str, np.ndarray]]) -> go.Figure:
    """Mean error of each entry over the images shown, one panel per metric; the bar runs from the 10th to the 90th
    percentile of the images, the marker is the mean.

    One sees which entry reconstructs best, and whether the difference is larger than that between images. series maps
    each entry to metric -> values per image (N,), the same metrics for all: `mse`, `psnr`, `ssim`.
    """
    metrics = list(next(iter(series.values())))
    rows = len(metrics)
    figure = make_subplots(rows=rows, vertical_spacing=0.4 / rows)
    for row, metric in enumerate(metrics, start=1):
        for name, style in series_styles(series):
            values = np.asarray(series[name][metric], dtype=float).ravel()
            mean, (low, high) = values.mean(), np.quantile(values, [0.1, 0.9])
            spread = {"array": [max(0, high - mean)], "arrayminus": [max(0, mean - low)], "thickness": 3, "width": 0}
            marker = {"color": style.colour, "symbol": style.symbol, "size": 11}
            point = go.Scatter(x=[mean], y=[name], name=name, mode="markers", marker=marker, error_x=spread)
            figure.add_trace(point, row=row, col=1)
        figure.update_xaxes(title_text=METRICS.get(metric, metric), rangemode="tozero", row=row, col=1)
    figure.update_traces(hovertemplate="%{x:.4g}")
    figure.update_xaxes(showgrid=True)
    figure.update_yaxes(type="category", autorange="reversed")
    figure.update_yaxes(title_text="entry", row=(rows + 1) // 2, col=1)
    return laid_out(figure, height=40 + rows * (90 + 30 * len(series)), showlegend=False, margin_t=16)
