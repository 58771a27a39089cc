"""Entries: what one folder holds, where entries come from, and how they are listed."""

from zoo.entries.entry import Entry, files, read, refusing, verify, write

__all__ = ["Entry", "files", "read", "refusing", "verify", "write"]
