"""Widgets of Generation."""

from zoo.widgets.generation.draws import Draw, draw_inputs
from zoo.widgets.generation.judgement import judged
from zoo.widgets.generation.neighbours import nearest_images, search_everything
from zoo.widgets.generation.strength import strength
from zoo.widgets.generation.tile import shared_tile

__all__ = ["Draw", "draw_inputs", "judged", "nearest_images", "search_everything", "shared_tile", "strength"]
