"""Widgets of Directions."""

from zoo.widgets.directions.finding import MEASURED, explained, found, mean_anchors, others, table, truth
from zoo.widgets.directions.keeping import keeping
from zoo.widgets.directions.mixer import mixer
from zoo.widgets.directions.sums import sums

__all__ = ["MEASURED", "explained", "found", "keeping", "mean_anchors", "mixer", "others", "sums", "table", "truth"]
