"""The layers of networks: what they are, what they compute, and that the network's one session gives both."""

import json

import linear_entries as linear
import numpy as np
import pytest
import tiny_entries as tiny
from conftest import ROOT, clear_caches, isolate, opened, texts
from onnx import helper

from zoo import models, networks
from zoo.analysis import layers
from zoo.entries import catalog
from zoo.errors import EntryError
from zoo.networks import inference, structure, trial
from zoo.networks.parameters import layer_parameters

EMBEDDED = catalog.entries([ROOT / "zoo" / "pretrained"])
KERNEL, BIAS = np.array([2, -1], np.float32).reshape(2, 1, 1, 1), np.array([0, 0.5], np.float32)
OUT = np.random.default_rng(0).normal(size=(32, 1)).astype(np.float32)


def known_network():
    """A discriminator named as tf2onnx names: two 1×1 convolutions with ReLU, as (C, H, W), flattened as (H, W, C)."""
    root = "net_1/"
    nodes = [
        helper.make_node("Transpose", ["image"], ["first"], f"{root}conv_1/BiasAdd__8", perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "kernel", "bias"], ["sum"], f"{root}conv_1/BiasAdd", kernel_shape=[1, 1]),
        helper.make_node("Relu", ["sum"], ["positive"], f"{root}act_1/Relu"),
        helper.make_node("Transpose", ["positive"], ["last"], "Transpose__9", perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["last", "shape"], ["flat"], f"{root}flat_1/Reshape"),
        helper.make_node("MatMul", ["flat", "out"], ["score"], f"{root}score_1/MatMul"),
    ]
    constants = {"kernel": KERNEL, "bias": BIAS, "out": OUT, "shape": np.array([-1, 32])}
    return tiny.network(nodes, {"image": tiny.SHAPE}, {"score": (1,)}, constants)


@pytest.fixture
def known(tmp_path, monkeypatch):
    isolate(monkeypatch, tmp_path, tmp_path / "hub")
    declared = {"file": "onnx/discriminator.onnx", "inputs": {"image": [4, 4, 1]}, "outputs": {"score": [1]}}
    return tiny.write(
        tmp_path / "known", (known_network(), ("discriminator", declared | {"parameters": 36})), latent=None
    )


def test_the_maps_of_a_known_network_are_known(known):
    images = tiny.images(5)
    outputs, maps = networks.trace(known, "discriminator", image=images)
    expected = np.maximum(images * KERNEL.ravel() + BIAS, 0)
    np.testing.assert_allclose(maps["conv"], expected, atol=1e-6)
    np.testing.assert_allclose(maps["score"], expected.reshape(5, 32) @ OUT, atol=1e-5)
    np.testing.assert_array_equal(maps["score"], outputs["score"])


def test_a_step_is_a_layer_with_its_activation_and_its_parameters(known):
    conv, score = networks.layers(known, "discriminator")
    assert (conv.name, conv.layers, conv.kind) == ("conv", ("conv", "act"), "convolution 1×1, ReLU")
    assert (conv.shape, conv.units, conv.parameters, conv.inputs) == ((4, 4, 2), 2, 4, ("",))
    assert (score.name, score.layers, score.kind) == ("score", ("score", "flat"), "dense")
    assert (score.shape, score.units, score.parameters, score.inputs) == ((1,), 1, 32, ("conv",))


def test_operators_without_names_are_layers_by_their_tensors():
    found = structure.layers_of(tiny.decoder("generator", conditional=True)[0])
    assert [layer.name for layer in found] == ["sum", "embedding", "total"]
    assert found[-1].tensor == "image"
    assert found[-1].inputs == ("sum", "embedding")
    assert found[-1].kind == "sum, sigmoid"
    assert sum(layer.parameters for layer in found) == tiny.DECODE.size + tiny.EMBED.size


def test_channels_first_or_last_follows_what_touches_the_tensor(known):
    conv, _ = networks.layers(known, "discriminator")
    assert not conv.channels_first  # the transposition behind it belongs to it

    def untransposed(model):
        model.graph.node[3].op_type = "Identity"
        model.graph.node[3].ClearField("attribute")

    content = tiny.rewrite(known_network(), untransposed)
    conv, _ = structure.layers_of(content)
    assert conv.channels_first
    assert (conv.shape, conv.stored) == ((4, 4, 2), (2, 4, 4))


def test_parameters_are_counted_as_keras_counts_them():
    bias, shape = {"use_bias": True}, {"build_config": {"input_shape": [None, 8, 8, 6]}}
    conv = {"class_name": "Conv2D", "config": {"name": "conv", "kernel_size": [3, 3], "filters": 4, **bias}, **shape}
    made = [
        conv,
        {"class_name": "DepthwiseConv2D", "config": {"name": "deep", "kernel_size": [3, 3], **bias}, **shape},
        {
            "class_name": "BatchNormalization",
            "config": {"name": "norm", "axis": -1, "scale": True, "center": True},
            **shape,
        },
        {"class_name": "SpectralNormalization", "config": {"name": "spectral", "layer": conv}, **shape},
        {"class_name": "Dense", "config": {"name": "dense", "units": 5, "use_bias": False}, **shape},
        {"class_name": "Embedding", "config": {"name": "embedding", "input_dim": 10, "output_dim": 3}},
        {
            "class_name": "Concatenate",
            "config": {"name": "both"},
            "build_config": {"input_shape": [[None, 6], [None, 3]]},
        },
    ]
    whole = {
        "config": {"name": "m", "layers": [{"class_name": "Functional", "config": {"name": "encoder", "layers": made}}]}
    }
    counts = layer_parameters(json.dumps(whole).encode(), "encoder")
    assert counts == {
        "conv": 9 * 6 * 4 + 4, "deep": 9 * 6 + 6, "norm": 24, "spectral": 9 * 6 * 4 + 4 + 4, "dense": 30,
        "embedding": 30, "both": 0,
    }  # fmt: skip
    assert layer_parameters(json.dumps(whole).encode(), "decoder") == {}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"config": 3}', b'{"config": {"layers": [1]}}', b"[" * 5000])
def test_a_configuration_of_another_form_counts_nothing(content):
    assert layer_parameters(content, "encoder") == {}


@pytest.mark.parametrize("entry", EMBEDDED, ids=lambda entry: entry.name)
def test_the_layers_of_every_embedded_network_end_in_its_outputs_and_have_all_its_parameters(entry):
    random = np.random.default_rng(0)
    for role, network in entry.manifest.networks.items():
        whole = {"label": len(entry.classes), "codes": 2}
        draw = {name: lambda shape, most=most: random.integers(most, size=shape) for name, most in whole.items()}
        real = random.standard_normal
        inputs = {name: draw.get(name, real)((3, *shape)) for name, shape in network.inputs.items()}
        plain = networks.run(entry, role, **inputs)
        found = networks.layers(entry, role)
        outputs, maps = networks.trace(entry, role, **inputs)
        assert sum(layer.parameters for layer in found) == network.parameters
        assert list(maps) == [layer.name for layer in found]
        assert {name: array.shape for name, array in maps.items()} == {la.name: (3, *la.shape) for la in found}
        by_tensor = {layer.tensor: layer.name for layer in found}
        for name, array in plain.items():
            np.testing.assert_allclose(outputs[name], array, atol=1e-5)
            np.testing.assert_allclose(maps[by_tensor[name]], array, atol=1e-5)


def test_a_network_has_one_session_whether_its_layers_are_looked_at_or_not(known, monkeypatch):
    images = tiny.images(300)
    before = networks.run(known, "discriminator", image=images)["score"]
    session = inference._sessions[(known, "discriminator")].session
    networks.layers(known, "discriminator")
    opened = inference._sessions[(known, "discriminator")]
    assert opened.session is not session
    np.testing.assert_array_equal(networks.run(known, "discriminator", image=images)["score"], before)
    assert inference._sessions[(known, "discriminator")].session is opened.session
    monkeypatch.setattr(inference, "LOOKING", 0.0)
    np.testing.assert_array_equal(networks.run(known, "discriminator", image=images)["score"], before)
    assert inference._sessions[(known, "discriminator")].layers == ()
    assert [key for key in inference._sessions if key[0] == known] == [(known, "discriminator")]


def test_only_the_layers_that_are_asked_for_are_kept(known):
    outputs, maps = networks.trace(known, "discriminator", ["score"], image=tiny.images(2))
    assert (list(outputs), list(maps)) == (["score"], ["score"])
    assert networks.trace(known, "discriminator", image=tiny.images(0))[1]["conv"].shape == (0, 4, 4, 2)


def test_layers_too_large_to_look_at_are_refused_and_the_batch_is_bounded(known, monkeypatch):
    monkeypatch.setattr(inference, "_sessions", type(inference._sessions)())
    monkeypatch.setattr(inference, "MAX_LAYER_VALUES", 33 * 8)
    assert networks.trace(known, "discriminator", image=tiny.images(20))[1]["conv"].shape == (20, 4, 4, 2)
    assert inference._sessions[(known, "discriminator")].chunk == 8
    monkeypatch.setattr(inference, "_sessions", type(inference._sessions)())
    monkeypatch.setattr(inference, "MAX_LAYER_VALUES", 32)
    with pytest.raises(EntryError, match=r"discriminator of known is refused: .* layers of 33 values"):
        networks.layers(known, "discriminator")


def test_a_strangers_network_is_tried_with_all_that_it_gives(tmp_path, monkeypatch):
    asked = []
    real = trial.refusal
    monkeypatch.setattr(trial, "refusal", lambda *of: asked.append(of[5]) or real(*of))
    entry = tiny.gan(tmp_path / "stranger")
    latents, labels = np.ones((3, 2), np.float32), np.array([0, 1, 2])
    _, maps = networks.trace(entry, "generator", latent=latents, label=labels)
    assert asked == [{}, {"sum": (16,), "embedding": (16,)}]
    np.testing.assert_allclose(maps["sum"], latents @ tiny.DECODE, atol=1e-5)
    np.testing.assert_allclose(maps["embedding"], tiny.EMBED, atol=1e-6)


def test_an_image_goes_through_encoder_bottleneck_and_decoder(tmp_path, monkeypatch):
    isolate(monkeypatch, tmp_path, tmp_path / "hub")
    entry = linear.autoencoder(tmp_path / "pca", "digits", 5)
    images = linear._data("digits")[0].images[:4]
    assert list(layers.ways(entry)) == ["autoencoder", "decoder"]
    roles = layers.ways(entry)["autoencoder"]
    blocks = layers.blocks(entry, roles)
    maps = layers.follow(entry, roles, images)
    assert list(maps) == [block.key for block in blocks]
    assert [block.key for block in blocks if block.code] == ["encoder.z_mean"]
    np.testing.assert_allclose(maps["encoder.z_mean"], models.encode(entry, images), atol=1e-5)
    np.testing.assert_allclose(maps[blocks[-1].key], models.reconstruct(entry, images), atol=1e-5)
    found = layers.responses(entry, roles, "encoder.z_mean", linear._data("digits")[0].images)
    np.testing.assert_allclose(found, models.encode(entry, linear._data("digits")[0].images), atol=1e-4)


def test_a_conditional_network_needs_classes(tmp_path, monkeypatch):
    isolate(monkeypatch, tmp_path, tmp_path / "hub")
    entry = tiny.gan(tmp_path / "gan")
    assert layers.ways(entry) == {"generator": ("generator",), "discriminator": ("discriminator",)}
    latents = np.zeros((2, 2), np.float32)
    with pytest.raises(ValueError, match="one class per image"):
        layers.follow(entry, ["generator"], latents)
    maps = layers.follow(entry, ["generator"], latents, np.array([0, 2]))
    np.testing.assert_allclose(maps["generator.embedding"], tiny.EMBED[[0, 2]], atol=1e-6)


def test_a_translator_takes_images_of_its_own_size(tmp_path, monkeypatch):
    isolate(monkeypatch, tmp_path, tmp_path / "hub")
    nodes = [helper.make_node("Slice", ["source", "start", "end", "axes"], ["image"])]
    corner = {"start": np.array([0, 0]), "end": np.array([4, 4]), "axes": np.array([1, 2])}
    content = tiny.network(nodes, {"source": (6, 5, 1)}, {"image": tiny.SHAPE}, corner)
    declared = {"inputs": {"source": [6, 5, 1]}, "outputs": {"image": [4, 4, 1]}, "parameters": 0}
    part = content, ("translator", {"file": "onnx/translator.onnx"} | declared)
    entry = tiny.write(tmp_path / "corner", part, latent=None)
    assert layers.ways(entry) == {"translator": ("translator",)}
    source = np.random.default_rng(0).random((2, 6, 5, 1), np.float32)
    assert [(block.key, block.layer.shape) for block in layers.blocks(entry, ["translator"])] == [
        ("input.source", (6, 5, 1)),
        ("translator.image", tiny.SHAPE),
    ]
    maps = layers.follow(entry, ["translator"], source)
    np.testing.assert_array_equal(maps["translator.image"], source[:, :4, :4])
    clear_caches()
    app = opened("pages/represent/layers.py", entry=entry.id)
    assert "cropped" in texts(app).lower()
    clear_caches()


def test_the_largest_response_of_a_unit_counts_and_ties_keep_their_order():
    maps = np.zeros((2, 3, 3, 2), np.float32)
    maps[0, 1, 2, 1], maps[1, 0, 0, 0] = 5, -1
    np.testing.assert_array_equal(layers.peaks(maps), [[0, 5], [0, 0]])
    assert layers.strongest(np.array([1, 3, 3, 2]), 3).tolist() == [1, 2, 3]


def test_colours_tell_the_sign_and_grow_lighter_with_the_size():
    colours = layers.tinted(np.array([-9, -1, -0.5, 0, 0.5, 1, 9]), 1)
    light = colours @ [0.2126, 0.7152, 0.0722]
    assert light[3] == 0
    assert light[0] == light[1] > light[2] > 0 < light[4] < light[5] == light[6]
    assert colours[2, 2] > colours[2, 0]  # blue
    assert colours[4, 0] > colours[4, 2]  # orange


def test_places_where_a_unit_is_silent_are_dark():
    images, maps = np.ones((1, 4, 4, 1), np.float32), np.array([[[2, 0], [-3, 1]]], np.float32)
    shown = layers.where(images, maps)[0, ..., 0]
    np.testing.assert_allclose(shown[:2, :2], 1)
    np.testing.assert_allclose(shown[:2, 2:], layers.DIM)
    np.testing.assert_allclose(shown[2:, :2], layers.DIM)
    np.testing.assert_allclose(shown[2:, 2:], (1 + layers.DIM) / 2)
    np.testing.assert_allclose(layers.where(images, -np.abs(maps)), layers.DIM)


def test_what_is_said_of_classes_and_parameters(known):
    assert layers.shares(np.array([1, 1, 0]), ("bag", "boot")) == "Of these 3: “boot” 2×, “bag” 1×."
    assert layers.shares(None, ("bag",)) == ""
    blocks = layers.blocks(known, ["discriminator"])
    assert layers.total(blocks) == "36 parameters"
    assert layers.table(blocks).splitlines()[2] == 'discriminator,conv,"convolution 1×1, ReLU",4×4×2,32,4'
    assert layers.described(blocks[1]) == "Convolution 1×1, ReLU. 4×4×2 = 32 values, 4 parameters."
