"""Widgets of Leaderboard."""

from zoo.widgets.leaderboard.standings import SHEET, row_filter, sheets, standings

__all__ = ["SHEET", "row_filter", "sheets", "standings"]
