"""Widgets of the Gallery."""

from zoo.widgets.gallery.cards import cards
from zoo.widgets.gallery.details import actions, key_figures, provenance
from zoo.widgets.gallery.filters import entry_filter
from zoo.widgets.gallery.map import latent_map
from zoo.widgets.gallery.training import history, snapshots

__all__ = ["actions", "cards", "entry_filter", "history", "key_figures", "latent_map", "provenance", "snapshots"]
