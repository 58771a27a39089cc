"""Widgets of Inversion."""

from zoo.widgets.inversion.choices import entry_choice, settings_choice
from zoo.widgets.inversion.rows import LACKED, compared, lacked, said
from zoo.widgets.inversion.searches import Searched, class_images, limit, searched

__all__ = [
    "LACKED",
    "Searched",
    "class_images",
    "compared",
    "entry_choice",
    "lacked",
    "limit",
    "said",
    "searched",
    "settings_choice",
]
