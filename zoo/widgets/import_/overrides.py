"""Inputs that override what an import detects."""

from typing import Any

import streamlit as st

from zoo.sharing.corrections import INTERVALS, PRIORS, RANGES, ROLES
from zoo.widgets.urls import bound, linked_expander

FOUND = {"": "as found"}
READS = {name: RANGES[name] for name in INTERVALS}  # a network reads no logits
CHOICES = {
    "role": ("Role", FOUND | {role: role for role in ROLES}),
    "prior": ("Codes are drawn from", FOUND | PRIORS),
    "makes": ("Images that come out hold", FOUND | RANGES),
    "reads": ("Images that go in are expected as", FOUND | READS),
}
LINES = {
    "name": ("Name", ""),
    "file": ("Files, where there are several", "encoder.h5, decoder.h5"),
    "shape": ("Height and width, where a vector is an image", "28x20"),
    "classes": ("Classes, where a label is joined to the code", "10"),
    "dataset": ("Trained on", "mnist"),
    "architecture": ("Architecture, for weights alone", "tensorflow-dcgan-generator"),
    "strides": ("Strides, for weights alone", "1, 2, 2"),
    "activation": ("Activation between layers, for weights alone", "relu"),
    "last": ("Activation at the end, for weights alone", "tanh"),
}


def overrides() -> dict[str, Any]:
    """Draw the inputs (?import-role=… and so on); return their values, as zoo.sharing.imports takes it."""
    given: dict = {}
    with linked_expander("Override detection", "import-", icon=":material/tune:"):
        for key, (label, names) in CHOICES.items():
            given[key] = bound(st.selectbox, label, list(names), key=f"import-{key}", default="", format_func=names.get)
        for key, (label, shown) in LINES.items():
            given[key] = bound(st.text_input, label, key=f"import-{key}", default="", placeholder=shown).strip()
    given["file"] = [part.strip() for part in given["file"].split(",") if part.strip()] or None
    given["classes"] = int(given["classes"]) if given["classes"].isdecimal() else None
    given["strides"] = [int(part) for part in given["strides"].split(",") if part.strip().isdecimal()][:100] or None
    return given


def roles() -> None:
    """Explain which role a network gets; shown until something was imported."""
    st.header("What it becomes")
    st.markdown(
        "| From | to | Role |\n|---|---|---|\n"
        "| numbers | image | generator, or decoder where an encoder comes with it |\n"
        "| numbers and a class | image | conditional generator |\n"
        "| image | numbers | encoder, or classifier where a softmax ends it |\n"
        "| image | the same image | autoencoder, cut in two at its bottleneck |\n"
        "| image | another image | translator |\n"
        "| image | one number | discriminator |\n"
    )
    st.caption(
        "The role follows from names and shapes, the range of values from trials. Both are shown afterwards and can "
        "be overridden. Layers that would run a stranger's code are refused by name."
    )
