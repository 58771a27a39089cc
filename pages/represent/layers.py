"""Layers: an image or a code on its way through the layers of a network, and what excites each unit."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import charts, widgets
from zoo.analysis import layers
from zoo.analysis.layers import Block
from zoo.entries import Entry, opening
from zoo.widgets.layers import SHOWN, Given, excited, given, network, unit_on_both, unit_picker

BARS = 128  # neurons that are drawn as bars, at most
COLOURS = "Black is 0; orange to white is positive, blue is negative; brighter is larger."


def main() -> None:
    st.title("Layers")
    st.markdown(
        "Each layer of a network is a way to represent the image. An encoder ends in a few numbers, the "
        "**bottleneck**, and a decoder begins with them."
    )
    found = [entry for entry in widgets.entries() if layers.ways(entry)]
    first = opening.first([entry for entry in found if "reconstruct" in entry.capabilities] or found, widgets.available)
    left, right = st.columns(2, gap="medium")
    with left:
        entry = widgets.entry_picker(among=found, default="".join(first))
    with right:
        ways = layers.ways(entry)
        way = widgets.bound(
            st.segmented_control, "Networks", list(ways), key="way", default=next(iter(ways)),
            format_func=layers.WAYS.get, required=True,
        )  # fmt: skip
    with widgets.guard():
        what = "Random codes" if layers.start(ways[way]) == "latent" else "Images"
        with widgets.linked_expander(f"{what} that go in", "input_", "seed", "class_", icon=":material/image:"):
            pair = given(entry, ways[way])
        if pair.of:
            st.caption(f"This entry is conditional; the class given to it is {widgets.plain(pair.of)}.")
        view(entry, ways[way], pair)


@st.fragment
def view(entry: Entry, roles: Sequence[str], pair: Given) -> None:
    """Show the drawing, the layer that is chosen in it, one of its units, and then all layers."""
    with widgets.guard():
        blocks = _blocks(entry, tuple(roles))
        maps = _followed(entry, tuple(roles), pair.values, pair.labels)
        middle = next((block.key for block in blocks if block.code), blocks[min(1, len(blocks) - 1)].key)
        first = next((block.key for block in blocks[1:] if len(block.layer.shape) == 3), middle)
        block = network(blocks, {key: found[0] for key, found in maps.items()}, first)
        st.caption(
            "Data goes from left to right. The height of a block tells the resolution of its maps, each sheet behind "
            "it doubles their number; a column is a vector. The picture is the map with the largest spread. "
            + ("The bottleneck is marked. " if any(part.code for part in blocks) else "")
            + "Click a layer, or use the arrow keys."
        )
        one_layer(entry, roles, block, maps[block.key], pair)
        every_layer(entry, blocks, maps)


def one_layer(entry: Entry, roles: Sequence[str], block: Block, maps: np.ndarray, pair: Given) -> None:
    """Show the units of a layer on the first input, and one of them closely."""
    layer = block.layer
    st.header(widgets.plain(f"{block.role} · {layer.name}"))
    st.markdown(widgets.plain(layers.described(block)))
    unit = unit_picker(block, maps[0], pair.names[0])
    more = f"The first {SHOWN} of {layer.units:,} are shown. " if layer.units > SHOWN else ""
    kind = "map" if len(layer.shape) == 3 else "neuron, a cell each"
    st.caption(f"Every {kind}, on {widgets.plain(pair.names[0])}. {more}{COLOURS} Click one to look at it closely.")
    if len(layer.shape) == 1 and 1 < layer.units <= BARS:
        series = {"First input": maps[0], "Second input": maps[1]}
        caption = f"The same {layer.units} numbers as bars, for both inputs: {widgets.plain(' and '.join(pair.names))}."
        widgets.figure(charts.neuron_bars(series, unit), key="neurons", caption=caption)
    st.subheader(f"Unit {unit}")
    left, right = st.columns([2, 5], gap="large")
    with left:
        unit_on_both(block, maps, pair, unit)
        st.caption("The same unit on two inputs, on one scale.")
    with right:
        excited(entry, roles, block, unit)


def every_layer(entry: Entry, blocks: Sequence[Block], maps: dict[str, np.ndarray]) -> None:
    """Show some maps of every layer in the order of the data, with their sizes."""
    st.header("Every layer, in the order of the data")
    rows = layers.rows(blocks, maps)
    columns = [f"picture {number}" for number in range(1, layers.PER_LAYER + 1)]
    widgets.image_matrix(rows, columns, key="every", size=84, least=24)
    st.caption(
        f"Of each layer the {layers.PER_LAYER} units that the first input excites most, in the order of the units. "
        f"{COLOURS} {layers.total(blocks).capitalize()}."
    )
    with st.container(horizontal=True):
        widgets.download("Layers", lambda: charts.poster(f"{entry.label}: layers", rows), f"{entry.name}-layers.png")
        widgets.download("Table", lambda: layers.table(blocks), f"{entry.name}-layers.csv")


_blocks = widgets.cached(layers.blocks, spinner="Reading the layers …")
_followed = widgets.cached(layers.follow, max_entries=8)

main()
