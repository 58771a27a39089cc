"""Records the game of two players along a run, as zoo.replay stores it."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from training.batches import Batches
from training.family import Family, synchronise
from training.tensors import ops
from zoo.analysis.replay import Replay
from zoo.data import datasets
from zoo.entries import catalog

Measure = Callable[[Family], tuple[float, float]]  # model -> (Fréchet distance, coverage)

MOMENTS = 28
SAMPLES = 16  # of the fixed latent batch
SCORED = 512  # real images, and as many fakes, in the histograms of a moment
BINS = 40
MEASURED = 1000  # samples in Fréchet distance and coverage
PREFIX = "replay_"  # of its arrays in a checkpoint


class Recorder(keras.callbacks.Callback):
    """Takes a moment at MOMENTS steps of the run: step 1 + (last - 1)·t³ for evenly spaced t in [0, 1], so that a third
    of the run holds two thirds of them.

    Everything random depends on the recipe's seed alone, and nothing of it on the model's own generator, so that a
    recorded run is the same as one that is not.

    Args:
        family: a model with players.
        batches: what it is trained on.
        split: the images behind the batches.
        measure: model -> (Fréchet distance, coverage), or None.
    """

    def __init__(self, family: Family, batches: Batches, split: datasets.Split, measure: Measure | None = None):
        super().__init__()
        recipe, rng = family.recipe, np.random.default_rng([family.recipe.seed, 1])
        self.family, self.players, self.batches, self.measure = family, family.players or (), batches, measure
        last = recipe.epochs * len(batches)
        self.steps = set((1 + (last - 1) * np.linspace(0, 1, MOMENTS) ** 3).round().astype(int).tolist())
        self.latents = rng.standard_normal((SAMPLES, recipe.latent)).astype("float32")
        self.labels = (np.arange(SAMPLES) % family.classes).astype("int32") if family.conditional else None
        rows = rng.permutation(len(split.images))[:SCORED]
        labels = split.labels if family.conditional else None
        kinds = None if labels is None else labels[rows].astype("int32")
        drawn = rng.standard_normal((len(rows), recipe.latent)).astype("float32")
        # Tensors all three, for Keras refuses a mixture of tensors and arrays.
        kinds = None if kinds is None else ops.convert_to_tensor(kinds)
        self.scored = ops.convert_to_tensor(split.images[rows]), kinds, ops.convert_to_tensor(drawn)
        self.protocol = protocol(family, len(rows), measure)
        self.moments: list[dict[str, Any]] = []
        self.pending = np.zeros(3)  # sums of both losses, and how many steps, since the last moment
        self.taken = np.zeros(3)  # the part of the running epoch's sums that earlier moments had

    def state(self) -> dict[str, np.ndarray]:
        """Return what a checkpoint must hold for `take_up`."""
        arrays = self._arrays() | {"pending": self.pending}
        return {PREFIX + name: array for name, array in arrays.items()}

    def take_up(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from the arrays of a checkpoint, written at the end of an epoch."""
        arrays = {name.removeprefix(PREFIX): state[name] for name in state if name.startswith(PREFIX)}
        self.pending = arrays.pop("pending", self.pending)
        self.moments = [dict(zip(arrays, values, strict=True)) for values in zip(*arrays.values(), strict=True)]

    def replay(self) -> Replay:
        """Return the moments so far, of which there is at least one."""
        arrays: dict[str, Any] = {"labels": self.labels, "frechet": None, "coverage": None} | self._arrays()
        return Replay(**arrays, protocol=self.protocol)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: np.stack([moment[name] for moment in self.moments]) for name in self.moments[0]}

    def on_epoch_begin(self, epoch, logs=None):
        self.step, self.taken = epoch * len(self.batches), np.zeros(3)

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step in self.steps:
            self._moment()

    def on_epoch_end(self, epoch, logs=None):
        self.pending = self.pending + self._sums() - self.taken

    def _sums(self) -> np.ndarray:
        """Sums of both losses over the running epoch, and its steps."""
        synchronise(self.family)
        means = [self.family.means[name] for name in self.players]
        return np.array([*(float(mean.total) for mean in means), float(means[0].count)])

    def _moment(self) -> None:
        sums = self._sums()
        *losses, steps = self.pending + sums - self.taken
        self.pending, self.taken = np.zeros(3), sums
        if not np.isfinite(losses).all():
            return  # the end of the epoch says so, and the run is over
        made = self.family.generate(self.latents, self.labels)
        real, fake = (np.ravel(scores) for scores in self.family.scores(*self.scored))
        edges = np.histogram_bin_edges(np.concatenate([real, fake]).astype("float64"), BINS)
        moment = {
            "seen": np.int64(self.step * self.batches.batch),
            "samples": (made * 255).round().astype("uint8"),
            "losses": np.array(losses) / steps,
            "real": np.histogram(real, edges)[0],
            "fake": np.histogram(fake, edges)[0],
            "edges": edges,
        }
        if self.measure:
            moment["frechet"], moment["coverage"] = map(np.float64, self.measure(self.family))
        self.moments.append(moment)


def protocol(family: Family, scored: int, measure: Measure | None) -> str:
    """Return how the numbers of a replay are measured, in plain sentences; `scored` images are scored of each side."""
    recipe = family.recipe
    text = (
        f"Losses are means over all steps since the moment before. Scores are those of the networks as they were, on "
        f"{scored:,} training images and {scored:,} draws of the prior, always the same (seed {recipe.seed}). "
        f"Samples are of the networks that are exported{', averages over steps' if recipe.ema else ''}."
    )
    classifier = catalog.classifier_for(recipe.dataset) if measure else None
    if classifier:
        text += (
            f" Fréchet distance and coverage (5 neighbours) compare {MEASURED:,} samples with {MEASURED:,} test images "
            f"by the features of {classifier.name} (seed 0)."
        )
    return text
