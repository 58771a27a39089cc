"""Entries: what one folder holds, where entries come from, and how they are listed."""

from zoo.entries.entry import Entry, read, verify, write

__all__ = ["Entry", "read", "verify", "write"]
