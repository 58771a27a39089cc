"""Widgets of Directions."""

from zoo.widgets.directions.finding import explained, found, mean_anchors, others, table
from zoo.widgets.directions.keeping import keeping
from zoo.widgets.directions.mixer import mixer
from zoo.widgets.directions.sums import written_sum

__all__ = ["explained", "found", "keeping", "mean_anchors", "mixer", "others", "table", "written_sum"]
