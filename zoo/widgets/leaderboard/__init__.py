"""Widgets of Leaderboard."""

from zoo.widgets.leaderboard.standings import row_filter, standings

__all__ = ["row_filter", "standings"]
