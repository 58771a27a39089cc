"""A visitor's own set of images, sent as a ZIP."""

import numpy as np
import streamlit as st

from zoo.data import archives
from zoo.widgets.loading import cached
from zoo.widgets.progress import progress
from zoo.widgets.safety import plain
from zoo.widgets.uploads import ARCHIVE, uploader

YOURS = "Your ZIP"  # the name of the set


def own_images(shape: tuple[int, int, int]) -> np.ndarray | None:
    """Let a ZIP of images be sent; return them as uint8 (N, *shape) in random order, None without a usable one.

    Says what was left out and what was fitted, or in one sentence why nothing can be used.
    """
    with st.expander("Compare your own images (ZIP)", icon=":material/folder_zip:"):
        files = uploader(
            f"ZIP of {archives.LEAST} to {archives.MOST:,} images (PNG, JPEG, WebP or BMP)", ["zip"],
            ARCHIVE, key="own",
            help="Folders and names do not matter. The images are fitted to the dataset, and kept in memory only.",
        )  # fmt: skip
        if not files:
            return None
        found, notes = _read(files[0].getvalue(), shape)
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


def as_float(pictures: np.ndarray) -> np.ndarray:
    """Return uint8 images as float32 in [0, 1]."""
    return pictures.astype(np.float32) / 255
