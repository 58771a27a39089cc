"""What lies inside a lasso: the mean image, the classes, the images, and a table of them."""

import numpy as np
import streamlit as st

from zoo import charts
from zoo.analysis import cloud
from zoo.analysis.cloud import Map
from zoo.widgets.charts import download, figure
from zoo.widgets.latent_map.cloud import Lasso
from zoo.widgets.latent_map.groups import Groups
from zoo.widgets.latent_map.points import Points
from zoo.widgets.tiles import image_grid

SHOWN = 24


def selection(points: Points, chosen: Map, groups: Groups, lasso: Lasso | None) -> None:
    """Draw what the points inside a lasso have in common; without one, say how to draw one, and offer all points."""
    st.header("Selection")
    everything, names = np.arange(len(chosen.scaled)), [groups.names[index] for index in groups.of]
    rows = everything
    if lasso is None:
        st.caption("Choose **Lasso**, or hold Shift, and draw around points: their mean image and classes stand here.")
    else:
        rows = np.flatnonzero(cloud.inside(lasso[1], cloud.turned(chosen.scaled, *lasso[0])))
        _drawn(points, groups, rows)
    if len(rows):
        label = f"{len(rows):,} points as CSV"
        filename = f"{points.view.entry.name}-points.csv"
        download(label, lambda: cloud.table(points.cloud, chosen, rows, names), filename, key="download-points")


def _drawn(points: Points, groups: Groups, rows: np.ndarray) -> None:
    if not len(rows):
        st.caption(":material/info: No point lies inside.")
        return
    left, right = st.columns([1, 3], gap="medium")
    pictures = points.pictures(rows)
    with left:
        image_grid(pictures.mean(0)[None], ["mean image"], alts="Mean image of the selection", key="mean", size=160)
    with right:
        classes, of = points.cloud.classes, points.cloud.labels
        if of is None or not classes:
            classes, of = groups.names, groups.of
        counts = [np.bincount(part, minlength=len(classes)) for part in (of[rows], of)]
        text = (
            f"How many of the {len(rows):,} selected points are of each class, beside how many all "
            f"{len(of):,} points would give if they were as many."
        )
        figure(charts.selected_classes(counts[0], counts[1], classes), key="selected", caption=text)
    first = rows[:SHOWN]
    names = points.names()
    image_grid(pictures[:SHOWN], alts=[f"Selected: {names[row]}" for row in first], key="chosen", size=56)
    st.caption(
        f"The first {len(first)} of {len(rows):,} selected images, in the order of the split; above, their mean."
    )
