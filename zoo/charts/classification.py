"""Figures of what a classifier sees in images."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from zoo.charts.layout import laid_out
from zoo.charts.palette import A, Style, class_style


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
    return laid_out(figure, height=90 + 22 * len(percent), margin_t=16)


def path_profile(probabilities: np.ndarray, classes: Sequence[str], least: float = 0.05) -> go.Figure:
    """The classifier's probabilities (S, K) along a path of S images, for each class that reaches `least` somewhere.

    One sees where one class turns into another, and whether the path leads through a third.
    """
    probabilities, positions = np.asarray(probabilities, dtype=float), np.linspace(0, 1, len(probabilities))
    figure = go.Figure()
    for index in np.flatnonzero(probabilities.max(axis=0) >= least).tolist():
        colour, symbol = class_style(index)
        look = {"mode": "lines+markers", "line": {"color": colour, "width": 2}, "marker": {"symbol": symbol, "size": 8}}
        figure.add_scatter(x=positions, y=100 * probabilities[:, index], name=classes[index], **look)
    figure.update_traces(hovertemplate="%{y:.0f} %")
    figure.update_xaxes(title_text="position on the path (0 start, 1 end)", range=[-0.02, 1.02])
    figure.update_yaxes(title_text="probability of the class (%)", range=[-3, 105])
    return laid_out(figure, height=280, hovermode="x unified", showlegend=True)
