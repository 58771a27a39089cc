"""One training run: its folder, its checkpoint, and the loop. A run resumes exactly where its last epoch ended.

runs/<name>/recipe.json      the options, as checked; origin.json: backend, device, precision
            history.json     losses and Fréchet distance along training
            checkpoint.npz   every variable of the networks, their averages, the seeds and the optimiser
            snapshots/*.png  samples from one fixed latent batch
"""

import json
import logging
import os
import pathlib
import subprocess
import sys
import time

import keras
import numpy as np
from tqdm import tqdm

from training import device, networks
from training import recipe as recipes
from training.batches import Batches
from zoo import images as pictures
from zoo import models
from zoo.data import datasets
from zoo.entries import catalog
from zoo.errors import DatasetUnavailable
from zoo.latent import codes
from zoo.metrics import frechet

log = logging.getLogger("training")
PREVIEWS = 60
WRITTEN = ("checkpoint.npz", "history.json", "origin.json")


def training_data(recipe) -> datasets.Split:
    """The training split that a recipe names; RecipeError for data that cannot be trained on."""
    try:
        split = datasets.load(recipe.dataset, "train", count=recipe.images, seed=recipe.seed)
    except DatasetUnavailable:
        raise
    except (ValueError, RuntimeError) as error:
        raise recipes.RecipeError(f"The dataset {recipe.dataset} cannot be used: {error}") from error
    if len(set(split.classes)) < len(split.classes):
        raise recipes.RecipeError(f"The dataset {recipe.dataset} has two classes of the same name; rename one.")
    if recipe.balance and split.labels is None:
        raise recipes.RecipeError(f"The dataset {recipe.dataset} has no labels; leave out balance.")
    return split


def build(recipe, split: datasets.Split):
    """The family of a recipe as a model for the images of a split, not yet compiled."""
    classes = len(split.classes) if split.labels is not None else 0
    return recipes.family(recipe.family)(recipe, split.images.shape[1:], classes)


def code_revision() -> str:
    """Git revision of the code that makes entries, "unknown" outside a repository; "+" marks uncommitted changes."""
    root = pathlib.Path(__file__).parent.parent

    def git(*words):
        return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)

    head = git("rev-parse", "--short=12", "HEAD")
    if head.returncode:
        return "unknown"
    changed = git("status", "--porcelain", "--", "training/*.py", "zoo/*.py").stdout.strip()
    return head.stdout.strip() + ("+" if changed else "")


def compiled(model, steps: int):
    """Attach optimiser and schedule; the device decides whether XLA compiles the step."""
    recipe = model.recipe
    model.steps = steps
    # A run shorter than the average's memory would export its random start: remember a tenth of the run at most.
    model.decay = max(0.0, min(recipe.ema, 1.0 - 10.0 / steps))

    def rate(factor=1.0):
        peak = recipe.learning_rate * factor
        return peak if recipe.schedule == "constant" else keras.optimizers.schedules.CosineDecay(peak, steps)

    model.compile(optimizer=model.optimizers(rate), jit_compile=device.compile_with_xla())
    model.optimizer.build(model.trainable_variables)
    return model


class Folder:
    """The files of a run."""

    def __init__(self, path: pathlib.Path):
        self.path = pathlib.Path(path)
        self.snapshots = self.path / "snapshots"

    def open(self, recipe, fresh=False) -> None:
        """Create the folder or take up the run in it.

        Raises RecipeError when it holds a run with other options."""
        options = recipe.model_dump()
        saved = self.path / "recipe.json"
        if fresh or not saved.exists():
            for stale in [*self.snapshots.glob("*.png"), *map(self.path.joinpath, WRITTEN)]:
                stale.unlink(missing_ok=True)
        elif (before := self.recipe().model_dump()) != options:
            changed = sorted(key for key in {*before, *options} if before.get(key) != options.get(key))
            raise recipes.RecipeError(
                f"{self.path} holds a run with another {', '.join(changed)}; "
                "pass --fresh to start it over or --runs for another folder."
            )
        self.snapshots.mkdir(parents=True, exist_ok=True)
        _write(saved, json.dumps(options, indent=1))

    def recipe(self):
        """The recipe of the run in this folder; RecipeError when there is none."""
        saved = self.path / "recipe.json"
        if not saved.is_file():
            raise recipes.RecipeError(f"{self.path} holds no run; train one with: python -m training train RECIPE.")
        return recipes.check(json.loads(saved.read_text()))

    def origin(self) -> dict:
        """Backend, device, precision and code revision that the run was trained with."""
        return json.loads((self.path / "origin.json").read_text())

    def begin(self, **origin: str) -> None:
        """Note where a run is trained; a part that is trained elsewhere is noted behind the first."""
        path = self.path / "origin.json"
        before = self.origin() if path.exists() else {}
        for key, value in origin.items():
            parts = before.get(key, value).split(", then ")
            before[key] = ", then ".join(parts if parts[-1] == value else [*parts, value])
        _write(path, json.dumps(before))

    def save(self, model, epoch: int, history: dict) -> None:
        """Checkpoint after `epoch` epochs; replaces the one before in one move."""
        state = {f"model_{index}": np.asarray(value) for index, value in enumerate(model.variables)}
        state |= {f"optimizer_{index}": np.asarray(value) for index, value in enumerate(model.optimizer.variables)}
        temporary = self.path / "checkpoint.tmp.npz"
        np.savez(temporary, epoch=epoch, history=json.dumps(history), **state)
        os.replace(temporary, self.path / "checkpoint.npz")
        _write(self.path / "history.json", json.dumps(history))

    def restore(self, model, optimizer=True) -> tuple[int, dict]:
        """Load the checkpoint into a built model; returns (epochs done, history), (0, {}) when there is none."""
        path = self.path / "checkpoint.npz"
        if not path.exists():
            return 0, {}
        with np.load(path, allow_pickle=False) as state:
            for index, variable in enumerate(model.variables):
                variable.assign(state[f"model_{index}"])
            if optimizer:
                for index, variable in enumerate(model.optimizer.variables):
                    variable.assign(state[f"optimizer_{index}"])
            return int(state["epoch"]), json.loads(str(state["history"]))


def _write(path: pathlib.Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(text)
    os.replace(temporary, path)


class Recorder(keras.callbacks.Callback):
    """Shuffles, measures, saves and reports at the end of every epoch."""

    def __init__(self, folder: Folder, batches: Batches, preview, history: dict, measure=None):
        super().__init__()
        self.folder, self.batches, self.preview, self.history, self.measure = folder, batches, preview, history, measure
        self.bar = None

    def on_train_begin(self, logs=None):
        recipe = self.model.recipe
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
        for mean in self.model.means.values():
            mean.reset_state()

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(1)
        if self.bar.n % 20 == 0 and logs:
            self.bar.set_postfix({name: f"{float(logs[name]):.3g}" for name in self.model.reported if name in logs})

    def on_epoch_end(self, epoch, logs=None):
        if hasattr(self.model, "jax_state_sync"):
            self.model.jax_state_sync()
        values = {name: float(logs[name]) for name in self.model.reported}
        if not np.isfinite(list(values.values())).all():
            self.bar.close()
            raise recipes.RecipeError(
                f"The loss became infinite in epoch {epoch + 1} of {self.model.recipe.name}; "
                'lower learning_rate, or set precision = "float32".'
            )
        last = epoch + 1 == self.model.recipe.epochs
        if epoch + 1 in self.frames or last:
            values |= self._snapshot(epoch + 1)
        record = {"epoch": epoch + 1, "images": (epoch + 1) * len(self.batches) * self.batches.batch, **values}
        record["seconds"] = round(time.perf_counter() - self.started, 1)
        names = {**self.history, **record}
        count = len(self.history.get("epoch", []))
        self.history = {name: [*self.history.get(name, [None] * count), record.get(name)] for name in names}
        self.folder.save(self.model, epoch + 1, self.history)
        told = "  ".join(f"{name} {value:.4g}" for name, value in record.items() if name not in ("epoch", "images"))
        (self.bar.write if not self.bar.disable else log.info)(
            f"{self.model.recipe.name}  epoch {epoch + 1}/{self.model.recipe.epochs}  {told}"
        )

    def _snapshot(self, epoch: int) -> dict:
        """Save the sheet of the fixed batch; the Fréchet distance where a classifier of the dataset is at hand."""
        images = self.preview(self.model)
        if images is not None:
            sheet = pictures.sheet(images, columns=10)
            (self.folder.snapshots / f"{epoch:05d}.png").write_bytes(pictures.png(sheet))
        return {"frechet": self.measure(self.model)} if self.measure else {}

    def on_train_end(self, logs=None):
        self.bar.close()


def generate(model, latents, labels=None) -> np.ndarray:
    """Images (N, H, W, C) of the exported decoder or generator, in chunks."""
    network = model.exported.get("generator") or model.exported["decoder"]
    parts = [slice(start, start + 250) for start in range(0, len(latents), 250)]
    return np.concatenate(
        [
            np.asarray(network([latents[p], labels[p]] if model.conditional else latents[p], training=False)["image"])
            for p in parts
        ]
    )


def previewer(recipe, split):
    """A function model → images of one fixed batch: samples where there is a prior, else reconstructions."""
    rng = np.random.default_rng(recipe.seed)
    images = split.images[rng.choice(len(split.images), min(PREVIEWS, len(split.images)), replace=False)]
    labels = (np.arange(PREVIEWS) % max(1, len(split.classes))).astype("int32")

    def preview(model):
        if model.prior == "normal":
            latents = np.random.default_rng(recipe.seed).standard_normal((PREVIEWS, recipe.latent)).astype("float32")
            return generate(model, latents, labels)
        if model.prior == "autoregressive":
            prior, table = model.exported["prior"], networks.codebook(model.exported["decoder"])

            def logits(drawn):
                return np.asarray(prior(drawn, training=False)["logits"])

            return generate(model, table[codes.draw(logits, model.latent_shape[:-1], PREVIEWS, recipe.seed)])
        if model.prior == "none":
            latents = np.asarray(model.exported["encoder"](images, training=False)["latent"])
            return generate(model, latents)
        return None

    return preview


def judge(recipe, count: int = 2000, seed: int = 0):
    """A function model → Fréchet distance of `count` samples to test images; None without a classifier."""
    classifier = catalog.classifier_for(recipe.dataset)
    if classifier is None:
        return None
    test = datasets.load(recipe.dataset, "test", count=count, seed=seed, balanced=recipe.balance)
    real = frechet.statistics(models.classify(classifier, test.images)[1])

    def measure(model) -> float:
        latents = np.random.default_rng(seed).standard_normal((count, recipe.latent)).astype("float32")
        labels = (np.arange(count) % max(1, model.classes)).astype("int32")
        drawn = generate(model, latents, labels)
        return frechet.distance(frechet.statistics(models.classify(classifier, drawn)[1]), real)

    return measure


def train(recipe, runs: pathlib.Path, fresh=False) -> Folder:
    """Train a recipe to its end in runs/<name>, from the checkpoint there if there is one.

    Raises RecipeError (wrong recipe, diverged) and DatasetUnavailable."""
    policy = device.use(recipe.precision, recipe.seed)
    split = training_data(recipe)
    folder = Folder(pathlib.Path(runs) / recipe.name)
    folder.open(recipe, fresh)
    model = build(recipe, split)
    batches = Batches(split.images, split.labels, recipe.batch, recipe.seed, recipe.shift, recipe.flip, recipe.balance)
    compiled(model, recipe.epochs * len(batches))
    done, history = folder.restore(model)
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
        measure = judge(recipe) if model.prior == "normal" else None
        recorder = Recorder(folder, batches, previewer(recipe, split), history, measure)
        model.fit(batches, initial_epoch=done, epochs=recipe.epochs, verbose=0, callbacks=[recorder], shuffle=False)
    return folder
