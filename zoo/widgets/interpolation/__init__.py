"""Widgets of Interpolation."""

from zoo.widgets.interpolation.anchors import anchor_picker, ranked_dimensions

__all__ = ["anchor_picker", "ranked_dimensions"]
