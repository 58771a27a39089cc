"""Every exception that reaches a caller of the zoo; the message is always one sentence for people.

All share the base class ZooError, so that a program around the zoo can catch whatever it refuses.
"""


class ZooError(Exception):
    """The zoo refuses or cannot do what was asked."""


class EntryError(ZooError, ValueError):
    """An entry is not what its contract says."""


class HubError(EntryError):
    """The Hub cannot give what was asked for."""


class PublishError(EntryError):
    """An entry was not published; never holds or chains what carries the token."""


class ImportFailed(EntryError):
    """An import was refused or ended early."""


class SourceError(ZooError, ValueError):
    """A text names no source of entries."""


class TourError(ZooError, ValueError):
    """A tour, or one of its stops, is not what its files have to be."""


class DatasetUnavailable(ZooError, RuntimeError):
    """The dataset cannot be had here and now."""


class Cancelled(ZooError):
    """The work was given up by who asked for it."""
