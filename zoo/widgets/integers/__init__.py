"""Widgets of Integers."""

from zoo.widgets.integers.grid import integer_grid
from zoo.widgets.integers.reading import image_to_number
from zoo.widgets.integers.returning import there_and_back
from zoo.widgets.integers.writing import Written, number_to_image

__all__ = ["Written", "image_to_number", "integer_grid", "number_to_image", "there_and_back"]
