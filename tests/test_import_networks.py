"""Networks that others made: files of real Keras 2 and 3, aged ones and weights alone answer as the originals did."""

import json

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="importing needs TensorFlow: pip install -r requirements.txt")

import h5py
import keras2 as genuine
from keras2_forms import aged

import training.device  # noqa: F401  (imports Keras quietly)

import keras  # isort: skip
from import_builds import brought
from keras import layers

from training.importing import Refused

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def keras2():
    """A folder of files that real Keras 2 wrote."""
    return genuine.folder()


def same(network, x, expected, output, tolerance=1e-5):
    got = network(x, training=False)[output]
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), atol=tolerance)


def answers(folder, name):
    with np.load(folder / f"{name}.npz") as file:
        return file["x"], file["y"]


# Real Keras 2 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file",
    [
        "generator.h5",
        "generator.keras",
        "generator_savedmodel",
        "generator_weights.h5",
        "generator.weights.h5",
        "split",
    ],
)
def test_a_generator_of_keras_2_answers_as_it_did(keras2, tmp_path, file):
    networks, found = brought(keras2 / file, tmp_path)
    assert set(networks) == {"generator"}
    same(networks["generator"], *answers(keras2, "generator"), "image")
    assert any("inferred" in guess for guess in found.found.guesses) == ("weights" in file)


@pytest.mark.parametrize(
    "file", ["vae.h5", "vae.keras", "vae_savedmodel", "vae_subclass_savedmodel", "vae_subclass.h5", "vae_parts"]
)
def test_a_vae_of_keras_2_comes_as_encoder_and_decoder(keras2, tmp_path, file):
    networks, _ = brought(keras2 / file, tmp_path)
    assert set(networks) == {"encoder", "decoder"}
    same(networks["encoder"], *answers(keras2, "vae_mean"), "z_mean")
    same(networks["encoder"], *answers(keras2, "vae_log_var"), "z_log_var")
    same(networks["decoder"], *answers(keras2, "vae_image"), "image")


def test_a_whole_gan_of_keras_2_is_cut_at_the_image(keras2, tmp_path):
    networks, _ = brought(keras2 / "gan.h5", tmp_path)
    assert set(networks) == {"generator", "discriminator"}
    same(networks["generator"], *answers(keras2, "gan_image"), "image")
    same(networks["discriminator"], *answers(keras2, "gan_score"), "score")


def test_a_discriminator_pushed_as_a_gan_is_told_apart(keras2, tmp_path):
    networks, found = brought(keras2 / "dcgan_model.h5", tmp_path)
    assert set(networks) == {"discriminator"}
    assert "DISCRIMINATOR" in found.found.warnings[0]
    with pytest.raises(Refused, match="no generator|not a generator|one number"):
        brought(keras2 / "dcgan_model.h5", tmp_path, role="generator")


# Keras 3 -----------------------------------------------------------------------------------------------------------


def settled(model):
    for layer in model._flatten_layers(include_self=False):
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([RNG.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def a_generator():
    return settled(
        keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(4 * 4 * 8, activation="relu"),
                layers.Reshape((4, 4, 8)),
                layers.UpSampling2D(2, interpolation="bilinear"),
                layers.Conv2D(6, 3, padding="same", activation="silu"),
                layers.BatchNormalization(),
                layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="tanh"),
            ]
        )
    )


@pytest.mark.parametrize("form", ["folder", "x.keras", "x.h5"])
def test_a_generator_of_keras_3_answers_as_it_did(tmp_path, form):
    model = a_generator()
    if form == "folder":
        keras.saving.save_model(model, tmp_path / "folder", zipped=False)
    else:
        model.save(tmp_path / form)
    networks, found = brought(tmp_path / form, tmp_path)
    z = RNG.standard_normal((5, 6)).astype("float32")
    same(networks["generator"], z, np.asarray(model(z, training=False)) / 2 + 0.5, "image")
    assert found.parts["generator"].image == (16, 16, 3)


def unet():
    image = keras.Input((16, 16, 1))
    a = layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    b = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(a)
    c = layers.UpSampling2D()(b)
    return keras.Model(image, layers.Conv2D(1, 3, padding="same")(layers.Concatenate()([a, c])))


def convolutional():
    image = keras.Input((16, 16, 1))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(image)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(2, 3, padding="same", name="code")(x)
    code = layers.LeakyReLU(negative_slope=0.1)(layers.MaxPooling2D()(x))
    x = layers.UpSampling2D(4)(layers.Conv2D(8, 3, padding="same", activation="relu")(code))
    return keras.Model(image, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x)), keras.Model(image, code)


def test_an_autoencoder_is_cut_where_it_is_narrowest(tmp_path):
    whole, first = convolutional()
    whole.save(tmp_path / "ae.keras")
    networks, found = brought(tmp_path / "ae.keras", tmp_path)
    x = RNG.random((4, 16, 16, 1)).astype("float32")
    code = np.asarray(first(x))
    same(networks["encoder"], x, code, "latent")
    same(networks["decoder"], code, whole(x), "image")
    assert any("narrowest" in guess for guess in found.found.guesses)


def test_skip_connections_around_every_cut_make_a_translator(tmp_path):
    model = unet()
    model.save(tmp_path / "model.keras")
    networks, _ = brought(tmp_path / "model.keras", tmp_path, makes="unit", reads="unit")
    x = RNG.random((4, 16, 16, 1)).astype("float32")
    same(networks["translator"], x, model(x), "image")
    with pytest.raises(Refused, match="skip connections"):
        brought(tmp_path / "model.keras", tmp_path, role="autoencoder")


def test_an_autoencoder_of_flat_images(tmp_path):
    model = keras.Sequential(
        [keras.Input((784,)), layers.Dense(32, activation="relu"), layers.Dense(784, activation="sigmoid")]
    )
    model.save(tmp_path / "simple.h5")
    networks, found = brought(tmp_path / "simple.h5", tmp_path)
    x = RNG.random((4, 28, 28, 1)).astype("float32")
    code = networks["encoder"](x)["latent"]
    same(networks["decoder"], code, np.asarray(model(x.reshape(4, 784))).reshape(x.shape), "image")
    assert code.shape == (4, 32) and any("784" in guess for guess in found.found.guesses)


@pytest.mark.parametrize("one_hot", [False, True])
def test_a_conditional_generator_takes_labels_by_index(tmp_path, one_hot):
    z, label = keras.Input((5,)), keras.Input((10 if one_hot else 1,), name="label")
    given = label if one_hot else layers.Flatten()(layers.Embedding(10, 4)(label))
    x = layers.Dense(64, activation="sigmoid")(layers.Concatenate()([z, given]))
    model = keras.Model([z, label], layers.Reshape((8, 8, 1))(x))
    model.save(tmp_path / "cgan.keras")
    networks, found = brought(tmp_path / "cgan.keras", tmp_path)
    codes, classes = RNG.standard_normal((6, 5)).astype("float32"), np.arange(6).astype("int32")
    expected = model([codes, np.eye(10)[classes] if one_hot else classes[:, None]])
    same(networks["generator"], [codes, classes], expected, "image")
    assert found.parts["generator"].label.classes == 10


def test_a_classifier_gives_logits_and_features(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(12, activation="relu"),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.save(tmp_path / "c.keras")
    networks, found = brought(tmp_path / "c.keras", tmp_path)
    x = RNG.random((5, 28, 28, 1)).astype("float32")
    logits = networks["classifier"](x)["logits"]
    np.testing.assert_allclose(keras.ops.softmax(logits), model(x * 255), atol=1e-5)
    assert networks["classifier"](x)["features"].shape == (5, 12)
    assert set(brought(tmp_path / "c.keras", tmp_path, role="encoder")[0]) == {"encoder"}


class Vae(keras.Model):
    def __init__(self, encoder, decoder, **options):
        super().__init__(**options)
        self.encoder, self.decoder = encoder, decoder

    def call(self, inputs):
        return self.decoder(self.encoder(inputs)[0])

    def get_config(self):
        keep = keras.saving.serialize_keras_object
        return {"encoder": keep(self.encoder), "decoder": keep(self.decoder)}


def test_networks_held_by_a_class_of_its_own_come_in_without_it(tmp_path):
    image, z = keras.Input((8, 8, 1)), keras.Input((3,))
    x = layers.Flatten()(image)
    encoder = keras.Model(image, [layers.Dense(3, name="log_variance")(x), layers.Dense(3, name="mean")(x)])
    decoder = keras.Model(z, layers.Reshape((8, 8, 1))(layers.Dense(64, activation="sigmoid")(z)))
    whole = Vae(encoder, decoder)
    whole(np.zeros((1, 8, 8, 1), "float32"))
    whole.save(tmp_path / "vae.keras")
    networks, _ = brought(tmp_path / "vae.keras", tmp_path)
    x, z = RNG.random((4, 8, 8, 1)).astype("float32"), RNG.random((4, 3)).astype("float32")
    same(networks["encoder"], x, encoder(x)[1], "z_mean")
    same(networks["decoder"], z, decoder(z), "image")


def test_arithmetic_on_tensors_becomes_stock_layers(tmp_path):
    z = keras.Input((4,))
    x = layers.Reshape((8, 8, 1))(layers.Dense(64)(z))
    x = (keras.ops.tanh(x) + 1.0) * 127.5
    model = keras.Model(z, x)
    model.save(tmp_path / "g.keras")
    networks, _ = brought(tmp_path / "g.keras", tmp_path)
    codes = RNG.standard_normal((40, 4)).astype("float32")
    same(networks["generator"], codes, np.asarray(model(codes)) / 255, "image")


EVERY = {
    "separable": lambda x: layers.SeparableConv2D(4, 3, padding="same")(x),
    "depthwise": lambda x: layers.DepthwiseConv2D(3, depth_multiplier=2)(x),
    "grouped": lambda x: layers.Conv2D(4, 3, groups=2, dilation_rate=2)(x),
    "transposed": lambda x: layers.Conv2DTranspose(3, (3, 5), strides=(2, 3))(x),
    "output_padding": lambda x: layers.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1)(x),
    "average": lambda x: layers.AveragePooling2D(3, strides=2, padding="same")(x),
    "margins": lambda x: layers.Cropping2D(((1, 0), (2, 1)))(layers.ZeroPadding2D((1, 2))(x)),
    "prelu": lambda x: layers.PReLU(shared_axes=[1, 2], alpha_initializer="ones")(x),
    "elu": lambda x: layers.ELU(0.5)(x),
    "relu": lambda x: layers.ReLU(max_value=0.5, negative_slope=0.1, threshold=0.1)(x),
    "softmax": lambda x: layers.Softmax()(x),
    "layer_norm": lambda x: layers.LayerNormalization(axis=[2, 3])(x),
    "group_norm": lambda x: layers.GroupNormalization(groups=2)(x),
    "normalization": lambda x: layers.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0])(x),
    "dropout": lambda x: layers.GaussianNoise(0.1)(layers.SpatialDropout2D(0.5)(layers.Dropout(0.5)(x))),
    "permute": lambda x: layers.Permute((2, 1, 3))(x),
    "merge": lambda x: layers.Average()([layers.Maximum()([x, layers.ReLU()(x)]), layers.Multiply()([x, x]), x]),
    "subtract": lambda x: layers.Subtract()([x, layers.Dense(4)(x)]),
    "global": lambda x: layers.GlobalMaxPooling2D()(x),
    "repeat": lambda x: layers.RepeatVector(3)(layers.GlobalAveragePooling2D()(x)),
    "activation_layer": lambda x: layers.Conv2D(4, 3, activation=layers.LeakyReLU(negative_slope=0.05))(x),
}


@pytest.mark.parametrize("name", EVERY)
def test_every_layer_of_the_list_answers_as_the_original(tmp_path, name):
    image = keras.Input((8, 8, 1))
    x = layers.Dense(4, activation="gelu")(image)
    x = layers.Flatten()(EVERY[name](x))
    model = keras.Model(image, layers.Dense(3)(x))
    model.save(tmp_path / "x.keras")
    networks, _ = brought(tmp_path / "x.keras", tmp_path)
    given = RNG.random((4, 8, 8, 1)).astype("float32")
    same(networks["encoder"], given, model(given, training=False), "latent")


# Old forms ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["bare list", "axis", "groups", "modules", "names", "lambda sampling"])
def test_configurations_of_old_ages_are_understood(keras2, tmp_path, form):
    file = tmp_path / "old.h5"
    vae = form == "lambda sampling"
    file.write_bytes((keras2 / ("vae.h5" if vae else "generator.h5")).read_bytes())
    with h5py.File(file, "a") as opened:
        config = aged(json.loads(opened.attrs["model_config"]), form)
        opened.attrs["model_config"] = json.dumps(config)
    networks, _ = brought(file, tmp_path)
    if vae:
        same(networks["encoder"], *answers(keras2, "vae_mean"), "z_mean")
    else:
        same(networks["generator"], *answers(keras2, "generator"), "image")
