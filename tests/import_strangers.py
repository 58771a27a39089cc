"""Files as strangers publish them, written here by Keras 3, by real Keras 2 (tf_keras) or by hand, with what the
networks answer: name → a function that writes one into a folder and says what must come in, or why it must not."""

import importlib
import importlib.util
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from torch_files import safetensors

RNG = np.random.default_rng(11)


@dataclass
class Answer:
    """What a network of a role answers: its inputs in the entry's language (images in [0, 1]), name and value of the
    output, the entry among several."""

    role: str
    inputs: Any
    output: str
    expected: np.ndarray
    entry: int = 0


@dataclass
class Wanted:
    """What must come of a source: one set of roles for each entry, answers, or words of the refusal.

    `among_choices` allows that the right network is not the first guess, but one of the choices shown."""

    path: Path
    roles: list[set[str]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    refused: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    says: str = ""
    among_choices: bool = False
    exported: bool = False
    prior: str = ""


STRANGERS: dict[str, Callable[[Path], Wanted]] = {}


def stranger(function: Callable[[Path], Wanted]) -> Callable[[Path], Wanted]:
    STRANGERS[function.__name__] = function
    return function


def keras2():
    """Real Keras 2."""
    if importlib.util.find_spec("tf_keras") is None:
        pytest.skip("real Keras 2 is not installed: pip install tf_keras")
    return importlib.import_module("tf_keras")


def settled(model, gain=1.0):
    """The model with weights that show when they are mixed up and keep values moderate."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            settled(layer, gain)
        elif layer.get_weights() and not hasattr(layer, "layer"):
            normal = "Normalization" in type(layer).__name__
            layer.set_weights(
                [
                    RNG.uniform(0.5, 1.5, w.shape)
                    if normal
                    else RNG.standard_normal(w.shape)
                    * (gain * (2 / max(np.prod(w.shape[:-1]), 1)) ** 0.5 if w.ndim > 1 else 0.1)
                    for w in layer.get_weights()
                ]
            )
    return model


def codes(*shape, count=5):
    return RNG.standard_normal((count, *shape)).astype("float32")


def images(*shape, count=5):
    return RNG.random((count, *shape)).astype("float32")


def answer(model, x) -> np.ndarray:
    found = model(x, training=False)
    return np.asarray(found)


def dcgan(k, size=6, grid=8, last="tanh", channels=1, name="generator"):
    """A small DCGAN generator, `size` → 28×28 images."""
    n = k.layers
    return settled(
        k.Sequential(
            [
                k.Input((size,)),
                n.Dense(7 * 7 * grid, use_bias=False),
                n.BatchNormalization(),
                n.LeakyReLU(0.2),
                n.Reshape((7, 7, grid)),
                n.Conv2DTranspose(grid, 4, strides=2, padding="same"),
                n.BatchNormalization(),
                n.LeakyReLU(0.2),
                n.Conv2DTranspose(channels, 4, strides=2, padding="same", activation=last),
            ],
            name=name,
        )
    )


def critic(k, side=28, channels=1, name="discriminator"):
    n = k.layers
    return settled(
        k.Sequential(
            [
                k.Input((side, side, channels)),
                n.Conv2D(6, 3, strides=2, padding="same"),
                n.LeakyReLU(0.2),
                n.Flatten(),
                n.Dense(1, activation="sigmoid"),
            ],
            name=name,
        )
    )


def vae_parts(k, side=8, size=3):
    n, image, z = k.layers, k.Input((side, side, 1)), k.Input((size,))
    x = n.Dense(16, activation="relu")(n.Flatten()(image))
    encoder = k.Model(image, [n.Dense(size, name="z_mean")(x), n.Dense(size, name="z_log_var")(x)], name="encoder")
    x = n.Dense(side * side, activation="sigmoid")(n.Dense(16, activation="relu")(z))
    return settled(encoder), settled(k.Model(z, n.Reshape((side, side, 1))(x), name="decoder"))


def half(y):
    """From [-1, 1] to [0, 1]."""
    return y / 2 + 0.5


# 1: which file belongs to which ------------------------------------------------------------------------------------


@stranger
def json_beside_weights_of_two_networks(folder):
    k = keras2()
    g, d = dcgan(k), critic(k)
    for model, name in ((g, "G"), (d, "D")):
        (folder / f"{name}_model.json").write_text(model.to_json())
        model.save_weights(folder / f"{name}-weights.h5")
    z, x = codes(6), images(28, 28, 1)
    return Wanted(
        folder,
        [{"generator", "discriminator"}],
        [
            Answer("generator", z, "image", half(answer(g, z))),
            Answer("discriminator", x, "score", answer(d, 2 * x - 1)),
        ],
        options={"reads": "symmetric"},
    )


@stranger
def json_with_a_suffix_beside_keras_3_weights(folder):
    _, decoder = vae_parts(keras)
    (folder / "decoder_model.json").write_text(decoder.to_json())
    decoder.save_weights(folder / "decoder.weights.h5")
    z = codes(3)
    return Wanted(folder, [{"decoder"}], [Answer("decoder", z, "image", answer(decoder, z))])


@stranger
def json_of_another_name_by_its_layers(folder):
    k = keras2()
    g, d = dcgan(k), critic(k)
    (folder / "arch.json").write_text(g.to_json())
    (folder / "zz_other.json").write_text(d.to_json())
    g.save_weights(folder / "after_100_epochs.h5")
    z = codes(6)
    return Wanted(folder, [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))])


@stranger
def the_latest_of_a_folder_fails(folder):
    g = dcgan(keras)
    g.save(folder / "generator_epoch_10.keras")
    z = keras.Input((6,))
    bad = keras.Model(z, layers.Lambda(lambda x: keras.ops.sort(x))(g(z)))
    bad.save(folder / "generator_epoch_20.keras")
    z = codes(6)
    return Wanted(
        folder, [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))], says="generator_epoch_20"
    )


@stranger
def a_vae_and_a_gan_in_one_folder(folder):
    encoder, decoder = vae_parts(keras)
    g, d = dcgan(keras), critic(keras)
    for model in (encoder, decoder, g, d):
        model.save(folder / f"{model.name}.keras")
    z, w, x = codes(3), codes(6), images(8, 8, 1)
    return Wanted(
        folder,
        [{"encoder", "decoder"}, {"generator", "discriminator"}],
        [
            Answer("decoder", z, "image", answer(decoder, z)),
            Answer("encoder", x, "z_mean", np.asarray(encoder(x)[0])),
            Answer("generator", w, "image", half(answer(g, w)), 1),
        ],
    )


@stranger
def two_files_named(folder):
    encoder, decoder = vae_parts(keras)
    other, _ = vae_parts(keras, 12)
    encoder.save(folder / "enc_v2.keras")
    decoder.save(folder / "dec_v2.keras")
    other.save(folder / "enc_v3.keras")
    z, x = codes(3), images(8, 8, 1)
    return Wanted(
        folder,
        [{"encoder", "decoder"}],
        [
            Answer("decoder", z, "image", answer(decoder, z)),
            Answer("encoder", x, "z_log_var", np.asarray(encoder(x)[1])),
        ],
        options={"file": ["enc_v2.keras", "dec_v2.keras"]},
    )


# 2: .keras of Keras 2.13 --------------------------------------------------------------------------------------------


def snake(name):
    import re

    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def keras_2_13(model, path):
    """A .keras file as Keras 2.13 wrote it: every layer with weights counted twice among those of its class."""

    def write(group, network):
        counts: dict[str, int] = {}

        def named(layer):
            name = snake(type(layer).__name__)
            counts[name] = counts.get(name, -1) + 1
            return f"{name}_{counts[name]}" if counts[name] else name

        for layer in network.layers:
            name = named(layer)
            if layer.weights:
                named(layer)
            inner = group.create_group(f"_layer_checkpoint_dependencies/{name}")
            if hasattr(layer, "layers"):
                write(inner, layer)
            else:
                for index, array in enumerate(layer.get_weights()):
                    inner[f"vars/{index}"] = array

    with h5py.File(path.with_suffix(".h5"), "w") as file:
        write(file, model)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.13.1", "date_saved": "2023-09-01@10:00:00"}))
        archive.writestr("config.json", model.to_json())
        archive.write(path.with_suffix(".h5"), "model.weights.h5")
    path.with_suffix(".h5").unlink()


@stranger
def keras_2_13_generator(folder):
    g = dcgan(keras2())
    keras_2_13(g, folder / "gen.keras")
    z = codes(6)
    return Wanted(folder / "gen.keras", [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))])


@stranger
def keras_2_13_nested_autoencoder(folder):
    k = keras2()
    n, image, z = k.layers, k.Input((8, 8, 1)), k.Input((3,))
    encoder = k.Model(image, n.Dense(3)(n.Dense(9, activation="relu")(n.Flatten()(image))), name="enc")
    decoder = k.Model(z, n.Reshape((8, 8, 1))(n.Dense(64, activation="sigmoid")(n.Dense(9, activation="relu")(z))))
    settled(encoder), settled(decoder)
    whole = k.Model(image, decoder(encoder(image)))
    keras_2_13(whole, folder / "ae.keras")
    x, z = images(8, 8, 1), codes(3)
    return Wanted(
        folder / "ae.keras",
        [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", answer(encoder, x)), Answer("decoder", z, "image", answer(decoder, z))],
    )


# 3: weights alone ---------------------------------------------------------------------------------------------------


@stranger
def weights_of_a_sequential_in_a_model(folder):
    z = keras.Input((32,))
    inner = keras.Sequential(
        [keras.Input((32,)), layers.Dense(48), layers.LeakyReLU(0.2), layers.Dense(784, activation="sigmoid")]
    )
    whole = settled(keras.Model(z, inner(z)))
    whole.save_weights(folder / "gen.weights.h5")
    z = codes(32)
    return Wanted(
        folder / "gen.weights.h5",
        [{"generator"}],
        [Answer("generator", z, "image", answer(whole, z).reshape(-1, 28, 28, 1))],
        options={"activation": "leaky_relu", "last": "sigmoid"},
    )


@stranger
def weights_with_upsampling_before_the_grid_is_known(folder):
    k = keras2()
    n = k.layers
    g = settled(
        k.Sequential(
            [
                k.Input((20,)), n.Dense(7 * 7 * 12, activation="relu"), n.Reshape((7, 7, 12)), n.UpSampling2D(),
                n.Conv2D(12, 3, padding="same"), n.BatchNormalization(), n.Activation("relu"), n.UpSampling2D(),
                n.Conv2D(8, 3, padding="same"), n.BatchNormalization(), n.Activation("relu"),
                n.Conv2D(1, 3, padding="same"), n.Activation("tanh"),
            ]
        )
    )  # fmt: skip
    g.save_weights(folder / "generator_weights.h5")
    z = codes(20)
    return Wanted(
        folder / "generator_weights.h5", [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))],
        among_choices=True,
    )  # fmt: skip


@stranger
def weights_that_start_at_one_pixel(folder):
    up = layers.Conv2DTranspose
    g = settled(
        keras.Sequential(
            [
                keras.Input((24,)), layers.Reshape((1, 1, 24)), up(16, 4, use_bias=False), layers.BatchNormalization(),
                layers.ReLU(), up(12, 4, strides=2, padding="same", use_bias=False), layers.BatchNormalization(),
                layers.ReLU(), up(8, 4, strides=2, padding="same", use_bias=False), layers.BatchNormalization(),
                layers.ReLU(), up(3, 4, strides=2, padding="same", use_bias=False, activation="tanh"),
            ]
        )
    )  # fmt: skip
    g.save_weights(folder / "netG.weights.h5")
    z = codes(24)
    return Wanted(
        folder / "netG.weights.h5", [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))],
        among_choices=True,
    )  # fmt: skip


def _without(k, scale, center):
    n = k.layers
    return settled(
        k.Sequential(
            [
                k.Input((10,)), n.Dense(7 * 7 * 8, use_bias=False), n.BatchNormalization(scale=scale, center=center),
                n.LeakyReLU(0.3), n.Reshape((7, 7, 8)), n.Conv2DTranspose(6, 5, strides=2, padding="same"),
                n.BatchNormalization(scale=scale, center=center), n.LeakyReLU(0.3),
                n.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh"),
            ]
        )
    )  # fmt: skip


@stranger
def weights_with_normalisation_of_two_arrays(folder):
    g = _without(keras, False, False)
    g.save_weights(folder / "g.weights.h5")
    z = codes(10)
    return Wanted(
        folder / "g.weights.h5", [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))],
        among_choices=True,
    )  # fmt: skip


@stranger
def weights_with_normalisation_without_scale(folder):
    g = _without(keras2(), False, True)
    g.save_weights(folder / "g_weights.h5")
    z = codes(10)
    return Wanted(
        folder / "g_weights.h5", [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))],
        among_choices=True,
    )  # fmt: skip


def _flat_vae(k):
    n, image = k.layers, k.Input((784,))
    x = n.Dense(64, activation="relu")(image)
    mean, log_var = n.Dense(2, name="z_mean")(x), n.Dense(2, name="z_log_var")(x)

    class Sampling(n.Layer):
        def call(self, inputs):
            return inputs[0]

    z = Sampling()([mean, log_var])
    y = n.Dense(784, activation="sigmoid")(n.Dense(64, activation="relu")(z))
    return settled(k.Model(image, y)), k.Model(image, mean), k.Model(z, y)


@stranger
def weights_of_a_whole_vae_with_heads_in_the_middle(folder):
    whole, mean, decoder = _flat_vae(keras2())
    whole.save_weights(folder / "vae_mlp.h5")
    x, z = images(28, 28, 1), codes(2)
    return Wanted(
        folder / "vae_mlp.h5",
        [{"encoder", "decoder"}],
        [
            Answer("encoder", x, "z_mean", answer(mean, x.reshape(-1, 784))),
            Answer("decoder", z, "image", answer(decoder, z).reshape(-1, 28, 28, 1)),
        ],
    )


@stranger
def weights_with_tanh_but_no_normalisation(folder):
    g = settled(
        keras.Sequential(
            [
                keras.Input((16,)), layers.Dense(64, activation="relu"), layers.Dense(128, activation="relu"),
                layers.Dense(784, activation="tanh"),
            ]
        )
    )  # fmt: skip
    g.save_weights(folder / "gan_generator.weights.h5")
    z = codes(16)
    return Wanted(
        folder / "gan_generator.weights.h5", [{"generator"}],
        [Answer("generator", z, "image", half(answer(g, z)).reshape(-1, 28, 28, 1))], among_choices=True,
    )  # fmt: skip


@stranger
def weights_of_an_encoder_beside_its_decoder(folder):
    z = keras.Input((6,))
    x = layers.Reshape((6, 6, 4))(layers.Dense(144, activation="relu")(z))
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid")(x)
    decoder = settled(keras.Model(z, x))
    decoder.save(folder / "decoder.keras")
    image = keras.Input((24, 24, 1))
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(image)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    encoder = settled(keras.Model(image, layers.Dense(6)(layers.Flatten()(x))))
    encoder.save_weights(folder / "encoder.weights.h5")
    x, z = images(24, 24, 1), codes(6)
    return Wanted(
        folder,
        [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", answer(encoder, x)), Answer("decoder", z, "image", answer(decoder, z))],
    )


# 4: roles -----------------------------------------------------------------------------------------------------------


@stranger
def a_whole_gan_of_square_noise(folder):
    g = settled(
        keras.Sequential(
            [keras.Input((64,)), layers.Dense(256, activation="sigmoid"), layers.Reshape((16, 16, 1))], name="g"
        )
    )
    d = critic(keras, 16)
    whole = keras.Sequential([keras.Input((64,)), g, d])
    whole.save(folder / "gan.keras")
    z, x = codes(64), images(16, 16, 1)
    return Wanted(
        folder / "gan.keras",
        [{"generator", "discriminator"}],
        [Answer("generator", z, "image", answer(g, z)), Answer("discriminator", x, "score", answer(d, x))],
    )


@stranger
def a_generator_of_as_many_numbers_as_pixels(folder):
    g = settled(
        keras.Sequential(
            [keras.Input((784,)), layers.Dense(32, activation="relu"), layers.Dense(784, activation="sigmoid"),
             layers.Reshape((28, 28, 1))]
        )
    )  # fmt: skip
    g.save(folder / "generator.keras")
    z = codes(784)
    return Wanted(folder / "generator.keras", [{"generator"}], [Answer("generator", z, "image", answer(g, z))])


@stranger
def a_decoder_of_a_spatial_code(folder):
    up = layers.Conv2DTranspose
    d = settled(
        keras.Sequential(
            [keras.Input((7, 7, 1)), up(8, 3, strides=2, padding="same", activation="relu"),
             up(3, 3, strides=2, padding="same", activation="sigmoid")]
        )
    )  # fmt: skip
    d.save(folder / "decoder.keras")
    z = codes(7, 7, 1)
    return Wanted(folder / "decoder.keras", [{"decoder"}], [Answer("decoder", z, "image", answer(d, z))])


@stranger
def encoder_and_decoder_of_a_spatial_code_in_colour(folder):
    down, up = layers.Conv2D, layers.Conv2DTranspose
    e = settled(
        keras.Sequential(
            [keras.Input((48, 48, 3)), down(8, 3, strides=2, padding="same", activation="relu"),
             down(3, 3, strides=2, padding="same")]
        )
    )  # fmt: skip
    d = settled(
        keras.Sequential(
            [keras.Input((12, 12, 3)), up(8, 3, strides=2, padding="same", activation="relu"),
             up(3, 3, strides=2, padding="same", activation="sigmoid")]
        )
    )  # fmt: skip
    e.save(folder / "my_encoder.keras")
    d.save(folder / "my_decoder.keras")
    x, z = images(48, 48, 3), codes(12, 12, 3)
    return Wanted(
        folder,
        [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", answer(e, x)), Answer("decoder", z, "image", answer(d, z))],
    )


@stranger
def an_encoder_whose_sample_comes_first(folder):
    image = keras.Input((8, 8, 1))
    x = layers.Dense(12, activation="relu")(layers.Flatten()(image))
    mean, log_var = layers.Dense(3, name="mu")(x), layers.Dense(3, name="log_sigma2")(x)
    z = layers.Add(name="z")([mean, layers.Multiply()([log_var, log_var])])
    e = settled(keras.Model(image, [z, mean, log_var], name="encoder"))
    e.save(folder / "encoder.keras")
    x = images(8, 8, 1)
    return Wanted(
        folder / "encoder.keras",
        [{"encoder"}],
        [
            Answer("encoder", x, "z_mean", np.asarray(e(x)[1])),
            Answer("encoder", x, "z_log_var", np.asarray(e(x)[2])),
        ],
    )


def _unet(given, made, side=32, last="sigmoid"):
    image = keras.Input((side, side, given))
    a = layers.Conv2D(6, 3, padding="same", activation="relu")(image)
    b = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(a)
    c = layers.Concatenate()([a, layers.UpSampling2D()(b)])
    return settled(keras.Model(image, layers.Conv2D(made, 3, padding="same", activation=last)(c)))


@stranger
def a_unet(folder):
    model = _unet(1, 1)
    model.save(folder / "unet_denoise.keras")
    x = images(32, 32, 1)
    return Wanted(folder / "unet_denoise.keras", [{"translator"}], [Answer("translator", x, "image", answer(model, x))])


@stranger
def a_colourisation(folder):
    model = _unet(1, 3)
    model.save(folder / "colorize.h5")
    x = images(32, 32, 1)
    return Wanted(folder / "colorize.h5", [{"translator"}], [Answer("translator", x, "image", answer(model, x))])


@stranger
def a_segmentation_of_colour_images(folder):
    model = _unet(3, 1)
    model.save(folder / "model.keras")
    x = images(32, 32, 3)
    return Wanted(folder / "model.keras", [{"translator"}], [Answer("translator", x, "image", answer(model, x))])


@stranger
def a_super_resolution(folder):
    model = settled(
        keras.Sequential(
            [keras.Input((16, 16, 3)), layers.Conv2D(8, 3, padding="same", activation="relu"), layers.UpSampling2D(4),
             layers.Conv2D(3, 3, padding="same", activation="tanh")]
        )
    )  # fmt: skip
    model.save(folder / "generator_x4.keras")
    x = images(16, 16, 3)
    return Wanted(
        folder / "generator_x4.keras", [{"translator"}],
        [Answer("translator", x, "image", half(answer(model, 2 * x - 1)))], options={"reads": "symmetric"},
    )  # fmt: skip


@stranger
def patch_scores_of_a_small_discriminator(folder):
    d = settled(
        keras.Sequential(
            [keras.Input((32, 32, 3)), layers.Conv2D(4, 4, strides=2, padding="same"), layers.LeakyReLU(0.2),
             layers.Conv2D(1, 4, strides=4, padding="same")]
        )
    )  # fmt: skip
    d.save(folder / "netD.keras")
    x = images(32, 32, 3)
    return Wanted(
        folder / "netD.keras", [{"discriminator"}],
        [Answer("discriminator", x, "score", answer(d, x).mean(axis=(1, 2)))],
    )  # fmt: skip


# 5: value range -----------------------------------------------------------------------------------------------------


def digits():
    from zoo.data import datasets

    return np.asarray(datasets.load("digits", "train").images, "float32")


def linear_autoencoder(scale=1.0, offset=0.0, target=lambda y: y, last=None, size=24):
    """(whole, encoder, decoder, x): principal components of digits in the range scale·x + offset, fitted to `target`.

    Shapes: digits of (8, 8, 1), codes of (size,)."""
    x = digits().reshape(-1, 64)
    given = x * scale + offset
    mean = given.mean(0)
    basis = np.linalg.svd(given - mean, full_matrices=False)[2][:size].T
    z = (given - mean) @ basis
    solved = np.linalg.lstsq(np.c_[z, np.ones(len(z))], target(x), rcond=None)[0]
    image, code = keras.Input((8, 8, 1)), keras.Input((size,))
    encoder = keras.Model(image, layers.Dense(size, name="code")(layers.Flatten()(image)), name="encoder")
    decoder = keras.Model(code, layers.Reshape((8, 8, 1))(layers.Dense(64, activation=last)(code)), name="decoder")
    encoder.layers[-1].set_weights([basis, -mean @ basis])
    decoder.layers[1].set_weights([solved[:-1], solved[-1]])
    return keras.Model(image, decoder(encoder(image))), encoder, decoder, x[:5].reshape(-1, 8, 8, 1)


def _ranged(folder, scale, offset, back, **options):
    whole, encoder, decoder, x = linear_autoencoder(scale, offset, **options)
    whole.save(folder / "model.keras")
    z = answer(encoder, x * scale + offset)
    return Wanted(
        folder / "model.keras",
        [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", z), Answer("decoder", z, "image", back(answer(decoder, z)))],
    )


@stranger
def an_autoencoder_of_plus_minus_a_half(folder):
    return _ranged(folder, 1.0, -0.5, lambda y: y + 0.5, target=lambda x: x - 0.5)


@stranger
def an_autoencoder_of_bytes(folder):
    return _ranged(folder, 255.0, 0.0, lambda y: y / 255, target=lambda x: x * 255)


@stranger
def an_autoencoder_that_reads_bytes_and_makes_unit(folder):
    return _ranged(folder, 255.0, 0.0, lambda y: y, target=lambda x: x)


@stranger
def an_autoencoder_of_logits(folder):
    logit = lambda x: np.log(np.clip(x, 0.02, 0.98) / (1 - np.clip(x, 0.02, 0.98)))  # noqa: E731
    return _ranged(folder, 1.0, 0.0, lambda y: 1 / (1 + np.exp(-y)), target=logit)


@stranger
def a_tanh_that_makes_unit(folder):
    return _ranged(
        folder, 1.0, 0.0, lambda y: y, target=lambda x: np.arctanh(np.clip(x, 0.0, 0.98)), last="tanh", size=48
    )


@stranger
def a_linear_generator_with_rare_extremes(folder):
    z = keras.Input((8,))
    x = layers.Reshape((16, 16, 1))(layers.Dense(256)(z))
    g = keras.Model(z, x)
    direction = RNG.choice([-1.0, 1.0], 256) * 0.7
    kernel = RNG.standard_normal((8, 256)) * 0.2
    kernel[:, :3] *= 8  # three pixels that leave the range
    g.layers[1].set_weights([kernel, direction])
    g.save(folder / "generator.keras")
    z = codes(8)
    return Wanted(folder / "generator.keras", [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))])


@stranger
def a_range_that_is_said(folder):
    g = settled(keras.Sequential([keras.Input((4,)), layers.Dense(64), layers.Reshape((8, 8, 1))]))
    g.save(folder / "g.keras")
    z = codes(4)
    return Wanted(
        folder / "g.keras", [{"generator"}], [Answer("generator", z, "image", (answer(g, z) + 2) / 5)],
        options={"makes": "-2:3"},
    )  # fmt: skip


# 6 and 7: precision, memory, kernels --------------------------------------------------------------------------------


@stranger
def an_encoder_of_large_values(folder):
    image = keras.Input((16, 16, 1))
    x = layers.Conv2D(32, 3, padding="same", activation="relu")(image)
    e = settled(keras.Model(image, layers.Dense(4, name="code")(layers.Flatten()(x))))
    e.layers[-1].set_weights([w * 40_000 for w in e.layers[-1].get_weights()])
    e.save(folder / "encoder.keras")
    x = images(16, 16, 1)
    return Wanted(folder / "encoder.keras", [{"encoder"}], exported=True)


@stranger
def a_quantised_generator(folder):
    g = dcgan(keras, last="sigmoid")
    g.quantize("int8")
    g.save(folder / "g.keras")
    g = keras.saving.load_model(folder / "g.keras")
    with zipfile.ZipFile(folder / "g.keras") as archive:
        archive.extract("model.weights.h5", folder / "x")
    with h5py.File(folder / "x" / "model.weights.h5") as file:
        kernel = file["layers/dense/vars/0"][()] / file["layers/dense/vars/1"][()]
    shutil.rmtree(folder / "x")
    plain = dcgan(keras, last="sigmoid")
    for layer, other in zip(g.layers, plain.layers, strict=True):
        if type(layer).__name__ == "Dense":
            other.set_weights([kernel])
        elif layer.get_weights():
            other.set_weights(layer.get_weights())
    z = codes(6)
    return Wanted(folder / "g.keras", [{"generator"}], [Answer("generator", z, "image", answer(plain, z))])


@stranger
def a_surplus_variable(folder):
    g = dcgan(keras)
    keras.saving.save_model(g, folder / "g", zipped=False)
    with h5py.File(folder / "g" / "model.weights.h5", "a") as file:
        file["layers/conv2d_transpose/vars/2"] = np.zeros(3, "float32")
    return Wanted(folder / "g", refused="conv2d_transpose.*(surplus|more variables)")


@stranger
def a_generator_in_mixed_float16(folder):
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        g = dcgan(keras, last="sigmoid")
        g.save(folder / "g.keras")
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    plain = dcgan(keras, last="sigmoid")
    plain.set_weights(g.get_weights())
    z = codes(6)
    return Wanted(folder / "g.keras", [{"generator"}], [Answer("generator", z, "image", answer(plain, z))])


# 8: more layers -----------------------------------------------------------------------------------------------------


@stranger
def spectral_normalisation(folder):
    wrap = layers.SpectralNormalization
    d = keras.Sequential(
        [keras.Input((16, 16, 1)), wrap(layers.Conv2D(4, 3, strides=2)), layers.LeakyReLU(0.2), layers.Flatten(),
         wrap(layers.Dense(1))]
    )  # fmt: skip
    x = images(16, 16, 1)
    for _ in range(30):
        d(x, training=True)
    d.save(folder / "d.keras")
    return Wanted(folder / "d.keras", [{"discriminator"}], [Answer("discriminator", x, "score", answer(d, x))])


@stranger
def instance_normalisation(folder):
    """tensorflow_addons' layer is GroupNormalization with a group for each channel; keras_contrib's by another name."""
    k = keras2()
    n, image = k.layers, k.Input((16, 16, 3))
    x = n.Conv2D(6, 3, padding="same")(image)
    x = n.GroupNormalization(-1, epsilon=1e-3, name="instance_normalization")(x)
    model = settled(k.Model(image, n.Conv2D(3, 3, padding="same", activation="sigmoid")(n.ReLU()(x))))
    model.save(folder / "g_AtoB.h5")
    with h5py.File(folder / "g_AtoB.h5", "a") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"].endswith("GroupNormalization"):
                layer["class_name"] = "InstanceNormalization"
                layer["config"] = {"name": layer["name"], "axis": -1, "epsilon": 1e-3, "center": True, "scale": True}
        file.attrs["model_config"] = json.dumps(config)
    x = images(16, 16, 3)
    return Wanted(folder / "g_AtoB.h5", [{"translator"}], [Answer("translator", x, "image", answer(model, x))])


@stranger
def resizing(folder):
    z = keras.Input((5,))
    x = layers.Reshape((4, 4, 8))(layers.Dense(128, activation="relu")(z))
    x = layers.Resizing(14, 14, interpolation="nearest")(x)
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(x)
    x = layers.Resizing(28, 28, interpolation="bilinear")(x)
    g = settled(keras.Model(z, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x)))
    g.save(folder / "g.keras")
    z = codes(5)
    return Wanted(folder / "g.keras", [{"generator"}], [Answer("generator", z, "image", answer(g, z))], exported=True)


@stranger
def a_code_of_unit_length(folder):
    image, z = keras.Input((8, 8, 1)), keras.Input((4,))
    e = settled(keras.Model(image, layers.UnitNormalization()(layers.Dense(4)(layers.Flatten()(image)))))
    d = settled(keras.Model(z, layers.Reshape((8, 8, 1))(layers.Dense(64, activation="sigmoid")(z))))
    keras.Model(image, d(e(image))).save(folder / "ae.keras")
    x = images(8, 8, 1)
    return Wanted(
        folder / "ae.keras", [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", answer(e, x)),
         Answer("decoder", answer(e, x), "image", answer(d, answer(e, x)))],
        exported=True,
    )  # fmt: skip


@stranger
def rows_as_steps_of_a_convolution(folder):
    image = keras.Input((28, 28))
    x = layers.Conv1D(16, 3, strides=2, padding="same", activation="relu")(image)
    code = layers.Conv1D(4, 3, strides=2, padding="same", name="code")(x)
    x = layers.UpSampling1D()(layers.Conv1D(16, 3, padding="same", activation="relu")(code))
    x = layers.Conv1DTranspose(28, 3, strides=2, padding="same", activation="sigmoid")(x)
    ae = settled(keras.Model(image, x))
    ae.save(folder / "ae.keras")
    x = images(28, 28, 1)
    z = answer(keras.Model(image, code), x[..., 0])
    return Wanted(
        folder / "ae.keras", [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", z), Answer("decoder", z, "image", answer(ae, x[..., 0])[..., None])],
        exported=True,
    )  # fmt: skip


@stranger
def rows_as_steps_of_an_lstm(folder):
    image = keras.Input((4, 4))
    code = layers.LSTM(3)(image)
    x = layers.GRU(4, return_sequences=True)(layers.RepeatVector(4)(code))
    ae = settled(keras.Model(image, layers.TimeDistributed(layers.Dense(4, activation="sigmoid"))(x)))
    ae.save(folder / "ae.keras")
    x = images(4, 4, 1)
    z = answer(keras.Model(image, code), x[..., 0])
    return Wanted(
        folder / "ae.keras", [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", z), Answer("decoder", z, "image", answer(ae, x[..., 0])[..., None])],
        exported=True,
    )  # fmt: skip


@stranger
def a_vae_that_samples_by_arithmetic(folder):
    image = keras.Input((8, 8, 1))
    x = layers.Dense(12, activation="relu")(layers.Flatten()(image))
    mean, log_var = layers.Dense(3, name="mu")(x), layers.Dense(3, name="log_var")(x)
    noise = keras.random.normal((1, 3), seed=keras.random.SeedGenerator(1))
    z = mean + keras.ops.exp(0.5 * log_var) * noise
    y = layers.Dense(64, activation="sigmoid")(layers.Dense(12, activation="relu")(z))
    whole = settled(keras.Model(image, layers.Reshape((8, 8, 1))(y)))
    whole.save(folder / "vae.keras")
    x = images(8, 8, 1)
    return Wanted(
        folder / "vae.keras",
        [{"encoder", "decoder"}],
        [Answer("encoder", x, "z_mean", answer(keras.Model(image, mean), x)),
         Answer("encoder", x, "z_log_var", answer(keras.Model(image, log_var), x))],
    )  # fmt: skip


@stranger
def a_training_checkpoint_of_a_tutorial(folder):
    import tensorflow as tf

    k = keras2()
    n = k.layers
    z = k.Input((100,))
    x = n.LeakyReLU()(n.BatchNormalization()(n.Dense(7 * 7 * 256, use_bias=False)(z)))
    x = n.Reshape((7, 7, 256))(x)
    for filters, strides in ((128, 1), (64, 2)):
        x = n.Conv2DTranspose(filters, 5, strides=strides, padding="same", use_bias=False)(x)
        x = n.LeakyReLU()(n.BatchNormalization()(x))
    x = n.Conv2DTranspose(1, 5, strides=2, padding="same", use_bias=False, activation="tanh")(x)
    g, d = settled(k.Model(z, x)), critic(k)
    tf.train.Checkpoint(generator=g, discriminator=d).save(str(folder / "ckpt"))
    z = codes(100, count=2)
    return Wanted(
        folder, [{"generator", "discriminator"}], [Answer("generator", z, "image", half(answer(g, z)))],
        among_choices=True,
    )  # fmt: skip


@stranger
def an_export_of_keras_3(folder):
    g = dcgan(keras)
    g.export(folder / "saved", verbose=False)
    z = codes(6)
    return Wanted(
        folder / "saved", [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))], among_choices=True,
        options={"activation": "leaky_relu"},
    )  # fmt: skip


@stranger
def a_lambda_that_scales(folder):
    k = keras2()
    g = dcgan(k)
    z = k.Input((6,))
    whole = k.Model(z, k.layers.Lambda(lambda x: x * 0.5 + 0.5)(g(z)))
    whole.save(folder / "g.h5")
    z = codes(6)
    return Wanted(folder / "g.h5", [{"generator"}], [Answer("generator", z, "image", answer(whole, z))])


@stranger
def a_lambda_that_does_something_else(folder):
    k = keras2()
    z = k.Input((6,))
    k.Model(z, k.layers.Lambda(lambda x: x[:, ::-1] ** 3)(dcgan(k)(z))).save(folder / "g.h5")
    return Wanted(folder / "g.h5", refused="Lambda.*never run")


@stranger
def keras_1_names(folder):
    kernel, table = RNG.standard_normal((3, 3, 4, 1)).astype("float32"), RNG.standard_normal((6, 256)).astype("float32")
    bias, shift = np.full(1, 0.1, "float32"), np.full(256, 0.1, "float32")
    config = [
        {"class_name": "Dense", "config": {"name": "dense_1", "output_dim": 256, "input_dim": 6, "init": "uniform",
         "activation": "relu", "bias": True, "batch_input_shape": [None, 6], "W_regularizer": None}},
        {"class_name": "Reshape", "config": {"name": "reshape_1", "target_shape": [8, 8, 4]}},
        {"class_name": "UpSampling2D", "config": {"name": "up_1", "size": [2, 2], "dim_ordering": "tf"}},
        {"class_name": "Convolution2D", "config": {"name": "convolution2d_1", "nb_filter": 1, "nb_row": 3, "nb_col": 3,
         "border_mode": "same", "subsample": [1, 1], "activation": "sigmoid", "dim_ordering": "tf", "bias": True,
         "init": "glorot_uniform"}},
    ]  # fmt: skip
    with h5py.File(folder / "g.h5", "w") as file:
        file.attrs["keras_version"] = "1.2.2"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config})
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = np.array([b"dense_1", b"reshape_1", b"up_1", b"convolution2d_1"])
        for name, arrays in (
            ("dense_1", (table, shift)),
            ("reshape_1", ()),
            ("up_1", ()),
            ("convolution2d_1", (kernel, bias)),
        ):
            group = root.create_group(name)
            group.attrs["weight_names"] = np.array([f"{name}_{end}".encode() for end in ("W", "b")][: len(arrays)])
            for end, array in zip(("W", "b"), arrays, strict=False):
                group[f"{name}_{end}"] = array
    plain = keras.Sequential(
        [keras.Input((6,)), layers.Dense(256, activation="relu"), layers.Reshape((8, 8, 4)), layers.UpSampling2D(),
         layers.Conv2D(1, 3, padding="same", activation="sigmoid")]
    )  # fmt: skip
    plain.set_weights([table, shift, kernel, bias])
    z = codes(6)
    return Wanted(folder / "g.h5", [{"generator"}], [Answer("generator", z, "image", answer(plain, z))])


# 9: what a user says ------------------------------------------------------------------------------------------------


@stranger
def labels_joined_outside(folder):
    g = dcgan(keras, size=14, last="sigmoid")
    g.save(folder / "cgan.keras")
    z, label = codes(4), np.arange(5).astype("int32")
    joined = np.concatenate([z, np.eye(10, dtype="float32")[label]], axis=1)
    return Wanted(
        folder / "cgan.keras", [{"generator"}], [Answer("generator", [z, label], "image", answer(g, joined))],
        options={"classes": 10},
    )  # fmt: skip


@stranger
def flat_images_that_are_not_square(folder):
    image = keras.Input((12 * 20,))
    code = layers.Dense(5)(image)
    ae = settled(keras.Model(image, layers.Dense(240, activation="sigmoid")(code)))
    ae.save(folder / "ae.keras")
    x = images(12, 20, 1)
    z = answer(keras.Model(image, code), x.reshape(-1, 240))
    return Wanted(
        folder / "ae.keras", [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", z),
         Answer("decoder", z, "image", answer(ae, x.reshape(-1, 240)).reshape(-1, 12, 20, 1))],
        options={"shape": "12x20"},
    )  # fmt: skip


@stranger
def a_uniform_prior(folder):
    g = dcgan(keras, last="sigmoid")
    g.save(folder / "g.keras")
    return Wanted(folder / "g.keras", [{"generator"}], options={"prior": "uniform"}, prior="uniform", exported=True)


# 10: words ----------------------------------------------------------------------------------------------------------


@stranger
def a_git_lfs_pointer(folder):
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 1234567\n"
    (folder / "generator.h5").write_text(text)
    return Wanted(folder / "generator.h5", refused="Git LFS pointer")


@stranger
def a_pytorch_file_of_another_name(folder):
    with zipfile.ZipFile(folder / "generator.h5", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
        archive.writestr("archive/version", "3\n")
    return Wanted(folder / "generator.h5", refused="PyTorch")


@stranger
def pytorch_names_in_hdf5(folder):
    with h5py.File(folder / "netG.h5", "w") as file:
        for name, shape in (("main.0.weight", (24, 16, 4, 4)), ("main.1.weight", (16,)), ("main.1.running_mean", (16,)),
                            ("main.1.running_var", (16,)), ("main.1.bias", (16,))):  # fmt: skip
            file[name] = np.zeros(shape, "float32")
    return Wanted(folder / "netG.h5", refused="PyTorch")


@stranger
def the_h5_of_keras_3_by_its_name(folder):
    g = dcgan(keras)
    g.save(folder / "g.h5")
    z = codes(6)
    return Wanted(
        folder / "g.h5", [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))], says="Keras 3 .h5"
    )


@stranger
def an_unknown_layer_with_a_reason(folder):
    @keras.saving.register_keras_serializable("strangers")
    class PixelNorm(keras.layers.Layer):
        def call(self, x):
            return x * keras.ops.rsqrt(keras.ops.mean(x**2, axis=-1, keepdims=True) + 1e-8)

    z = keras.Input((4,))
    keras.Model(z, layers.Reshape((8, 8, 1))(layers.Dense(64)(PixelNorm()(z)))).save(folder / "g.keras")
    return Wanted(folder / "g.keras", refused="'PixelNorm'.*own class|class .*PixelNorm")


# 11: beside Keras ---------------------------------------------------------------------------------------------------


@stranger
def an_onnx_generator(folder):
    g = dcgan(keras, last="sigmoid")
    g(codes(6))  # Keras exports no network that was never called
    g.export(folder / "generator.onnx", format="onnx", verbose=False)
    z = codes(6)
    return Wanted(folder / "generator.onnx", [{"generator"}], [Answer("generator", z, "image", answer(g, z))])


@stranger
def safetensors_of_a_dcgan(folder):
    """PyTorch's DCGAN tutorial at a smaller width: kernels (in, out, height, width), padding 1, eps 1e-5."""
    arrays, widths = {}, [24, 32, 16, 8, 1]
    up = layers.Conv2DTranspose
    model = keras.Sequential([keras.Input((24,)), layers.Reshape((1, 1, 24))])
    for index, (given, made) in enumerate(zip(widths, widths[1:], strict=False)):
        kernel = RNG.standard_normal((given, made, 4, 4)).astype("float32") * 0.2
        arrays[f"main.{3 * index}.weight"] = kernel
        model.add(up(made, 4, strides=2 if index else 1, padding="same" if index else "valid", use_bias=False))
        model.layers[-1].set_weights([kernel.transpose(2, 3, 1, 0)])
        if index < 3:
            values = [RNG.uniform(0.5, 1.5, made).astype("float32") for _ in range(4)]
            arrays |= dict(
                zip(
                    [f"main.{3 * index + 1}.{n}" for n in ("weight", "bias", "running_mean", "running_var")],
                    values,
                    strict=True,
                )
            )
            model.add(layers.BatchNormalization(epsilon=1e-5))
            model.layers[-1].set_weights(values)
            model.add(layers.ReLU())
        else:
            model.add(layers.Activation("tanh"))
    safetensors(folder / "netG.safetensors", arrays)
    z = codes(24)
    return Wanted(
        folder / "netG.safetensors", [{"generator"}], [Answer("generator", z, "image", half(answer(model, z)))]
    )
