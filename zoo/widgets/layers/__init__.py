"""Widgets of Layers."""

from zoo.widgets.layers.given import Given, given
from zoo.widgets.layers.network import network
from zoo.widgets.layers.units import SHOWN, excited, unit_on_both, unit_picker

__all__ = ["SHOWN", "Given", "excited", "given", "network", "unit_on_both", "unit_picker"]
