"""Figures of latents: of one image, of a data set, of what each dimension does."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from zoo.charts.layout import add_steps, laid_out, subset
from zoo.charts.palette import BLUE, HATCHING, NEUTRAL, REAL, A, Style, class_style, faded, series_styles
from zoo.metrics import normality

LETTER, LINE = 0.018, 0.05  # of the width of a map that is 500 pixels wide


def latent_marginals(
    counts: np.ndarray, edges: np.ndarray, prior: bool, dimensions: Sequence[int] | None = None, style: Style = A
) -> go.Figure:
    """Small histograms of the aggregate posterior, one per latent dimension, each beside the prior N(0, 1).

    One sees where the codes of the training data do not follow the prior that new images are drawn from. counts are
    (L, B) and edges (L, B + 1), as in latents.npz. dimensions names the panels in order; by default the 16 that are
    farthest from the prior in total variation, or without a prior the first 16.
    """
    counts, edges = np.asarray(counts, dtype=float), np.asarray(edges, dtype=float)
    ranked = _farthest_from_normal(counts, edges) if prior else np.arange(len(counts))
    shown = ranked[:16].tolist() if dimensions is None else list(dimensions)
    rows, columns = -(-len(shown) // 4), 4
    figure = make_subplots(
        rows, columns, shared_xaxes=True, subplot_titles=[f"z{d}" for d in shown],
        horizontal_spacing=0.03, vertical_spacing=0.25 / rows,
    )  # fmt: skip
    grid = np.linspace(-3.5, 3.5, 71)
    for panel, d in enumerate(shown):
        place = {"row": panel // columns + 1, "col": panel % columns + 1}
        density = counts[d] / (counts[d].sum() * np.diff(edges[d]))
        centres = (edges[d][1:] + edges[d][:-1]) / 2
        solid = style._replace(dash="solid")  # the prior is the dashed one
        add_steps(figure, centres, density, "aggregate posterior", solid, fill=True, showlegend=panel == 0, **place)
        if prior:
            look = {"mode": "lines", "line": {"color": NEUTRAL, "dash": "dash", "width": 1.5}, "hoverinfo": "skip"}
            look |= {"name": "prior N(0, 1)", "legendgroup": "prior", "showlegend": panel == 0}
            figure.add_scatter(x=grid, y=np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi), **look, **place)
    figure.update_xaxes(matches="x")
    for column in range(min(columns, len(shown))):
        bottom = (len(shown) - 1 - column) // columns + 1
        figure.update_xaxes(title_text="latent value", showticklabels=True, row=bottom, col=column + 1)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(title_text="density", col=1)
    figure.update_annotations(font_size=13)  # the titles of the panels
    return laid_out(figure, height=140 + 110 * rows, margin_t=72)


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
    return laid_out(figure, height=280, margin_t=16)


def latent_map(latents: np.ndarray, labels: np.ndarray | None = None, classes: Sequence[str] = ()) -> go.Figure:
    """The codes of images in a latent space of two dimensions, each class with its colour, marker and name.

    One sees which classes the encoder keeps apart and which it lets touch: there, interpolation passes through images
    of both. latents are (N, 2), labels (N,) or None; at most MAX_POINTS are drawn. customdata is the row in latents.
    """
    latents = np.asarray(latents, dtype=float)
    rows = subset(len(latents))
    figure = go.Figure()
    groups = {"codes": rows}
    if labels is not None:
        groups = {name: rows[np.asarray(labels)[rows] == i] for i, name in enumerate(classes)}
    for index, (name, members) in enumerate(groups.items()):
        colour, symbol = class_style(index)
        x, y = latents[members].T
        marker = {"color": colour, "symbol": symbol, "size": 5, "opacity": 0.7}
        figure.add_scatter(x=x, y=y, name=name, mode="markers", customdata=members, marker=marker)
    named = {name: members for name, members in groups.items() if labels is not None and len(members)}
    places = _apart({name: np.median(latents[members], axis=0) for name, members in named.items()}, latents[rows])
    for index, name in enumerate(groups):
        if name in places:
            colour, (x, y) = class_style(index)[0], places[name]
            plate = {"bgcolor": colour, "borderpad": 2}  # text on its own plate, so the page's theme does not matter
            ink = {"color": "white" if colour == BLUE else "black", "size": 12}
            figure.add_annotation(x=x, y=y, text=name, showarrow=False, font=ink, **plate)
    figure.update_traces(hovertemplate="z0 %{x:.2f}, z1 %{y:.2f}")
    figure.update_xaxes(title_text="z0")
    figure.update_yaxes(title_text="z1", scaleanchor="x")
    return laid_out(figure, height=560, showlegend=labels is not None, legend_itemsizing="constant")


def selected_classes(selected: np.ndarray, everything: np.ndarray, classes: Sequence[str]) -> go.Figure:
    """How many selected points are of each class, counts (K,), beside what as many of all points would hold.

    One sees which classes a part of the map gathers.
    """
    selected, everything = (np.asarray(counts, float) for counts in (selected, everything))
    expected = everything * selected.sum() / max(1, everything.sum())
    figure = go.Figure()
    for values, name, style in ((selected, "selected", A), (expected, "as among all points", REAL)):
        marker = {"color": style.colour, "pattern": {**HATCHING, "shape": style.pattern}}
        figure.add_bar(x=list(classes), y=values, name=name, marker=marker, hovertemplate="%{x}: %{y:.1f}")
    figure.update_xaxes(type="category")
    figure.update_yaxes(title_text="points", rangemode="tozero")
    return laid_out(figure, height=260, barmode="group")


def latent_bars(latent: np.ndarray, style: Style = A) -> go.Figure:
    """The latent vector of one image, a bar per dimension, with a band for -2 … +2.

    One sees which coordinates are unusual: under a normal prior nineteen of twenty bars end inside the band.
    """
    values = np.asarray(latent, dtype=float).ravel()
    figure = go.Figure(go.Bar(x=np.arange(len(values)), y=values, marker_color=style.colour))
    figure.update_traces(hovertemplate="z%{x}: %{y:.3f}<extra></extra>")
    figure.add_hrect(y0=-2, y1=2, line_width=0, fillcolor=faded(NEUTRAL, 0.15), layer="below")
    return laid_out(figure, height=220, margin_t=16, xaxis_title_text="latent dimension", yaxis_title_text="value")


def neuron_bars(series: dict[str, np.ndarray], chosen: int) -> go.Figure:
    """What the neurons (U,) of a vector layer give for one or two inputs, a group of bars per neuron.

    One sees which neurons tell the inputs apart; the chosen one stands on a band.
    """
    figure = go.Figure()
    for name, style in series_styles(series):
        values = np.asarray(series[name], dtype=float)
        marker = {"color": style.colour, "pattern": {"shape": style.pattern, **HATCHING} if len(values) <= 32 else {}}
        figure.add_bar(x=np.arange(len(values)), y=values, name=name, marker=marker)
    figure.update_traces(hovertemplate="unit %{x}: %{y:.3f}")
    figure.add_vrect(x0=chosen - 0.5, x1=chosen + 0.5, line_width=0, fillcolor=faded(NEUTRAL, 0.25), layer="below")
    return laid_out(figure, height=260, margin_t=40, xaxis_title_text="unit", yaxis_title_text="value")


def code_grid(codes: np.ndarray, vocabulary: int) -> go.Figure:
    """The integers (H, W) of one image, each below `vocabulary`, where they stand in the image.

    One sees which places of an image have the same integer. The colours follow the integers, whose order means
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
    return laid_out(figure, height=max(200, 80 + 36 * len(codes)), margin_t=16)


def _apart(places: dict[str, np.ndarray], points: np.ndarray) -> dict[str, np.ndarray]:
    """Move names from where they belong until none covers another.

    Names that overlap are pushed apart, each by half of what is missing, along the axis on which less is missing.
    """
    if len(places) < 2:
        return places
    names, found = list(places), np.stack(list(places.values()))
    spread = max(np.ptp(points, axis=0).max(), 1e-6)
    sizes = np.array([[LETTER * (len(name) + 1), LINE] for name in names]) * spread
    for _ in range(100):
        moved = False
        for i in range(len(names)):
            for j in range(i):
                away = found[i] - found[j]
                missing = (sizes[i] + sizes[j]) / 2 - np.abs(away)
                if (missing > 0).all():
                    axis, moved = int(missing.argmin()), True
                    push = missing[axis] / 2 * (1 if away[axis] >= 0 else -1)
                    found[i, axis] += push
                    found[j, axis] -= push
        if not moved:
            break
    return dict(zip(names, found, strict=True))


def _farthest_from_normal(counts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Dimensions by total variation between their histogram and N(0, 1), the largest first."""
    return np.argsort(-normality.total_variation(counts, edges), kind="stable")
