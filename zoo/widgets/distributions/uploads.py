"""A visitor's own set of images, sent as a file."""

import numpy as np
import streamlit as st

from zoo.data import archives
from zoo.widgets.loading import cached
from zoo.widgets.progress import progress
from zoo.widgets.safety import plain
from zoo.widgets.uploads import ARCHIVE, kept, uploader

YOURS = "Your set"  # the name of the set


def own_images(shape: tuple[int, int, int]) -> np.ndarray | None:
    """Let a set of images be sent; return them as uint8 (N, *shape) in random order, None without a usable one.

    Says what was left out and what was fitted, or in one sentence why nothing can be used.
    """
    label = "Compare your own images (ZIP, .npy or .npz)"
    with st.expander(label, icon=":material/folder_zip:", expanded=kept("own")):
        files = uploader(
            f"{archives.LEAST} to {archives.MOST:,} images: a ZIP of pictures, or an array of N×H×W or N×H×W×C",
            ["zip", "npy", "npz"], ARCHIVE, key="own",
            help="Folders and names do not matter. The images are fitted to the dataset, and kept in memory only.",
        )  # fmt: skip
        if not files:
            return None
        found, notes = _read(files[0].content, shape)
        if found is None:
            st.warning(plain(notes[0]), icon=":material/folder_off:")
            return None
        st.caption(plain(" ".join([f"{len(found):,} images of your own are compared.", *notes])))
        return found


@cached(max_entries=4)
def _read(content: bytes, shape: tuple[int, int, int]) -> tuple[np.ndarray | None, list[str]]:
    with progress() as report:
        try:
            return archives.read(content, shape, lambda part: report(part, "Reading your images …"))
        except ValueError as error:
            return None, [str(error)]
