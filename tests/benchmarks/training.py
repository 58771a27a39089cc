"""How fast training is beside its peers: python tests/benchmarks/training.py [--rounds N] [--steps N]

In one process, in turn, on random images of 28×28 in memory: the variational autoencoder of keras.io ("Variational
AutoEncoder", its network and its own train_step) beside the same network in our loop, with everything that loop does
(averages of the weights, batches that depend on seed and epoch, losses reported); and the generator and discriminator
of TensorFlow's DCGAN tutorial beside our recipe mnist-dcgan. All in float32. Prints a table of images per second
(medians over rounds, after one that is not counted) with the ratio to the peer and, as its last line, JSON.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np

from training import device, library, run  # imports Keras quietly
from training.batches import Batches
from training.families import vae

import keras  # isort: skip
import tensorflow as tf  # isort: skip
from keras import layers, ops  # isort: skip

SHAPE = (28, 28, 1)


def encoder() -> keras.Model:
    """The encoder of keras.io's example; z_mean and z_log_var by name."""
    image = keras.Input(SHAPE, name="image")
    x = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(image)
    x = layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Dense(16, activation="relu")(layers.Flatten()(x))
    return keras.Model(image, {"z_mean": layers.Dense(2)(x), "z_log_var": layers.Dense(2)(x)}, name="encoder")


def decoder() -> keras.Model:
    """The decoder of keras.io's example."""
    latent = keras.Input((2,), name="latent")
    x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, activation="relu")(latent))
    x = layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same")(x)
    image = layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same")(x)
    return keras.Model(latent, {"image": image}, name="decoder")


class Peer(keras.Model):
    """keras.io's VAE: its loss and its train_step."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder(), decoder()
        self.seeds = keras.random.SeedGenerator(0)
        self.totals = [keras.metrics.Mean(name=name) for name in ("loss", "reconstruction", "kl")]

    @property
    def metrics(self) -> list:
        return self.totals

    def train_step(self, data):
        with tf.GradientTape() as tape:
            codes = self.encoder(data)
            mean, log_var = codes["z_mean"], codes["z_log_var"]
            noise = keras.random.normal(ops.shape(mean), seed=self.seeds)
            rebuilt = self.decoder(mean + ops.exp(0.5 * log_var) * noise)["image"]
            crossed = keras.losses.binary_crossentropy(data, rebuilt)
            reconstruction = ops.mean(ops.sum(crossed, axis=(1, 2)))
            kl = -0.5 * (1 + log_var - ops.square(mean) - ops.exp(log_var))
            loss = reconstruction + ops.mean(ops.sum(kl, axis=1))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for total, value in zip(self.totals, (loss, reconstruction, ops.mean(kl)), strict=True):
            total.update_state(value)
        return {total.name: total.result() for total in self.totals}


class Ours(vae.Family):
    """Our VAE with keras.io's networks."""

    def build_networks(self) -> dict[str, keras.Model]:
        return {"encoder": encoder(), "decoder": decoder()}


def tutorial() -> Callable[[np.ndarray], None]:
    """Return one training step of TensorFlow's DCGAN tutorial, on a batch of 256."""
    generator = keras.Sequential([
        keras.Input((100,)), layers.Dense(7 * 7 * 256, use_bias=False), layers.BatchNormalization(), layers.LeakyReLU(),
        layers.Reshape((7, 7, 256)),
        layers.Conv2DTranspose(128, 5, padding="same", use_bias=False), layers.BatchNormalization(), layers.LeakyReLU(),
        layers.Conv2DTranspose(64, 5, strides=2, padding="same", use_bias=False), layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation="tanh"),
    ])  # fmt: skip
    critic = keras.Sequential([
        keras.Input(SHAPE), layers.Conv2D(64, 5, strides=2, padding="same"), layers.LeakyReLU(), layers.Dropout(0.3),
        layers.Conv2D(128, 5, strides=2, padding="same"), layers.LeakyReLU(), layers.Dropout(0.3),
        layers.Flatten(), layers.Dense(1),
    ])  # fmt: skip
    optimizers = [keras.optimizers.Adam(1e-4) for _ in range(2)]
    for optimizer, network in zip(optimizers, (generator, critic), strict=True):
        optimizer.build(network.trainable_variables)
    crossed = keras.losses.BinaryCrossentropy(from_logits=True)

    @tf.function
    def step(images):
        noise = tf.random.normal([256, 100])
        with tf.GradientTape() as first, tf.GradientTape() as second:
            fakes = generator(noise, training=True)
            real, fake = critic(images, training=True), critic(fakes, training=True)
            generator_loss = crossed(tf.ones_like(fake), fake)
            critic_loss = crossed(tf.ones_like(real), real) + crossed(tf.zeros_like(fake), fake)
        for network, loss, tape, optimizer in (
            (generator, generator_loss, first, optimizers[0]),
            (critic, critic_loss, second, optimizers[1]),
        ):
            gradients = tape.gradient(loss, network.trainable_variables)
            optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))

    return step


def ours(family: type, recipe, steps: int) -> Callable[[], None]:
    """Return a function that trains one of our families for so many steps, with the batches of our loop."""
    images = np.random.default_rng(0).random((recipe.batch * steps, *SHAPE), np.float32)
    model = run.compiled(family(recipe, SHAPE, 0), steps=10 * steps)
    batches = Batches(images, None, recipe.batch)

    def train() -> None:
        batches.start(0)
        model.fit(batches, verbose=0, shuffle=False)

    return train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    device.use("float32", 0)
    steps = options.steps
    pixels = np.random.default_rng(0).random((256 * steps, *SHAPE), np.float32)
    peer = Peer()
    peer.compile(optimizer=keras.optimizers.Adam(), jit_compile=False)
    step = tutorial()

    def follow() -> None:
        for start in range(0, len(pixels), 256):
            step(tf.constant(pixels[start : start + 256]))

    plain = {"title": "VAE", "dataset": "mnist", "precision": "float32"}
    same = library.check({"name": "vae", "family": "vae", "latent": 2, "batch": 128, **plain})
    gan = library.load("mnist-dcgan", ["precision=float32"])
    ways = {
        "keras.io VAE": (lambda: peer.fit(pixels[: 128 * steps], batch_size=128, verbose=0), 128 * steps),
        "the same network here": (ours(Ours, same, steps), 128 * steps),
        "tutorial's DCGAN": (follow, 256 * steps),
        "mnist-dcgan": (ours(library.family("dcgan"), gan, steps), gan.batch * steps),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(options.rounds + 1):
        for name, (train, count) in ways.items():
            start = time.perf_counter()
            train()
            if turn:
                rates[name].append(count / (time.perf_counter() - start))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    names = list(ways)
    ratios = {names[1]: medians[names[1]] / medians[names[0]], names[3]: medians[names[3]] / medians[names[2]]}
    print(f"{'':24}{'images/s':>10}{'× peer':>9}")
    for name, rate in medians.items():
        print(f"{name:24}{rate:10.0f}" + (f"{ratios[name]:9.2f}" if name in ratios else ""))
    print(json.dumps({"benchmark": "training", "device": device.description(), "rates": medians, "ratios": ratios}))


if __name__ == "__main__":
    main()
