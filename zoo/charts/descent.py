"""The figure of a search: how its error falls."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from zoo.charts.layout import laid_out, value_axis
from zoo.charts.palette import GREEN, class_style


def descent(curves: Sequence[Sequence[float]], names: Sequence[str], limit: float | None = None) -> go.Figure:
    """The error of each search after each of its steps, and as a dotted line what own samples stay below.

    One sees whether a search has settled, and how far above the line it did.
    """
    figure = go.Figure()
    for index, (curve, name) in enumerate(zip(curves, names, strict=True)):
        colour, symbol = class_style(index)
        look = {"mode": "lines+markers", "line": {"color": colour, "width": 2}, "marker": {"symbol": symbol, "size": 6}}
        figure.add_scatter(x=np.arange(len(curve)), y=np.asarray(curve, float), name=name, **look)
    figure.update_traces(hovertemplate="%{y:.2g}")
    values = np.concatenate([np.asarray(curve, float) for curve in curves])
    axis = value_axis("mean squared error", values if limit is None else np.append(values, limit))
    figure.update_yaxes(**axis)
    figure.update_xaxes(title_text="step (0: the nearest of the draws)")
    if limit is not None:
        figure.add_hline(limit, line={"color": GREEN, "dash": "dot", "width": 2})
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=np.log10(limit) if axis.get("type") == "log" else limit,
            yanchor="bottom", showarrow=False, text="95 % of its own samples stay below",
        )  # fmt: skip
    return laid_out(figure, height=320, hovermode="x unified", showlegend=True)
