"""Widgets of Learn."""

from zoo.widgets.tour.handout import handout
from zoo.widgets.tour.steps import steps, toggle_handout, tour_picker
from zoo.widgets.tour.stop import stop
from zoo.widgets.tour.views import setting

__all__ = ["handout", "setting", "steps", "stop", "toggle_handout", "tour_picker"]
