"""What a person may say about a model that is imported: one row for each role, range of values and prior."""

import re
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

Role = Literal["autoencoder", "encoder", "decoder", "generator", "discriminator", "classifier", "translator"]
Prior = Literal["normal", "uniform", "none"]
ROLES: tuple[Role, ...] = get_args(Role)
# Name → (lowest value, highest value) of the pixels of images.
INTERVALS: dict[str, tuple[float, float]] = {
    "unit": (0.0, 1.0),
    "symmetric": (-1.0, 1.0),
    "half": (-0.5, 0.5),
    "bytes": (0.0, 255.0),
}
LOGITS = "logits"  # of images that come out only: a sigmoid leads to [0, 1]
RANGES = {"unit": "0 to 1", "symmetric": "−1 to 1", "half": "−0.5 to 0.5", "bytes": "0 to 255", LOGITS: "logits"}
PRIORS: dict[Prior, str] = {"normal": "N(0, 1)", "uniform": "uniform from −1 to 1", "none": "none"}
MAX_CLASSES = 1000


def interval(text: str) -> tuple[float, float]:
    """(low, high) of a range: a key of INTERVALS, or "low:high" with low < high; raises ValueError."""
    if text in INTERVALS:
        return INTERVALS[text]
    low, _, high = text.partition(":")
    try:
        found = float(low), float(high)
    except ValueError:
        found = (0.0, 0.0)
    if not (abs(found[0]) <= 1e6 and abs(found[1]) <= 1e6 and found[1] - found[0] >= 1e-6):
        raise ValueError(f"A range is one of {', '.join(RANGES)}, or low:high, for example -0.5:0.5.")
    return found


def to_unit(images: np.ndarray, text: str) -> np.ndarray:
    """Images of any shape from a range, or from LOGITS, to [0, 1]; raises ValueError for what is no range."""
    if text == LOGITS:
        return 1 / (1 + np.exp(-np.clip(images, -60, 60)))
    low, high = interval(text)
    return (images - low) / (high - low)


def range_text(text: str) -> str:
    """A range in words: "−1 to 1"."""
    if text in RANGES:
        return RANGES[text]
    low, high = interval(text)
    return f"{low:g} to {high:g}".replace("-", "−")


def image_shape(text: str) -> tuple[int, int, int]:
    """(height, width, channels) of "28x20" or "28x20x3", channels 0 where it does not say them; raises ValueError."""
    found = re.fullmatch(r"(\d{1,3})[x×](\d{1,3})(?:[x×]([13]))?", text.strip().lower())
    if not found or not all(4 <= int(n) <= 512 for n in found.groups()[:2]):
        raise ValueError("A shape is height x width of 4 to 512 pixels, for example 28x20, or 28x20x3 in colour.")
    return int(found[1]), int(found[2]), int(found[3] or 0)


def check(options: Mapping[str, Any]) -> None:
    """Refuse corrections that mean nothing; raises ValueError with one sentence."""
    role, prior, classes = (options.get(key) for key in ("role", "prior", "classes"))
    if role is not None and role not in ROLES:
        raise ValueError(f"A role is one of {', '.join(ROLES)}.")
    if prior is not None and prior not in PRIORS:
        raise ValueError(f"A prior is one of {', '.join(PRIORS)}.")
    if classes is not None and not (isinstance(classes, int) and 2 <= classes <= MAX_CLASSES):
        raise ValueError(f"There are between 2 and {MAX_CLASSES:,} classes.")
    for key in ("makes", "reads"):
        text = options.get(key)
        if text == LOGITS and key == "reads":
            raise ValueError("Images that go in are never logits.")
        if text is not None and text != LOGITS:
            interval(str(text))
    if options.get("shape"):
        image_shape(str(options["shape"]))
