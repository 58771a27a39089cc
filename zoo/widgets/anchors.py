"""The picker of one anchor in latent space: the code of an image, a seed, or the mean code of a class."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from zoo import images
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
KINDS = {"class": "Class", "mean": "Class mean", "image": "Image", "seed": "Seed"}


def anchor_picker(entry: Entry, index: int, count: int) -> Anchor:
    """Let anchor number `index` of `count` be chosen (?anchor_a=…), and show it."""
    letter = "ABCD"[index]
    key = f"anchor_{letter.lower()}"
    reserve(f"frame-{key}", f"min-height: {160 * entry.shape[0] // entry.shape[1] + 60}px;")
    frame = st.container(key=f"frame-{key}")
    with st.popover(f"Choose {letter}", icon=":material/tune:"):
        anchor, notes = anchor_inputs(entry, letter, key, (index, count), index)
    with frame:
        shown = images.enlarge(images.to_uint8(anchor.image), max(1, 480 // entry.shape[0]))
        st.image(shown, width=160, alt=f"Anchor {letter}: {anchor.name}")
        st.caption(f"**{letter}** · {plain(anchor.name)}")
        for note in notes:
            st.caption(note)
    return anchor


def anchor_inputs(
    entry: Entry,
    letter: str,
    key: str,
    place: tuple[int, int],
    seed: int,
    means: Mapping[str, Anchor] | None = None,
    first: str = "",
) -> tuple[Anchor, list[str]]:
    """Draw the inputs of an anchor (?key=…, ?key_class=…) and return it, with what is to be said of it in Markdown.

    A class is an image of the dataset where the entry can encode and the data is here, the class that a conditional
    entry is asked for, or else the random image that the classifier takes most surely for it.

    Args:
        place: its number and how many anchors there are, so that they begin far apart in the list of classes.
        seed: the one it begins with. means: anchors that can be chosen by their names, beside the others.
        first: the kind that it begins with, where there is one.
    """
    means = means or {}
    kinds = _kinds(entry) + (["mean"] if means else [])
    first = first if first in kinds else kinds[0]
    kind = bound(
        st.segmented_control, f"Anchor {letter} is given by", kinds, key=key, default=first, format_func=KINDS.get,
        required=True,
    )  # fmt: skip
    if kind == "mean":
        names = list(means)
        name = names[place[0] * len(names) // place[1]]
        anchor, given = means[bound(st.selectbox, "Mean of", names, key=f"{key}_class", default=name)], ""
    else:
        anchor, given = {"class": _by_class, "image": _by_image, "seed": _by_seed}[kind](entry, key, place, seed)
    notes = [f"This entry is conditional; the class given to it: {plain(given)}."] if given else []
    for refused in refusals(key):
        notes.append(f":material/link_off: The link asks for {plain(refused[:100])}, which cannot be chosen here.")
    missing = ABSENT.get(st.session_state.get(f"{key}_image_from", "")) if kind == "image" else None
    if missing and anchor.name not in OWN:
        notes.append(f":material/info: Links hold no {missing}: an image of a dataset stands in.")
    return anchor, notes


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


def _seed(key: str, first: int) -> int:
    return bound(st.number_input, "Seed", key=f"{key}_seed", default=first, min_value=0, max_value=9999, step=1)


def _by_class(entry: Entry, key: str, place: tuple[int, int], seed: int) -> tuple[Anchor, str]:
    classes = list(_classes(entry))
    # Far apart in the list of classes, so that the anchors differ.
    first = classes[place[0] * len(classes) // place[1]]
    wanted = bound(st.selectbox, "Class", classes, key=f"{key}_class", default=first)
    seed = _seed(key, seed)
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


def _by_image(entry: Entry, key: str, place: tuple[int, int], seed: int) -> tuple[Anchor, str]:
    picked = image_source(f"{key}_image", entry.shape, prefer=entry.dataset, count=1, most=1)
    known = None if picked.labels is None else int(picked.labels[0])
    name = f"{picked.names()[0]}, {picked.description}" if picked.classes else picked.description
    classifier = classifier_for(entry, entries())
    return _encoded(entry, picked.images[0], name, known, tuple(picked.classes), classifier)


def _by_seed(entry: Entry, key: str, place: tuple[int, int], seed: int) -> tuple[Anchor, str]:
    seed = _seed(key, seed)
    label = None
    if entry.conditional:
        names = list(entry.classes)
        first = names[place[0] * len(names) // place[1]]
        label = names.index(bound(st.selectbox, "Class", names, key=f"{key}_class", default=first))
    return _drawn(entry, seed, label), ""


_encoded = cached(walk.encoded)
_drawn = cached(walk.drawn)
_recognised = cached(walk.recognised)
