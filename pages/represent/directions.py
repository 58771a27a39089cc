"""Directions: named changes of code that combine, applied to any image or seed, and sums of codes."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from zoo import charts, models, widgets
from zoo.analysis import directions, moves
from zoo.analysis.directions import Found
from zoo.analysis.walk import Anchor
from zoo.entries import Entry
from zoo.widgets.directions import MEASURED, explained, found, keeping, mean_anchors, mixer, others, sums, table, truth


def main() -> None:
    st.title("Directions")
    st.markdown(
        "A direction in latent space changes one thing about an image: its size, its colour, its class. Directions add "
        "up, and the same move does the same to other images."
    )
    entries = widgets.entries("decode")
    able = [entry for entry in entries if entry.capabilities & {"encode", "generate"}]
    rendered = [entry for entry in able if entry.dataset == "fruits" and "encode" in entry.capabilities]
    first = next((entry.id for entry in rendered if len(entry.latent_shape) == 1 and entry.latent_shape[0] > 2), None)
    left, right = st.columns(2, gap="medium")
    with left:
        entry = widgets.entry_picker(among=able, default=first)
    with widgets.guard():
        here = found(entry)
        if here is None:
            return
        kinds = [kind for kind in directions.KINDS if here.of(kind)]
        if not kinds:
            st.info("The codes of this entry do not vary: there is no direction in them.", icon=":material/info:")
            return
        with right:
            kind = widgets.bound(
                st.segmented_control, "Directions", kinds, key="directions", default=kinds[0],
                format_func=directions.KINDS.get, required=True,
            )  # fmt: skip
        means = mean_anchors(entry, here)
        view(entry, here, kind, means)
        sums(entry, means)


@st.fragment
def view(entry: Entry, here: Found, kind: str, means: Mapping[str, Anchor]) -> None:
    """Show an image and what a move makes of it, then the same move on other images."""
    with widgets.guard():
        pictures = st.container()
        left, right = st.columns(2, gap="medium")
        with left, widgets.linked_expander("Image or seed to move", "begin", icon=":material/image:"):
            start, notes = widgets.anchor_inputs(entry, "X", "begin", (0, 1), 0, means)
        with right, st.expander("Open a saved move", icon=":material/folder_open:"):
            keeping(here)
        with pictures:
            known = truth(entry, start)
            move, picture = mixer(entry, here, start, kind, known)
            for note in notes:
                st.caption(note)
            beside = (
                "What the renderer of the dataset draws with the same factors stands beside it: how far the two are "
                "apart is what the network, and a straight line in its latent space, get wrong. "
                if known
                else ""
            )
            st.caption(
                f"The image, and what the decoder makes of its code with every slider's direction added. {beside}"
                f"Beside each name stands {MEASURED[kind]}. {explained(here, kind)}"
            )
        elsewhere(entry, here, start, move, picture)
        st.header("What the codes know")
        st.table(table(here, kind), hide_index=True, border="horizontal")
        st.caption(
            f"Every direction found, with {MEASURED[kind]}. The names in links also stand in the files of saved moves."
        )


def elsewhere(entry: Entry, here: Found, start: Anchor, move: moves.Move, picture: np.ndarray) -> None:
    """Show the move on other images, and its downloads."""
    st.header("The same move on other images")
    codes, labels, names = others(entry)
    change = here.change(move)
    before = models.decode(entry, codes, labels)
    after = models.decode(entry, directions.moved(codes, change)[0], labels)
    called = {direction.key: direction.label for direction in here.directions}
    text = "\n".join(f"{called[key]} {strength:+.1f}" for key, strength in move.items())
    rows = [
        widgets.Row("Before", before, "decoded from the code"),
        widgets.Row("After", after, text or "no change yet"),
    ]
    widgets.image_matrix(rows, names, key="elsewhere")
    st.caption(
        "Above what the decoder makes of each code, below what it makes of the code with the same move added."
        if move
        else "Move a slider: the move is then added to the codes of these images as well."
    )
    with st.container(horizontal=True):
        widgets.download("Move", lambda: moves.saved(entry.id, move, change), f"{entry.name}-move.json")
        own = widgets.Row("Moved", np.stack([start.image, picture]), text)
        widgets.download(
            "Pictures", lambda: charts.poster(f"{entry.label}: directions", [own, *rows]), f"{entry.name}-move.png"
        )


main()
