"""The gallery's cards: a sheet of samples, a name and the key figures of each entry, the whole card a link."""

import base64
from collections.abc import Sequence
from typing import Any

import streamlit as st

from zoo import images
from zoo.analysis.headline import headline
from zoo.entries import Entry
from zoo.errors import EntryError
from zoo.widgets.components import component
from zoo.widgets.labels import dataset_title, size_text
from zoo.widgets.loading import cached, sample_sheet
from zoo.widgets.placards import address

BLOCK = 12  # cards whose sheets are sent together
QUALITY = 85  # of the sheets as WebP
SEEN = "blocks of cards that were near the window"


def cards(entries: Sequence[Entry]) -> None:
    """Draw entries as cards that lead to ?entry=id; sheets are sent once their cards come near the window."""
    for start in range(0, len(entries), BLOCK):
        _block(entries[start : start + BLOCK])


@st.fragment
def _block(entries: Sequence[Entry]) -> None:
    key = f"cards-{entries[0].id}"
    seen: set[str] = st.session_state.setdefault(SEEN, set())
    data = {"seen": key in seen, "cards": [_card(entry, key in seen) for entry in entries]}
    draw = component("cards", '<div class="around"><div class="cards"></div></div>', "links", "drawn")
    draw(key=key, data=data, default={"seen": False}, on_seen_change=lambda: seen.add(key))


def _card(entry: Entry, seen: bool) -> dict[str, Any]:
    made = entry.manifest
    sheet, problem = _sheet(entry) if seen else ("", "")
    facts = f"{made.family_title}{f', {made.year}' if made.year else ''} · {dataset_title(entry.dataset)}, "
    lines = [("subtitle", entry.title), ("facts", facts + size_text(entry)), ("figures", headline(entry))]
    if entry.origin:
        lines.append(("facts", f"{entry.origin.repo}, {entry.origin.asked} at {entry.origin.commit[:12]}"))
    return {
        "href": address(entry),
        "label": entry.label,
        "lines": [line for line in lines if line[1]],
        "sheet": sheet,
        "problem": problem,
    }


def _sheet(entry: Entry) -> tuple[str, str]:
    """Return the sheet as an address that holds its data, or else "" and what is wrong."""
    try:
        found = _encoded(entry)
    except EntryError as error:
        return "", str(error)
    return found, "" if found else "This entry has no sample sheet."


@cached(max_entries=256)
def _encoded(entry: Entry) -> str:
    """Return the sheet in its own resolution; "" without one."""
    picture = sample_sheet(entry, 1)
    if picture is None:
        return ""
    return "data:image/webp;base64," + base64.b64encode(images.webp(picture, QUALITY)).decode()
