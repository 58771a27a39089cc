"""Pickers of entries."""

from collections.abc import Sequence

import streamlit as st

from zoo.entries import Entry
from zoo.widgets.fetching import bring
from zoo.widgets.listing import entries
from zoo.widgets.placards import dataset_title
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


def entry_label(entry: Entry) -> str:
    """Return "title · dataset", and the repository of an entry on the Hub: what pickers show."""
    parts = [entry.title, dataset_title(entry.dataset), *([entry.id] if entry.origin or entry.alias else [])]
    return " · ".join(parts)


def entry_picker(
    label: str = "Entry",
    *,
    key: str = "entry",
    needs: Sequence[str] = (),
    among: Sequence[Entry] | None = None,
    default: str | None = None,
) -> Entry:
    """Let one entry be chosen (?key=id) and bring its files here. Without any candidate, say so and stop the page.

    Args:
        needs: capabilities the entry must have; among: the candidates when they are not all entries.
        default: id of the entry shown first.
    """
    found = _candidates(needs, among)
    name = default if default in found else next(iter(found))
    chosen = bound(st.selectbox, label, list(found), key=key, default=name, format_func=lambda n: entry_label(found[n]))
    return _brought([found[chosen]])[0]


def entries_picker(
    label: str = "Entries",
    *,
    key: str = "entries",
    needs: Sequence[str] = (),
    among: Sequence[Entry] | None = None,
    default: Sequence[str] = (),
    most: int = 6,
) -> list[Entry]:
    """Let one to `most` entries be chosen (?key=id&key=id) and bring their files here; emptied it shows `default`."""
    found = _candidates(needs, among)
    names = [name for name in default if name in found] or list(found)[: min(3, most)]
    chosen = bound(
        st.multiselect,
        label,
        list(found),
        key=key,
        default=names,
        max_selections=most,
        format_func=lambda n: entry_label(found[n]),
    )
    return _brought([found[name] for name in chosen or names])


def _brought(chosen: Sequence[Entry]) -> list[Entry]:
    return bring(chosen) or st.stop()


def _candidates(needs: Sequence[str], among: Sequence[Entry] | None) -> dict[str, Entry]:
    found = {e.id: e for e in (entries() if among is None else among) if e.capabilities >= set(needs)}
    if not found:
        can = " and ".join(CAPABILITIES[need] for need in needs)
        missing = f"No entry here can {can} yet." if needs else "The zoo is empty."
        st.info(f"{missing} {HOW_TO_FILL}", icon=":material/info:")
        st.stop()
    return found


def entry_filter(found: Sequence[Entry]) -> list[Entry]:
    """Draw search and filters (?search, dataset, family, can); return the entries that pass."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        text = bound(st.text_input, "Search", key="search", default="", icon=":material/search:", width=312)
        ids = list(dict.fromkeys(entry.dataset for entry in found))
        chosen = bound(
            st.pills, "Dataset", ids, key="dataset", default=[], selection_mode="multi",
            format_func=dataset_title, width="content",
        )  # fmt: skip
        with st.popover("More filters", icon=":material/tune:"):
            titles = {entry.manifest.family: entry.manifest.family_title for entry in found}
            families = bound(st.multiselect, "Family", list(titles), key="family", default=[], format_func=titles.get)
            needs = bound(
                st.multiselect, "It can", list(CAPABILITIES), key="can", default=[],
                format_func=CAPABILITIES.get,
            )  # fmt: skip
    words = text.casefold().split()
    return [
        entry
        for entry in found
        if (not chosen or entry.dataset in chosen)
        and (not families or entry.manifest.family in families)
        and entry.capabilities >= set(needs)
        and all(word in _described(entry) for word in words)
    ]


def _described(entry: Entry) -> str:
    """Return the text that search looks in."""
    made = entry.manifest
    parts = [
        entry.id,
        entry.name,
        entry.title,
        made.family,
        made.family_title,
        made.description,
        entry.dataset,
        *made.tags,
    ]
    return " ".join([*parts, dataset_title(entry.dataset), str(made.year)]).casefold()
