"""What a search found, as rows of pictures."""

import numpy as np

from zoo import images, models
from zoo.analysis import inversion
from zoo.charts import Row
from zoo.entries import Entry
from zoo.widgets.inversion.searches import Searched
from zoo.widgets.listing import entries
from zoo.widgets.loading import cached


def compared(entry: Entry, found: Searched) -> list[Row]:
    """Return originals, nearest images, differences, and where there is one what an encoder makes of the originals."""
    pictures, nearest = found.picked.images, found.nearest
    apart = np.minimum(2 * images.difference(pictures, nearest), 1)
    rows = [
        Row("Original", pictures, found.picked.description, found.picked.names()),
        Row("Nearest image", nearest, f"{entry.label}\n{found.note}".strip(), _captions(entry, found), apart=True),
        Row("|Difference|", apart, "white is 0.50 or more"),
    ]
    if "encode" in entry.capabilities and (found.labels is not None or not entry.conditional):
        rows.append(_by_encoder("Its own encoder", entry, pictures, found.labels))
    if other := inversion.neighbour(entry, entries()):
        rows.append(_by_encoder("An autoencoder", other, pictures, None))
    return rows


def said(entry: Entry, found: Searched, bar: float) -> str:
    """Return the verdict on what was found, and whether an autoencoder does better."""
    text, other = inversion.verdict(found.errors, bar, entry.label), inversion.neighbour(entry, entries())
    if other and max(found.errors) > bar:
        pictures = found.picked.images
        text += (
            f" {inversion.beside(found.errors, _errors(pictures, _reconstructed(other, pictures, None)), other.label)}"
        )
    return text


def lacked(found: Searched) -> list[Row]:
    """Return the means of originals and nearest images, and what these lack and add."""
    pictures, nearest = found.picked.images, found.nearest
    lacking, added, white = inversion.dropped(pictures, nearest)
    means = np.stack([pictures.mean(0), nearest.mean(0), lacking, added])
    return [Row("On average", means, f"of {len(pictures)} images;\nwhite is {white:.2f} or more", LACKED)]


LACKED = ("originals", "nearest", "lacking", "added")


def _captions(entry: Entry, found: Searched) -> list[str]:
    """Return under each nearest image its error, and the class that was found where all were tried."""
    tried = found.labels is None and entry.conditional
    kinds = [f"\nas {entry.classes[item.label or 0]}" if tried else "" for item in found.found]
    return [f"MSE {item.error:.4f}{kind}" for item, kind in zip(found.found, kinds, strict=True)]


def _by_encoder(title: str, entry: Entry, pictures: np.ndarray, labels: np.ndarray | None) -> Row:
    made = _reconstructed(entry, pictures, labels)
    captions = [f"MSE {error:.4f}" for error in _errors(pictures, made)]
    return Row(title, made, f"{entry.label}\nencodes and decodes", captions, apart=True)


@cached
def _reconstructed(entry: Entry, pictures: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    return models.reconstruct(entry, pictures, labels)


def _errors(pictures: np.ndarray, made: np.ndarray) -> list[float]:
    return [inversion.mse(one, image) for one, image in zip(made, pictures, strict=True)]
