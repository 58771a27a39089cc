"""Entries: what one folder holds, where entries come from, and how they are listed."""
