"""Writes files as Keras 2 wrote them, by Keras 2 itself (tf_keras), with what the networks answer: run as a script,
python keras2_files.py FOLDER."""

import os
import sys
from pathlib import Path

os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers

FOLDER = Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)
keras.utils.set_random_seed(7)
RNG = np.random.default_rng(7)


class Sampling(layers.Layer):
    """The layer of the VAE tutorial."""

    def call(self, inputs):
        mean, log_var = inputs
        return mean + tf.exp(0.5 * log_var) * tf.random.normal(tf.shape(mean))


class VAE(keras.Model):
    """Encoder and decoder in a class of its own, as tutorials write it."""

    def __init__(self, encoder, decoder, **options):
        super().__init__(**options)
        self.encoder, self.decoder = encoder, decoder

    def call(self, inputs):
        return self.decoder(self.encoder(inputs)[2])


def settle(model):
    """Give normalisation layers statistics that show when they are mixed up."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            settle(layer)
        elif isinstance(layer, layers.BatchNormalization):
            layer.set_weights([RNG.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])


def answers(name, x, y):
    np.savez(FOLDER / f"{name}.npz", x=x, y=np.asarray(y))


def generator():
    model = keras.Sequential(
        [
            layers.Dense(7 * 7 * 8, use_bias=False, input_shape=(10,)),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Reshape((7, 7, 8)),
            layers.Conv2DTranspose(6, 5, strides=1, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Conv2DTranspose(4, 5, strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation="tanh"),
        ],
        name="generator",
    )
    settle(model)
    x = RNG.standard_normal((6, 10)).astype("float32")
    answers("generator", x, model(x, training=False) / 2 + 0.5)
    model.save(FOLDER / "generator.h5")
    model.save(FOLDER / "generator.keras")
    model.save(FOLDER / "generator_savedmodel", save_format="tf")
    model.save_weights(FOLDER / "generator_weights.h5")
    model.save_weights(FOLDER / "generator.weights.h5")
    (FOLDER / "split").mkdir()
    (FOLDER / "split" / "model.json").write_text(model.to_json())
    model.save_weights(FOLDER / "split" / "model.h5")


def variational():
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(image)
    x = layers.BatchNormalization()(x)
    x = layers.Dense(16, activation="relu")(layers.Flatten()(x))
    mean, log_var = layers.Dense(2, name="z_mean")(x), layers.Dense(2, name="z_log_var")(x)
    encoder = keras.Model(image, [mean, log_var, Sampling()([mean, log_var])], name="encoder")
    z = keras.Input((2,))
    x = layers.Reshape((7, 7, 4))(layers.Dense(7 * 7 * 4, activation="relu")(z))
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.BatchNormalization()(x)
    out = layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")(x)
    decoder = keras.Model(z, out, name="decoder")
    settle(encoder)
    settle(decoder)
    whole = keras.Model(image, decoder(encoder(image)[2]), name="vae")
    x = RNG.random((5, 28, 28, 1)).astype("float32")
    answers("vae_mean", x, encoder(x, training=False)[0])
    answers("vae_log_var", x, encoder(x, training=False)[1])
    z = RNG.standard_normal((5, 2)).astype("float32")
    answers("vae_image", z, decoder(z, training=False))
    whole.save(FOLDER / "vae.h5")
    whole.save(FOLDER / "vae.keras")
    whole.save(FOLDER / "vae_savedmodel", save_format="tf")
    subclass = VAE(encoder, decoder)
    subclass(x)
    subclass.save(FOLDER / "vae_subclass_savedmodel", save_format="tf")
    subclass.save_weights(FOLDER / "vae_subclass.h5")
    (FOLDER / "vae_parts").mkdir()
    encoder.save(FOLDER / "vae_parts" / "encoder.h5")
    decoder.save(FOLDER / "vae_parts" / "decoder.h5")


def gan():
    """A whole GAN with its discriminator frozen, as training scripts leave it."""
    g = keras.Sequential([layers.Dense(12, input_shape=(3,)), layers.BatchNormalization(), layers.ReLU(),
                          layers.Dense(64, activation="sigmoid"), layers.Reshape((8, 8, 1))],
                         name="generator")  # fmt: skip
    d = keras.Sequential([layers.Conv2D(3, 3, strides=2, padding="same", input_shape=(8, 8, 1)),
                          layers.BatchNormalization(), layers.LeakyReLU(alpha=0.2), layers.Flatten(),
                          layers.Dense(1)], name="discriminator")  # fmt: skip
    settle(g)
    settle(d)
    d.trainable = False
    z = keras.Input((3,))
    whole = keras.Model(z, d(g(z)), name="gan")
    x = RNG.standard_normal((5, 3)).astype("float32")
    answers("gan_image", x, g(x, training=False))
    answers("gan_score", g(x, training=False), d(g(x, training=False), training=False))
    whole.save(FOLDER / "gan.h5")
    d.save(FOLDER / "dcgan_model.h5")


generator()
variational()
gan()
