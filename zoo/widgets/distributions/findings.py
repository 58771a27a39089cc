"""Figures with how to read them and what they show."""

import plotly.graph_objects as go
import streamlit as st

from zoo.analysis.comparison import READINGS
from zoo.widgets.charts import figure
from zoo.widgets.safety import plain


def section(title: str, fig: go.Figure, finding: str) -> None:
    """Draw a figure under its title, then its reading in READINGS, then what it shows here, one sentence per line."""
    st.subheader(title)
    figure(fig, key=title.lower(), caption=READINGS[title])
    findings(finding)


def findings(sentences: str) -> None:
    """Write sentences, one per line, as a list; they hold names from entries and are shown as they are."""
    st.markdown("\n".join(f"- {plain(line)}" for line in sentences.splitlines() if line))
