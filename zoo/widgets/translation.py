"""What translators make of images: what goes in beside what comes out."""

from collections.abc import Sequence

import streamlit as st

from zoo import images, models
from zoo.entries import Entry
from zoo.widgets.inputs import image_source
from zoo.widgets.matrix import Row, image_matrix
from zoo.widgets.safety import plain


def translation(entries: Sequence[Entry]) -> None:
    """Draw a section with images that can be chosen, and below them what each translator makes of them."""
    st.header("From one image to another")
    first = entries[0]
    shape = models.source_shape(first)
    with st.expander("Images that go in", icon=":material/image:"):
        picked = image_source("translated", shape, prefer=first.dataset, count=6, most=12)
    rows = [Row("In", picked.images, picked.description, picked.names())]
    for entry in entries:
        given, _ = images.fit(picked.images, models.source_shape(entry))
        rows.append(Row("Out" if len(entries) == 1 else entry.title, models.translate(entry, given), "", apart=True))
    image_matrix(rows, picked.names(), key="translated")
    height, width, channels = shape
    made = "×".join(map(str, first.shape))
    st.caption(
        f"Each column is one image. {plain(first.title)} takes {height}×{width}×{channels} and gives {made}; pictures "
        "of another size are fitted first."
    )
