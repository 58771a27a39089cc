"""Measure an entry and write the figures into its manifest: what the cards, the gallery and the README quote.

Everything runs on the entry's ONNX networks, as in the app; nothing here needs Keras.
"""

import functools
import logging
import pathlib
from collections.abc import Sequence
from typing import Any

from training import staging
from training.measures import APART, GROUPS
from zoo import entries
from zoo.analysis.scores import Real
from zoo.entries import Entry, catalog
from zoo.errors import EntryError
from zoo.manifest import Metric

log = logging.getLogger("training")


def evaluate(folder: pathlib.Path, seed: int = 0, only: Sequence[str] = ()) -> Entry:
    """Measure the entry in `folder` on the test split of its dataset and rewrite its manifest and card.

    only: names in GROUPS or APART; the entry's other metrics then stay as they are. Raises EntryError for a broken
    entry or an unknown group, DatasetUnavailable without its data.
    """
    known = GROUPS | APART
    for name in only:
        if name not in known:
            raise EntryError(f"There is no group of metrics {name!r}: choose among {', '.join(known)}.")
    entry = entries.read(folder)
    classifier = None if "classify" in entry.capabilities else catalog.classifier_for(entry)
    # A local folder's path is in the recipe, the manifest has its name.
    dataset = entry.manifest.provenance.options.get("dataset", entry.dataset)
    data = real(dataset, entry.shape, classifier, seed, entry.balanced, **entry.columns)
    if data.test.labels is None:
        log.warning("The test split of %s has no labels: what needs them is not measured.", entry.dataset)
    metrics = {}
    for name, measure in known.items():
        if name not in (only or GROUPS):
            continue
        found = measure(entry, data, seed)
        for key, value in found.items():
            if entry.balanced:
                value["protocol"] += " Real images are drawn with all classes equally often."
            interval = "" if value["low"] is None else f"   [{value['low']:.4g}, {value['high']:.4g}]"
            log.info("%-24s %.4g%s", key, value["value"], interval)
        metrics |= found
    measured = {key: Metric(**value) for key, value in metrics.items()}
    with staging.revising(entry, metrics=(entry.manifest.metrics if only else {}) | measured):
        pass  # no file changes but the card
    return entries.read(entry.folder)


@functools.lru_cache(maxsize=1)
def real(
    dataset: str,
    shape: tuple[int, int, int],
    classifier: Entry | None,
    seed: int,
    balanced: bool = False,
    **columns: Any,
) -> Real:
    """Return the real images of a dataset; the last ones are kept, so that entries of one dataset share them."""
    return Real(dataset, shape, classifier, seed, balanced=balanced, **columns)
