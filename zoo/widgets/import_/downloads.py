"""An imported entry to take home."""

import streamlit as st

from zoo.entries import Entry
from zoo.sharing import imports


def download(made: Entry) -> None:
    """Offer an entry as a ZIP: for Keras 3 where it was made of Keras networks, else its ONNX networks."""
    label, opened = "Download as ONNX", "the folder onnx holds the networks"
    if made.has("config.json"):
        label, opened = "Download as Keras 3", "keras.saving.load_model opens the folder"
    st.download_button(
        label, lambda: imports.archive(made), f"{made.name}.zip", "application/zip", icon=":material/download:",
        key=f"download-{made.name}", help=f"Unpacked, {opened}.",
    )  # fmt: skip
