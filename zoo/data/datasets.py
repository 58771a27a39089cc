"""Datasets by name: digits and fruits always, the Hub's and local ones when they can be had.

Every dataset is one `Split`: float32 images (N, H, W, C) in [0, 1] with C in {1, 3}, and int64 labels or None.
Looked for in this order: built in, the folder named by the environment variable ZOO_DATA, the Hub's cache, the Hub.
"""

import importlib.util
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from zoo.data import downloads, fruits, records, stacked
from zoo.data.records import Progress, Request
from zoo.errors import DatasetUnavailable
from zoo.hub.origin import REPOSITORY
from zoo.settings import DATA, hosted


@dataclass(frozen=True)
class Known:
    """A catalogue row. `files` maps a split to its parquet files at `revision` of the Hub dataset `hub_id`."""

    title: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    counts: dict[str, int]
    hub_id: str | None = None
    revision: str | None = None
    files: dict[str, tuple[str, ...]] | None = None


def _hub_files(folder: str) -> dict[str, tuple[str, ...]]:
    return {split: (f"{folder}/{split}-00000-of-00001.parquet",) for split in ("train", "test")}


_TEN = tuple("0123456789")
_FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# The revisions are the parquet commits that e.g. mteb (MNISTClassification, CIFAR10Clustering) and Ray's tests pin.
_MNIST = ("ylecun/mnist", "77f3279092a1c1579b2250db8eafed0ad422088c", _hub_files("mnist"))

NAMES: dict[str, Known] = {
    "digits": Known("Digits 8×8", (8, 8, 1), _TEN, {"train": 1437, "test": 360}),
    "fruits": Known("Fruits", (32, 32, 3), ("apple", "orange"), {"train": 20_000, "test": 4_000}),
    "mnist": Known("MNIST", (28, 28, 1), _TEN, {"train": 60_000, "test": 10_000}, *_MNIST),
    "fashion_mnist": Known("Fashion-MNIST", (28, 28, 1), _FASHION, {"train": 60_000, "test": 10_000},
                           "zalando-datasets/fashion_mnist", "531be5e2ccc9dba0c201ad3ae567a4f3d16ecdd2",
                           _hub_files("fashion_mnist")),
    "cifar10": Known("CIFAR-10", (32, 32, 3), _CIFAR10, {"train": 50_000, "test": 10_000},
                     "uoft-cs/cifar10", "0b2714987fa478483af9968de7c934580d0bb9a2", _hub_files("plain_text")),
    "stacked_mnist": Known("Stacked MNIST", (28, 28, 3), stacked.CLASSES, {"train": 60_000, "test": 10_000}, *_MNIST),
}  # fmt: skip


@dataclass(frozen=True)
class Split:
    """Images float32 (N, H, W, C) in [0, 1], labels int64 (N,) or None; `source` is one sentence on their origin."""

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray | None
    classes: tuple[str, ...]
    factors: dict[str, np.ndarray] | None
    revision: str | None
    source: str


def load(
    name: str | Path,
    split: str = "test",
    count: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    *,
    revision: str | None = None,
    size: int | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    balanced: bool = False,
) -> Split:
    """Read one split of a dataset.

    name: a name in NAMES, a Hub id "owner/name", the name of a folder in ZOO_DATA, or a path to a local folder (a Path,
      or a string that starts with "/", "." or "~") of images (sub-folders are classes) or of parquet files.
    split: "train", "test" or "validation". Without a test split, a seeded tenth of the training split stands in.
    count: a random subset without replacement, in the order of its draw, so that a larger count with the same seed
      begins with the smaller one's images; None is everything in stored order. Fruits and stacked digits are made on
      the fly: any count.
    progress: called with a fraction in [0, 1] and a short text.
    revision: a Hub commit, branch or tag, in place of the pinned or remembered one.
    size: side in pixels to which images are cropped and resized while they are read (files only).
    balanced: all classes equally often, as `evenly` draws them; without a count as many as there are without a repeat.
    Raises ValueError for a wrong argument, DatasetUnavailable when the data cannot be had.
    """
    if split not in records.SPLITS:
        raise ValueError(f"The split {split!r} is unknown: choose train, test or validation.")
    if (count is not None and count < 1) or seed < 0 or (size is not None and not 1 <= size <= records.MAX_SIDE):
        raise ValueError(f"count must be at least 1, seed at least 0 and size between 1 and {records.MAX_SIDE}.")
    if balanced:
        columns = {"image_column": image_column, "label_column": label_column}
        found = load(name, split, seed=seed, progress=progress, revision=revision, size=size, **columns)
        if found.labels is None:
            raise ValueError(f"The dataset {found.name} has no labels, by which its classes could be balanced.")
        rows = evenly(found.labels, count, seed)
        factors = found.factors and {key: values[rows] for key, values in found.factors.items()}
        return replace(found, images=found.images[rows], labels=found.labels[rows], factors=factors)
    known = NAMES.get(name) if isinstance(name, str) else None
    request = Request(split, count, seed, size, image_column, label_column, known.classes if known else ())
    report = progress or (lambda fraction, text: None)
    if name == "digits":
        return _digits(request)
    if name == "fruits":
        return _fruits(request, report)
    if name == "stacked_mnist":
        return _stacked_mnist(request, revision, report)
    local = _local_files(name, known, split)
    if local is not None:
        folder, files = local
        data = records.read(folder, files, f"the local folder {folder.name}", request, report)
        return _split(folder.name if _is_path(name) else name, request, None, data)
    if known is None and not REPOSITORY.fullmatch(str(name)):
        raise DatasetUnavailable(
            f"There is no dataset {str(name)[:100]!r}: use one of {', '.join(NAMES)}, a Hub id owner/name or a folder."
        )
    return _hub(str(name), known, revision, request, report)


def evenly(labels: np.ndarray, count: int | None = None, seed: int | list[int] = 0) -> np.ndarray:
    """Rows in random order that hold every class of labels (N,) equally often, and so does each part of them.

    As many as there are without a repeat; for a larger count the images of rare classes come again."""
    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    each = min(map(len, members)) if count is None else -(-count // len(members))
    return rng.permuted(np.stack([np.resize(rows, each) for rows in members], 1), axis=1).ravel()[:count]


def available(name: str | Path, split: str = "test") -> bool:
    """Whether `load` would find the split without any network; asks none itself."""
    known = NAMES.get(name) if isinstance(name, str) else None
    if known is not None and known.hub_id is None:
        return split in known.counts
    try:
        if _local_files(name, known, split) is not None:
            return True
        hub_id = known.hub_id if known else str(name)
        return downloads.cached(hub_id, known and known.revision, known and known.files, None, split) is not None
    except (DatasetUnavailable, OSError, ValueError, KeyError):
        return False


def _split(name: str, request: Request, revision: str | None, found: records.Found) -> Split:
    return Split(name, request.split, found.images, found.labels, found.classes, None, revision, found.source)


def _digits(request: Request) -> Split:
    if request.split == "validation":
        raise DatasetUnavailable("The digits have no validation split: use train or test.")
    # The file is read directly: importing scikit-learn for it takes seconds, and the first page shows digits.
    package = Path(importlib.util.find_spec("sklearn").origin).parent
    table = np.loadtxt(package / "datasets" / "data" / "digits.csv.gz", delimiter=",", dtype=np.float32)
    images, labels = table[:, :-1], table[:, -1].astype(np.int64)
    rng = np.random.default_rng(0)  # never the caller's seed: the test images are always the same 36 of each class
    test = np.sort(np.concatenate([rng.permutation(np.flatnonzero(labels == k))[:36] for k in range(10)]))
    rows = test if request.split == "test" else np.setdiff1d(np.arange(len(labels)), test)
    rows = rows[records.subset(len(rows), request)]
    images = (images[rows] / 16).reshape(-1, 8, 8, 1)
    source = "The handwritten digits that come with scikit-learn (UCI, 1998)."
    return Split("digits", request.split, images, labels[rows], _TEN, None, None, source)


def _fruits(request: Request, report: Progress) -> Split:
    if request.split == "validation":
        raise DatasetUnavailable("The fruits have no validation split: use train or test.")
    count = request.count or NAMES["fruits"].counts[request.split]
    if count * fruits.SIDE**2 * 3 > records.MAX_VALUES:
        raise ValueError(f"At most {records.MAX_VALUES // (fruits.SIDE**2 * 3):,} fruits fit into memory.")
    # Even seeds are for training and odd ones for testing, so no seed of one is ever a seed of the other.
    images, factors = fruits.render(count, 2 * request.seed + (request.split == "test"), progress=report)
    source = "Apples and oranges rendered by this project, with every factor known."
    return Split("fruits", request.split, images, factors["kind"], fruits.CLASSES, factors, None, source)


def _stacked_mnist(request: Request, revision: str | None, report: Progress) -> Split:
    count = request.count or NAMES["stacked_mnist"].counts.get(request.split, 1)
    if count > (most := records.MAX_VALUES // stacked.VALUES):
        raise ValueError(f"At most {most:,} stacked digits fit into memory.")
    single = load("mnist", request.split, progress=report, revision=revision)
    images, labels = stacked.stack(single.images, single.labels, count, request.seed)
    source = f"Three digits, drawn at random, as the channels of each image. {single.source}"
    return Split("stacked_mnist", request.split, images, labels, stacked.CLASSES, None, single.revision, source)


def _is_path(name: str | Path) -> bool:
    return isinstance(name, Path) or name.startswith(("/", ".", "~"))


def _local_files(name: str | Path, known: Known | None, split: str) -> tuple[Path, records.Files] | None:
    """The folder that holds the dataset, at a path or in ZOO_DATA, and its files of the split; or None.

    A known dataset's own test split is never replaced by a part of its training split.
    """
    if _is_path(name):
        folder = Path(name).expanduser().resolve()
        if not folder.is_dir():
            raise DatasetUnavailable(f"The folder {folder} does not exist.")
        return folder, records.split_files(records.listing(folder), split)
    root, wanted = DATA.read(), known.hub_id if known else name
    if not root or not all(re.fullmatch(r"\w[\w.-]*", part) for part in wanted.split("/")):
        return None
    folder = Path(root).expanduser() / wanted
    # Strangers, who may name any dataset in a manifest, see of the host's own data only what everybody knows.
    if not folder.is_dir() or (known is None and hosted()):
        return None
    try:
        files = records.split_files(records.listing(folder), split)
    except DatasetUnavailable:
        return None
    return None if known and files.held_out else (folder, files)


def _hub(name: str, known: Known | None, revision: str | None, request: Request, report: Progress) -> Split:
    hub_id, pinned, files = (known.hub_id, known.revision, known.files) if known else (name, None, None)
    found = downloads.cached(hub_id, pinned, files, revision, request.split)
    start = 0.0
    if found is None:
        start = 0.7
        found = downloads.fetch(hub_id, pinned, revision, request.split, lambda f, text: report(start * f, text))
    sha, folder, chosen = found
    origin = f"the Hub dataset {hub_id} at revision {sha[:12]}"
    data = records.read(folder, chosen, origin, request, lambda f, text: report(start + (1 - start) * f, text))
    return _split(name, request, sha, data)
