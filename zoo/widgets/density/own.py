"""Images of a visitor's own, or from any source, beside the two sets."""

import numpy as np
import streamlit as st

from zoo.analysis import anomalies
from zoo.analysis.anomalies import SCORES, Scored, Setting
from zoo.charts import Row
from zoo.entries import Entry
from zoo.widgets.density.choices import View
from zoo.widgets.inputs import image_source
from zoo.widgets.loading import cached
from zoo.widgets.matrix import image_matrix
from zoo.widgets.safety import plain
from zoo.widgets.urls import linked_expander

MOST = 12


def own_images(view: View, normal: Scored) -> Scored:
    """Let images be drawn, uploaded or taken from anywhere (?input_…); show how unusual each is; return the scores."""
    label = "Images from a dataset, uploaded, drawn or of another entry"
    with linked_expander(label, "input_", icon=":material/draw:"):
        picked = image_source("input", view.entry.shape, prefer=view.other, count=6, most=MOST, native=True)
    found = _scored(view.entry, view.classifier, view.setting, picked.images, picked.labels, picked.classes)
    names = picked.names()
    shares = {name: anomalies.rank(name, values, normal.scores[name]) for name, values in found.scores.items()}
    lines = [
        "\n".join(f"{SCORES[name].short} {anomalies.percent(float(part[index]))}" for name, part in shares.items())
        for index in range(len(names))
    ]
    image_matrix([Row("Single images", found.images, picked.description, lines)], names, key="single", size=120)
    st.caption(
        f"Below each image, for each score, the share of the {len(normal.images):,} test images of "
        f"{plain(view.names[0])} that are less unusual by it: near 100 % the score takes the image for an anomaly."
    )
    return found


@cached(max_entries=16, spinner="Scoring images …")
def _scored(
    entry: Entry,
    classifier: Entry | None,
    setting: Setting,
    pictures: np.ndarray,
    labels: np.ndarray | None,
    classes: tuple[str, ...],
) -> Scored:
    return anomalies.score(entry, pictures, setting, (labels, classes), classifier)
