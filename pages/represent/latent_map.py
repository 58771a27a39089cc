"""Latent map: the test images of an entry as points, where its encoder or the classifier of its dataset puts them."""

import streamlit as st

from zoo import widgets
from zoo.analysis.cloud import Map
from zoo.widgets.latent_map import (
    cloud_map,
    entry_choice,
    grouped,
    mapped,
    place,
    points,
    selection,
    source,
    view_choice,
)
from zoo.widgets.latent_map.groups import Groups
from zoo.widgets.latent_map.points import Points

SEEN = {
    "raw": "the axes are the numbers of the code itself",
    "pca": "PCA shows the directions in which the vectors vary most; what varies in others is not seen",
    "tsne": "t-SNE keeps near points near; distances between groups and their sizes mean little",
    "umap": "UMAP keeps near points near and some of the larger order; distances between groups mean little",
}


def main() -> None:
    st.title("Latent map")
    st.markdown(
        "Every point is an image of the test split, placed by the numbers that a network makes of it: its **code**. "
        "Like images lie near each other: the hidden structure that learning without labels finds."
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        entry = entry_choice()
        view = view_choice(entry, len(entry.classes))
    with widgets.guard():
        found = points(view, source(entry))
        chosen, method = mapped(found)
        explore(found, chosen, method, grouped(found))


@st.fragment
def explore(found: Points, chosen: Map, method: str, groups: Groups) -> None:
    """Draw the map, the place of the ring, and what the lasso holds."""
    with widgets.guard():
        left, right = st.columns([3, 2], gap="large")
        with left:
            at, lasso = cloud_map(found, chosen, groups)
            st.caption(described(found, method, groups))
        with right:
            place(found, chosen, at, method)
        selection(found, chosen, groups, lasso)


def described(found: Points, method: str, groups: Groups) -> str:
    """Say in Markdown what one sees on the map and what one can do."""
    cloud, entry = found.cloud, widgets.plain(found.view.entry.label)
    title = widgets.plain(widgets.dataset_title(found.source))
    what = f"the code of {entry}" if found.view.space == "codes" else "the features of the classifier of the dataset"
    text = f"{cloud.real:,} test images of {title} by {what}, {cloud.codes.shape[1]} numbers each"
    if found.made:
        text += f", and {found.made:,} images that {entry} generates, as hollow marks"
    seed = f" (seed {found.view.settings.seed})" if method in ("tsne", "umap") else ""
    return (
        f"{text}; {SEEN[method]}{seed}. {groups.text} Drag and zoom (by the wheel once the map was clicked), hover a "
        "point to see its image, click to decode a place, press a name in the legend to see its points alone."
    )


main()
