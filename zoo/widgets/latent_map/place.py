"""One place of the map: what is decoded there and around it, and which images are near."""

import numpy as np
import streamlit as st

from zoo import models
from zoo.analysis import cloud, embedding
from zoo.analysis.cloud import Map
from zoo.analysis.conditions import labels_for
from zoo.widgets.latent_map.points import Points
from zoo.widgets.loading import cached
from zoo.widgets.tiles import image_grid

NEAR = 5
HOW = {
    "raw": "The places are codes, decoded as they are.",
    "pca": "Each place is decoded as the code that lies there in the plane or room of the components shown; all other "
    "components are at their mean.",
    "local": "{} has no inverse. Each place is decoded by a local one: from a mixture of the codes of the {} nearest "
    "points, weighted by how near they are so that the mixture lies at the place.",
}


def place(points: Points, chosen: Map, at: np.ndarray, method: str) -> None:
    """Draw what an entry decodes at a place (K,) of a map and around it, and the nearest images."""
    near = cloud.nearest(at, chosen.scaled, NEAR)
    found = points.view
    if found.space == "codes" and "decode" in found.entry.capabilities:
        st.markdown("**Decoded at the ring and around it**")
        frames = _decoded(points, chosen, at, near)
        alts = [f"Decoded {'at' if index == len(frames) // 2 else 'near'} the ring" for index in range(len(frames))]
        image_grid(frames, alts=alts, key="around", size=72, columns=cloud.AROUND)
        how = HOW.get(method) or HOW["local"].format(embedding.METHODS[method], embedding.NEAREST)
        st.caption(
            f"The middle picture is at the ring; its neighbours are {cloud.STEP:.0%} of the half map apart. {how}"
        )
    else:
        st.caption(
            ":material/info: Nothing is decoded: no network leads from the features of a classifier to an image."
        )
    st.markdown("**Nearest images on the map**")
    names = points.names()
    captions = [f"{names[row]}{', generated' if row >= points.cloud.real else ''}" for row in near]
    image_grid(
        points.pictures(near),
        captions,
        alts=[f"Near the ring: {text}" for text in captions],
        key="near",
        size=72,
        columns=NEAR,
    )


def _decoded(points: Points, chosen: Map, at: np.ndarray, near: np.ndarray) -> np.ndarray:
    entry, places = points.view.entry, cloud.neighbourhood(at)
    codes = chosen.codes(places, points.cloud.codes).reshape(-1, *entry.latent_shape)
    told = None
    if entry.conditional:
        known = None if points.cloud.labels is None else points.cloud.labels[near[:1]]
        told, _ = labels_for(entry, points.pictures(near[:1]), known, points.cloud.classes, points.view.classifier)
        told = None if told is None else np.repeat(told, len(codes))
    return _frames(entry, codes, told)


@cached(max_entries=16)
def _frames(entry, codes: np.ndarray, told: np.ndarray | None) -> np.ndarray:
    return models.decode(entry, codes, told)
