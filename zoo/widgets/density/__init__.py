"""Widgets of Density."""

from zoo.widgets.density.choices import View, view_choice
from zoo.widgets.density.own import own_images
from zoo.widgets.density.ranking import ranking
from zoo.widgets.density.sets import Sets, scored

__all__ = ["Sets", "View", "own_images", "ranking", "scored", "view_choice"]
