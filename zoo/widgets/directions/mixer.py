"""Sliders whose effects add up, and pictures that follow them."""

import base64
import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from zoo import images, models
from zoo.analysis import directions, factors, manifold, moves
from zoo.analysis.directions import Direction, Found
from zoo.analysis.moves import NONE, Move
from zoo.analysis.walk import Anchor
from zoo.entries import Entry
from zoo.widgets.components import component, reserve
from zoo.widgets.loading import cached
from zoo.widgets.safety import plain
from zoo.widgets.urls import bound

KEY, MOST, STEPS = "move", 12, 9  # in the URL; sliders; frames along each
BEGUN = "move begun with"
FRUITS = "hue:-1.5,size:1.5"  # a large red apple
SHORT = {"factors": "R²", "classes": "AUROC", "components": "share"}


def mixer(
    entry: Entry, found: Found, start: Anchor, kind: str, known: dict[str, float] | None
) -> tuple[Move, np.ndarray]:
    """Let the strengths of directions be moved (?move=size:1.5,leaf:-2), and show what the anchor becomes.

    Args:
        kind: of the directions that have sliders; others have one while the move goes along them.
        known: the factors of the anchor's image: beside what the network paints stands what they give when rendered.

    Returns:
        The move, and the picture (H, W, C) that it makes.
    """
    usable = {direction.key: direction for direction in found.directions if direction.vector is not None}
    first = _first(found)
    if st.session_state.get(KEY) == st.session_state.get(BEGUN, NONE):
        st.session_state[KEY] = first  # nobody chose it: it does not follow to another entry
    st.session_state[BEGUN] = first
    text = bound(_held, "Move", key=KEY, default=first)
    move, refused = moves.read(text, list(usable))
    shown = _sliders(entry, found, kind, move)
    move = {direction.key: move[direction.key] for direction in shown if direction.key in move}
    at = [move.get(direction.key, 0.0) for direction in shown]
    factual = known if all(direction.kind == "factors" for direction in shown) else None
    vectors = np.stack([found.change({direction.key: 1.0}) for direction in shown])
    keys = tuple(direction.key for direction in shown)
    steps = max(3, min(STEPS, models.affordable(entry, STEPS * len(shown)) // len(shown)))
    grids, exact = _frames(entry, start.latent, start.label, vectors, keys, tuple(at), steps, factual, found.deviations)
    titles = ["Moved"] + (["Rendered with these factors"] if factual else [])
    notes = [""] + ([f"mean |difference| {np.abs(exact[0] - exact[1]).mean():.3f}"] if factual else [])
    axes = [_axis(direction) for direction in shown]
    title = "Image" if start.encoded else "Start"
    data = {
        "first": {"title": title, "note": start.name, "picture": _png(start.image[None])},
        "titles": titles, "axes": axes, "rows": len(shown), "columns": steps,
        "height": entry.shape[0], "width": entry.shape[1],
    }  # fmt: skip
    data["scene"] = hashlib.sha1(repr(data).encode()).hexdigest()
    data |= {"sheet": "data:image/webp;base64," + base64.b64encode(grids).decode()}
    data |= {"exact": _png(exact), "at": at, "notes": notes}
    _reserve(len(shown))
    component("directions/mixer", '<div class="mixer"></div>', "blend", "drawn")(
        key="directions-mixer", data=data, default={"at": None}, on_at_change=lambda: _moved(keys)
    )
    if refused:
        asked = plain(", ".join(refused)[:100])
        st.caption(f":material/link_off: The move asks for {asked}, which this entry does not have: it is left out.")
    return move, exact[0]


def _first(found: Found) -> str:
    """Return the move that is seen before anybody moved anything."""
    usable = [direction.key for direction in found.directions if direction.vector is not None]
    classes = [direction.key for direction in found.of("classes")]
    known, _ = moves.read(FRUITS, usable)
    # The image is of the first class: it is moved to one from the middle of the list.
    other = {classes[len(classes) // 2]: 1.5} if classes else dict.fromkeys(usable[:1], 2.0)
    return moves.written(known or other)


def _sliders(entry: Entry, found: Found, kind: str, move: Mapping[str, float]) -> list[Direction]:
    """Return the directions that have sliders: fewer where images are large."""
    most = max(2, min(MOST, models.affordable(entry, 3 * MOST) // 3))
    also = [d for d in found.directions if d.kind != kind and d.key in move]
    asked = [d for d in found.of(kind) if d.key in move]
    chosen = [*asked, *also, *(d for d in found.of(kind) if d.key not in move)][:most]
    return [direction for direction in found.directions if direction in chosen]


def _axis(direction: Direction) -> dict[str, object]:
    figure = f"{SHORT[direction.kind]} {direction.figure:.2f}" if direction.figure == direction.figure else ""
    return {
        "label": direction.label, "figure": figure, "ends": direction.ends, "low": -moves.REACH, "high": moves.REACH,
        "step": moves.STEP, "unit": "" if direction.kind == "classes" else " σ",
    }  # fmt: skip


@cached(max_entries=32)
def _frames(
    entry: Entry,
    latent: np.ndarray,
    label: int | None,
    vectors: np.ndarray,
    keys: Sequence[str],
    at: Sequence[float],
    steps: int,
    known: dict[str, float] | None,
    deviations: dict[str, float],
) -> tuple[bytes, np.ndarray]:
    """Return a sheet with a row of frames for each direction, moved from where the others are now, below it that of the
    rendered truth if it is known; and the exact pictures (1 or 2, H, W, C)."""
    places = np.linspace(-moves.REACH, moves.REACH, steps)
    strengths = np.tile(np.asarray(at, float), (len(keys) * steps + 1, 1))
    for row in range(len(keys)):
        strengths[row * steps : (row + 1) * steps, row] = places
    codes = directions.moved(latent[None], np.zeros(latent.size), np.zeros(len(strengths)))[:, 0]
    codes = codes + (strengths @ vectors).reshape(codes.shape).astype(np.float32)
    parts = [models.decode(entry, codes, label)]
    if known is not None:
        parts.append(factors.changed(known, [dict(zip(keys, row, strict=True)) for row in strengths], deviations))
    grids = [part[:-1].reshape(len(keys), steps, *part.shape[1:]) for part in parts]
    return manifold.sheet(np.concatenate(grids)), np.stack([part[-1] for part in parts])


def _png(pictures: np.ndarray) -> str:
    strip = images.png(images.strip([pictures], scale=1, gap=0))
    return f"data:image/png;base64,{base64.b64encode(strip).decode()}"


def _reserve(count: int) -> None:
    """Keep the height of the pictures, and of the sliders below them on a narrow window."""
    narrow = 290 + 52 * count
    middle = 400 + 52 * -(-count // 3)
    reserve(
        "directions-mixer",
        f"min-height: 330px; @media (max-width: 1200px) {{ min-height: {middle}px; }} "
        f"@media (max-width: 640px) {{ min-height: {narrow}px; }}",
    )


def _held(label: str, *, key: str) -> str:
    """Stand in for an input of Streamlit: what is moved is drawn by `mixer`."""
    return st.session_state[key]


def _moved(keys: Sequence[str]) -> None:
    """Take over where the hand was lifted; what is no list of so many numbers is not from our component."""
    at = st.session_state["directions-mixer"].at
    if isinstance(at, list) and len(at) == len(keys) and all(isinstance(value, int | float) for value in at):
        strengths = {key: float(value) for key, value in zip(keys, at, strict=True) if abs(value) <= moves.REACH}
        st.session_state[KEY] = moves.written(strengths)
