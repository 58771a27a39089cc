"""What a classifier sees in one generated image."""

import numpy as np
import streamlit as st

from zoo import charts, images, models
from zoo.analysis import comparison
from zoo.entries import Entry, catalog
from zoo.widgets.charts import figure
from zoo.widgets.labels import dataset_title
from zoo.widgets.listing import entries
from zoo.widgets.safety import plain

MOST_CLASSES = 12


def judged(entry: Entry, picture: np.ndarray, style: charts.Style) -> None:
    """Show which class the classifier of the entry's dataset sees in an image (1, H, W, C)."""
    classifier = catalog.classifier_for(entry, entries())
    if classifier is None:
        st.caption(f"No classifier here was trained on {plain(dataset_title(entry.dataset))}.")
        return
    (probabilities,), _ = models.classify(classifier, images.fit(picture, classifier.shape)[0])
    best = np.sort(np.argsort(-probabilities, kind="stable")[:MOST_CLASSES])
    classes = [classifier.classes[index] for index in best]
    name = plain(classifier.classes[probabilities.argmax()])
    share = comparison.percent(float(probabilities.max()))
    caption = f"What the classifier of its dataset takes it for: {name}, with {share}."
    fig = charts.class_probabilities(probabilities[best], classes, style)
    figure(fig, key=f"class_{entry.id}", caption=caption)
