"""Widgets of Import."""

from zoo.widgets.import_.overrides import overrides, roles

__all__ = ["overrides", "roles"]
