"""Widgets of Reconstruction."""

from zoo.widgets.reconstruction.degrading import degrading
from zoo.widgets.reconstruction.extremes import SPLITS, described, search_count, searchable, split_errors
from zoo.widgets.reconstruction.integers import image_integers

__all__ = ["SPLITS", "degrading", "described", "image_integers", "search_count", "searchable", "split_errors"]
