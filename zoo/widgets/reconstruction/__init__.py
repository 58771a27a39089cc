"""Widgets of Reconstruction."""

from zoo.widgets.reconstruction.extremes import SPLITS, described, most, search_label, searchable, split_errors
from zoo.widgets.reconstruction.integers import image_integers

__all__ = ["SPLITS", "described", "image_integers", "most", "search_label", "searchable", "split_errors"]
