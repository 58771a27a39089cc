"""Widgets of Probes."""

from zoo.widgets.probes.reading import probed

__all__ = ["probed"]
