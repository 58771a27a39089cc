"""The points of the map: which images, their vectors, their places."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from zoo import images
from zoo.analysis import apart, cloud, embedding
from zoo.analysis.cloud import Cloud, Map
from zoo.known import ColumnNames
from zoo.widgets.columns import columns
from zoo.widgets.labels import dataset_title
from zoo.widgets.latent_map.choices import NO_UMAP, View
from zoo.widgets.loading import available, cached, dataset, samples
from zoo.widgets.real_images import at_hand
from zoo.widgets.safety import plain
from zoo.widgets.waiting import awaited, known

SPLIT = "test"
MOST_MADE = 1000  # generated images
ASKED = "maps that were asked for"


@dataclass(frozen=True)
class Points:
    """The points of a view: their vectors, and which dataset the real images are from."""

    view: View
    cloud: Cloud
    source: str

    @property
    def made(self) -> int:
        return len(self.cloud.codes) - self.cloud.real

    def pictures(self, rows: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """Return the images (N, H, W, C) of all points or of these rows, in the entry's shape."""
        rows = np.arange(len(self.cloud.codes)) if rows is None else np.asarray(rows, int)
        real = rows[rows < self.cloud.real]
        shape = self.view.entry.shape
        found = np.empty((len(rows), *shape), np.float32)
        found[rows < self.cloud.real] = images.fit(dataset(self.source, SPLIT, self.view.real).images[real], shape)[0]
        if len(real) < len(rows):
            drawn = samples(self.view.entry, self.made, self.view.settings.seed).images
            found[rows >= self.cloud.real] = drawn[rows[rows >= self.cloud.real] - self.cloud.real]
        return found

    def key(self) -> tuple:
        """Return all that the vectors depend on."""
        view, seed = self.view, self.view.settings.seed
        classifier = view.classifier.revision if view.classifier else ""
        entry = f"{view.entry.folder}@{view.entry.revision}"
        return entry, classifier, view.space, self.source, len(self.cloud.codes), seed if view.adds else 0

    def names(self) -> list[str]:
        """Return the class of each point, or its number."""
        cloud = self.cloud
        if cloud.labels is None or not cloud.classes:
            return [f"image {row}" for row in range(len(cloud.codes))]
        return [cloud.classes[label] for label in cloud.labels]


def source(view_entry, key: str = "map") -> str:
    """Return the dataset whose test images are mapped: the entry's own, or one that is always here and stands in."""
    name = view_entry.dataset
    instead = "digits" if view_entry.shape[2] == 1 else "fruits"
    meanwhile = f"{dataset_title(instead)} stand in."
    return name if at_hand(name, SPLIT, meanwhile, key=f"{key}-{name}") and available(name, SPLIT) else instead


def points(view: View, name: str) -> Points:
    """Return the vectors of the images of a view, whose real ones are test images of the dataset `name`."""
    made = min(MOST_MADE, view.real) if view.adds else 0
    seed = view.settings.seed if made else 0
    label, of = plain(view.entry.label), "encodes" if view.space == "codes" else "and a classifier look at"
    with st.spinner(f"{label} {of} {view.real + made:,} images …"):
        return Points(view, _cloud(view, name, made, seed, columns(name)), name)


def _cloud(view: View, name: str, made: int, seed: int, read: ColumnNames) -> Cloud:
    return _vectors(view.entry, view.classifier, view.space, view.real, name, made, seed, read)


@cached(max_entries=8)
def _vectors(entry, classifier, space: str, real: int, name: str, made: int, seed: int, read: ColumnNames) -> Cloud:
    split = dataset(name, SPLIT, real)
    if space == "codes":
        return cloud.of_codes(entry, split.images, split.labels, split.classes, classifier)
    drawn = samples(entry, made, seed) if made else None
    labels = split.labels if tuple(split.classes) == classifier.classes else None
    return cloud.of_features(classifier, split.images, labels, drawn)


def mapped(points: Points) -> tuple[Map, str]:
    """Return the map and the method that it is by: the chosen one, or until that has been computed PCA.

    t-SNE and UMAP are computed once somebody asks for them, apart, with progress and Cancel; then they are kept.
    """
    settings, codes = points.view.settings, points.cloud.codes
    instead = _linear(codes, "pca", 2)
    if settings.method in embedding.LINEAR:
        return _linear(codes, settings.method, settings.dimensions), settings.method
    if settings.method == "umap" and not embedding.installed():
        st.caption(f":material/info: {NO_UMAP} Meanwhile PCA is shown.")
        return instead, "pca"
    key, title = ("map", points.key(), settings), embedding.METHODS[settings.method]
    asked = st.session_state.setdefault(ASKED, set())
    if not known(key) and key not in asked:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(f"Compute {title}", on_click=asked.add, args=[key], key="compute", type="primary")
            st.caption(f"{len(codes):,} points; meanwhile PCA is shown. **Settings** holds what {title} takes.")
        return instead, "pca"
    found = awaited(
        key, lambda report, cancelled: apart.compute(codes, settings, report, cancelled),
        f"{title} of {len(codes):,} points", apart.CLOCK_SECONDS, again=f"Compute {title}",
    )  # fmt: skip
    return (instead, "pca") if found is None else (cloud.placed(found), settings.method)


@cached(max_entries=8)
def _linear(codes: np.ndarray, method: str, dimensions: int) -> Map:
    return cloud.linear(codes, method, dimensions)
