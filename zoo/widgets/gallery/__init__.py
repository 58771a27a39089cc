"""Widgets of the Gallery."""

from zoo.widgets.gallery.cards import cards
from zoo.widgets.gallery.details import actions, key_figures, provenance
from zoo.widgets.gallery.filters import entry_filter
from zoo.widgets.gallery.map import entry_map, latent_map

__all__ = ["actions", "cards", "entry_filter", "entry_map", "key_figures", "latent_map", "provenance"]
