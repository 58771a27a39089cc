"""The images of both sets that an entry finds the most and the least usual."""

import streamlit as st

from zoo import charts
from zoo.analysis import anomalies
from zoo.analysis.anomalies import SCORES
from zoo.charts import Row
from zoo.widgets.charts import download
from zoo.widgets.density.choices import View
from zoo.widgets.density.sets import Sets
from zoo.widgets.matrix import image_matrix
from zoo.widgets.urls import bound

SHOWN = 8
ENDS = {
    "bound": ("most likely", "least likely"),
    "code": ("most likely code", "least likely code"),
    "error": ("smallest error", "largest error"),
    "distance": ("nearest", "farthest"),
}


@st.fragment
def ranking(view: View, sets: Sets) -> None:
    """Show the ends of both sets by a score that can be chosen (?by)."""
    names = list(sets.normal.scores)
    name = bound(
        st.segmented_control, "Ranked by", names, key="by", default=anomalies.likelihood_of(names), required=True,
        format_func=lambda key: SCORES[key].title,
    )  # fmt: skip
    rows = []
    for title, found in zip(view.names, sets, strict=True):
        values = found.scores[name]
        for end, index in zip(ENDS[name], anomalies.ranked(name, values, SHOWN), strict=True):
            captions = [anomalies.written(name, float(values[row])) for row in index]
            rows.append(Row(f"{title}: {end}", found.images[index], "", captions, apart=end == ENDS[name][0]))
    columns = [f"rank {rank + 1}" for rank in range(min(SHOWN, len(rows[0].pictures)))]
    image_matrix(rows, columns, key="ranked", size=72)
    st.caption(
        f"The ends of both sets by {SCORES[name].title}, the most extreme image first, with its value below it. Images "
        "are as the entry gets them."
    )
    download("Ranking", lambda: charts.poster(f"{view.entry.label}: {SCORES[name].title}", rows, columns),
             f"density-{view.entry.name}-{name}.png")  # fmt: skip
