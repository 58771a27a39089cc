"""Widgets of Latent map."""

from zoo.widgets.latent_map.choices import entry_choice, view_choice
from zoo.widgets.latent_map.cloud import cloud_map
from zoo.widgets.latent_map.groups import grouped
from zoo.widgets.latent_map.place import place
from zoo.widgets.latent_map.points import mapped, points, source
from zoo.widgets.latent_map.selection import selection

__all__ = ["cloud_map", "entry_choice", "grouped", "mapped", "place", "points", "selection", "source", "view_choice"]
