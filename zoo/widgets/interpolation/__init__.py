"""Widgets of Interpolation."""

from zoo.widgets.interpolation.position import movement, position, ranked_dimensions

__all__ = ["movement", "position", "ranked_dimensions"]
