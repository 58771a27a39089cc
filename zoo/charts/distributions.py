"""Figures of sets of images: their pixels, their classes, their features, the factors measured from them."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from zoo.charts.layout import add_steps, laid_out, subset, value_axis
from zoo.charts.palette import HATCHING, REAL, REAL_NAME, series_styles
from zoo.metrics.classes import missing

FACTORS = {"hue": "hue (degrees)", "size": "size (radius in pixels)"}
FACTORS |= {"x": "horizontal position (pixels)", "y": "vertical position (pixels)"}


def intensity_histogram(series: Mapping[str, np.ndarray], bins: int = 17) -> go.Figure:
    """Share of pixel values at each intensity, all channels together, on a logarithmic axis.

    One sees whether a model is as dark, as bright and as decided as the data: blur shows as too many greys. Images are
    (N, H, W, C) in [0, 1]. Bins are centred on multiples of 1 / (bins - 1), which gives each of the 17 levels of
    `digits` a bin of its own; the bins at 0 and at 1 are half as wide as the others.
    """
    centres = np.linspace(0, 1, bins)
    edges = np.concatenate([[-np.inf], (centres[1:] + centres[:-1]) / 2, [np.inf]])
    figure = go.Figure()
    for name, style in series_styles(series):
        counts = np.histogram(series[name], edges)[0]
        add_steps(figure, centres, 100 * counts / max(1, counts.sum()), name, style)
    figure.update_yaxes(**value_axis("share of pixels (%)", np.array([0.01, 100])))
    return laid_out(figure, hovermode="x unified", xaxis_title_text="pixel intensity (0 black, 1 white)")


def class_histogram(series: Mapping[str, np.ndarray], classes: Sequence[str]) -> go.Figure:
    """Share of images in each class, one bar per series, with the classes that are missing marked.

    One sees which classes a model draws too often and which it has lost. series holds counts (K,). A class is missing
    as defined in zoo.metrics.classes, compared with the real images or, without them, with equal shares.
    """
    reference = series[REAL_NAME] if np.sum(series.get(REAL_NAME, 0)) else None
    figure = go.Figure()
    for name, style in series_styles(series):
        counts = np.asarray(series[name], dtype=float)
        lost = missing(counts, reference) if counts.sum() else ()
        text = ["missing" if i in lost else "" for i in range(len(classes))]
        share = 100 * counts / max(1, counts.sum())
        marker = {"color": style.colour, "pattern": {**HATCHING, "shape": style.pattern}}
        figure.add_bar(x=list(classes), y=share, name=name, text=text, marker=marker)
    figure.update_traces(textposition="outside", textangle=-90, constraintext="none", hovertemplate="%{x}: %{y:.1f} %")
    figure.update_xaxes(title_text="class given by the classifier", type="category")
    figure.update_yaxes(title_text="share of images (%)", rangemode="tozero")
    return laid_out(figure, barmode="group")


def feature_pca(series: Mapping[str, np.ndarray], explained: Sequence[float] | np.ndarray | None = None) -> go.Figure:
    """Features in the plane of their first two principal components: points, and outlines of where the mass lies.

    One sees where generated images fall beside the real ones: a real cluster without generated points is a lost mode,
    generated points outside every real cluster are images that look like nothing real. The outlines hold 50 % and
    90 % of each series. series holds projections (N, 2), all with the same axes; at most MAX_POINTS of each are drawn.
    explained gives the shares of variance of the two components. customdata counts the drawn points, series by series.
    """
    figure, drawn = go.Figure(), {name: subset(len(values)) for name, values in series.items()}
    first = dict(zip(drawn, np.cumsum([0, *map(len, drawn.values())]).tolist(), strict=False))
    points = np.concatenate(list(series.values()))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * (high - low) + 1e-6
    edges = np.linspace(low - margin, high + margin, 81)
    for name, style in series_styles(series):
        x, y = np.asarray(series[name])[drawn[name]].T
        marker = {"color": style.colour, "symbol": f"{style.symbol}-open", "size": 5, "opacity": 0.5}
        if style is REAL:
            marker |= {"symbol": style.symbol, "size": 4, "line": {"width": 0}}
        number = first[name] + np.arange(len(x))  # told to who shows a picture; plotly itself shows no label
        look = {"mode": "markers", "marker": marker, "customdata": number, "hoverinfo": "none"}
        figure.add_scatter(x=x, y=y, name=name, legendgroup=name, **look)
    x, y = (edges[1:] + edges[:-1]).T / 2
    levels = {"coloring": "lines", "start": 0.5, "end": 0.9, "size": 0.4}
    for name, style in series_styles(series):  # after all points, so that no outline is buried
        look = {"line": {"dash": style.dash, "width": 2}, "colorscale": [style.colour] * 2, "contours": levels}
        mass = _mass_outside(series[name], edges).T
        figure.add_contour(x=x, y=y, z=mass, legendgroup=name, showscale=False, hoverinfo="skip", **look)
    shares = [""] * 2 if explained is None else [f" ({100 * share:.0f} % of the variance)" for share in explained]
    figure.update_xaxes(title_text=f"first principal component{shares[0]}")
    figure.update_yaxes(title_text=f"second principal component{shares[1]}")
    return laid_out(figure, height=480, legend_itemsizing="constant")


def factor_histograms(
    series: Mapping[str, Mapping[str, np.ndarray]], titles: Mapping[str, str] = FACTORS, bins: int = 36
) -> go.Figure:
    """Distributions of factors measured from the pixels, one panel each: by default hue, size and position of fruits.

    One sees whether a model draws the same colours, sizes and places as the data, and where it leaves gaps. series
    maps each name to factor -> (N,) values; values that are not finite (nothing to measure) are left out. Hues are
    shown in (-180, 180] degrees, so that the reds are not cut in two.
    """
    factors = [factor for factor in titles if all(factor in values for values in series.values())]
    rows = max(1, -(-len(factors) // 2))
    figure = make_subplots(rows=rows, cols=2, horizontal_spacing=0.1, vertical_spacing=0.3 / rows)
    for panel, factor in enumerate(factors):
        row, col = panel // 2 + 1, panel % 2 + 1
        values = {name: np.asarray(measured[factor], dtype=float).ravel() for name, measured in series.items()}
        values = {name: v[np.isfinite(v)] for name, v in values.items()}
        if factor == "hue":
            values = {name: 180 - np.mod(180 - v, 360) for name, v in values.items()}
        pooled = np.concatenate(list(values.values()))
        edges = np.histogram_bin_edges(pooled, bins) if pooled.size else np.linspace(0, 1, bins + 1)
        centres = (edges[1:] + edges[:-1]) / 2
        for name, style in series_styles(series):
            share = 100 * np.histogram(values[name], edges)[0] / max(1, len(values[name]))
            add_steps(figure, centres, share, name, style, fill=style is REAL, showlegend=panel == 0, row=row, col=col)
        figure.update_xaxes(title_text=titles[factor], range=[edges[0], edges[-1]], row=row, col=col)
    figure.update_yaxes(rangemode="tozero")
    figure.update_yaxes(title_text="share of images (%)", col=1)
    return laid_out(figure, height=80 + 230 * rows)


def _mass_outside(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """For each cell of the grid the share of the smoothed density that lies in cells at least as dense."""
    from scipy.ndimage import gaussian_filter  # imported where it is used: it costs more than a page

    density = np.histogram2d(points[:, 0], points[:, 1], bins=[edges[:, 0], edges[:, 1]])[0]
    density = gaussian_filter(density, sigma=2.0)
    order = np.argsort(-density, axis=None)
    mass = np.empty(density.size)
    mass[order] = np.cumsum(density.ravel()[order])
    return (mass / mass.max()).reshape(density.shape)
