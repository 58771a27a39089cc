"""One training run: its folder, its checkpoint, and the loop. A run resumes exactly where its last epoch ended.

runs/<name>/recipe.json      the options, as checked; origin.json: backend, device, precision
            history.json     losses and Fréchet distance along training
            checkpoint.npz   every variable of the networks, their averages, the seeds and the optimiser, the replay's
                             moments so far
            replay.npz       of a game of two players, when the run is finished
            snapshots/*.png  samples from one fixed latent batch
"""

import io
import json
import logging
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from training import device, library, networks, replay
from training.batches import Batches
from training.family import Family, outputs, synchronise
from training.recipe import Recipe, RecipeError
from zoo import atomic, models
from zoo.analysis.replay import FILE, write
from zoo.data import datasets
from zoo.entries import catalog
from zoo.errors import DatasetUnavailable
from zoo.images import png, sheet
from zoo.latent import codes
from zoo.metrics import frechet, prdc

log = logging.getLogger("training")
PREVIEWS = 60
MEASURED = 2000  # samples in the Fréchet distance of a snapshot
WRITTEN = ("checkpoint.npz", "history.json", "origin.json", FILE)


def training_data(recipe: Recipe) -> datasets.Split:
    """Return the training split that a recipe names.

    Raises RecipeError for data that cannot be trained on, DatasetUnavailable for data that cannot be had."""
    try:
        split = datasets.load(recipe.dataset, "train", count=recipe.images, seed=recipe.seed, **recipe.columns)
    except DatasetUnavailable:
        raise
    except (ValueError, RuntimeError) as error:
        raise RecipeError(f"The dataset {recipe.dataset} cannot be used: {error}") from error
    if len(set(split.classes)) < len(split.classes):
        raise RecipeError(f"The dataset {recipe.dataset} has two classes of the same name; rename one.")
    if recipe.balance and split.labels is None:
        raise RecipeError(f"The dataset {recipe.dataset} has no labels; leave out balance.")
    return split


def build(recipe: Recipe, split: datasets.Split) -> Family:
    """Return the family of a recipe as a model for the images of a split, not yet compiled."""
    classes = len(split.classes) if split.labels is not None else 0
    height, width, channels = split.images.shape[1:]
    return library.family(recipe.family)(recipe, (height, width, channels), classes)


def code_revision() -> str:
    """Return the Git revision of the code that makes entries, "+" behind it where changes are not committed; "unknown"
    outside a repository."""
    root = pathlib.Path(__file__).parent.parent

    def git(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)

    head = git("rev-parse", "--short=12", "HEAD")
    if head.returncode:
        return "unknown"
    changed = git("status", "--porcelain", "--", "training/*.py", "zoo/*.py").stdout.strip()
    return head.stdout.strip() + ("+" if changed else "")


def compiled(model: Family, steps: int) -> Family:
    """Attach optimiser and schedule for a run of `steps`; the device decides whether XLA compiles the step."""
    recipe = model.recipe
    model.steps = steps
    # A run shorter than the average's memory would export its random start: remember a tenth of the run at most.
    model.decay = max(0.0, min(recipe.ema, 1.0 - 10.0 / steps))

    def rate(factor: float = 1.0) -> Any:
        peak = recipe.learning_rate * factor
        return peak if recipe.schedule == "constant" else keras.optimizers.schedules.CosineDecay(peak, steps)

    # Keras takes "auto", True or False, and annotates nothing: a checker infers str.
    xla: Any = device.compile_with_xla()
    model.compile(optimizer=model.optimizers(rate), jit_compile=xla)
    _optimizer(model).build(model.trainable_variables)
    return model


def _optimizer(model: Family) -> keras.optimizers.Optimizer:
    if model.optimizer is None:
        raise ValueError(f"The model {model.name} is not compiled yet.")
    return model.optimizer


class Folder:
    """The files of a run."""

    def __init__(self, path: pathlib.Path):
        self.path = pathlib.Path(path)
        self.snapshots = self.path / "snapshots"

    def open(self, recipe: Recipe, fresh: bool = False) -> None:
        """Create the folder or continue the run in it; with `fresh` delete what an earlier run left.

        Raises RecipeError when it holds a run with other options; more or fewer epochs are
        allowed where the learning rate is constant."""
        options = recipe.model_dump()
        saved = self.path / "recipe.json"
        if fresh or not saved.exists():
            for stale in [*self.snapshots.glob("*.png"), *map(self.path.joinpath, WRITTEN)]:
                stale.unlink(missing_ok=True)
        elif (before := self.recipe().model_dump()) != options:
            changed = sorted(key for key in {*before, *options} if before.get(key) != options.get(key))
            # With a constant learning rate, a step does not depend on how many follow.
            if changed != ["epochs"] or recipe.schedule != "constant":
                raise RecipeError(
                    f"{self.path} holds a run with another {', '.join(changed)}; "
                    "pass --fresh to start it over or --runs for another folder."
                )
        self.snapshots.mkdir(parents=True, exist_ok=True)
        atomic.write(saved, json.dumps(options, indent=1))

    def recipe(self) -> Recipe:
        """Return the recipe of the run in this folder; RecipeError when there is none."""
        saved = self.path / "recipe.json"
        if not saved.is_file():
            raise RecipeError(f"{self.path} holds no run; train one with: python -m training train RECIPE.")
        return library.check(json.loads(saved.read_text()))

    def origin(self) -> dict[str, str]:
        """Return backend, device, precision and code revision that the run was trained with."""
        return json.loads((self.path / "origin.json").read_text())

    def begin(self, **origin: str) -> None:
        """Note where a run is trained; a part that is trained elsewhere is noted behind the first."""
        path = self.path / "origin.json"
        before = self.origin() if path.exists() else {}
        for key, value in origin.items():
            parts = before.get(key, value).split(", then ")
            before[key] = ", then ".join(parts if parts[-1] == value else [*parts, value])
        atomic.write(path, json.dumps(before))

    def save(self, model: Family, epoch: int, history: dict[str, list], film: replay.Recorder | None = None) -> None:
        """Write the checkpoint after `epoch` epochs in the place of the one before, and the history beside it."""
        state: dict[str, Any] = {f"model_{index}": np.asarray(value) for index, value in enumerate(model.variables)}
        variables = _optimizer(model).variables
        state |= {f"optimizer_{index}": np.asarray(value) for index, value in enumerate(variables)}
        state |= film.state() if film else {}
        stream = io.BytesIO()
        np.savez(stream, epoch=epoch, history=json.dumps(history), **state)
        atomic.write(self.path / "checkpoint.npz", stream.getvalue())
        atomic.write(self.path / "history.json", json.dumps(history))

    def restore(
        self, model: Family, film: replay.Recorder | None = None, optimizer: bool = True
    ) -> tuple[int, dict[str, list]]:
        """Load the checkpoint into a built model, and the replay so far into its recorder.

        Returns (epochs done, history), and (0, {}) when there is no checkpoint."""
        path = self.path / "checkpoint.npz"
        if not path.exists():
            return 0, {}
        with np.load(path, allow_pickle=False) as state:
            for index, variable in enumerate(model.variables):
                variable.assign(state[f"model_{index}"])
            if optimizer:
                for index, variable in enumerate(_optimizer(model).variables):
                    variable.assign(state[f"optimizer_{index}"])
            if film:
                film.take_up(state)
            return int(state["epoch"]), json.loads(str(state["history"]))


class Recorder(keras.callbacks.Callback):
    """At the end of every epoch: measure, save, report; at its begin draw the order of the images.

    Args:
        family: the model that is trained.
        folder: where the run is kept.
        batches: what it is trained on.
        preview: model -> images of the snapshot (N, H, W, C), or None.
        history: of the epochs done, {} for a new run.
        measure: the figures of a snapshot; None measures nothing.
        film: the replay's recorder, whose state belongs into the checkpoint.
    """

    bar: tqdm

    def __init__(
        self,
        family: Family,
        folder: Folder,
        batches: Batches,
        preview: Callable[[Family], np.ndarray | None],
        history: dict[str, list],
        measure: replay.Measure | None = None,
        film: replay.Recorder | None = None,
    ):
        super().__init__()
        self.family, self.folder, self.batches, self.preview = family, folder, batches, preview
        self.history, self.measure, self.film = history, measure, film

    def on_train_begin(self, logs=None):
        recipe = self.family.recipe
        self.frames = set(np.unique(np.geomspace(1, recipe.epochs, recipe.snapshots).round().astype(int)))
        self.started = time.perf_counter() - (self.history.get("seconds") or [0.0])[-1]
        done = len(self.history.get("epoch", [])) * len(self.batches)
        self.bar = tqdm(
            total=recipe.epochs * len(self.batches),
            initial=done,
            desc=recipe.name,
            unit="step",
            mininterval=0.5,
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
        )

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.start(epoch)
        for mean in self.family.means.values():
            mean.reset_state()

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(1)
        if self.bar.n % 20 == 0 and logs:
            self.bar.set_postfix({name: f"{float(logs[name]):.3g}" for name in self.family.reported if name in logs})

    def on_epoch_end(self, epoch, logs=None):
        synchronise(self.family)
        recipe, logs = self.family.recipe, logs or {}
        values = {name: float(logs[name]) for name in self.family.reported}
        if not np.isfinite(list(values.values())).all():
            self.bar.close()
            raise RecipeError(
                f"The loss became infinite in epoch {epoch + 1} of {recipe.name}; "
                'lower learning_rate, or set precision = "float32".'
            )
        if epoch + 1 in self.frames or epoch + 1 == recipe.epochs:
            values |= self._snapshot(epoch + 1)
        record = {"epoch": epoch + 1, "images": (epoch + 1) * len(self.batches) * self.batches.batch, **values}
        record["seconds"] = round(time.perf_counter() - self.started, 1)
        names = {**self.history, **record}
        count = len(self.history.get("epoch", []))
        self.history = {name: [*self.history.get(name, [None] * count), record.get(name)] for name in names}
        self.folder.save(self.family, epoch + 1, self.history, self.film)
        line = "  ".join(f"{name} {value:.4g}" for name, value in record.items() if name not in ("epoch", "images"))
        (log.info if self.bar.disable else self.bar.write)(f"{recipe.name}  epoch {epoch + 1}/{recipe.epochs}  {line}")

    def _snapshot(self, epoch: int) -> dict[str, float]:
        """Save the sheet of the fixed batch; return the Fréchet distance where a classifier of the dataset is there."""
        images = self.preview(self.family)
        if images is not None:
            (self.folder.snapshots / f"{epoch:05d}.png").write_bytes(png(sheet(images, columns=10)))
        return {"frechet": self.measure(self.family)[0]} if self.measure else {}

    def on_train_end(self, logs=None):
        self.bar.close()


def previewer(recipe: Any, split: datasets.Split) -> Callable[[Family], np.ndarray | None]:
    """Return a function model → images (N, H, W, C) of one fixed batch: samples where there is a prior, reconstructions
    where there is none, None for a classifier."""
    rng = np.random.default_rng(recipe.seed)
    images = split.images[rng.choice(len(split.images), min(PREVIEWS, len(split.images)), replace=False)]
    labels = (np.arange(PREVIEWS) % max(1, len(split.classes))).astype("int32")

    def preview(model: Family) -> np.ndarray | None:
        if model.prior == "normal":
            latents = np.random.default_rng(recipe.seed).standard_normal((PREVIEWS, recipe.latent)).astype("float32")
            return model.generate(latents, labels)
        if model.prior == "autoregressive":
            prior, table = model.exported["prior"], networks.codebook(model.exported["decoder"])

            def logits(drawn: np.ndarray) -> np.ndarray:
                return np.asarray(outputs(prior, drawn)["logits"])

            rows, columns, _ = model.latent_shape
            return model.generate(table[codes.draw(logits, (rows, columns), PREVIEWS, recipe.seed)])
        if model.prior == "none":
            latents = np.asarray(outputs(model.exported["encoder"], images)["latent"])
            return model.generate(latents)
        return None

    return preview


def sample_quality(recipe: Any, count: int, seed: int = 0) -> replay.Measure | None:
    """Return a function model → (Fréchet distance, coverage) of `count` samples to as many test images, in the features
    of the dataset's classifier; None without a classifier."""
    classifier = catalog.classifier_for(recipe.dataset)
    if classifier is None:
        return None
    test = datasets.load(recipe.dataset, "test", count=count, seed=seed, balanced=recipe.balance, **recipe.columns)
    real = models.classify(classifier, test.images)[1]
    gaussian, radii = frechet.statistics(real), prdc.radii(real)

    def measure(model: Family) -> tuple[float, float]:
        latents = np.random.default_rng(seed).standard_normal((count, recipe.latent)).astype("float32")
        labels = (np.arange(count) % max(1, model.classes)).astype("int32")
        drawn = models.classify(classifier, model.generate(latents, labels))[1]
        return (
            frechet.distance(frechet.statistics(drawn), gaussian),
            prdc.scores(real, drawn, real_radii=radii).coverage,
        )

    return measure


def train(recipe: Recipe, runs: pathlib.Path, fresh: bool = False) -> Folder:
    """Train a recipe to its end in runs/<name>, from the checkpoint there if there is one; `fresh` starts over.

    Raises RecipeError (wrong recipe, diverged) and DatasetUnavailable."""
    policy = device.use(recipe.precision, recipe.seed)
    split = training_data(recipe)
    folder = Folder(pathlib.Path(runs) / recipe.name)
    folder.open(recipe, fresh)
    model = build(recipe, split)
    augmented = {"shift": recipe.shift, "flip": recipe.flip, "turn": recipe.turn}
    batches = Batches(split.images, split.labels, recipe.batch, recipe.seed, balance=recipe.balance, **augmented)
    compiled(model, recipe.epochs * len(batches))
    film = None
    if model.players:
        film = replay.Recorder(model, batches, split, sample_quality(recipe, replay.MEASURED))
    done, history = folder.restore(model, film)
    log.info(
        "%s: %s images of %s, %s on %s, %s%s",
        recipe.name,
        len(split.images),
        recipe.dataset,
        device.BACKEND,
        device.description(),
        policy,
        f", resumed after epoch {done}" if done else "",
    )
    if done < recipe.epochs:
        folder.begin(backend=device.BACKEND, device=device.description(), precision=policy, code=code_revision())
        measure = sample_quality(recipe, MEASURED) if model.prior == "normal" else None
        recorder = Recorder(model, folder, batches, previewer(recipe, split), history, measure, film)
        callbacks = [film, recorder] if film else [recorder]  # in this order: what is saved holds the epoch's end
        silent: Any = 0  # Keras takes "auto" or a number, and annotates nothing: a checker infers str
        model.fit(batches, initial_epoch=done, epochs=recipe.epochs, verbose=silent, callbacks=callbacks, shuffle=False)
    if film and film.moments:  # a run that began before there were replays has none
        write(folder.path / FILE, film.replay())
    return folder
