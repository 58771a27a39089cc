"""Small components of our own: NAME.js and NAME.css beside this file, or in a folder of their own."""

import functools
from pathlib import Path
from typing import Any

from streamlit.components import v2

_FOLDER = Path(__file__).parent


@functools.cache
def component(name: str, html: str, *parts: str) -> Any:
    """Return the component of `name`, registered once: calling it draws `html` with its JavaScript and CSS.

    Functions of its JavaScript may stand in further files, `parts`, whose names are given without their ending. All may
    lie in a folder: "lab/stage".
    """
    css = (_FOLDER / f"{name}.css").read_text("utf-8")
    js = "\n".join((_FOLDER / f"{part}.js").read_text("utf-8") for part in (name, *parts))
    return v2.component(f"latent_zoo_{name.replace('/', '_')}", html=html, css=css, js=js)
