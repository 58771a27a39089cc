"""The units of one layer: their maps, one of them on two inputs, and what excites it most."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import models
from zoo.analysis import layers
from zoo.analysis.layers import Block
from zoo.charts.poster import Row
from zoo.entries import Entry
from zoo.widgets.layers.given import Given, searched
from zoo.widgets.loading import cached
from zoo.widgets.matrix import image_matrix
from zoo.widgets.progress import progress
from zoo.widgets.safety import plain
from zoo.widgets.tiles import image_grid
from zoo.widgets.urls import bound

SPLITS = ("test", "train")
SEARCHED = 1000  # images at most that are asked what excites a unit
SEARCHED_PIXELS = 1 << 22
TOP = 12
SHOWN = 256  # units of a layer that are drawn, at most


def unit_picker(block: Block, maps: np.ndarray, name: str) -> int:
    """Draw every unit of a layer for one input, maps (H, W, C) or (U,); return the number of the one chosen (?unit)."""
    units = min(block.layer.units, SHOWN)
    shown = layers.unit_pictures(maps, layers.scale(maps))[:units]
    values = layers.peaks(maps[None])[0]
    default = int(layers.strongest(values[:units], 1)[0])
    kind = "Map" if maps.ndim == 3 else "Neuron"
    alts = [f"{kind} {unit} on {name}: {'up to ' if maps.ndim == 3 else ''}{values[unit]:.2f}" for unit in range(units)]
    size = 30 if maps.ndim == 1 else 44 if units > 64 else 64
    asked = st.query_params.get("unit")
    chosen = image_grid(shown, alts=alts, key="unit", size=size, select="one", selected=[default])
    if asked is not None and not chosen:
        st.caption(f":material/link_off: The link asks for unit {plain(asked[:20])}, which this layer does not have.")
    return chosen[0] if chosen else default


def unit_on_both(block: Block, maps: np.ndarray, given: Given, unit: int) -> None:
    """Show one unit on two inputs side by side, on one scale; maps (2, H, W, C) or (2, U)."""
    inputs = Row("Input" if given.values.ndim == 4 else "Image of the code", given.pictures, "", given.names)
    values = layers.peaks(maps)[:, unit]
    responds = layers.tinted(maps[..., unit], layers.scale(maps[..., unit]))
    responds = responds if responds.ndim == 4 else responds[:, None, None, :].repeat(layers.FLAT, 2)
    note = f"{block.layer.name}, unit {unit}"
    row = Row("The unit", responds, note, [f"up to {v:.2f}" if maps.ndim == 4 else f"{v:.2f}" for v in values])
    image_matrix([inputs, row], given.names, key="both", size=150)


def excited(entry: Entry, roles: Sequence[str], block: Block, unit: int) -> None:
    """Show the images of a split (?split) that excite a unit most, or random codes where networks start from codes."""
    count = models.affordable(entry, min(SEARCHED, layers.MAX_RESPONSES // block.layer.units), SEARCHED_PIXELS)
    split = SPLITS[0]
    if layers.start(roles) != "latent":
        split = bound(st.segmented_control, "Split", SPLITS, key="split", default=split, required=True)
    found = _responses(entry, tuple(roles), block.key, split, count)
    best = layers.strongest(found[:, unit], TOP)
    pool = searched(entry, roles, split, count)
    pictures, names = pool.pictures[best], [pool.names[index] for index in best]
    rows = [Row("Excite it most", pictures, "largest first", [f"{value:.2f}" for value in found[best, unit]])]
    if len(block.layer.shape) == 3:
        asked = None if pool.labels is None else pool.labels[best]
        maps = layers.follow(entry, roles, pool.values[best], asked, [block.key])[block.key][..., unit]
        rows.append(Row("Where", layers.where(pictures, maps), "bright where it responds"))
    image_matrix(rows, names, key="excited", size=84, least=24)
    labels, classes = pool.kinds
    said = layers.shares(None if labels is None else labels[best], classes)
    st.caption(
        f"{len(found):,} {plain(pool.of)} were searched; the numbers are the largest response of the unit to each. "
        f"{plain(said)} The mean response is {found[:, unit].mean():.2f}."
    )


@cached(max_entries=16)
def _responses(entry: Entry, roles: tuple[str, ...], key: str, split: str, count: int) -> np.ndarray:
    """Return how strongly every unit of a layer responds to each of the inputs searched (N, units), with progress."""
    with progress() as report:
        pool = searched(entry, roles, split, count)
        text = f"{len(pool.values):,} inputs pass through {key} …"
        return layers.responses(entry, roles, key, pool.values, pool.labels, lambda part: report(part, text))
