"""The picker of one anchor of a walk through latent space."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from zoo import images, models
from zoo.analysis import walk
from zoo.analysis.walk import Anchor
from zoo.entries import Entry
from zoo.entries.catalog import classifier_for
from zoo.errors import EntryError
from zoo.widgets.components import reserve
from zoo.widgets.inputs import image_source
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import entries
from zoo.widgets.loading import available, cached, dataset
from zoo.widgets.safety import plain
from zoo.widgets.urls import bound, refusals

OWN = ("your drawing", "uploaded images")
ABSENT = {"drawing": "drawings", "upload": "uploads"}
KINDS = {"class": "Class", "image": "Image", "seed": "Seed"}


def anchor_picker(entry: Entry, index: int, count: int) -> Anchor:
    """Let anchor number `index` of `count` be chosen (?anchor_a=…), and show it.

    A class is an image of the dataset where the entry can encode and the data is here, the class that a conditional
    entry is asked for, or else the random image that the classifier takes most surely for it.
    """
    letter = "ABCD"[index]
    key = f"anchor_{letter.lower()}"
    reserve(f"frame-{key}", f"min-height: {160 * entry.shape[0] // entry.shape[1] + 60}px;")
    frame = st.container(key=f"frame-{key}")
    with st.popover(f"Choose {letter}", icon=":material/tune:"):
        kinds = _kinds(entry)
        kind = bound(
            st.segmented_control, f"Anchor {letter} is given by", kinds, key=key, default=kinds[0],
            format_func=KINDS.get, required=True,
        )  # fmt: skip
        make = {"class": _by_class, "image": _by_image, "seed": _by_seed}[kind]
        anchor, given = make(entry, key, index, count)
    with frame:
        shown = images.enlarge(images.to_uint8(anchor.image), max(1, 480 // entry.shape[0]))
        st.image(shown, width=160, alt=f"Anchor {letter}: {anchor.name}")
        st.caption(f"**{letter}** · {plain(anchor.name)}")
        if given:
            st.caption(f"This entry is conditional; the class given to it: {plain(given)}.")
        for refused in refusals(key):
            st.caption(f":material/link_off: The link asks for {plain(refused[:100])}, which cannot be chosen here.")
        missing = ABSENT.get(st.session_state.get(f"{key}_image_from", "")) if kind == "image" else None
        if missing and anchor.name not in OWN:
            st.caption(f":material/info: Links hold no {missing}: an image of a dataset stands in.")
    return anchor


def _kinds(entry: Entry) -> list[str]:
    possible = {
        "class": bool(_classes(entry)),
        "image": "encode" in entry.capabilities,
        "seed": "generate" in entry.capabilities,
    }
    return [kind for kind, can in possible.items() if can]


def _classes(entry: Entry) -> tuple[str, ...]:
    """Return the classes that an anchor of this entry can have."""
    if _has_images(entry):
        return dataset(entry.dataset).classes if dataset(entry.dataset).labels is not None else ()
    if entry.conditional and "generate" in entry.capabilities:
        return entry.classes
    classifier = classifier_for(entry, entries())
    return classifier.classes if classifier and "generate" in entry.capabilities else ()


def _has_images(entry: Entry) -> bool:
    return "encode" in entry.capabilities and available(entry.dataset)


def _seed(key: str, index: int) -> int:
    return bound(st.number_input, "Seed", key=f"{key}_seed", default=index, min_value=0, max_value=9999, step=1)


def _by_class(entry: Entry, key: str, index: int, count: int) -> tuple[Anchor, str]:
    classes = list(_classes(entry))
    # Far apart in the list of classes, so that the anchors differ.
    first = classes[index * len(classes) // count]
    wanted = bound(st.selectbox, "Class", classes, key=f"{key}_class", default=first)
    seed = _seed(key, index)
    pool = dataset(entry.dataset) if _has_images(entry) else None
    if pool is None or pool.labels is None:
        if entry.conditional:
            return _drawn(entry, seed, entry.classes.index(wanted)), ""
        classifier = classifier_for(entry, entries())
        if classifier is None:
            raise EntryError(f"No classifier here knows the classes of {entry.dataset}.")
        return _recognised(entry, classifier, wanted, seed), ""
    members = np.flatnonzero(pool.labels == classes.index(wanted))
    row = int(np.random.default_rng(seed).permutation(members if len(members) else len(pool.images))[0])
    image = images.fit(pool.images[row][None], entry.shape)[0][0]
    name = f"{classes[pool.labels[row]]}, {dataset_title(pool.name)}"
    if not len(members):
        name += f" (there is no {wanted} among the images read)"
    return _encoded(entry, image, name, int(pool.labels[row]), tuple(classes), None)


def _by_image(entry: Entry, key: str, index: int, count: int) -> tuple[Anchor, str]:
    picked = image_source(f"{key}_image", entry.shape, prefer=entry.dataset, count=1, most=1)
    known = None if picked.labels is None else int(picked.labels[0])
    name = f"{picked.names()[0]}, {picked.description}" if picked.classes else picked.description
    classifier = classifier_for(entry, entries())
    return _encoded(entry, picked.images[0], name, known, tuple(picked.classes), classifier)


def _by_seed(entry: Entry, key: str, index: int, count: int) -> tuple[Anchor, str]:
    seed = _seed(key, index)
    label = None
    if entry.conditional:
        names = list(entry.classes)
        first = names[index * len(names) // count]
        label = names.index(bound(st.selectbox, "Class", names, key=f"{key}_class", default=first))
    return _drawn(entry, seed, label), ""


def ranked_dimensions(entry: Entry, anchors: Sequence[Anchor]) -> tuple[list[tuple[int, float]], np.ndarray]:
    """Return (dimension, effect), strongest first, and the typical latents (N, *latent) on which it was measured."""
    typical, labels = walk.around(entry, anchors)
    return _ranked(entry, typical, labels), typical


_ranked = cached(models.rank_dimensions, spinner="Measuring what each dimension does …")
_encoded = cached(walk.encoded)
_drawn = cached(walk.drawn)
_recognised = cached(walk.recognised)
