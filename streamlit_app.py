"""The frame of Latent Zoo: page settings and table of contents."""

from pathlib import Path

import streamlit as st

from zoo import widgets

ROOT = Path(__file__).parent
ICON = str(ROOT / ".streamlit" / "icon.svg")

st.set_page_config(page_title="Latent Zoo", page_icon=ICON, layout="wide")
st.logo(ICON, size="large")
st.html(ROOT / ".streamlit" / "style.css")

widgets.limit_uploads()
cold = widgets.cold_start()
page = st.navigation(
    {
        "Explore": [
            st.Page("pages/explore/gallery.py", title="Gallery", icon=":material/gallery_thumbnail:", default=True),
            st.Page("pages/explore/reconstruction.py", title="Reconstruction", icon=":material/compare:"),
            st.Page("pages/explore/interpolation.py", title="Interpolation", icon=":material/timeline:"),
            st.Page("pages/explore/generation.py", title="Generation", icon=":material/casino:"),
        ],
        "Play": [st.Page("pages/play/lab.py", title="Live lab", icon=":material/science:")],
        "Measure": [
            st.Page("pages/measure/distributions.py", title="Distributions", icon=":material/bar_chart:"),
            st.Page("pages/measure/leaderboard.py", title="Leaderboard", icon=":material/leaderboard:"),
        ],
        "Share": [
            st.Page("pages/share/publish.py", title="Publish", icon=":material/cloud_upload:"),
            st.Page("pages/share/import.py", title="Import", icon=":material/input:"),
        ],
    }
)
widgets.enter(page.url_path, cold)
widgets.zoo_picker()
with widgets.guard():
    page.run()
