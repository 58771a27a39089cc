"""Networks of a source as an import builds them, before anything is written."""

from pathlib import Path

from training.importing import build, ranges, reading
from training.importing.options import Options, Source
from training.importing.reading import Draft


def drafts(path: Path, tmp_path: Path, **options) -> list[Draft]:
    """What a source may become, read in the folder `tmp_path`."""
    room = tmp_path / "room"
    room.mkdir(exist_ok=True)
    return reading.drafts(Source(Path(path).name, Path(path)), Options(**options), room)


def built(draft: Draft, **options):
    """The networks of a draft by role, from and to images in [0, 1]."""
    found = ranges.find(draft.parts, draft.arrays, Options(**options), draft.found.guesses, draft.found.warnings)
    makes, reads = found.makes or "unit", found.reads or "unit"
    return {role: build.network(part, draft.arrays[role], reads, makes) for role, part in draft.parts.items()}


def brought(path: Path, tmp_path: Path, **options):
    """(networks by role, the draft that they are from) of a source that holds one entry."""
    (draft,) = drafts(path, tmp_path, **options)
    return built(draft, **options), draft
