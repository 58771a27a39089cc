"""What probes read from the codes of an entry: computed in the background, shared, kept."""

from collections.abc import Callable

from zoo import models
from zoo.analysis import probing
from zoo.analysis.probing import Probed
from zoo.entries import Entry
from zoo.widgets.columns import columns
from zoo.widgets.loading import dataset
from zoo.widgets.real_images import at_hand
from zoo.widgets.waiting import awaited

TRAINING, TEST = 1500, 1000
MAX_PIXELS = 1 << 23  # of the training images
SECONDS = 600.0  # until probes are given up


def probed(entry: Entry) -> Probed | None:
    """Return what probes read, with progress and Cancel while they learn; None where nothing can be probed, and then it
    is said why."""
    meanwhile = "Without its images there is nothing to probe: choose another entry."
    for split in ("train", "test"):
        if not at_hand(entry.dataset, split, meanwhile, key=f"{entry.dataset}-{split}-probes"):
            return None
    training = dataset(entry.dataset, "train", models.affordable(entry, TRAINING, MAX_PIXELS))
    test = dataset(entry.dataset, "test", models.affordable(entry, TEST, MAX_PIXELS))

    def work(report: Callable[[float], None], cancelled: Callable[[], bool]) -> Probed:
        return probing.probed(entry, training, test, report, cancelled)

    read = tuple(sorted(columns(entry.dataset).items()))
    key = ("probes", f"{entry.folder}@{entry.revision}", len(training.images), len(test.images), read)
    return awaited(key, work, f"Probes learn to read {entry.label}", SECONDS, again="Probe it")
