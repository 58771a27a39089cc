"""Codes as tables: CSV, and the files that TensorFlow's Embedding Projector reads."""

import io
import math
import zipfile
from collections.abc import Sequence

import numpy as np

from zoo.images import png, sheet

MAX_SPRITE = 8192  # pixels of a side: the projector, and many a graphics card, take no larger one


def csv(latents: np.ndarray, labels: np.ndarray | None = None) -> str:
    """Latents (N, …) as a CSV table, one row each: index, label where given, z0, z1, … in C order."""
    flat = np.asarray(latents).reshape(len(latents), -1)
    head = ["index", *(["label"] if labels is not None else []), *(f"z{j}" for j in range(flat.shape[1]))]
    lines = [",".join(head)]
    for i, row in enumerate(flat):
        label = [str(int(labels[i]))] if labels is not None else []
        lines.append(",".join([str(i), *label, *(f"{value:.8g}" for value in row)]))
    return "\n".join(lines) + "\n"


def archive(
    latents: np.ndarray, images: np.ndarray, labels: np.ndarray | None = None, classes: Sequence[str] = ()
) -> bytes:
    """A ZIP file for the Embedding Projector (Smilkov et al. 2016, arXiv:1611.05469).

    vectors.tsv and metadata.tsv are what "Load" on projector.tensorflow.org asks for; sprite.png holds the images, and
    projector_config.pbtxt names all three for TensorBoard, in whose log folder they are unpacked.

    Args:
        latents: (N, …), one row of numbers each.
        images: (N, H, W, C) in [0, 1], what each code stands for.
        labels: (N,) or None. classes: the names that they stand for.

    Raises:
        ValueError: there are no codes, not as many images, or more than fit into a sprite.
    """
    across, (height, width) = math.isqrt(max(0, len(images) - 1)) + 1, images.shape[1:3]
    if not len(latents) or len(latents) != len(images) or across * max(height, width) > MAX_SPRITE:
        raise ValueError(f"{len(latents)} codes of {len(images)} images of {height}×{width} do not fit into a sprite.")
    flat = np.asarray(latents).reshape(len(latents), -1)
    names = (
        [str(label) for label in range(len(flat))] if labels is None else [_name(label, classes) for label in labels]
    )
    # The grid is square: the projector counts its rows by its columns.
    sprite = np.zeros((across * height, across * width, 3), np.uint8)
    made = sheet(images, across, gap=0, background=0)
    sprite[: len(made)] = made
    files = {
        "vectors.tsv": "".join("\t".join(f"{value:.8g}" for value in row) + "\n" for row in flat),
        # One column has no head: the projector would take it for a point.
        "metadata.tsv": "".join(f"{name}\n" for name in names),
        "sprite.png": png(sprite),
        "projector_config.pbtxt": 'embeddings {\n  tensor_path: "vectors.tsv"\n  metadata_path: "metadata.tsv"\n'
        f'  sprite {{\n    image_path: "sprite.png"\n    single_image_dim: [{width}, {height}]\n  }}\n}}\n',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _name(label: int, classes: Sequence[str]) -> str:
    """The name of a class on one line, without the character that ends a column."""
    return " ".join(classes[label].split()) if label < len(classes) else str(int(label))
