"""Networks run as their manifest says, and a file from a stranger is refused before it does anything."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
import tiny_entries as tiny
from onnx import TensorProto, helper, numpy_helper

from zoo import networks
from zoo.errors import EntryError
from zoo.networks import inference


@pytest.fixture(scope="module")
def vae(tmp_path_factory):
    return tiny.vae(tmp_path_factory.mktemp("zoo") / "tiny-vae")


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    return tiny.gan(tmp_path_factory.mktemp("zoo") / "tiny-gan")


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


@pytest.mark.parametrize("count", [0, 1, 256, 257, 600])
def test_any_batch_gives_what_numpy_gives(vae, count):
    latents = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
    images = networks.run(vae, "decoder", latent=latents)["image"]
    assert images.shape == (count, *tiny.SHAPE)
    assert images.dtype == np.float32
    np.testing.assert_allclose(images.reshape(count, tiny.SIZE), sigmoid(latents @ tiny.DECODE), atol=1e-5)


def test_labels_reach_a_conditional_network(gan):
    latents, labels = np.zeros((3, 2), np.float32), np.array([2, 0, 1])
    images = networks.run(gan, "generator", latent=latents, label=labels)["image"]
    np.testing.assert_allclose(images.reshape(3, -1), sigmoid(tiny.EMBED[labels]), atol=1e-5)


def test_wrong_inputs_are_named(vae, gan):
    two = np.zeros((2, 2), np.float32)
    wrong = [
        (vae, "decoder", {"latent": np.zeros((2, 3))}, r"shape \(N, 2\), not \(2, 3\)"),
        (vae, "decoder", {"latent": np.zeros(2)}, r"shape \(N, 2\), not \(2,\)"),
        (vae, "decoder", {"image": two}, "takes latent, but image was given"),
        (vae, "decoder", {}, "but nothing was given"),
        (vae, "decoder", {"latent": two * np.nan}, "not finite"),
        (gan, "generator", {"latent": two}, "takes label, latent"),
        (gan, "generator", {"latent": two, "label": [0, 3]}, "between 0 and 2"),
        (gan, "generator", {"latent": two, "label": [0, -1]}, "between 0 and 2"),
        (gan, "generator", {"latent": two, "label": [0, 1 << 32]}, "between 0 and 2"),
        (gan, "generator", {"latent": two, "label": [0]}, "different lengths"),
    ]
    for entry, role, inputs, reason in wrong:
        with pytest.raises(ValueError, match=reason):
            networks.run(entry, role, **inputs)
    with pytest.raises(EntryError, match="has no classifier; it has encoder, decoder"):
        networks.run(vae, "classifier", image=tiny.images(1))


def test_sessions_are_bounded_and_the_recent_ones_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "_sessions", type(inference._sessions)())
    entries = [tiny.vae(tmp_path / f"vae-{number:02}") for number in range(15)]
    for entry in entries:
        networks.run(entry, "decoder", latent=np.zeros((1, 2)))
        networks.run(entries[0], "decoder", latent=np.zeros((1, 2)))
    kept = [entry.name for entry, _ in inference._sessions]
    assert len(kept) == inference.MAX_SESSIONS
    assert kept[-1] == "vae-00"
    assert kept[:-1] == [f"vae-{number:02}" for number in range(4, 15)]


def test_a_new_revision_gets_a_new_session(tmp_path):
    first = tiny.vae(tmp_path / "vae")
    before = networks.run(first, "decoder", latent=np.ones((1, 2)))["image"]

    def negate(model):
        weights = next(tensor for tensor in model.graph.initializer if tensor.name == "decode")
        weights.CopyFrom(numpy_helper.from_array(-tiny.DECODE, "decode"))

    content, declared = tiny.decoder()
    second = tiny.write(tmp_path / "vae", tiny.encoder(), (tiny.rewrite(content, negate), declared))
    after = networks.run(second, "decoder", latent=np.ones((1, 2)))["image"]
    np.testing.assert_allclose(after, 1 - before, atol=1e-5)


def test_threads_share_the_sessions(tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "MAX_SESSIONS", 2)
    entries = [tiny.vae(tmp_path / f"vae-{number}") for number in range(4)]

    def work(number):
        latents = np.full((3, 2), number / 50, np.float32)
        images = networks.run(entries[number % 4], "decoder", latent=latents)["image"]
        return np.abs(images.reshape(3, -1) - sigmoid(latents @ tiny.DECODE)).max()

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(work, range(100))) < 1e-5
    assert len(inference._sessions) <= 2


def test_a_tampered_file_never_becomes_a_session(tmp_path):
    entry = tiny.vae(tmp_path / "vae")
    path = entry.path("onnx/decoder.onnx")
    content = bytearray(path.read_bytes())
    content[content.index(tiny.DECODE.tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(EntryError, match="sha256 differs"):
        networks.run(entry, "decoder", latent=np.zeros((1, 2)))


def external(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def external_constant(model):
    node = helper.make_node("Constant", [], ["stolen"], value=numpy_helper.from_array(np.zeros(1, np.float32)))
    model.graph.node.insert(0, node)
    external_tensor = model.graph.node[0].attribute[0].t
    external_tensor.external_data.add(key="location", value="/etc/passwd")


def control_flow(model):
    body = helper.make_graph([helper.make_node("Identity", ["image"], ["inner"])], "body", [], [])
    model.graph.node.append(helper.make_node("If", ["image"], ["other"], then_branch=body, else_branch=body))


def hidden_graph(model):
    body = helper.make_graph([], "body", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", body))


def foreign_domain(model):
    model.graph.node[0].domain = "com.microsoft"


def function(model):
    model.functions.add(name="Sigmoid", domain="local")


def sparse(model):
    model.graph.sparse_initializer.add()


def random_numbers(model):
    model.graph.node.append(helper.make_node("RandomNormal", [], ["noise"], shape=[1]))


def strings(model):
    model.graph.initializer.append(helper.make_tensor("words", TensorProto.STRING, [1], [b"word"]))


def endless(model):
    model.graph.node.extend([helper.make_node("Identity", ["image"], [f"copy{n}"]) for n in range(10_001)])


def huge_constant(model):
    model.graph.initializer.add(name="huge", data_type=TensorProto.FLOAT, dims=[1 << 20, 1 << 20])


def huge_result(model):
    model.graph.initializer.append(numpy_helper.from_array(np.array([1 << 15, 1 << 15]), "sides"))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["sides"], ["huge"]))


def contradiction(model):
    model.graph.node[0].op_type = "MatMul"
    del model.graph.node[0].input[1]


def no_operators(model):
    del model.graph.node[:]


FORBIDDEN = {
    external: "another file",
    external_constant: "another file",
    control_flow: "operator 'If'",
    hidden_graph: "subgraph",
    foreign_domain: "not allowed",
    function: "functions",
    sparse: "sparse",
    random_numbers: "RandomNormal",
    strings: "strings",
    endless: "operators, not between",
    huge_constant: "constant of more than",
    huge_result: "result of more than",
    contradiction: "refused",
    no_operators: "0 operators",
}


@pytest.mark.parametrize("change", FORBIDDEN, ids=lambda change: change.__name__)
def test_what_a_network_may_not_hold(tmp_path, change):
    content, declared = tiny.decoder()
    entry = tiny.write(tmp_path / "hostile", tiny.encoder(), (tiny.rewrite(content, change), declared))
    with pytest.raises(EntryError, match=FORBIDDEN[change]) as refusal:
        networks.run(entry, "decoder", latent=np.zeros((1, 2)))
    assert "The decoder of hostile is refused" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"not onnx", b"", tiny.decoder()[0][:200], b"\x08\x08ORTM" * 10])
def test_what_is_no_network(tmp_path, content):
    entry = tiny.write(tmp_path / "hostile", tiny.encoder(), (content, tiny.decoder()[1]))
    with pytest.raises(EntryError, match="refused"):
        networks.run(entry, "decoder", latent=np.zeros((1, 2)))


def test_a_large_file_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "MAX_NETWORK_BYTES", 100)
    with pytest.raises(EntryError, match="more than 100"):
        networks.run(tiny.vae(tmp_path / "vae"), "decoder", latent=np.zeros((1, 2)))


def lying(nodes, constants=None, batch="batch", shape=tiny.SHAPE, name="image"):
    """Return an ONNX file that is fine by itself, but not what the manifest of a decoder says."""
    return tiny.network(nodes, {"latent": (2,)}, {name: shape}, constants, batch)


def decoding(operator, output="image"):
    return [
        helper.make_node("MatMul", ["latent", "decode"], ["sum"]),
        helper.make_node(operator, ["sum"], ["pixels"]),
        helper.make_node("Reshape", ["pixels", "shape"], [output]),
    ]


# A shape that follows from the data: "sides" plus zero times a latent.
HIDDEN_SHAPE = [
    helper.make_node("ReduceMax", ["latent"], ["one"], keepdims=0),
    helper.make_node("Cast", ["one"], ["whole"], to=TensorProto.INT64),
    helper.make_node("Mul", ["whole", "zero"], ["nothing"]),
    helper.make_node("Add", ["sides", "nothing"], ["target"]),
    helper.make_node("MatMul", ["latent", "decode"], ["flat"]),
]
RESHAPING = [*HIDDEN_SHAPE, helper.make_node("Reshape", ["flat", "target"], ["image"])]
EXPANDING = [
    *HIDDEN_SHAPE,
    helper.make_node("Expand", ["one", "target"], ["huge"]),
    helper.make_node("ReduceSum", ["huge"], ["total"], keepdims=0),
    helper.make_node("Add", ["flat", "total"], ["moved"]),
    helper.make_node("Reshape", ["moved", "shape"], ["image"]),
]
CONSTANTS = {"decode": tiny.DECODE, "shape": np.array([-1, *tiny.SHAPE]), "zero": np.array(0)}
LIES = {
    "fixed batch": (lying(decoding("Sigmoid"), CONSTANTS, batch=1), r"shape \[1, 2\]"),
    "other output": (lying(decoding("Sigmoid", "picture"), CONSTANTS, name="picture"), "tensors picture"),
    "other shape": (
        lying(decoding("Sigmoid"), CONSTANTS | {"shape": np.array([-1, 16])}, shape=(16,)),
        r"image of shape .* \[4, 4, 1\]",
    ),
    "twice as many images": (
        lying(decoding("Sigmoid"), CONSTANTS | {"decode": np.tile(tiny.DECODE, 2)}),
        r"gave image as float32 \(2, 4, 4, 1\)",
    ),
    "shape that follows from the data": (
        lying(RESHAPING, CONSTANTS | {"sides": np.array([-1, 4, 4, 1])}),
        "size is not known before it runs",
    ),
    "not finite": (lying(decoding("Log"), CONSTANTS), "not finite"),
    "too much memory": (lying(EXPANDING, CONSTANTS | {"sides": np.array([1 << 20, 1 << 20])}), "size is not known"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_network_must_do_what_its_manifest_says(tmp_path, lie):
    content, reason = LIES[lie]
    entry = tiny.write(tmp_path / "liar", tiny.encoder(), (content, tiny.decoder()[1]))
    latents = np.random.default_rng(0).normal(size=(4, 2))
    with pytest.raises(EntryError, match=reason):
        networks.run(entry, "decoder", latent=latents)


def test_the_operators_allowed_exist():
    assert all(onnx.defs.has(operator) for operator in networks.OPERATORS)
