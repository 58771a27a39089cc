"""Widgets of Interpolation."""

from zoo.widgets.interpolation.anchors import anchor_picker, ranked_dimensions
from zoo.widgets.interpolation.position import movement, position

__all__ = ["anchor_picker", "movement", "position", "ranked_dimensions"]
