"""Batches of a data split, shuffled and augmented from (seed, epoch) alone: a resumed run sees the same images."""

import keras
import numpy as np

from zoo.data import datasets


class Batches(keras.utils.PyDataset):
    """Batches {"image": (B, H, W, C), "label": (B,) if labelled} of equal size; the rest of an epoch is dropped.

    Args: images (N, H, W, C) float32 in [0, 1], labels (N,) or None, batch B ≤ N, seed, shift in pixels, flip, balance:
    all classes equally often."""

    def __init__(self, images, labels, batch, seed=0, shift=0, flip=False, balance=False):
        super().__init__()
        self.images, self.labels = images, labels
        self.batch = min(batch, len(images))
        self.seed, self.shift, self.flip, self.balance = seed, shift, flip, balance
        self.start(0)

    def start(self, epoch: int) -> None:
        """Draw the order of an epoch, counted from 0."""
        self.epoch = epoch
        if self.balance:
            self.order = datasets.evenly(self.labels, len(self.images), [self.seed, epoch])
        else:
            self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))

    def __len__(self) -> int:
        return len(self.images) // self.batch

    def __getitem__(self, index: int):
        chosen = self.order[index * self.batch : (index + 1) * self.batch]
        images = self.images[chosen]
        rng = np.random.default_rng([self.seed, self.epoch, index])
        if self.shift:
            images = shifted(images, rng.integers(-self.shift, self.shift + 1, (len(images), 2)))
        if self.flip:
            mirrored = rng.random(len(images)) < 0.5
            images[mirrored] = images[mirrored, :, ::-1]
        batch = {"image": images}
        if self.labels is not None:
            batch["label"] = self.labels[chosen].astype("int32")
        return (batch,)


def shifted(images: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Move each image by its (dy, dx) in pixels; what comes in repeats the border."""
    height, width = images.shape[1:3]
    rows = np.clip(np.arange(height)[None] - offsets[:, :1], 0, height - 1)
    columns = np.clip(np.arange(width)[None] - offsets[:, 1:], 0, width - 1)
    return images[np.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]]
