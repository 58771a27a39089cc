"""Weights alone of the tutorials' networks, as Keras 2 and 3 save them: they come in by their shapes and by name, and
answer as the originals do. The networks are written here from the tutorials' own descriptions, at their real sizes."""

import functools
import importlib.util
import json
import re

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="importing needs TensorFlow: pip install -r requirements.txt")

import training.device  # noqa: F401  (imports Keras quietly)

import keras  # isort: skip

import import_builds

from training.importing import Refused, entry, ranges
from training.importing.inference import KNOWN
from training.importing.inference import known as known_networks
from training.importing.options import Options

FILES = {"keras": "{}.weights.h5", "tf_keras": "{}.h5"}
AGES = [name for name in FILES if importlib.util.find_spec(name)]  # without tf_keras, real Keras 2 is left out
BATCH = 2
# Of Keras, and told by weights alone; those of PyTorch are among the strangers.
RECOGNISED = [name for name, known in KNOWN.items() if not known.get("torch") and "embedding" not in known]


# The tutorials' networks, in Keras 3 or real Keras 2 (k) --------------------------------------------------------------


def chain(k, shape, *layers):
    return k.Sequential([k.Input(shape), *layers])


def tensorflow_dcgan_generator(k):
    n, up = k.layers, functools.partial(k.layers.Conv2DTranspose, padding="same", use_bias=False)
    return chain(
        k, (100,), n.Dense(7 * 7 * 256, use_bias=False), n.BatchNormalization(), n.LeakyReLU(), n.Reshape((7, 7, 256)),
        up(128, 5), n.BatchNormalization(), n.LeakyReLU(), up(64, 5, strides=2), n.BatchNormalization(), n.LeakyReLU(),
        up(1, 5, strides=2, activation="tanh"),
    )  # fmt: skip


def tensorflow_dcgan_discriminator(k):
    n, down = k.layers, functools.partial(k.layers.Conv2D, kernel_size=5, strides=2, padding="same")
    return chain(
        k, (28, 28, 1), down(64), n.LeakyReLU(), n.Dropout(0.3), down(128), n.LeakyReLU(), n.Dropout(0.3),
        n.Flatten(), n.Dense(1),
    )  # fmt: skip


def tensorflow_cvae_encoder(k):
    n, down = k.layers, functools.partial(k.layers.Conv2D, kernel_size=3, strides=2, activation="relu")
    return chain(k, (28, 28, 1), down(32), down(64), n.Flatten(), n.Dense(2 + 2))


def tensorflow_cvae_decoder(k):
    n, up = k.layers, functools.partial(k.layers.Conv2DTranspose, kernel_size=3, padding="same")
    return chain(
        k, (2,), n.Dense(7 * 7 * 32, activation="relu"), n.Reshape((7, 7, 32)), up(64, strides=2, activation="relu"),
        up(32, strides=2, activation="relu"), up(1),
    )  # fmt: skip


def keras_gan_generator(k, given=128, grid=128):
    n, up = k.layers, functools.partial(k.layers.Conv2DTranspose, kernel_size=4, strides=2, padding="same")
    return chain(
        k, (given,), n.Dense(7 * 7 * grid), n.LeakyReLU(0.2), n.Reshape((7, 7, grid)), up(128), n.LeakyReLU(0.2),
        up(128), n.LeakyReLU(0.2), n.Conv2D(1, 7, padding="same", activation="sigmoid"),
    )  # fmt: skip


def keras_conditional_gan_generator(k):
    return keras_gan_generator(k, 128 + 10, 128 + 10)


def keras_gan_discriminator(k):
    n, down = k.layers, functools.partial(k.layers.Conv2D, kernel_size=3, strides=2, padding="same")
    return chain(
        k, (28, 28, 1), down(64), n.LeakyReLU(0.2), down(128), n.LeakyReLU(0.2), n.GlobalMaxPooling2D(), n.Dense(1)
    )


def keras_dcgan_generator(k):
    n, up = k.layers, functools.partial(k.layers.Conv2DTranspose, kernel_size=4, strides=2, padding="same")
    return chain(
        k, (128,), n.Dense(8 * 8 * 128), n.Reshape((8, 8, 128)), up(128), n.LeakyReLU(0.2), up(256), n.LeakyReLU(0.2),
        up(512), n.LeakyReLU(0.2), n.Conv2D(3, 5, padding="same", activation="sigmoid"),
    )  # fmt: skip


def keras_dcgan_discriminator(k):
    n, down = k.layers, functools.partial(k.layers.Conv2D, kernel_size=4, strides=2, padding="same")
    return chain(
        k, (64, 64, 3), down(64), n.LeakyReLU(0.2), down(128), n.LeakyReLU(0.2), down(128), n.LeakyReLU(0.2),
        n.Flatten(), n.Dropout(0.2), n.Dense(1, activation="sigmoid"),
    )  # fmt: skip


def keras_wgan_gp_generator(k):
    n, given = k.layers, k.Input((128,))
    x = n.LeakyReLU(0.2)(n.BatchNormalization()(n.Dense(4 * 4 * 256, use_bias=False)(given)))
    x = n.Reshape((4, 4, 256))(x)
    for filters in (128, 64, 1):
        x = n.Conv2D(filters, 3, padding="same", use_bias=False)(n.UpSampling2D(2)(x))
        x = n.BatchNormalization()(x)
        x = n.Activation("tanh")(x) if filters == 1 else n.LeakyReLU(0.2)(x)
    return k.Model(given, n.Cropping2D(2)(x))


def keras_wgan_gp_discriminator(k):
    n, given = k.layers, k.Input((28, 28, 1))
    x = n.ZeroPadding2D(2)(given)
    for filters, drop in ((64, 0), (128, 0.3), (256, 0.3), (512, 0)):
        x = n.LeakyReLU(0.2)(n.Conv2D(filters, 5, strides=2, padding="same")(x))
        x = n.Dropout(drop)(x) if drop else x
    return k.Model(given, n.Dense(1)(n.Dropout(0.2)(n.Flatten()(x))))


def keras_vae_encoder(k):
    class Sampling(k.layers.Layer):
        """The tutorial's layer; Keras 3 keeps the state of its generator of random numbers in the file."""

        def __init__(self):
            super().__init__()
            if k is keras:
                self.seed_generator = keras.random.SeedGenerator(1)

        def call(self, inputs):
            return inputs[0]

    n, image = k.layers, k.Input((28, 28, 1))
    x = n.Conv2D(64, 3, strides=2, padding="same", activation="relu")(
        n.Conv2D(32, 3, strides=2, padding="same", activation="relu")(image)
    )
    x = n.Dense(16, activation="relu")(n.Flatten()(x))
    mean, log_variance = n.Dense(2, name="z_mean")(x), n.Dense(2, name="z_log_var")(x)
    return k.Model(image, [mean, log_variance, Sampling()([mean, log_variance])])


def keras_vae_decoder(k, latent=2):
    n, up = k.layers, functools.partial(k.layers.Conv2DTranspose, kernel_size=3, padding="same")
    return chain(
        k, (latent,), n.Dense(7 * 7 * 64, activation="relu"), n.Reshape((7, 7, 64)),
        up(64, strides=2, activation="relu"), up(32, strides=2, activation="relu"), up(1, activation="sigmoid"),
    )  # fmt: skip


def keras_denoising_autoencoder(k):
    n, image = k.layers, k.Input((28, 28, 1))
    x = image
    for _ in range(2):
        x = n.MaxPooling2D(2, padding="same")(n.Conv2D(32, 3, activation="relu", padding="same")(x))
    for _ in range(2):
        x = n.Conv2DTranspose(32, 3, strides=2, activation="relu", padding="same")(x)
    return k.Model(image, n.Conv2D(1, 3, activation="sigmoid", padding="same")(x))


def keras_dcgan_tanh_generator(k):
    n = k.layers
    return chain(
        k, (100,), n.Dense(1024), n.Activation("tanh"), n.Dense(128 * 7 * 7), n.BatchNormalization(),
        n.Activation("tanh"), n.Reshape((7, 7, 128)), n.UpSampling2D(2), n.Conv2D(64, 5, padding="same"),
        n.Activation("tanh"), n.UpSampling2D(2), n.Conv2D(1, 5, padding="same"), n.Activation("tanh"),
    )  # fmt: skip


def advanced_keras_dcgan_generator(k):
    n, given = k.layers, k.Input((100,))
    x = n.Reshape((7, 7, 128))(n.Dense(7 * 7 * 128)(given))
    for filters, strides in ((128, 2), (64, 2), (32, 1), (1, 1)):
        x = n.Activation("relu")(n.BatchNormalization()(x))
        x = n.Conv2DTranspose(filters, 5, strides=strides, padding="same")(x)
    return k.Model(given, n.Activation("sigmoid")(x))


def keras_acgan_generator(k):
    """The label's embedding is multiplied with the code."""
    n, z, label = k.layers, k.Input((100,)), k.Input((1,), dtype="int32")
    x = n.Multiply()([z, n.Flatten()(n.Embedding(10, 100)(label))])
    x = n.Reshape((3, 3, 384))(n.Dense(3 * 3 * 384, activation="relu")(x))
    x = n.Conv2DTranspose(192, 5, activation="relu")(x)
    x = n.Conv2DTranspose(96, 5, strides=2, padding="same", activation="relu")(x)
    return k.Model([z, label], n.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh")(x))


# Made, saved, imported ------------------------------------------------------------------------------------------------


package = importlib.import_module


def settled(model, seed=5):
    """A network whose every weight shows when it is mixed up, and whose values stay moderate."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if layer.get_weights():
            normal = type(layer).__name__ == "BatchNormalization"
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, w.shape) if normal else rng.standard_normal(w.shape) * scale(w.shape)
                    for w in layer.get_weights()
                ]
            )
    return model


def scale(shape):
    return (2 / max(np.prod(shape[:-1]), 1)) ** 0.5 if len(shape) > 1 else 0.1


def made(name, k):
    return settled(globals()[name.replace("-", "_")](k))


def given(model):
    """What goes in: codes, or images in [0, 1]."""
    rng, shape = np.random.default_rng(1), (BATCH, *model.input_shape[1:])
    return (rng.random(shape) if len(shape) > 2 else rng.standard_normal(shape)).astype("float32")


def brought(path, tmp_path, monkeypatch, **options):
    """(networks by role in [0, 1], the draft, what was guessed) of a source."""
    monkeypatch.setattr(ranges, "TRIED", 2)  # of the real sizes
    networks, draft = import_builds.brought(path, tmp_path, **options)
    return networks, draft, draft.found.guesses


def read(path, tmp_path, **options):
    (draft,) = import_builds.drafts(path, tmp_path, **options)
    return draft, draft.found.guesses


def plan(draft):
    """What would be built: the layers, their arguments, calls and weights, without the layers' names."""
    graphs, arrays = {role: part.graph for role, part in draft.parts.items()}, draft.arrays
    calls = {r: [(c.layer.kind, c.layer.spec, c.inputs, c.output) for c in g.calls] for r, g in graphs.items()}
    return calls, {role: [w.tobytes() for ws in arrays[role].values() for w in ws] for role in graphs}


def compare(networks, model, name):
    """The imported networks answer as the original, whose images lead from and to [0, 1] as the tutorial says."""
    x = given(model)
    scaled = name in ("tensorflow-dcgan-discriminator", "keras-wgan-gp-discriminator")
    expected = model(2 * x - 1 if scaled else x, training=False)
    if name == "keras-conditional-gan-generator":  # codes and one-hot labels, joined
        classes = np.arange(BATCH).astype("int32")
        expected = model(np.concatenate([x[:, :128], np.eye(10, dtype="float32")[classes]], 1), training=False)
        got = networks["generator"]([x[:, :128], classes], training=False)["image"]
    elif name == "keras-denoising-autoencoder":
        got = networks["decoder"](networks["encoder"](x, training=False)["latent"], training=False)["image"]
    elif name == "keras-vae-encoder":
        outputs = networks["encoder"](x, training=False)
        got, expected = np.hstack([outputs["z_mean"], outputs["z_log_var"]]), np.hstack(expected[:2])
    else:
        (network,) = networks.values()
        (got,) = network(x, training=False).values()
    expected = np.asarray(expected)
    if name in ("tensorflow-dcgan-generator", "keras-wgan-gp-generator", "keras-dcgan-tanh-generator"):
        expected = expected / 2 + 0.5
    if name == "tensorflow-cvae-decoder":
        expected = 1 / (1 + np.exp(-expected))
    assert got.shape == expected.shape and expected.std() > 1e-3
    np.testing.assert_allclose(np.asarray(got), expected, atol=1e-4)


ROLES = {
    "generator": {"generator"}, "decoder": {"decoder"}, "encoder": {"encoder"}, "discriminator": {"discriminator"},
    "autoencoder": {"encoder", "decoder"},
}  # fmt: skip


@pytest.mark.parametrize("name", RECOGNISED)
def test_weights_alone_of_a_tutorial_come_in_as_its_network(tmp_path, monkeypatch, name):
    paths, plans = [tmp_path / FILES[age].format(name) for age in AGES], []
    for age, path in zip(AGES, paths, strict=True):
        model = made(name, package(age))  # with the same weights
        model.save_weights(path)
        draft, guesses = read(path, tmp_path)
        assert set(draft.parts) == ROLES[name.rpartition("-")[2]]
        # Shapes are a hint and no proof; a choice is neither, and gives the very same networks.
        assert sum(f"The shapes of the weights are those of {KNOWN[name]['title']}" in guess for guess in guesses) == 1
        assert any("strides and activations are taken from it" in guess for guess in guesses)
        picked, said = read(path, tmp_path, architecture=name)
        assert not any("shapes of the weights" in guess for guess in said)
        plans += [plan(draft), plan(picked)]
    assert all(item == plans[0] for item in plans)  # of all ages: one of them answers for all
    networks, draft, guesses = brought(paths[0], tmp_path, monkeypatch)
    compare(networks, model, name)
    # The tutorial tells the prior of codes, unless somebody says it.
    chosen, _ = entry.as_in_the_tutorial(draft.parts, Options(), guesses)
    assert chosen.prior == KNOWN[name].get("prior")
    said, _ = entry.as_in_the_tutorial(draft.parts, Options(prior="none"), guesses)
    assert said.prior == "none"


def test_a_tutorial_that_multiplies_label_and_code_tells_its_prior(tmp_path):
    settled(keras_acgan_generator(keras)).save(tmp_path / "generator.keras")
    draft, guesses = read(tmp_path / "generator.keras", tmp_path)
    chosen, usual = entry.as_in_the_tutorial(draft.parts, Options(), guesses)
    assert (chosen.prior, usual) == ("uniform", "symmetric")
    assert any("Keras' ACGAN example (keras-acgan-generator)" in guess for guess in guesses)


def together(k, **networks):
    """Two networks in a class of its own, as the tutorials hold them."""

    class Whole(k.Model):
        def __init__(self):
            super().__init__()
            for name, network in networks.items():
                setattr(self, name, network)

        def call(self, x):
            first, second = (getattr(self, name) for name in networks)
            y = first(x)
            y = y[0] if isinstance(y, list | tuple) else y
            return second(y[:, :2] if len(y.shape) == 2 else y)

    whole = Whole()
    whole(given(next(iter(networks.values()))))
    return whole


@pytest.mark.parametrize("tutorial", ["keras-vae", "tensorflow-cvae"])
def test_both_networks_of_a_vae_come_in_from_one_file_of_weights(tmp_path, monkeypatch, tutorial):
    plans = []
    for age in AGES:
        encoder, decoder = (made(f"{tutorial}-{role}", package(age)) for role in ("encoder", "decoder"))
        path = tmp_path / FILES[age].format("whole")
        together(package(age), encoder=encoder, decoder=decoder).save_weights(path)
        plans.append(plan(read(path, tmp_path)[0]))
    assert all(item == plans[0] for item in plans)
    networks, draft, guesses = brought(path, tmp_path, monkeypatch)
    assert len([guess for guess in guesses if "shapes of the weights are those" in guess]) == 2
    outputs = networks["encoder"](given(encoder), training=False)
    expected = encoder(given(encoder), training=False)
    expected = np.hstack(expected[:2] if isinstance(expected, list) else [expected])
    np.testing.assert_allclose(np.hstack([outputs["z_mean"], outputs["z_log_var"]]), expected, atol=1e-4)
    compare({"decoder": networks["decoder"]}, decoder, f"{tutorial}-decoder")
    picked, said = read(path, tmp_path, architecture=f"{tutorial}-decoder")
    assert plan(picked) == plan(draft)
    assert len([guess for guess in said if "shapes of the weights are those" in guess]) == 1


def test_both_networks_of_a_gan_come_in_from_one_file_of_weights(tmp_path, monkeypatch):
    plans = []
    for age in AGES:
        models = {role: made(f"keras-gan-{role}", package(age)) for role in ("generator", "discriminator")}
        path = tmp_path / FILES[age].format("whole")
        together(package(age), **models).save_weights(path)
        plans.append(plan(read(path, tmp_path)[0]))
    assert all(item == plans[0] for item in plans)
    networks, _, guesses = brought(path, tmp_path, monkeypatch)
    assert len([guess for guess in guesses if "shapes of the weights are those" in guess]) == 2
    for role, model in models.items():
        compare({role: networks[role]}, model, f"keras-gan-{role}")


def test_a_tutorial_with_other_latent_values_is_recognised(tmp_path, monkeypatch):
    model = settled(keras_vae_decoder(keras, latent=16))
    model.save_weights(tmp_path / "x.weights.h5")
    networks, _, guesses = brought(tmp_path / "x.weights.h5", tmp_path, monkeypatch)
    compare(networks, model, "keras-vae-decoder")
    assert any("(keras-vae-decoder) up to the number of latent values; strides" in guess for guess in guesses)


def test_names_of_layers_that_contradict_a_tutorial_are_believed(tmp_path, monkeypatch):
    given = keras.Input((128,))
    x = keras.layers.Reshape((7, 7, 128))(keras.layers.ReLU()(keras.layers.Dense(7 * 7 * 128)(given)))
    for _ in range(2):
        x = keras.layers.ReLU()(keras.layers.Conv2DTranspose(128, 4, strides=2, padding="same")(x))
    model = settled(keras.Model(given, keras.layers.Conv2D(1, 7, padding="same", activation="sigmoid")(x)))
    model.save_weights(tmp_path / "x.weights.h5")
    networks, _, guesses = brought(tmp_path / "x.weights.h5", tmp_path, monkeypatch)
    compare(networks, model, "relu")
    assert not any("those of" in guess for guess in guesses) and any("ReLU is guessed" in guess for guess in guesses)


def test_a_picked_architecture_that_does_not_fit_is_refused(tmp_path):
    settled(keras_vae_decoder(keras)).save_weights(tmp_path / "x.weights.h5")
    with pytest.raises(Refused, match="do not fit the generator of TensorFlow's DCGAN tutorial"):
        read(tmp_path / "x.weights.h5", tmp_path, architecture="tensorflow-dcgan-generator")


# What a user must correct where a network's shapes are known to nobody. None: shapes cannot tell that labels go in,
# that no activation follows the first layer, what the margins lose or gain, or in which order pooling and layers of two
# kinds stand.
CORRECTIONS = {
    "tensorflow-dcgan-generator": {},
    "tensorflow-dcgan-discriminator": {"reads": "symmetric"},
    "tensorflow-cvae-encoder": {},
    "tensorflow-cvae-decoder": {},
    "keras-gan-generator": {"activation": "leaky_relu", "last": "sigmoid"},
    "keras-gan-discriminator": {"activation": "leaky_relu"},
    "keras-conditional-gan-generator": None,
    "keras-dcgan-generator": None,
    "keras-dcgan-discriminator": {"activation": "leaky_relu", "last": "sigmoid"},
    "keras-wgan-gp-generator": None,
    "keras-wgan-gp-discriminator": None,
    "keras-vae-encoder": {},
    "keras-vae-decoder": {},
    "keras-denoising-autoencoder": None,
    "keras-dcgan-tanh-generator": {"activation": "tanh", "last": "tanh"},
    "advanced-keras-dcgan-generator": None,
}


@pytest.mark.parametrize("name", RECOGNISED)
def test_shapes_that_no_tutorial_has_are_told_as_guesses(tmp_path, monkeypatch, name):
    """The rules for unknown networks, tried on the known ones: strides and activations are guesses, to be corrected."""
    path = tmp_path / FILES["keras"].format(name)
    model = made(name, keras)
    model.save_weights(path)
    monkeypatch.setattr(known_networks, "KNOWN", {})
    corrections = CORRECTIONS[name]
    if corrections is None:
        _, guesses = read(path, tmp_path)
    else:
        networks, _, guesses = brought(path, tmp_path, monkeypatch, **corrections)
        compare(networks, model, name)
    for words in ("The file holds weights alone", r"are guessed \(strides\)", r"is guessed \(activation\)"):
        assert any(re.search(words, guess) for guess in guesses)
    left_out = {"keras-wgan-gp-generator": "'cropping2d'", "keras-wgan-gp-discriminator": "'zero_padding2d'"}
    assert any(left_out.get(name, "weights alone") in guess for guess in guesses)


def test_every_known_architecture_is_described_and_no_two_have_the_same_shapes():
    seen = set()
    for name, known in KNOWN.items():
        assert known["source"].startswith("https://") and known["title"]
        layers = known_networks.layers_of(known_networks.network_of(known, name))
        seen.add(json.dumps([[shape for _, shape in layer.spec.weights] for layer in layers if layer.spec.weights]))
    assert len(seen) == len(KNOWN)
