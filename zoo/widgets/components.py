"""Small components of our own: NAME.js, and NAME.css where it shows something, beside this file or in a folder."""

import functools
import re
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2

_FOLDER = Path(__file__).parent


@functools.cache
def component(name: str, html: str, *parts: str) -> Any:
    """Return the component of `name`, registered once: calling it draws `html` with its JavaScript and CSS.

    Functions of its JavaScript may stand in further files, `parts`, whose names are given without their ending. All may
    lie in a folder: "lab/stage".
    """
    style = _FOLDER / f"{name}.css"
    css = style.read_text("utf-8") if style.exists() else None
    js = "\n".join((_FOLDER / f"{part}.js").read_text("utf-8") for part in (name, *parts, "drawn"))
    return v2.component(f"latent_zoo_{name.replace('/', '_')}", html=html, css=css, js=js)


def reserve(key: str, css: str) -> None:
    """Keep space for what is drawn under `key`, by CSS declarations, until it is there: nothing below it moves then.

    A component of ours takes the place over once its JavaScript calls `drawn`.
    """
    st.html(f"<style>{selector(key)}:not([data-drawn]) {{ {css} }}</style>")


def selector(key: str) -> str:
    """Return what selects, in CSS, what is drawn under a key."""
    return ".st-key-" + re.sub(r"[^a-zA-Z0-9_-]", "-", key)
