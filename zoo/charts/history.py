"""The figure of a training history."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from zoo.charts.layout import laid_out, value_axis
from zoo.charts.palette import class_style

MEASURES = {"accuracy": "accuracy (share)", "frechet": "Fréchet distance"}  # all else in a history is a loss
LABELS = {"frechet": "Fréchet distance", "kl": "KL"}


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
            colour, symbol = class_style(bases.index(name.removeprefix("val_")))
            line = {"color": colour, "dash": "dot" if name.startswith("val_") else "solid", "width": 2}
            marker = {"symbol": symbol, "size": 6, "maxdisplayed": 12}
            look = {"mode": "lines+markers", "line": line, "marker": marker, "connectgaps": True}
            look["name"] = LABELS.get(name, name.replace("val_", "validation ").replace("_", " "))
            figure.add_scatter(x=list(history["images"]), y=values, **look, row=row, col=1)
        figure.update_yaxes(**value_axis(title, np.concatenate(list(curves.values()))), row=row, col=1)
    figure.update_xaxes(rangemode="tozero")
    figure.update_xaxes(title_text="images seen", row=rows, col=1)
    return laid_out(figure, height=120 + 220 * rows, hovermode="x unified")
