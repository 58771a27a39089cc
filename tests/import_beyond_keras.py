"""Files of strangers beside Keras: ONNX as PyTorch exports it, state_dicts of PyTorch, and the tutorials that tell a
prior. Imported by test_import_strangers.py, which tries all of STRANGERS."""

import shutil

import keras
import numpy as np
import onnx
from conftest import ROOT
from import_strangers import Answer, Wanted, answer, codes, half, images, settled, stranger
from keras import layers
from onnx import TensorProto, helper
from torch_files import RNG, Network, safetensors, save, state_dict

from training.importing.inference.known import KNOWN
from zoo import models
from zoo.entries import read

PRETRAINED = ROOT / "zoo" / "pretrained"


def last(x):
    """(N, C, H, W) → (N, H, W, C)."""
    return x.transpose(0, 2, 3, 1)


def first(x):
    """(N, H, W, C) → (N, C, H, W)."""
    return x.transpose(0, 3, 1, 2)


# ONNX: what comes in -------------------------------------------------------------------------------------------------


def dcgan(channels=1, size=24, widths=(16, 12, 8)) -> Network:
    """The generator of PyTorch's DCGAN tutorial, by default smaller: (N, size, 1, 1) → (N, channels, 32, 32)."""
    net = Network()
    x = net.given("input", size, 1, 1)
    sizes = [size, *widths, channels]
    for index, (given, made) in enumerate(zip(sizes, sizes[1:], strict=False)):
        stride, padding = (2, 1) if index else (1, 0)
        x = net.transposed(x, f"main.{3 * index}", given, made, 4, stride, padding, bias=False)
        if index < len(widths):
            x = net.node("Relu", net.normalised(x, f"main.{3 * index + 1}", made))
    net.returned(net.node("Tanh", x), "output", channels, 4 << len(widths), 4 << len(widths))
    return net


@stranger
def an_onnx_generator_of_pytorch(folder):
    net = dcgan(channels=3)
    onnx.save(net.model(), folder / "netG.onnx")
    z = codes(24)
    return Wanted(
        folder / "netG.onnx", [{"generator"}],
        [Answer("generator", z, "image", half(last(net.run(z[..., None, None])[0])))], says="ONNX",
    )  # fmt: skip


def _grown(x: str, net: Network, last: str = "Sigmoid") -> str:
    x = net.shaped(net.node("Relu", net.linear(x, "fc", 6, 128)), 1, 8, 4, 4)
    x = net.node("Relu", net.transposed(x, "up1", 8, 6, 4, 2, 1))
    return net.node(last, net.transposed(x, "up2", 6, 3, 4, 2, 1))


@stranger
def an_onnx_generator_of_one_image(folder):
    """What torch.onnx.export writes without dynamic_axes: one image, also in the constants of Reshape."""
    net = Network()
    net.returned(_grown(net.given("z", 6), net), "image", 3, 16, 16)
    onnx.save(net.model(1), folder / "generator.onnx")
    z = codes(6)
    wanted = np.concatenate([net.run(z[i : i + 1], batch=1)[0] for i in range(len(z))])
    return Wanted(
        folder / "generator.onnx", [{"generator"}], [Answer("generator", z, "image", last(wanted))], exported=True,
        says="exactly 1",
    )  # fmt: skip


def vae(logarithm: float = 0.5) -> Network:
    """The VAE of PyTorch's examples, smaller, as it is exported whole: it draws its code inside.

    `logarithm` · the second head is the logarithm of the deviation."""
    net = Network()
    x = net.shaped(net.given("x", 1, 28, 28), -1, 784)
    x = net.node("Relu", net.linear(x, "fc1", 784, 32))
    mean, log = net.linear(x, "fc21", 32, 5), net.linear(x, "fc22", 32, 5)
    deviation = net.node("Exp", log if logarithm == 1 else net.node("Mul", log, net.constant(logarithm)))
    drawn = net.node("Mul", net.node("RandomNormalLike", deviation), deviation)
    x = net.node("Relu", net.linear(net.node("Add", mean, drawn), "fc3", 5, 32))
    net.returned(net.node("Sigmoid", net.linear(x, "fc4", 32, 784)), "recon", 784)
    net.returned(mean, "mu", 5)
    net.returned(log, "logvar", 5)
    return net


def _decoded(state: dict, z: np.ndarray) -> np.ndarray:
    x = np.maximum(z @ state["fc3.weight"].T + state["fc3.bias"], 0)
    return (1 / (1 + np.exp(-(x @ state["fc4.weight"].T + state["fc4.bias"])))).reshape(-1, 28, 28, 1)


@stranger
def an_onnx_vae_of_pytorch(folder):
    net = vae()
    onnx.save(net.model(), folder / "vae.onnx")
    x, z = images(28, 28, 1), codes(5)
    _, mean, log = net.run(first(x))
    return Wanted(
        folder / "vae.onnx", [{"encoder", "decoder"}],
        [Answer("encoder", x, "z_mean", mean), Answer("encoder", x, "z_log_var", log),
         Answer("decoder", z, "image", _decoded(net.state, z))],
        exported=True,
    )  # fmt: skip


@stranger
def an_onnx_vae_whose_head_is_the_logarithm_of_the_deviation(folder):
    net = vae(logarithm=1)
    onnx.save(net.model(), folder / "vae.onnx")
    x = images(28, 28, 1)
    _, mean, log = net.run(first(x))
    return Wanted(
        folder / "vae.onnx", [{"encoder", "decoder"}],
        [Answer("encoder", x, "z_mean", mean), Answer("encoder", x, "z_log_var", 2 * log)],
    )  # fmt: skip


@stranger
def an_onnx_encoder_of_twice_as_many_values(folder):
    encoder, decoder = Network(), Network()
    x = encoder.node("Flatten", encoder.given("image", 1, 8, 8), axis=1)
    encoder.returned(encoder.linear(x, "fc", 64, 6), "params", 6)
    x = decoder.node("Sigmoid", decoder.linear(decoder.given("z", 3), "fc", 3, 64))
    decoder.returned(decoder.shaped(x, -1, 1, 8, 8), "image", 1, 8, 8)
    onnx.save(encoder.model(), folder / "encoder.onnx")
    onnx.save(decoder.model(), folder / "decoder.onnx")
    x = images(8, 8, 1)
    (both,) = encoder.run(first(x))
    return Wanted(
        folder, [{"encoder", "decoder"}],
        [Answer("encoder", x, "z_mean", both[:, :3]), Answer("encoder", x, "z_log_var", both[:, 3:])],
    )  # fmt: skip


@stranger
def an_onnx_generator_with_labels_joined_outside(folder):
    net = Network()
    x = net.node("Sigmoid", net.transposed(net.given("z", 14, 1, 1), "up", 14, 3, 8))
    net.returned(x, "image", 3, 8, 8)
    onnx.save(net.model(), folder / "cgan.onnx")
    z, label = codes(4), np.arange(5)
    joined = np.concatenate([z, np.eye(10, dtype="float32")[label]], axis=1)
    return Wanted(
        folder / "cgan.onnx", [{"generator"}],
        [Answer("generator", [z, label.astype("int32")], "image", last(net.run(joined[..., None, None])[0]))],
        options={"classes": 10},
    )  # fmt: skip


@stranger
def an_onnx_discriminator_of_patches(folder):
    net = Network()
    x = net.leaky(net.convolution(net.given("image", 3, 32, 32), "0", 3, 6, 4, 2, 1))
    net.returned(net.convolution(x, "2", 6, 1, 4, 2, 1), "scores", 1, 8, 8)
    onnx.save(net.model(), folder / "netD.onnx")
    x = images(32, 32, 3)
    return Wanted(
        folder / "netD.onnx", [{"discriminator"}],
        [Answer("discriminator", x, "score", net.run(first(2 * x - 1))[0].mean(axis=(2, 3)))],
        options={"reads": "symmetric"},
    )  # fmt: skip


@stranger
def an_onnx_decoder_of_logits(folder):
    net = Network()
    x = net.linear(net.given("z", 4), "fc", 4, 64)
    net.returned(net.shaped(net.node("Mul", x, net.constant(9.0)), -1, 1, 8, 8), "logits", 1, 8, 8)
    onnx.save(net.model(), folder / "decoder.onnx")
    z = codes(4)
    return Wanted(
        folder / "decoder.onnx", [{"decoder"}],
        [Answer("decoder", z, "image", 1 / (1 + np.exp(-last(net.run(z)[0]))))], says="logits",
    )  # fmt: skip


@stranger
def onnx_encoder_and_decoder_of_a_spatial_code(folder):
    encoder, decoder = Network(), Network()
    x = encoder.node("Relu", encoder.convolution(encoder.given("image", 3, 32, 32), "0", 3, 8, 3, 2, 1))
    encoder.returned(encoder.convolution(x, "2", 8, 4, 3, 2, 1), "code", 4, 8, 8)
    x = decoder.node("Relu", decoder.transposed(decoder.given("code", 4, 8, 8), "0", 4, 8, 3, 2, 1, 1))
    decoder.returned(decoder.node("Sigmoid", decoder.transposed(x, "2", 8, 3, 3, 2, 1, 1)), "image", 3, 32, 32)
    onnx.save(encoder.model(), folder / "encoder.onnx")
    onnx.save(decoder.model(), folder / "decoder.onnx")
    x, z = images(32, 32, 3), codes(8, 8, 4)
    return Wanted(
        folder, [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", last(encoder.run(first(x))[0])),
         Answer("decoder", z, "image", last(decoder.run(first(z))[0]))],
    )  # fmt: skip


@stranger
def an_onnx_discriminator_that_asks_for_shapes(folder):
    """x.view(x.size(0), -1) as it is traced, and a score without an axis of its own."""
    net = Network()
    image = net.given("img", 1, 16, 16)
    x = net.leaky(net.convolution(image, "0", 1, 6, 3, 2, 1))
    count = net.node("Gather", net.node("Shape", x), net.constant(0, "int64"), axis=0)
    sizes = [net.node("Unsqueeze", count, net.constant([0], "int64")), net.constant([-1], "int64")]
    x = net.node("Reshape", x, net.node("Concat", *sizes, axis=0))
    x = net.node("Sigmoid", net.linear(x, "3", 6 * 8 * 8, 1))
    net.returned(net.node("Squeeze", x, net.constant([1], "int64")), "validity")
    onnx.save(net.model(), folder / "discriminator.onnx")
    x = images(16, 16, 1)
    return Wanted(
        folder / "discriminator.onnx", [{"discriminator"}],
        [Answer("discriminator", x, "score", net.run(first(x))[0][:, None])], options={"reads": "unit"},
    )  # fmt: skip


@stranger
def an_onnx_classifier(folder):
    net = Network()
    x = net.node("Relu", net.convolution(net.given("input", 1, 16, 16), "conv", 1, 4, 3, 2, 1))
    features = net.node("Relu", net.linear(net.node("Flatten", x, axis=1), "fc1", 256, 12))
    logits = net.linear(features, "fc2", 12, 10)
    net.returned(net.node("LogSoftmax", logits, axis=1), "output", 10)
    onnx.save(net.model(), folder / "mnist_classifier.onnx")
    beside = net.up_to(logits, "logits", 10)
    x = images(16, 16, 1)
    return Wanted(
        folder / "mnist_classifier.onnx", [{"classifier"}],
        [Answer("classifier", x, "logits", beside.run(first(x))[0])], options={"reads": "unit"},
    )  # fmt: skip


@stranger
def an_onnx_autoencoder_in_one(folder):
    net = Network()
    x = net.node("Relu", net.convolution(net.given("input", 1, 28, 28), "encoder.0", 1, 8, 3, 2, 1))
    code = net.linear(
        net.node("Flatten", net.node("Relu", net.convolution(x, "encoder.2", 8, 4, 3, 2, 1))), "e", 196, 7
    )
    x = net.shaped(net.node("Relu", net.linear(code, "decoder.0", 7, 196)), -1, 4, 7, 7)
    x = net.node("Relu", net.transposed(x, "decoder.2", 4, 8, 3, 2, 1, 1))
    net.returned(net.node("Sigmoid", net.transposed(x, "decoder.4", 8, 1, 3, 2, 1, 1)), "output", 1, 28, 28)
    inner = net.up_to(code, "code", 7)
    onnx.save(net.model(), folder / "autoencoder.onnx")
    x = images(28, 28, 1)
    (z,) = inner.run(first(x))
    return Wanted(
        folder / "autoencoder.onnx", [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", z), Answer("decoder", z, "image", last(net.run(first(x))[0]))],
    )  # fmt: skip


@stranger
def an_onnx_generator_of_classes(folder):
    net = Network()
    z, label = net.given("noise", 6), net.given("labels", kind=TensorProto.INT64)
    table = net.weight("label_emb.weight", RNG.standard_normal((10, 4)))
    x = net.node("Concat", net.node("Gather", table, label), z, axis=1)
    x = net.leaky(net.linear(x, "model.0", 10, 24))
    x = net.node("Tanh", net.linear(x, "model.2", 24, 256))
    net.returned(net.shaped(x, -1, 1, 16, 16), "image", 1, 16, 16)
    onnx.save(net.model(), folder / "cgan_generator.onnx")
    z, label = codes(6), np.arange(5)
    return Wanted(
        folder / "cgan_generator.onnx", [{"generator"}],
        [Answer("generator", [z, label.astype("int32")], "image", half(last(net.run(z, label)[0])))], exported=True,
    )  # fmt: skip


@stranger
def an_onnx_translator_in_colour(folder):
    net = Network()
    a = net.node("Relu", net.convolution(net.given("image", 3, 16, 16), "down", 3, 6, 3, 1, 1))
    b = net.node("Relu", net.transposed(net.convolution(a, "in", 6, 8, 4, 2, 1), "up", 8, 6, 4, 2, 1))
    x = net.node("Concat", a, b, axis=1)
    net.returned(net.node("Tanh", net.convolution(x, "out", 12, 3, 3, 1, 1)), "out", 3, 16, 16)
    onnx.save(net.model(), folder / "pix2pix_generator.onnx")
    x = images(16, 16, 3)
    return Wanted(
        folder / "pix2pix_generator.onnx", [{"translator"}],
        [Answer("translator", x, "image", half(last(net.run(first(2 * x - 1))[0])))], options={"reads": "symmetric"},
    )  # fmt: skip


@stranger
def an_onnx_generator_in_half_precision(folder):
    net = Network()
    z = net.given("z", 6, kind=TensorProto.FLOAT16)
    kernel, shift = net.constant(RNG.standard_normal((6, 64)), "float16"), net.constant(np.zeros(64), "float16")
    x = net.node("Sigmoid", net.node("Gemm", z, kernel, shift))
    net.returned(net.shaped(x, -1, 1, 8, 8), "image", 1, 8, 8, kind=TensorProto.FLOAT16)
    onnx.save(net.model(), folder / "generator_fp16.onnx")
    z = codes(6).astype("float16").astype("float32")
    return Wanted(
        folder / "generator_fp16.onnx", [{"generator"}],
        [Answer("generator", z, "image", last(net.run(z.astype("float16"))[0]).astype("float32"))],
    )  # fmt: skip


@stranger
def an_onnx_generator_that_was_trained_on_flat_colours(folder):
    """A vector of 3·16·16 values of PyTorch holds one channel behind the other."""
    net = Network()
    x = net.leaky(net.linear(net.given("z", 7), "model.0", 7, 16))
    net.returned(net.node("Tanh", net.linear(x, "model.2", 16, 768)), "img", 768)
    onnx.save(net.model(), folder / "generator.onnx")
    z = codes(7)
    wanted = half(last(net.run(z)[0].reshape(-1, 3, 16, 16)))
    return Wanted(folder / "generator.onnx", [{"generator"}], [Answer("generator", z, "image", wanted)])


@stranger
def onnx_networks_of_this_zoo(folder):
    """Exports of Keras: channels last, labels looked up in a table, weights kept in half precision."""
    shutil.copytree(PRETRAINED / "fashion-cvae" / "onnx", folder / "onnx")
    made, z, label = read(PRETRAINED / "fashion-cvae"), codes(16), np.arange(5).astype("int32")
    x = images(28, 28, 1)
    means = models.encode(made, x, label)
    return Wanted(
        folder / "onnx", [{"encoder", "decoder"}],
        [Answer("encoder", [x, label], "z_mean", means),
         Answer("decoder", [z, label], "image", models.decode(made, z, label))],
    )  # fmt: skip


# ONNX: what is refused -----------------------------------------------------------------------------------------------


def _small(batch: int | str = "batch", **options) -> onnx.ModelProto:
    net = Network()
    net.returned(net.shaped(net.node("Tanh", net.linear(net.given("z", 6), "fc", 6, 64)), -1, 1, 8, 8), "x", 1, 8, 8)
    return net.model(batch, **options)


@stranger
def an_onnx_file_with_weights_beside_it(folder):
    model = _small()
    onnx.save(
        model, folder / "g.onnx", save_as_external_data=True, location="g.onnx.data", size_threshold=0,
        convert_attribute=False,
    )  # fmt: skip
    return Wanted(folder / "g.onnx", refused=r"another file \('g.onnx.data'\).*onnx.save")


@stranger
def an_onnx_file_of_another_domain(folder):
    model = _small(domains=("com.microsoft",))
    model.graph.node[1].op_type, model.graph.node[1].domain = "FastGelu", "com.microsoft"
    onnx.save(model, folder / "g.onnx")
    return Wanted(folder / "g.onnx", refused="operator 'FastGelu' of the domain 'com.microsoft'")


@stranger
def an_onnx_file_of_a_newer_age(folder):
    onnx.save(_small(opset=99), folder / "g.onnx")
    return Wanted(folder / "g.onnx", refused="version 99 .*newer than.*opset_version")


@stranger
def an_onnx_file_that_loops(folder):
    model = _small()
    body = helper.make_graph([], "body", [], [])
    model.graph.node.insert(0, helper.make_node("Loop", ["", ""], ["never"], body=body))
    model.graph.node[1].input[2] = "never"
    onnx.save(model, folder / "g.onnx")
    return Wanted(folder / "g.onnx", refused="operator 'Loop'")


@stranger
def an_onnx_file_that_mixes_its_images(folder):
    net = Network()
    x = net.linear(net.given("z", 6), "fc", 6, 64)
    x = net.node("Sub", x, net.node("ReduceMean", x, axes=[0], keepdims=1))
    net.returned(net.shaped(x, -1, 1, 8, 8), "x", 1, 8, 8)
    onnx.save(net.model(), folder / "generator.onnx")
    return Wanted(folder / "generator.onnx", exported=True, refused="mixes the images of a batch")


@stranger
def an_onnx_file_of_exactly_four_images(folder):
    net = Network()
    x = net.linear(net.given("z", 6), "fc", 6, 64)
    x = net.node("Add", x, net.constant(RNG.standard_normal((4, 64))))
    net.returned(net.shaped(x, 4, 1, 8, 8), "x", 1, 8, 8)
    onnx.save(net.model(4), folder / "generator.onnx")
    return Wanted(folder / "generator.onnx", refused="exactly 4, .*dynamic_axes")


@stranger
def an_onnx_file_exported_in_training(folder):
    net = Network()
    x = net.normalised(net.linear(net.given("z", 6), "fc", 6, 64), "norm", 64)
    net.nodes[-1].attribute.append(helper.make_attribute("training_mode", 1))
    net.nodes[-1].output.extend(["mean", "var"])
    net.returned(net.shaped(x, -1, 1, 8, 8), "x", 1, 8, 8)
    onnx.save(net.model(), folder / "generator.onnx")
    return Wanted(folder / "generator.onnx", refused=r"training.*\.eval\(\)")


@stranger
def an_onnx_file_of_another_kind(folder):
    net = Network()
    net.returned(net.node("Softmax", net.linear(net.given("tokens", 77), "fc", 77, 5)), "words", 5)
    onnx.save(net.model(), folder / "model.onnx")
    return Wanted(folder / "model.onnx", refused="takes 77 and gives 5: neither is an image")


# PyTorch -------------------------------------------------------------------------------------------------------------


@stranger
def a_state_dict_of_a_dcgan(folder):
    net = dcgan(channels=3)
    save(folder / "netG_epoch_24.pth", state_dict(net.state))
    z = codes(24)
    return Wanted(
        folder / "netG_epoch_24.pth", [{"generator"}],
        [Answer("generator", z, "image", half(last(net.run(z[..., None, None])[0])))],
    )  # fmt: skip


def _of_the_vae(folder, path):
    net = vae()
    (safetensors if path.endswith("safetensors") else save)(folder / path, net.state)
    x, z = images(28, 28, 1), codes(5)
    _, mean, log = net.run(first(x))
    return Wanted(
        folder / path, [{"encoder", "decoder"}],
        [Answer("encoder", x, "z_mean", mean), Answer("encoder", x, "z_log_var", log),
         Answer("decoder", z, "image", _decoded(net.state, z))],
    )  # fmt: skip


@stranger
def a_state_dict_of_the_vae_of_pytorchs_examples(folder):
    return _of_the_vae(folder, "vae_mnist.pt")


@stranger
def safetensors_of_the_vae_of_pytorchs_examples(folder):
    return _of_the_vae(folder, "vae.safetensors")


def mlp_gan(sizes, normalised=True, epsilon=0.8, last="Tanh") -> Network:
    """The generator of PyTorch-GAN's gan.py: Linear, BatchNorm1d(·, 0.8) from the second on, LeakyReLU(0.2)."""
    net = Network()
    x, index = net.given("z", sizes[0]), 0
    for given, made in zip(sizes[:-2], sizes[1:-1], strict=True):
        x = net.linear(x, f"model.{index}", given, made)
        if normalised and index:
            index += 1
            x = net.normalised(x, f"model.{index}", made, epsilon)
        x, index = net.leaky(x), index + 2
    net.returned(net.node(last, net.linear(x, f"model.{index}", sizes[-2], sizes[-1])), "img", sizes[-1])
    return net


@stranger
def a_state_dict_of_pytorch_gan(folder):
    net = mlp_gan((100, 128, 256, 512, 1024, 784))
    save(folder / "generator.pth", state_dict(net.state))
    z = codes(100)
    return Wanted(
        folder / "generator.pth", [{"generator"}],
        [Answer("generator", z, "image", half(net.run(z)[0].reshape(-1, 28, 28, 1)))], says="pytorch-gan-generator",
    )  # fmt: skip


@stranger
def a_state_dict_of_a_plain_gan(folder):
    net = mlp_gan((32, 64, 96, 784), normalised=False)
    save(folder / "G.pt", state_dict(net.state))
    z = codes(32)
    return Wanted(
        folder / "G.pt", [{"generator"}],
        [Answer("generator", z, "image", half(net.run(z)[0].reshape(-1, 28, 28, 1)))], among_choices=True,
    )  # fmt: skip


@stranger
def a_checkpoint_of_two_networks(folder):
    """What a training loop keeps: networks, their optimisers, numbers."""
    g, d = dcgan(), Network()
    x = d.leaky(d.convolution(d.given("x", 1, 32, 32), "main.0", 1, 6, 4, 2, 1, bias=False))
    x = d.leaky(d.convolution(x, "main.2", 6, 8, 4, 2, 1, bias=False))
    d.returned(d.node("Sigmoid", d.convolution(x, "main.4", 8, 1, 8, 1, 0, bias=False)), "y", 1, 1, 1)
    moments = {"exp_avg": np.zeros((24, 16, 4, 4), "float32"), "step": np.asarray(3.0, "float32")}
    kept = {
        "epoch": 12, "netG_state_dict": state_dict(g.state), "netD_state_dict": state_dict(d.state), "losses": [0.5],
        "optimizerG": {"state": {0: moments}, "param_groups": [{"lr": 2e-4, "betas": (0.5, 0.999), "params": [0]}]},
    }  # fmt: skip
    save(folder / "checkpoint.pth", kept)
    z = codes(24)
    return Wanted(
        folder / "checkpoint.pth", [{"generator", "discriminator"}],
        [Answer("generator", z, "image", half(last(g.run(z[..., None, None])[0])))],
    )  # fmt: skip


@stranger
def a_state_dict_of_a_convolutional_autoencoder(folder):
    """nn.Sequential with kernels of 3, strides of 2, a margin of 1 on each side, as PyTorch's tutorials write them."""
    net = Network()
    x = net.node("Relu", net.convolution(net.given("x", 1, 28, 28), "encoder.0", 1, 8, 3, 2, 1))
    x = net.node("Relu", net.convolution(x, "encoder.2", 8, 12, 3, 2, 1))
    code = net.convolution(x, "encoder.4", 12, 16, 7)
    x = net.node("Relu", net.transposed(code, "decoder.0", 16, 12, 7))
    x = net.node("Relu", net.transposed(x, "decoder.2", 12, 8, 3, 2, 1, 1))
    net.returned(net.node("Sigmoid", net.transposed(x, "decoder.4", 8, 1, 3, 2, 1, 1)), "y", 1, 28, 28)
    inner = net.up_to(code, "code", 16, 1, 1)
    save(folder / "conv_autoencoder.pth", state_dict(net.state))
    x = images(28, 28, 1)
    z = inner.run(first(x))[0][..., 0, 0]
    return Wanted(
        folder / "conv_autoencoder.pth", [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", z), Answer("decoder", z, "image", last(net.run(first(x))[0]))],
        among_choices=True,
    )  # fmt: skip


@stranger
def a_state_dict_of_the_dcgan_of_pytorchs_tutorial(folder):
    net = dcgan(channels=3, size=100, widths=(512, 256, 128, 64))
    save(folder / "G.pth", {f"module.{name}": array for name, array in net.state.items()})  # saved from DataParallel
    z = codes(100, count=1)
    return Wanted(
        folder / "G.pth", [{"generator"}],
        [Answer("generator", z, "image", half(last(net.run(z[..., None, None])[0])))], says="pytorch-dcgan-generator",
    )  # fmt: skip


@stranger
def a_state_dict_of_an_autoencoder_with_pooling(folder):
    """Udacity's: pooling leaves no trace in a state_dict, the tutorial tells it."""
    net, pool = Network(), {"kernel_shape": [2, 2], "strides": [2, 2]}
    x = net.node("Relu", net.convolution(net.given("x", 1, 28, 28), "conv1", 1, 16, 3, 1, 1))
    x = net.node("Relu", net.convolution(net.node("MaxPool", x, **pool), "conv2", 16, 4, 3, 1, 1))
    x = net.node("Relu", net.transposed(net.node("MaxPool", x, **pool), "t_conv1", 4, 16, 2, 2))
    net.returned(net.node("Sigmoid", net.transposed(x, "t_conv2", 16, 1, 2, 2)), "y", 1, 28, 28)
    inner = net.up_to(net.nodes[5].output[0], "code", 4, 7, 7)
    save(folder / "autoencoder.pt", state_dict(net.state))
    x = images(28, 28, 1)
    z = last(inner.run(first(x))[0])
    return Wanted(
        folder / "autoencoder.pt", [{"encoder", "decoder"}],
        [Answer("encoder", x, "latent", z), Answer("decoder", z, "image", last(net.run(first(x))[0]))],
        says="Udacity",
    )  # fmt: skip


@stranger
def a_folder_with_a_pickle_beside_its_export(folder):
    net = dcgan()
    save(folder / "netG.pth", {}, pickled=b"\x80\x02c__main__\nGenerator\n)R.")
    onnx.save(net.model(), folder / "netG.onnx")
    z = codes(24)
    return Wanted(
        folder, [{"generator"}], [Answer("generator", z, "image", half(last(net.run(z[..., None, None])[0])))]
    )


@stranger
def a_whole_module_of_pytorch(folder):
    save(folder / "generator.pth", {}, pickled=b"\x80\x02c__main__\nGenerator\n)\x81}X\x01\x00\x00\x00aK\x01sb.")
    return Wanted(folder / "generator.pth", refused=r"'__main__\.Generator'.*state_dict")


@stranger
def a_pickle_that_would_run_a_command(folder):
    ran = folder / "ran"
    save(folder / "netG.pt", {}, pickled=b"\x80\x02cposix\nsystem\nX" + bytes([len(f"touch {ran}"), 0, 0, 0])
         + f"touch {ran}".encode() + b"\x85R.")  # fmt: skip
    return Wanted(folder / "netG.pt", refused=r"'posix\.system'")


@stranger
def a_module_of_torchscript(folder):
    net = dcgan()
    save(folder / "scripted.pt", net.state, **{"code____torch__.py": b"class G: pass", "constants.pkl": b"\x80\x02N."})
    return Wanted(folder / "scripted.pt", refused="TorchScript")


@stranger
def a_state_dict_of_an_older_pytorch(folder):
    magic = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
    (folder / "netG.pth").write_bytes(b"\x80\x02\x8a\x0a" + magic + b".\x80\x02M\xe9\x03.\x80\x02}q\x00.")
    return Wanted(folder / "netG.pth", refused=r"PyTorch before 1\.6.*save.*again")


@stranger
def a_state_dict_that_reaches_beyond_its_storage(folder):
    save(folder / "netG.pth", dcgan().state, data__0=b"\0" * 64)
    return Wanted(folder / "netG.pth", refused="outside of its values")


# The tutorial tells the prior ----------------------------------------------------------------------------------------


def of_a_tutorial(name):
    """A network of architectures.json, built by Keras from its description."""
    layer = {"Activation": layers.Activation, "Reshape": layers.Reshape}
    made = [layer.get(kind, getattr(layers, kind))(**arguments) for kind, arguments in KNOWN[name]["layers"]]
    return settled(keras.Sequential([keras.Input(KNOWN[name]["input"]), *made]))


@stranger
def a_generator_of_a_tutorial_with_uniform_codes(folder):
    g = of_a_tutorial("keras-dcgan-tanh-generator")
    g.save(folder / "generator.h5")
    z = codes(100, count=2)
    return Wanted(
        folder / "generator.h5", [{"generator"}], [Answer("generator", z, "image", half(answer(g, z)))],
        prior="uniform", says="uniform from −1 to 1",
    )  # fmt: skip


@stranger
def weights_of_a_tutorial_with_uniform_codes(folder):
    g = of_a_tutorial("advanced-keras-dcgan-generator")
    g.save_weights(folder / "dcgan_mnist.weights.h5")
    z = codes(100, count=2)
    return Wanted(
        folder / "dcgan_mnist.weights.h5", [{"generator"}], [Answer("generator", z, "image", answer(g, z))],
        prior="uniform", says="uniform from −1 to 1",
    )  # fmt: skip


@stranger
def a_tutorials_generator_whose_prior_is_said(folder):
    of_a_tutorial("advanced-keras-dcgan-generator").save(folder / "generator.keras")
    return Wanted(folder / "generator.keras", [{"generator"}], options={"prior": "normal"}, prior="normal")


@stranger
def a_tutorials_generator_of_other_widths(folder):
    """Not the tutorial's: nothing speaks for uniform codes."""
    g = settled(
        keras.Sequential(
            [keras.Input((100,)), layers.Dense(96, activation="tanh"), layers.Dense(7 * 7 * 4, activation="tanh"),
             layers.Reshape((7, 7, 4)), layers.UpSampling2D(4), layers.Conv2D(1, 5, padding="same", activation="tanh")]
        )
    )  # fmt: skip
    g.save(folder / "generator.keras")
    return Wanted(folder / "generator.keras", [{"generator"}], prior="normal")
