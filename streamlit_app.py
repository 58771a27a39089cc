"""Latent Zoo: `streamlit run streamlit_app.py`. The frame of all pages, with their table of contents."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

LOOKS = Path(__file__).parent / ".streamlit"


@asynccontextmanager
async def prepared(_app: st.App) -> AsyncIterator[None]:
    """Let visitors in as soon as the zoo was read."""
    from zoo.widgets import launch  # here, for what it caches takes a runtime

    launch.prepare()
    yield


if __name__ == "__main__":  # a visitor's run
    from zoo import widgets

    ICON = str(LOOKS / "icon.svg")

    # Folded, unless it has something to say: then it is out of the way on a projector and on a phone.
    sidebar = "expanded" if "source" in st.query_params else "collapsed"
    st.set_page_config(page_title="Latent Zoo", page_icon=ICON, layout="wide", initial_sidebar_state=sidebar)
    st.logo(ICON, size="large")

    widgets.limit_uploads()
    present = widgets.presenting()
    widgets.style(present)
    page = st.navigation(
        {
            "Explore": [
                st.Page("pages/explore/gallery.py", title="Gallery", icon=":material/gallery_thumbnail:", default=True),
                st.Page("pages/explore/reconstruction.py", title="Reconstruction", icon=":material/compare:"),
                st.Page("pages/explore/interpolation.py", title="Interpolation", icon=":material/timeline:"),
                st.Page("pages/explore/generation.py", title="Generation", icon=":material/casino:"),
                st.Page("pages/explore/inversion.py", title="Inversion", icon=":material/search:"),
            ],
            "Learn": [st.Page("pages/learn/tour.py", title="Learn", icon=":material/school:")],
            "Represent": [
                st.Page("pages/represent/integers.py", title="Integers", icon=":material/pin:"),
                st.Page("pages/represent/layers.py", title="Layers", icon=":material/layers:"),
                st.Page("pages/represent/latent_map.py", title="Latent map", icon=":material/scatter_plot:"),
                st.Page("pages/represent/directions.py", title="Directions", icon=":material/explore:"),
            ],
            "Play": [
                st.Page("pages/play/lab.py", title="Live lab", icon=":material/science:"),
                st.Page("pages/play/replay.py", title="Training replay", icon=":material/replay:"),
                st.Page("pages/play/quiz.py", title="Real or fake?", icon=":material/quiz:"),
            ],
            "Measure": [
                st.Page("pages/measure/distributions.py", title="Distributions", icon=":material/bar_chart:"),
                st.Page("pages/measure/density.py", title="Density", icon=":material/ssid_chart:"),
                st.Page("pages/measure/probes.py", title="Probes", icon=":material/query_stats:"),
                st.Page("pages/measure/leaderboard.py", title="Leaderboard", icon=":material/leaderboard:"),
            ],
            "Share": [
                st.Page("pages/share/publish.py", title="Publish", icon=":material/cloud_upload:"),
                st.Page("pages/share/import.py", title="Import", icon=":material/input:"),
            ],
        },
        position="top" if present else "sidebar",
        expanded=True,
    )
    widgets.enter(page.url_path)
    widgets.zoo_picker()
    widgets.place(page.url_path)
    with widgets.guard():
        page.run()
else:  # the server: `streamlit run` finds it here
    from zoo.styled import Styled

    app = st.App(__file__, lifespan=prepared, middleware=[Middleware(Styled, sheet=LOOKS / "style.css")])
