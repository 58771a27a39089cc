"""An image, the integers it becomes, and the image they become."""

from collections.abc import Sequence

import streamlit as st

from zoo.analysis.fidelity import Reconstruction
from zoo.charts import plots
from zoo.entries import Entry
from zoo.latent import codes
from zoo.widgets.charts import figure
from zoo.widgets.loading import plain
from zoo.widgets.pictures import image_grid
from zoo.widgets.urls import bound


def integers(entries: Sequence[Entry], found: Sequence[Reconstruction], names: Sequence[str]) -> None:
    """Show one image (?integers, counted from 1) between the networks of each entry that has a codebook, if any has.

    found: what each entry made of the images; names: what each image shows.
    """
    discrete = [pair for pair in zip(entries, found, strict=True) if pair[1].codes is not None]
    if not discrete:
        return
    st.header("Image, integers, image")
    index = 0
    if len(names) > 1:
        index = bound(
            st.number_input, "Image", key="integers", default=1, min_value=1, max_value=len(names), step=1, width=140
        ) - 1  # fmt: skip
    for entry, result in discrete:
        st.subheader(plain(entry.title))
        before, middle, after = st.columns([2, 3, 2], gap="large", vertical_alignment="center")
        with before:
            clean = result.clean[index : index + 1]
            image_grid(clean, ["original"], alts=[names[index]], key=f"before-{entry.id}", size=220)
        with middle:
            grid, size = result.codes[index], codes.vocabulary(entry)
            caption = (
                f"An image can be turned into integers, and the integers into an image: these {grid.size}, each below "
                f"{size}, are all that the decoder is given. A number names one patch of the codebook; equal numbers "
                "have equal colours."
            )
            figure(plots.code_grid(grid, size), key=f"integers-{entry.id}", caption=caption)
        with after:
            outputs = result.outputs[index : index + 1]
            image_grid(
                outputs, ["painted from the integers"], alts=[f"{names[index]}, painted from the integers"],
                key=f"after-{entry.id}", size=220,
            )  # fmt: skip
