"""Networks that the same weights could also be, where nothing but a person can tell."""

import base64
from typing import Any

import streamlit as st

WORDS = {"activation": "between the layers", "last": "at the end"}


def alternatives(choices: list[dict[str, Any]], key: str) -> None:
    """Show what other networks would make of the same codes; each can be taken for the next import.

    Args:
        choices: {"corrections": option → value, "picture": a PNG in base64}, the one that came in first.
        key: tells several of these apart.
    """
    if not choices:
        return
    with st.expander("Which of these is it?", icon=":material/compare:", expanded=True):
        st.caption(
            "Weights do not tell the activations between the layers and at the end. Each row is the same eight codes, "
            "painted by the same weights under another guess; take the row that looks right and import again."
        )
        for number, choice in enumerate(choices):
            guess = ", ".join(f"{WORDS.get(name, name)} {value}" for name, value in choice["corrections"].items())
            picture, button = st.columns([5, 2], vertical_alignment="center")
            picture.image(base64.b64decode(choice["picture"]), caption=guess or "as found", width="stretch")
            if number:
                button.button("Take this", key=f"choice-{key}-{number}", on_click=_take, args=(choice["corrections"],))
            else:
                button.caption("This one came in.")


def _take(corrections: dict[str, str]) -> None:
    for name, value in corrections.items():
        st.session_state[f"import-{name}"] = value
