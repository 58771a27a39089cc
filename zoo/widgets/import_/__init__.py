"""Widgets of Import."""

from zoo.widgets.import_.alternatives import alternatives
from zoo.widgets.import_.downloads import download
from zoo.widgets.import_.overrides import overrides, roles

__all__ = ["alternatives", "download", "overrides", "roles"]
