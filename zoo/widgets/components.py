"""Small components of our own: NAME.js and NAME.css beside this file."""

import functools
from pathlib import Path
from typing import Any

from streamlit.components import v2

_FOLDER = Path(__file__).parent


@functools.cache
def component(name: str, html: str) -> Any:
    """Return the component of `name`, registered once: calling it draws `html` with its JavaScript and CSS."""
    css, js = ((_FOLDER / f"{name}.{kind}").read_text("utf-8") for kind in ("css", "js"))
    return v2.component(f"latent_zoo_{name}", html=html, css=css, js=js)
