"""Real images to hold against generated ones: whether they can be read, with an offer to download them."""

import streamlit as st

from zoo.errors import DatasetUnavailable
from zoo.hub.origin import REPOSITORY
from zoo.known import DATASETS
from zoo.widgets.labels import dataset_title
from zoo.widgets.loading import available, dataset
from zoo.widgets.safety import plain


def at_hand(name: str, split: str, meanwhile: str, key: str) -> bool:
    """Whether a split can be read here and now; if not, say so and what works meanwhile, and offer to download it."""
    if available(name, split):
        return True
    title = plain(dataset_title(name))
    where = "`ZOO_DATA` can name a folder that holds it."
    st.caption(f":material/info: {title} is not on this machine. {meanwhile} {where}")
    on_the_hub = name in DATASETS or REPOSITORY.fullmatch(name)
    label = f"Download {title}"
    if on_the_hub and st.button(label, key=f"fetch-{key}", icon=":material/cloud_download:"):
        try:
            dataset(name, split, 1)
        except DatasetUnavailable as error:
            st.warning(plain(str(error)), icon=":material/info:")
        else:
            st.rerun()
    return False


def side(name: str, shape: tuple[int, int, int]) -> int | None:
    """Return the side to which images are brought while they are read, or None to read them as they are.

    It keeps large images of unknown datasets out of memory. They are cropped to a square by it, so it is only for
    square entries.
    """
    return shape[0] if shape[0] == shape[1] and name not in DATASETS else None
