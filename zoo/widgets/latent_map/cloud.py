"""The map itself: a canvas of ours in which one pans, zooms, turns, clicks and draws around points."""

import base64
import hashlib
from typing import Any

import numpy as np
import streamlit as st

from zoo.analysis.cloud import Map
from zoo.charts.palette import BLUE
from zoo.widgets.components import component, reserve
from zoo.widgets.latent_map.groups import Groups
from zoo.widgets.latent_map.points import Points
from zoo.widgets.peek import sprites
from zoo.widgets.urls import bound

KEY = "latent-cloud"
UNIT = 1000  # places stand in links as thousandths of the half side, as cloud.js tells them
FARTHEST = 9999
CORNERS = (3, 14)  # of a lasso, at least and at most
WANTED = "clouds whose pictures are wanted"

Lasso = tuple[tuple[int, int], np.ndarray]


def cloud_map(points: Points, chosen: Map, groups: Groups) -> tuple[np.ndarray, Lasso | None]:
    """Draw the map; return the place of the ring (K,) (?at), and the lasso (?lasso): yaw and pitch, corners (C, 2)."""
    packed = _packed(points, chosen, groups)
    _forget(packed["places"])
    at = _place(bound(_held, "Place", key="at", default=""), chosen)
    lasso = _lasso(bound(_held, "Selection", key="lasso", default=""))
    wanted: set[str] = st.session_state.setdefault(WANTED, set())
    draw = component(
        "latent_map/cloud", '<div class="cloud"></div>', "latent_map/paint", "latent_map/tools", "shapes", "drawn"
    )
    reserve(KEY, "aspect-ratio: 4 / 3.9; max-height: 45rem; width: 100%;")
    draw(
        key=KEY, data=packed, default={"at": None, "lasso": None, "wanted": False},
        on_at_change=lambda: _told("at"), on_lasso_change=lambda: _told("lasso"),
        on_wanted_change=lambda: wanted.add(packed["pictures"]),
    )  # fmt: skip
    turn, corners = lasso or ((0, 0), np.zeros((0, 2)))
    marks: dict[str, Any] = {"kind": "marks", "places": packed["places"], "at": at.tolist()}
    marks |= {"lasso": corners.tolist() or None, "turn": list(turn)}
    with st.container(key=f"over-{KEY}"):
        draw(key=f"{KEY}-marks", data=marks | {"id": repr(marks)})
        if packed["pictures"] in wanted:
            sheet = sprites(KEY, points.key(), 32, points.pictures)
            draw(key=f"{KEY}-sheet", data=sheet | {"kind": "sheet", "of": packed["pictures"]})
    return at, lasso


def _forget(places: str) -> None:
    """Drop place and lasso where another map is shown than before on this visit: there they would mean other images."""
    now = (st.session_state.get("visit"), places)
    before = st.session_state.get(f"{KEY} shown", now)
    st.session_state[f"{KEY} shown"] = now
    for name in ("at", "lasso"):
        same = st.query_params.get(name, "") == st.session_state.get(name, "")  # else a link brings its own
        if before[0] == now[0] and before != now and same:
            st.session_state[name] = ""


def _packed(points: Points, chosen: Map, groups: Groups) -> dict[str, Any]:
    """Return what the browser gets once: places as float32, groups and classes of the points as uint16."""
    cloud = points.cloud
    names = list(cloud.classes) if cloud.labels is not None and cloud.classes else [""]
    labels = cloud.labels if len(names) > 1 and cloud.labels is not None else np.zeros(len(cloud.codes))
    data: dict[str, Any] = {
        "points": _text(chosen.scaled, np.float32),
        "dims": chosen.scaled.shape[1],
        "kind": _text(groups.of, np.uint16),
        "kinds": _kinds(chosen, groups),
        "labels": _text(labels, np.uint16),
        "names": names,
        "real": cloud.real,
        "titles": list(chosen.titles) or [""] * chosen.scaled.shape[1],
        "grey": points.view.entry.shape[2] == 1,
        "pictures": _digest(repr(points.key())),
        "filename": f"{points.view.entry.name}-map.png",
        "label": (
            f"Map of {len(cloud.codes):,} images. Arrow keys move over it, Enter chooses a place, plus and minus zoom, "
            "Shift and arrow keys move or turn the map, 0 shows all of it."
        ),
    }
    data["places"] = _digest(data["points"])
    return data | {"id": _digest(repr(data))}


def _kinds(chosen: Map, groups: Groups) -> list[dict[str, Any]]:
    found = []
    for index, (name, (colour, symbol)) in enumerate(zip(groups.names, groups.styles, strict=True)):
        members = chosen.scaled[groups.of == index]
        place = None
        if groups.named and len(members):
            middle = np.median(members, axis=0)
            place = members[np.square(members - middle).sum(1).argmin()].round(4).tolist()
        ink = "#ffffff" if colour == BLUE else "#000000"
        found.append({"name": name, "colour": colour, "symbol": symbol, "ink": ink, "place": place})
    return found


def _text(array: np.ndarray, kind: type) -> str:
    return base64.b64encode(np.ascontiguousarray(array, np.dtype(kind).newbyteorder("<")).tobytes()).decode()


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def _held(label: str, *, key: str) -> str:
    """Stand in for an input of Streamlit: what is clicked and drawn around is in the canvas."""
    return st.session_state[key]


def _told(name: str) -> None:
    """Take over what the canvas tells; what is no list of numbers is not from it."""
    told = getattr(st.session_state[KEY], name)
    if told is None:
        st.session_state[name] = ""
    elif isinstance(told, list) and all(isinstance(value, int | float) for value in told[:64]):
        st.session_state[name] = "_".join(str(round(min(max(value, -FARTHEST), FARTHEST))) for value in told[:64])


def _numbers(text: str) -> list[int]:
    """Return the integers of a link, none where it holds anything else."""
    try:
        found = [int(part) for part in text.split("_") if part]
    except ValueError:
        return []
    return found if all(abs(value) <= FARTHEST for value in found) else []


def _place(text: str, chosen: Map) -> np.ndarray:
    """Return the place of a link, or that of the first image."""
    found = _numbers(text)
    return np.array(found) / UNIT if len(found) == chosen.scaled.shape[1] else chosen.scaled[0].astype(float).round(3)


def _lasso(text: str) -> Lasso | None:
    """Return the lasso of a link, None where it holds none."""
    found = _numbers(text)
    pairs = np.array(found[: len(found) // 2 * 2], int).reshape(-1, 2)
    if not CORNERS[0] <= len(pairs) - 1 <= CORNERS[1]:
        return None
    return (int(pairs[0, 0]), int(pairs[0, 1])), pairs[1:] / UNIT
