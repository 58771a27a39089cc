"""Pickers of entries."""

from collections.abc import Sequence

import streamlit as st

from zoo.entries import Entry
from zoo.widgets.fetching import fetch_files
from zoo.widgets.listing import entries
from zoo.widgets.urls import bound

HOW_TO_FILL = "Train one with `python -m training train mnist-vae --entry`, or name a zoo on the Hub in the sidebar."
CAPABILITIES = {
    "reconstruct": "reconstruct images",
    "generate": "draw new images",
    "encode": "encode images",
    "decode": "decode latents",
    "classify": "classify images",
    "judge": "tell real from generated",
    "conditional": "be asked for a class",
}


def entry_picker(
    label: str = "Entry",
    *,
    key: str = "entry",
    needs: Sequence[str] = (),
    among: Sequence[Entry] | None = None,
    default: str | None = None,
) -> Entry:
    """Let one entry be chosen (?key=id) and fetch its files. Without any candidate, say so and stop the page.

    Args:
        needs: capabilities the entry must have; among: the candidates when they are not all entries.
        default: id of the entry shown first.
    """
    found = _candidates(needs, among)
    name = default if default in found else next(iter(found))
    chosen = bound(st.selectbox, label, list(found), key=key, default=name, format_func=lambda n: found[n].label)
    return _fetched([found[chosen]])[0]


def entries_picker(
    label: str = "Entries",
    *,
    key: str = "entries",
    needs: Sequence[str] = (),
    among: Sequence[Entry] | None = None,
    default: Sequence[str] = (),
    most: int = 6,
) -> list[Entry]:
    """Let one to `most` entries be chosen (?key=id&key=id) and fetch their files; emptied it shows `default`."""
    found = _candidates(needs, among)
    names = [name for name in default if name in found] or list(found)[: min(3, most)]
    chosen = bound(
        st.multiselect,
        label,
        list(found),
        key=key,
        default=names,
        max_selections=most,
        format_func=lambda n: found[n].label,
    )
    # Two sources may list one entry at one commit under two ids.
    return _fetched(list(dict.fromkeys(found[name] for name in chosen or names)))


def _fetched(chosen: Sequence[Entry]) -> list[Entry]:
    return fetch_files(chosen) or st.stop()


def _candidates(needs: Sequence[str], among: Sequence[Entry] | None) -> dict[str, Entry]:
    found = {e.id: e for e in (entries() if among is None else among) if e.capabilities >= set(needs)}
    if not found:
        can = " and ".join(CAPABILITIES[need] for need in needs)
        missing = f"No entry here can {can} yet." if needs else "The zoo is empty."
        st.info(f"{missing} {HOW_TO_FILL}", icon=":material/info:")
        st.stop()
    return found
