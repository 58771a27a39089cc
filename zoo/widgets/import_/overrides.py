"""Inputs that override what an import detects."""

import streamlit as st

from zoo.sharing import imports
from zoo.widgets.urls import bound, linked_expander

FOUND = {"": "as found"}
READS = dict(list(imports.RANGES.items())[:3])  # a network reads no logits
CHOICES = {
    "role": ("Role", FOUND | {role: role for role in imports.ROLES}),
    "makes": ("Images that come out hold", FOUND | imports.RANGES),
    "reads": ("Images that go in are expected as", FOUND | READS),
}
LINES = {
    "name": ("Name", ""),
    "file": ("File, where there are several", "generator.h5"),
    "dataset": ("Trained on", "mnist"),
    "architecture": ("Architecture, for weights alone", "tensorflow-dcgan-generator"),
    "strides": ("Strides, for weights alone", "1, 2, 2"),
    "activation": ("Activation between layers, for weights alone", "relu"),
    "last": ("Activation at the end, for weights alone", "tanh"),
}


def overrides() -> dict[str, str | list[int] | None]:
    """Draw the inputs (?import-role=… and so on); return their values, as zoo.sharing.imports takes it."""
    given: dict = {}
    with linked_expander("Override detection", "import-", icon=":material/tune:"):
        for key, (label, names) in CHOICES.items():
            given[key] = bound(st.selectbox, label, list(names), key=f"import-{key}", default="", format_func=names.get)
        for key, (label, shown) in LINES.items():
            given[key] = bound(st.text_input, label, key=f"import-{key}", default="", placeholder=shown).strip()
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
        "| image | image | autoencoder, cut in two at its bottleneck |\n"
        "| image | one number | discriminator |\n"
    )
    st.caption(
        "The role follows from the shapes, the range of values from a trial batch. Both are shown afterwards and can "
        "be overridden. Layers that would run a stranger's code are refused by name."
    )
