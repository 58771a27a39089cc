"""The views of a tour, live: kinds that follow the hand, and all others with inputs for what can be chosen in them."""

import inspect
from collections.abc import Callable
from typing import Any

import streamlit as st

from zoo import models
from zoo.analysis import walk
from zoo.analysis.tour import SHOWS, Setting, Shown
from zoo.analysis.tour.reading import View
from zoo.analysis.tour.shows import anchors
from zoo.widgets.charts import figure
from zoo.widgets.fetching import fetch_files
from zoo.widgets.gallery import entry_map
from zoo.widgets.interpolation import movement, position
from zoo.widgets.lab import live_lab
from zoo.widgets.listing import entries
from zoo.widgets.loading import available, cached, dataset
from zoo.widgets.matrix import image_matrix
from zoo.widgets.replay import film
from zoo.widgets.safety import guard, plain
from zoo.widgets.urls import bound

# Parameters that are chosen by hand where a kind has them: label, lowest and highest value.
KNOBS = {
    "image": ("Image", 0, 399),
    "number": ("Integer", 0, 999_999_999_999),
    "added": ("Added to the integer", 0, 10**11),
    "seed": ("Seed", 0, 9999),
}
PICTURE = 108  # pixels of the largest picture in a row


def setting() -> Setting:
    """Return what a view has at hand: the entries that are listed, and datasets as the pages read them."""
    return Setting({entry.id: entry for entry in entries()}, available, dataset)


@st.fragment
def view(asked: View, here: Setting) -> None:
    """Draw the live view that a stop asks for; a fragment, so that moving in it leaves the stop alone."""
    with guard():
        given = asked.parameters
        named = [given["entry"]] if "entry" in given else given.get("entries", [])
        wanted = [here.entries[name] for name in named if name in here.entries]
        if wanted and len(fetch_files(wanted)) < len(wanted):
            return
        live = LIVE.get(asked.kind)
        if live is not None:
            live(here, **given)
        else:
            _with_inputs(asked.kind, given, here)


def shown(kind: str, given: dict[str, Any], here: Setting) -> Shown:
    """Return what a kind shows, kept for all visitors of the same zoo."""
    zoo = tuple((name, entry.revision) for name, entry in here.entries.items())
    data = tuple(name for name in {entry.dataset for entry in here.entries.values()} if here.available(name))
    return _shown(kind, given, zoo, tuple(sorted(data)), here)


@cached(max_entries=64)
def _shown(kind: str, given: dict[str, Any], zoo: tuple, data: tuple[str, ...], _here: Setting) -> Shown:
    """Make what a kind shows. The zoo by its revisions and the datasets at hand say all that `_here` can give."""
    return SHOWS[kind](_here, **given)


def drawn(found: Shown, key: str) -> None:
    """Draw what a kind shows, without inputs."""
    if found.rows:
        image_matrix(found.rows, found.columns, key=f"{key}-rows", size=PICTURE, least=24)
    for index, (caption, chart) in enumerate(found.figures.items()):
        figure(chart, key=f"{key}-figure-{index}", caption=plain(caption))
    if found.note:
        st.caption(f":material/info: {plain(found.note)}")


def _with_inputs(kind: str, given: dict[str, Any], here: Setting) -> None:
    """Draw a kind with an input for each of its KNOBS, below the pictures that they change."""
    place = st.container()
    declared = inspect.signature(SHOWS[kind]).parameters
    chosen = dict(given)
    knobs = [name for name in KNOBS if name in declared]
    if knobs:
        with st.container(horizontal=True):
            for name in knobs:
                label, low, high = KNOBS[name]
                start = given.get(name, declared[name].default)
                chosen[name] = bound(
                    st.number_input, label, key=name, default=min(max(start, low), high), min_value=low,
                    max_value=high, step=1, width=200,
                )  # fmt: skip
    with place:
        found = shown(kind, chosen, here)
        drawn(found, f"tour-{kind}")
        if kind == "integer":
            st.markdown(found.text)


def _plane(here: Setting, entry: str) -> None:
    entry_map(here.entry(entry))


def _interpolation(here: Setting, entry: str, classes: list[str], seed: int = 0) -> None:
    found = here.entry(entry)
    position(found, anchors(here, found, classes[:2], seed))


def _dimensions(here: Setting, entry: str, seed: int = 0, count: int = 6) -> None:
    found = here.entry(entry)
    sample = models.sample(found, models.affordable(found, walk.TRAVERSED), 0)
    movement(found, walk.drawn(found, seed), _ranked(found)[: min(count, 12)], sample.latents)


@cached
def _ranked(entry: Any) -> list[tuple[int, float]]:
    sample = models.sample(entry, models.affordable(entry, walk.TRAVERSED), 0)
    return models.rank_dimensions(entry, sample.latents, sample.labels)


def _replay(here: Setting, entry: str, count: int = 6) -> None:
    film([here.entry(entry)], key="tour-replay")


def _lab(here: Setting, preset: str = "modes") -> None:
    live_lab(preset)


def drawn_papers(here: Setting) -> None:
    """Draw the list of papers as a table whose titles lead to them."""
    lines = [line.split("\t") for line in shown("papers", {}, here).text.splitlines()]
    rows = [f"| {year} | {_linked(title, url)} |" for year, title, url in lines]
    st.markdown("\n".join(["| Year | Family, with its paper |", "|---|---|", *rows]))


def _linked(title: str, url: str) -> str:
    """Return a link to a paper where its address is a plain one of the web, else its title."""
    safe = url.startswith("https://") and not set(url) & set(" <>()[]|\"'`\\")
    return f"[{plain(title)}]({url})" if safe else plain(title)


LIVE: dict[str, Callable[..., None]] = {
    "plane": _plane,
    "interpolation": _interpolation,
    "dimensions": _dimensions,
    "replay": _replay,
    "lab": _lab,
    "papers": drawn_papers,
}
