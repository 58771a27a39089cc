"""Batches of a data split, shuffled and augmented from (seed, epoch) alone: a resumed run sees the same images."""

import keras
import numpy as np

from zoo.data import datasets


class Batches(keras.utils.PyDataset):
    """Batches {"image": (B, H, W, C), "label": (B,) if labelled} of equal size; the rest of an epoch is dropped.

    Args:
        images: (N, H, W, C) float32 in [0, 1].
        labels: (N,) or None.
        batch: B, at most N.
        seed: of order and augmentation, together with the epoch.
        shift: largest random shift in pixels.
        flip: mirror half of the images.
        turn: largest random turn in degrees.
        balance: draw all classes equally often.

    Raises:
        ValueError: classes are to be balanced and there are no labels.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray | None,
        batch: int,
        seed: int = 0,
        shift: int = 0,
        flip: bool = False,
        turn: float = 0.0,
        balance: bool = False,
    ):
        super().__init__()
        if balance and labels is None:
            raise ValueError("Classes cannot be balanced without labels.")
        self.images, self.labels = images, labels
        self.batch = min(batch, len(images))
        self.seed, self.shift, self.flip, self.turn, self.balance = seed, shift, flip, turn, balance
        self.start(0)

    def start(self, epoch: int) -> None:
        """Draw the order of an epoch, counted from 0."""
        self.epoch = epoch
        if self.balance and self.labels is not None:
            self.order = datasets.evenly(self.labels, len(self.images), [self.seed, epoch])
        else:
            self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))

    def __len__(self) -> int:
        return len(self.images) // self.batch

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray]]:
        chosen = self.order[index * self.batch : (index + 1) * self.batch]
        images = self.images[chosen]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        if self.shift:
            images = shifted(images, rng.integers(-self.shift, self.shift + 1, (len(images), 2)))
        if self.flip:
            mirrored = rng.random(len(images)) < 0.5
            images[mirrored] = images[mirrored, :, ::-1]
        if self.turn:
            images = turned(images, rng.uniform(-self.turn, self.turn, len(images)))
        batch = {"image": images}
        if self.labels is not None:
            batch["label"] = self.labels[chosen].astype("int32")
        return (batch,)


def shifted(images: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Move each image (N, H, W, C) by its offset (N, 2), (dy, dx) in pixels; what comes in repeats the border."""
    height, width = images.shape[1:3]
    rows = np.clip(np.arange(height)[None] - offsets[:, :1], 0, height - 1)
    columns = np.clip(np.arange(width)[None] - offsets[:, 1:], 0, width - 1)
    return images[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]


def turned(images: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Turn each image (N, H, W, C) about its centre by its angle, counter-clockwise, with bilinear interpolation; what
    comes in repeats the border."""
    count, height, width, channels = images.shape
    sine, cosine = (f(np.deg2rad(degrees))[:, None, None].astype("float32") for f in (np.sin, np.cos))
    y, x = np.mgrid[:height, :width].astype("float32")
    y, x = y - np.float32((height - 1) / 2), x - np.float32((width - 1) / 2)
    rows = np.clip(cosine * y + sine * x + (height - 1) / 2, 0, height - 1)
    columns = np.clip(cosine * x - sine * y + (width - 1) / 2, 0, width - 1)
    top, left = rows.astype(int).clip(max=height - 2), columns.astype(int).clip(max=width - 2)
    down, right = (rows - top)[..., None], (columns - left)[..., None]
    flat, first = images.reshape(-1, channels), (np.arange(count)[:, None, None] * height + top) * width + left
    corners = (
        (0, 0, (1 - down) * (1 - right)),
        (0, 1, (1 - down) * right),
        (1, 0, down * (1 - right)),
        (1, 1, down * right),
    )
    total = np.zeros(images.shape)
    for row, column, share in corners:
        total += flat.take(first + row * width + column, axis=0) * share
    return total
