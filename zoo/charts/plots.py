"""Arrays → plotly figures: one template, one palette, the same colour for the same thing on every page.

Colours are given for data only. Text, grid and background are left to the page's theme, so that each figure works on
light and on dark. No meaning hangs on colour alone: series also differ by dash, marker or hatching.

Where a function takes `series`, a dict from name to data, the series named REAL_NAME is drawn as REAL and the others,
in order, as A, B and on; a page that has no real data therefore keeps A and B in their colours.
"""

import html
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from zoo.metrics import classes as class_metrics

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
MAX_POINTS = 1000  # per scattered series: SVG stays quick, and WebGL contexts are few
FACTORS = {"hue": "hue (degrees)", "size": "size (radius in pixels)"}
FACTORS |= {"x": "horizontal position (pixels)", "y": "vertical position (pixels)"}
MEASURES = {"accuracy": "accuracy (share)", "frechet": "Fréchet distance"}  # all else in a history is a loss
LABELS = {"frechet": "Fréchet distance", "kl": "KL"}
METRICS = {"mse": "MSE (↓ better)", "psnr": "PSNR in dB (↑ better)", "ssim": "SSIM (↑ better)"}

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


def training_curve(history: Mapping[str, Sequence]) -> go.Figure:
    """Losses against the number of images seen; below them accuracy and Fréchet distance where they were recorded.

    One sees whether training still improves, and for a GAN whether the two players keep each other in balance. An axis
    is logarithmic when all its values are positive and span more than a factor of ten. Validation curves (`val_…`) are
    dotted, in the colour of their training curve. history is the content of history.json.
    """
    panels: dict[str, dict[str, np.ndarray]] = {}
    for name in [name for name in history if name not in ("epoch", "images", "seconds")]:
        title = next((title for word, title in MEASURES.items() if word in name), "loss")
        panels.setdefault(title, {})[name] = np.array(history[name], dtype=float)
    rows = max(1, len(panels))
    figure = make_subplots(rows=rows, shared_xaxes=True, vertical_spacing=0.18 / rows)
    bases = list(dict.fromkeys(name.removeprefix("val_") for curves in panels.values() for name in curves))
    for row, (title, curves) in enumerate(panels.items(), start=1):
        for name, values in curves.items():
            colour, symbol = _class_style(bases.index(name.removeprefix("val_")))
            line = {"color": colour, "dash": "dot" if name.startswith("val_") else "solid", "width": 2}
            marker = {"symbol": symbol, "size": 6, "maxdisplayed": 12}
            look = {"mode": "lines+markers", "line": line, "marker": marker, "connectgaps": True}
            look["name"] = LABELS.get(name, name.replace("val_", "validation ").replace("_", " "))
            figure.add_scatter(x=list(history["images"]), y=values, **look, row=row, col=1)
        figure.update_yaxes(**_axis(title, np.concatenate(list(curves.values()))), row=row, col=1)
    figure.update_xaxes(rangemode="tozero")
    figure.update_xaxes(title_text="images seen", row=rows, col=1)
    return _laid_out(figure, height=120 + 220 * rows, hovermode="x unified")


def intensity_histogram(series: Mapping[str, np.ndarray], bins: int = 17) -> go.Figure:
    """Share of pixel values at each intensity, all channels together, on a logarithmic axis.

    One sees whether a model is as dark, as bright and as decided as the data: blur shows as too many greys. Images are
    (N, H, W, C) in [0, 1]. Bins are centred on multiples of 1 / (bins - 1), which gives each of the 17 levels of
    `digits` a bin of its own; the bins at 0 and at 1 are half as wide as the others.
    """
    centres = np.linspace(0, 1, bins)
    edges = np.concatenate([[-np.inf], (centres[1:] + centres[:-1]) / 2, [np.inf]])
    figure = go.Figure()
    for name, style in _styles(series):
        counts = np.histogram(series[name], edges)[0]
        _add_steps(figure, centres, 100 * counts / max(1, counts.sum()), name, style)
    figure.update_yaxes(**_axis("share of pixels (%)", np.array([0.01, 100])))
    return _laid_out(figure, hovermode="x unified", xaxis_title_text="pixel intensity (0 black, 1 white)")


def class_histogram(series: Mapping[str, np.ndarray], classes: Sequence[str]) -> go.Figure:
    """Share of images in each class, one bar per series, with the classes that are missing marked.

    One sees which classes a model draws too often and which it has lost. series holds counts (K,). A class is missing
    as defined in zoo.metrics.classes, compared with the real images or, without them, with equal shares.
    """
    reference = series[REAL_NAME] if np.sum(series.get(REAL_NAME, 0)) else None
    figure = go.Figure()
    for name, style in _styles(series):
        counts = np.asarray(series[name], dtype=float)
        missing = class_metrics.missing(counts, reference) if counts.sum() else ()
        text = ["missing" if i in missing else "" for i in range(len(classes))]
        share = 100 * counts / max(1, counts.sum())
        marker = {"color": style.colour, "pattern": {**HATCHING, "shape": style.pattern}}
        figure.add_bar(x=list(classes), y=share, name=name, text=text, marker=marker)
    figure.update_traces(textposition="outside", textangle=-90, constraintext="none", hovertemplate="%{x}: %{y:.1f} %")
    figure.update_xaxes(title_text="class given by the classifier", type="category")
    figure.update_yaxes(title_text="share of images (%)", rangemode="tozero")
    return _laid_out(figure, barmode="group")


def feature_pca(series: Mapping[str, np.ndarray], explained: Sequence[float] | None = None) -> go.Figure:
    """Features in the plane of their first two principal components: points, and outlines of where the mass lies.

    One sees where generated images fall beside the real ones: a real cluster without generated points is a lost mode,
    generated points outside every real cluster are images that look like nothing real. The outlines hold 50 % and
    90 % of each series. series holds projections (N, 2), all with the same axes; at most MAX_POINTS of each are drawn.
    explained gives the shares of variance of the two components.
    """
    figure = go.Figure()
    points = np.concatenate(list(series.values()))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.08 * (high - low) + 1e-6
    edges = np.linspace(low - margin, high + margin, 81)
    for name, style in _styles(series):
        x, y = np.asarray(series[name])[_subset(len(series[name]))].T
        marker = {"color": style.colour, "symbol": f"{style.symbol}-open", "size": 5, "opacity": 0.5}
        if style is REAL:
            marker |= {"symbol": style.symbol, "size": 4, "line": {"width": 0}}
        figure.add_scatter(x=x, y=y, name=name, legendgroup=name, mode="markers", marker=marker, hoverinfo="skip")
    x, y = (edges[1:] + edges[:-1]).T / 2
    levels = {"coloring": "lines", "start": 0.5, "end": 0.9, "size": 0.4}
    for name, style in _styles(series):  # after all points, so that no outline is buried
        look = {"line": {"dash": style.dash, "width": 2}, "colorscale": [style.colour] * 2, "contours": levels}
        mass = _mass_outside(series[name], edges).T
        figure.add_contour(x=x, y=y, z=mass, legendgroup=name, showscale=False, hoverinfo="skip", **look)
    shares = [""] * 2 if explained is None else [f" ({100 * share:.0f} % of the variance)" for share in explained]
    figure.update_xaxes(title_text=f"first principal component{shares[0]}")
    figure.update_yaxes(title_text=f"second principal component{shares[1]}")
    return _laid_out(figure, height=480, legend_itemsizing="constant")


def latent_marginals(
    counts: np.ndarray, edges: np.ndarray, prior: bool, dimensions: Sequence[int] | None = None, style: Style = A
) -> go.Figure:
    """Small histograms of the aggregate posterior, one per latent dimension, each beside the prior N(0, 1).

    One sees where the codes of the training data do not follow the prior that new images are drawn from. counts are
    (L, B) and edges (L, B + 1), as in latents.npz. dimensions names the panels in order; by default the 16 that are
    farthest from the prior in total variation, or without a prior the first 16.
    """
    counts, edges = np.asarray(counts, dtype=float), np.asarray(edges, dtype=float)
    if dimensions is None:
        dimensions = (_farthest_from_normal(counts, edges) if prior else np.arange(len(counts)))[:16]
    rows, columns = -(-len(dimensions) // 4), 4
    spacing = {"horizontal_spacing": 0.03, "vertical_spacing": 0.25 / rows}
    figure = make_subplots(rows, columns, shared_xaxes=True, subplot_titles=[f"z{d}" for d in dimensions], **spacing)
    grid = np.linspace(-3.5, 3.5, 71)
    for panel, d in enumerate(dimensions):
        place = {"row": panel // columns + 1, "col": panel % columns + 1}
        density = counts[d] / (counts[d].sum() * np.diff(edges[d]))
        centres = (edges[d][1:] + edges[d][:-1]) / 2
        solid = style._replace(dash="solid")  # the prior is the dashed one
        _add_steps(figure, centres, density, "aggregate posterior", solid, fill=True, showlegend=panel == 0, **place)
        if prior:
            look = {"mode": "lines", "line": {"color": NEUTRAL, "dash": "dash", "width": 1.5}, "hoverinfo": "skip"}
            look |= {"name": "prior N(0, 1)", "legendgroup": "prior", "showlegend": panel == 0}
            figure.add_scatter(x=grid, y=np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), **look, **place)
    figure.update_xaxes(matches="x")
    for column in range(min(columns, len(dimensions))):
        bottom = (len(dimensions) - 1 - column) // columns + 1
        figure.update_xaxes(title_text="latent value", showticklabels=True, row=bottom, col=column + 1)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(title_text="density", col=1)
    figure.update_annotations(font_size=13)  # the titles of the panels
    return _laid_out(figure, height=140 + 110 * rows, margin_t=72)


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
        place = {"row": panel // 2 + 1, "col": panel % 2 + 1}
        values = {name: np.asarray(measured[factor], dtype=float).ravel() for name, measured in series.items()}
        values = {name: v[np.isfinite(v)] for name, v in values.items()}
        if factor == "hue":
            values = {name: 180 - np.mod(180 - v, 360) for name, v in values.items()}
        pooled = np.concatenate(list(values.values()))
        edges = np.histogram_bin_edges(pooled, bins) if pooled.size else np.linspace(0, 1, bins + 1)
        centres = (edges[1:] + edges[:-1]) / 2
        for name, style in _styles(series):
            share = 100 * np.histogram(values[name], edges)[0] / max(1, len(values[name]))
            _add_steps(figure, centres, share, name, style, fill=style is REAL, showlegend=panel == 0, **place)
        figure.update_xaxes(title_text=titles[factor], range=[edges[0], edges[-1]], **place)
    figure.update_yaxes(rangemode="tozero")
    figure.update_yaxes(title_text="share of images (%)", col=1)
    return _laid_out(figure, height=80 + 230 * rows)


def effect_bars(ranking: Sequence[tuple[int, float]], limit: int = 32, style: Style = A) -> go.Figure:
    """How much each latent dimension changes the image, the strongest first.

    One sees how many dimensions the decoder uses: bars near zero are dimensions it ignores. ranking holds pairs of
    dimension and effect, the mean absolute change of a pixel when the dimension moves from -2 to +2.
    """
    shown = list(ranking)[:limit]
    figure = go.Figure(go.Bar(x=[f"z{d}" for d, _ in shown], y=[effect for _, effect in shown]))
    figure.update_traces(marker_color=style.colour, hovertemplate="%{x}: %{y:.4f}<extra></extra>")
    figure.update_xaxes(title_text=f"latent dimension, {len(shown)} strongest of {len(ranking)}", type="category")
    figure.update_yaxes(title_text="mean change of a pixel", rangemode="tozero")
    return _laid_out(figure, height=280, margin_t=16)


def latent_map(latents: np.ndarray, labels: np.ndarray | None = None, classes: Sequence[str] = ()) -> go.Figure:
    """The codes of images in a latent space of two dimensions, each class with its colour, marker and name.

    One sees which classes the encoder keeps apart and which it lets touch: there, interpolation passes through images
    of both. latents are (N, 2), labels (N,) or None; at most MAX_POINTS are drawn. customdata is the row in latents.
    """
    latents = np.asarray(latents, dtype=float)
    rows = _subset(len(latents))
    figure = go.Figure()
    groups = {"codes": rows}
    if labels is not None:
        groups = {name: rows[np.asarray(labels)[rows] == i] for i, name in enumerate(classes)}
    for index, (name, members) in enumerate(groups.items()):
        colour, symbol = _class_style(index)
        x, y = latents[members].T
        marker = {"color": colour, "symbol": symbol, "size": 5, "opacity": 0.7}
        figure.add_scatter(x=x, y=y, name=name, mode="markers", customdata=members, marker=marker)
        if labels is not None and len(members):
            x, y = np.median(latents[members], axis=0)
            plate = {"bgcolor": colour, "borderpad": 2}  # text on its own plate, so the page's theme does not matter
            ink = {"color": "white" if colour == BLUE else "black", "size": 12}
            figure.add_annotation(x=x, y=y, text=name, showarrow=False, font=ink, **plate)
    figure.update_traces(hovertemplate="z0 %{x:.2f}, z1 %{y:.2f}")
    figure.update_xaxes(title_text="z0")
    figure.update_yaxes(title_text="z1", scaleanchor="x")
    return _laid_out(figure, height=560, showlegend=labels is not None, legend_itemsizing="constant")


def latent_bars(latent: np.ndarray, style: Style = A) -> go.Figure:
    """The latent vector of one image, a bar per dimension, with a band for -2 … +2.

    One sees which coordinates are unusual: under a normal prior nineteen of twenty bars end inside the band.
    """
    values = np.asarray(latent, dtype=float).ravel()
    figure = go.Figure(go.Bar(x=np.arange(len(values)), y=values, marker_color=style.colour))
    figure.update_traces(hovertemplate="z%{x}: %{y:.3f}<extra></extra>")
    figure.add_hrect(y0=-2, y1=2, line_width=0, fillcolor=_faded(NEUTRAL, 0.15), layer="below")
    return _laid_out(figure, height=220, margin_t=16, xaxis_title_text="latent dimension", yaxis_title_text="value")


def code_grid(codes: np.ndarray, vocabulary: int) -> go.Figure:
    """The integers (H, W) of one image, each below `vocabulary`, where they stand in the image.

    One sees which places of an image are told by the same integer. The colours follow the integers, whose order means
    nothing; plotly writes each in black or white, whichever the colour lets one read.
    """
    look = {"colorscale": "Cividis", "zmin": 0, "zmax": vocabulary - 1, "showscale": False, "xgap": 2, "ygap": 2}
    rows, columns = (np.arange(1, size + 1) for size in np.shape(codes))
    numbers = {"z": np.asarray(codes).tolist(), "texttemplate": "%{z}", "textfont_size": 14}
    figure = go.Figure(go.Heatmap(x=columns, y=rows, **numbers, **look))
    figure.update_traces(hovertemplate="row %{y}, column %{x}: %{z}<extra></extra>")
    plain = {"showticklabels": False, "showgrid": False, "constrain": "domain"}
    figure.update_xaxes(title_text="column", **plain)
    figure.update_yaxes(title_text="row", autorange="reversed", scaleanchor="x", **plain)
    return _laid_out(figure, height=max(200, 80 + 36 * len(codes)), margin_t=16)


def class_probabilities(probabilities: np.ndarray, classes: Sequence[str], style: Style = A) -> go.Figure:
    """The classifier's probability of each class for one image (K,), in per cent.

    One sees what the image is taken for, and how sure the classifier is.
    """
    percent = 100 * np.asarray(probabilities, dtype=float).ravel()
    text = [f"{p:.0f} %" if p >= 0.5 else "" for p in percent]
    figure = go.Figure(go.Bar(x=percent, y=list(classes), orientation="h", text=text, textposition="outside"))
    figure.update_traces(marker_color=style.colour, cliponaxis=False, hovertemplate="%{y}: %{x:.1f} %<extra></extra>")
    figure.update_xaxes(title_text="probability (%)", range=[0, 125], tickvals=[0, 25, 50, 75, 100])
    figure.update_yaxes(title_text="class", type="category", autorange="reversed", showgrid=False)
    return _laid_out(figure, height=90 + 22 * len(percent), margin_t=16)


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
        for name, style in _styles(series):
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
    return _laid_out(figure, height=40 + rows * (90 + 30 * len(series)), showlegend=False, margin_t=16)


def path_profile(probabilities: np.ndarray, classes: Sequence[str], least: float = 0.05) -> go.Figure:
    """The classifier's probabilities (S, K) along a path of S images, for each class that reaches `least` somewhere.

    One sees where one class turns into another, and whether the path leads through a third.
    """
    probabilities, positions = np.asarray(probabilities, dtype=float), np.linspace(0, 1, len(probabilities))
    figure = go.Figure()
    for index in np.flatnonzero(probabilities.max(axis=0) >= least):
        colour, symbol = _class_style(index)
        look = {"mode": "lines+markers", "line": {"color": colour, "width": 2}, "marker": {"symbol": symbol, "size": 8}}
        figure.add_scatter(x=positions, y=100 * probabilities[:, index], name=classes[index], **look)
    figure.update_traces(hovertemplate="%{y:.0f} %")
    figure.update_xaxes(title_text="position on the path (0 start, 1 end)", range=[-0.02, 1.02])
    figure.update_yaxes(title_text="probability of the class (%)", range=[-3, 105])
    return _laid_out(figure, height=280, hovermode="x unified", showlegend=True)


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
    is no interval; floor is what real images score.
    """  # fmt: skip
    values, lows, highs = (np.asarray(numbers, dtype=float) for numbers in (values, lows, highs))
    figure = go.Figure()
    error = {"type": "data", "symmetric": False, "array": highs - values, "arrayminus": values - lows, "width": 5}
    marker = {"color": A.colour, "symbol": "circle", "size": 10}
    figure.add_scatter(x=values, y=list(labels), mode="markers", marker=marker, error_x=error, name=title)
    figure.update_traces(hovertemplate="%{y}: %{x:.3g}", error_x_color=A.colour)
    figure.update_xaxes(**_axis(title, np.append(np.r_[lows, highs], [] if floor is None else floor)), showgrid=True)
    figure.update_yaxes(autorange="reversed", type="category", title_text="entry", showgrid=False)
    if floor is not None:
        figure.add_vline(floor, line={"color": GREEN, "dash": "dot", "width": 2})
        figure.add_annotation(
            x=np.log10(floor) if figure.layout.xaxis.type == "log" else floor,
            y=1, yref="paper", yanchor="bottom", showarrow=False, text="real images",
        )  # fmt: skip
    return _laid_out(figure, height=160 + 28 * len(labels), showlegend=False)


def tradeoff(
    labels: Sequence[str], x: Sequence[float], y: Sequence[float], groups: Sequence[str], x_title: str, y_title: str
) -> go.Figure:
    """Two figures of each row against each other, a colour and a marker for each group.

    One sees that the two are bought from each other, and which rows are beaten in both by another one.
    """
    figure, known = go.Figure(), list(dict.fromkeys(groups))
    for index, group in enumerate(known):
        colour, symbol = _class_style(index)
        chosen = [i for i, found in enumerate(groups) if found == group]
        figure.add_scatter(
            x=[x[i] for i in chosen], y=[y[i] for i in chosen], text=[labels[i] for i in chosen], name=group,
            mode="markers", marker={"color": colour, "symbol": symbol, "size": 12},
            hovertemplate="%{text}<br>%{x:.3g}, %{y:.3g}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(**_axis(x_title, np.asarray(x, dtype=float)), showgrid=True)
    figure.update_yaxes(**_axis(y_title, np.asarray(y, dtype=float)))
    return _laid_out(figure, height=420, showlegend=True)


def _laid_out(figure: go.Figure, height: int = 360, **layout) -> go.Figure:
    """The figure in our template; names become plain text, for plotly takes what stands in angle brackets for HTML."""
    for trace in figure.data:
        for key in ("name", "x", "y", "text"):
            value = getattr(trace, key, None)
            if isinstance(value, str):
                trace[key] = html.escape(value, quote=False)
            elif isinstance(value, tuple) and any(isinstance(item, str) for item in value):
                trace[key] = [html.escape(str(item), quote=False) for item in value]
    return figure.update_layout(template=TEMPLATE, height=height, **layout)


def _styles(series: Mapping) -> list[tuple[str, Style]]:
    """Name and style of each series, the real one first so that it lies underneath."""
    others = zip([name for name in series if name != REAL_NAME], cycle((A, B, *FURTHER)), strict=False)
    return [(REAL_NAME, REAL)] * (REAL_NAME in series) + list(others)


def _class_style(index: int) -> tuple[str, str]:
    """Colour and marker of a class: seven colours and ten markers repeat together only after seventy classes."""
    colours = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, NEUTRAL)
    return colours[index % len(colours)], SYMBOLS[index % len(SYMBOLS)]


def _faded(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _add_steps(figure, centres, values, name, style, fill=False, **place) -> None:
    """A histogram as one line of steps, on a faint area when `fill` says so."""
    line = {"color": style.colour, "dash": style.dash, "width": 2, "shape": "hvh"}
    area = {"fill": "tozeroy", "fillcolor": _faded(style.colour, 0.18)} if fill else {}
    look = {"name": name, "legendgroup": name, "mode": "lines", "line": line, "hovertemplate": "%{y:.3g}", **area}
    figure.add_scatter(x=centres, y=values, **look, **place)


def _axis(title: str, values: np.ndarray) -> dict:
    """Logarithmic with labels at 1, 2, 5 or at powers of ten, if all values are positive and span a factor of ten."""
    low, high = np.nanmin(values, initial=np.inf), np.nanmax(values, initial=-np.inf)
    if not 0 < 10 * low < high:
        return {"title": title}
    steps = np.array([1, 2, 5]) if high <= 100 * low else np.array([1])
    ticks = (steps * 10.0 ** np.arange(np.floor(np.log10(low)), np.log10(high) + 1)[:, None]).ravel()
    return {"type": "log", "title": f"{title}, log scale", "tickvals": ticks, "ticktext": [f"{t:g}" for t in ticks]}


def _subset(count: int) -> np.ndarray:
    """Rows to draw, in order: all, or a fixed random choice of MAX_POINTS."""
    return np.sort(np.random.default_rng(0).permutation(count)[:MAX_POINTS])


def _mass_outside(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """For each cell of the grid the share of the smoothed density that lies in cells at least as dense."""
    density = np.histogram2d(points[:, 0], points[:, 1], bins=[edges[:, 0], edges[:, 1]])[0]
    density = gaussian_filter(density, sigma=2.0)
    order = np.argsort(-density, axis=None)
    mass = np.empty(density.size)
    mass[order] = np.cumsum(density.ravel()[order])
    return (mass / mass.max()).reshape(density.shape)


def _farthest_from_normal(counts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Dimensions by total variation between their histogram and N(0, 1), the largest first."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    expected = np.diff(ndtr(edges), axis=1)
    return np.argsort(expected.sum(axis=1) - 1 - np.abs(shares - expected).sum(axis=1), kind="stable")
