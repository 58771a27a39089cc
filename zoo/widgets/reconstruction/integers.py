"""An image, the integers it becomes, and the image they become."""

from collections.abc import Sequence

import streamlit as st

from zoo import charts
from zoo.analysis.fidelity import Reconstruction
from zoo.entries import Entry
from zoo.latent import codes
from zoo.widgets.charts import figure
from zoo.widgets.safety import plain
from zoo.widgets.tiles import image_grid
from zoo.widgets.urls import bound


def image_integers(entries: Sequence[Entry], found: Sequence[Reconstruction], names: Sequence[str]) -> None:
    """Show one image (?integers, counted from 1) between the networks of each entry that has a codebook, if any has.

    found: what each entry made of the images; names: what each image shows.
    """
    pairs = zip(entries, found, strict=True)
    discrete = [(entry, result, result.codes) for entry, result in pairs if result.codes is not None]
    if not discrete:
        return
    st.header("Image, integers, image")
    index = 0
    if len(names) > 1:
        index = bound(
            st.number_input, "Image", key="integers", default=1, min_value=1, max_value=len(names), step=1, width=140
        ) - 1  # fmt: skip
    for entry, result, integers in discrete:
        st.subheader(plain(entry.label))
        before, middle, after = st.columns([2, 3, 2], gap="large", vertical_alignment="center")
        with before:
            clean = result.clean[index : index + 1]
            image_grid(clean, ["original"], alts=[names[index]], key=f"before-{entry.id}", size=220)
        with middle:
            grid, size = integers[index], codes.vocabulary(entry)
            caption = (
                f"The encoder turns the image into {grid.size} integers below {size}, the decoder turns these into an "
                "image. Each is the index of a vector in the codebook; equal integers have equal colours."
            )
            figure(charts.code_grid(grid, size), key=f"integers-{entry.id}", caption=caption)
            _change_link(entry)
        with after:
            outputs = result.outputs[index : index + 1]
            image_grid(
                outputs, ["decoded from the integers"], alts=[f"{names[index]}, decoded from the integers"],
                key=f"after-{entry.id}", size=220,
            )  # fmt: skip


def _change_link(entry: Entry) -> None:
    """Draw a link to where single integers can be changed, with images from the same place."""
    same = {name: st.query_params.get_all(name) for name in st.query_params if name.startswith("input_")}
    st.page_link(
        "pages/represent/integers.py", label="Change single integers", icon=":material/pin:",
        query_params={**same, "entry": entry.id, "image": "other"},
    )  # fmt: skip
