"""Widgets of Reconstruction."""

from zoo.widgets.reconstruction.extremes import SPLITS, described, search_count, searchable, split_errors
from zoo.widgets.reconstruction.integers import image_integers

__all__ = ["SPLITS", "described", "image_integers", "search_count", "searchable", "split_errors"]
