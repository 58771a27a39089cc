"""One row per dataset that the zoo knows by name: files, classes, licence, and what whoever uses a model of it should
know. The gallery, pickers and the leaderboard list datasets in the order of these rows.
"""

from dataclasses import dataclass, field
from typing import TypedDict


class ColumnNames(TypedDict, total=False):
    """The columns of a table that images and labels are read from, as datasets.load takes them."""

    image_column: str | None
    label_column: str | None


@dataclass(frozen=True)
class Known:
    """A dataset.

    shape is (H, W, C); counts maps a split to its number of images. `files` maps a split to its parquet files at
    `revision` of the Hub dataset `hub_id`. `maker` is the module of zoo.data that makes the images of a dataset that
    needs no files: its `load` takes a Request and returns a Split. A dataset with neither is a folder in ZOO_DATA.
    """

    title: str
    shape: tuple[int, int, int]
    classes: tuple[str, ...]
    counts: dict[str, int]
    licence: str
    note: str = ""
    hub_id: str | None = None
    revision: str | None = None
    files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    maker: str | None = None
    image_column: str | None = None
    label_column: str | None = None


def _hub_files(folder: str) -> dict[str, tuple[str, ...]]:
    return {split: (f"{folder}/{split}-00000-of-00001.parquet",) for split in ("train", "test")}


_TEN = tuple("0123456789")

# The revisions are the parquet commits that e.g. mteb (MNISTClassification, CIFAR10Clustering) and Ray's tests pin.
_MNIST = {
    "hub_id": "ylecun/mnist",
    "revision": "77f3279092a1c1579b2250db8eafed0ad422088c",
    "files": _hub_files("mnist"),
}

DATASETS: dict[str, Known] = {
    "fruits-360/photographs": Known(
        "Fruit photographs", (64, 64, 3),
        ("apple", "banana", "cherry", "grape", "kiwi", "lemon", "mango", "orange", "pineapple", "raspberry",
         "strawberry", "tomato"),
        {"train": 6_609, "test": 2_214}, "MIT",
        "Photographs of single fruits turned before a camera, cut out and put before white (Fruits-360, Oltean and "
        "Mureșan): few fruits, many views. The test split interleaves frames of the same fruits, which are neighbours "
        "in time. The id names a local folder of 64×64 images, not a repository of the Hub.",
    ),
    "mnist": Known(
        "MNIST", (28, 28, 1), _TEN, {"train": 60_000, "test": 10_000}, "CC BY-SA 3.0",
        "Handwriting of employees of the US Census Bureau and of American high-school students around 1990: digits as "
        "they are written elsewhere (a crossed 7, a 1 with an upstroke) are rare.",
        **_MNIST,
    ),
    "fashion_mnist": Known(
        "Fashion-MNIST", (28, 28, 1),
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        {"train": 60_000, "test": 10_000}, "MIT",
        "Product pictures of one European fashion retailer in 2017: its assortment and its ten categories, not what "
        "people wear.",
        hub_id="zalando-datasets/fashion_mnist", revision="531be5e2ccc9dba0c201ad3ae567a4f3d16ecdd2",
        files=_hub_files("fashion_mnist"),
    ),
    "fruits": Known(
        "Fruits", (32, 32, 3), ("apple", "orange"), {"train": 20_000, "test": 4_000}, "MIT",
        "Rendered by a program: it says nothing about photographs of fruit.", maker="fruits",
    ),
    "stacked_mnist": Known(
        "Stacked MNIST", (28, 28, 3), tuple(f"{number:03d}" for number in range(1000)),
        {"train": 60_000, "test": 10_000}, "CC BY-SA 3.0",
        "Three digits of MNIST drawn at random as the channels of one image: made to count modes, not to be looked at.",
        maker="stacked", **_MNIST,
    ),
    "digits": Known(
        "Digits 8×8", (8, 8, 1), _TEN, {"train": 1437, "test": 360}, "CC BY 4.0",
        "Handwriting of 43 people, reduced to 8×8 blocks of 16 greys.", maker="digits",
    ),
    "cifar10": Known(
        "CIFAR-10", (32, 32, 3),
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        {"train": 50_000, "test": 10_000}, "none stated",
        "A subset of 80 Million Tiny Images, which its authors withdrew for offensive content in other parts; the "
        "pictures were taken from the web without asking whose they are.",
        hub_id="uoft-cs/cifar10", revision="0b2714987fa478483af9968de7c934580d0bb9a2", files=_hub_files("plain_text"),
    ),
}  # fmt: skip


def known(name: str) -> Known | None:
    """Return the row of a dataset, by its name here or by its id on the Hub; None for any other dataset."""
    if name in DATASETS:
        return DATASETS[name]
    return next((row for row in DATASETS.values() if row.hub_id == name and row.maker is None), None)


def rank(name: str) -> int:
    """Return the place of a dataset in the order of the rows, behind all of them for one that has no row."""
    return list(DATASETS).index(name) if name in DATASETS else len(DATASETS)
