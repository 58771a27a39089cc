"""The live lab: models of points in the plane, trained in the visitor's browser.

The server sends the files of this folder once and hears nothing while it runs: settings are read from the link and
written into it by the browser, not by `widgets.bound`, so that a change costs the server nothing either.
"""

import functools
import tomllib
from pathlib import Path
from typing import Any

import streamlit as st

from zoo.widgets.components import component

_PARTS = ("engine", "clouds", "run", "worker", "controls", "stage", "flow", "curves")


def live_lab(brief: str = "") -> None:
    """Draw the lab; its link holds a preset (?preset=…) and every setting that differs from it.

    brief: a preset to begin with when the link names none, to be shown without inputs; "" for the whole lab.
    """
    with st.container(key="lab", gap=None):
        component("lab/lab", '<div class="lab"></div>', *(f"lab/{part}" for part in _PARTS))(
            key=f"live-lab{brief and f'-{brief}'}", data=contents() | {"brief": brief}
        )


@functools.cache
def contents() -> dict[str, list[dict[str, Any]]]:
    """Return settings, presets and phases of slow motion as the browser gets them; `lab.toml` says what they mean.

    The options of a setting are pairs of a value and what is shown for it, all texts, as in a link.
    """
    found = tomllib.loads(Path(__file__).with_name("lab.toml").read_text("utf-8"))
    for setting in found["settings"]:
        options = setting.get("options", [])
        setting["options"] = (
            [list(pair) for pair in options.items()] if isinstance(options, dict) else [[o, o] for o in options]
        )
    return found
