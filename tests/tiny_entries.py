"""Real entries of a few numbers each: ONNX files made by hand, so that the tests of zoo need no Keras."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zoo.entries import entry
from zoo.latent import aggregate
from zoo.manifest import Manifest

SHAPE, SIZE, LATENT, CLASSES, FEATURES = (4, 4, 1), 16, 2, 3, 5
_RNG = np.random.default_rng(7)
ENCODE = _RNG.normal(size=(SIZE, LATENT)).astype(np.float32)
SPREAD = _RNG.normal(size=(SIZE, LATENT)).astype(np.float32)
DECODE = _RNG.normal(size=(LATENT, SIZE)).astype(np.float32)
EMBED = _RNG.normal(size=(CLASSES, SIZE)).astype(np.float32)
FEATURE = _RNG.normal(size=(SIZE, FEATURES)).astype(np.float32)
LOGIT = _RNG.normal(size=(FEATURES, CLASSES)).astype(np.float32)
SCORE = _RNG.normal(size=(SIZE, 1)).astype(np.float32)


def network(nodes, inputs: dict, outputs: dict, constants: dict | None = None, batch: str | int = "batch") -> bytes:
    """Return an ONNX file; inputs and outputs map names to shapes without the batch axis."""

    def values(tensors):
        kinds = dict.fromkeys(("label", "codes"), TensorProto.INT32)
        return [helper.make_tensor_value_info(n, kinds.get(n, TensorProto.FLOAT), [batch, *s]) for n, s in tensors]

    initializers = [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()]
    graph = helper.make_graph(nodes, "tiny", values(inputs.items()), values(outputs.items()), initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def encoder() -> tuple[bytes, dict]:
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "encode"], ["z_mean"]),
        helper.make_node("MatMul", ["flat", "spread"], ["z_log_var"]),
    ]
    outputs = {"z_mean": (LATENT,), "z_log_var": (LATENT,)}
    content = network(nodes, {"image": SHAPE}, outputs, {"encode": ENCODE, "spread": SPREAD})
    return content, _declare("encoder", {"image": SHAPE}, outputs)


def plain_encoder() -> tuple[bytes, dict]:
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "encode"], ["latent"]),
    ]
    content = network(nodes, {"image": SHAPE}, {"latent": (LATENT,)}, {"encode": ENCODE})
    return content, _declare("encoder", {"image": SHAPE}, {"latent": (LATENT,)})


def decoder(role: str = "decoder", conditional: bool = False) -> tuple[bytes, dict]:
    nodes = [helper.make_node("MatMul", ["latent", "decode"], ["sum"])]
    inputs, constants = {"latent": (LATENT,)}, {"decode": DECODE, "shape": np.array([-1, *SHAPE])}
    if conditional:
        inputs["label"], constants["embed"] = (), EMBED
        nodes += [
            helper.make_node("Gather", ["embed", "label"], ["embedding"]),
            helper.make_node("Add", ["sum", "embedding"], ["total"]),
        ]
    nodes += [
        helper.make_node("Sigmoid", ["total" if conditional else "sum"], ["pixels"]),
        helper.make_node("Reshape", ["pixels", "shape"], ["image"]),
    ]
    return network(nodes, inputs, {"image": SHAPE}, constants), _declare(role, inputs, {"image": SHAPE})


def discriminator() -> tuple[bytes, dict]:
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["score"]),
    ]
    content = network(nodes, {"image": SHAPE}, {"score": (1,)}, {"weights": SCORE})
    return content, _declare("discriminator", {"image": SHAPE}, {"score": (1,)})


def classifier() -> tuple[bytes, dict]:
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "feature"], ["features"]),
        helper.make_node("MatMul", ["features", "logit"], ["logits"]),
    ]
    outputs = {"logits": (CLASSES,), "features": (FEATURES,)}
    content = network(nodes, {"image": SHAPE}, outputs, {"feature": FEATURE, "logit": LOGIT})
    return content, _declare("classifier", {"image": SHAPE}, outputs)


# A discrete entry: four codes below three, of which each is drawn given the one before it, the first by the last row.
CODEBOOK = np.array([[1, 0], [-1, 1], [0, -2]], np.float32)
GRID, VOCABULARY, GRID_LATENT = (2, 2), len(CODEBOOK), (2, 2, 2)
CHAIN = np.log(np.array([[0.6, 0.3, 0.1], [0.1, 0.1, 0.8], [0.5, 0.25, 0.25], [0.2, 0.5, 0.3]], np.float32))
TO_GRID = _RNG.normal(size=(SIZE, 8)).astype(np.float32)
FROM_GRID = _RNG.normal(size=(8, SIZE)).astype(np.float32)


def grid_encoder() -> tuple[bytes, dict]:
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["row"]),
        helper.make_node("Reshape", ["row", "shape"], ["latent"]),
    ]
    constants = {"weights": TO_GRID, "shape": np.array([-1, *GRID_LATENT])}
    content = network(nodes, {"image": SHAPE}, {"latent": GRID_LATENT}, constants)
    return content, _declare("encoder", {"image": SHAPE}, {"latent": GRID_LATENT})


def quantising_decoder() -> tuple[bytes, dict]:
    nodes = [
        helper.make_node("MatMul", ["latent", "towards"], ["inner"]),
        helper.make_node("Sub", ["inner", "norms"], ["scores"]),
        helper.make_node("ArgMax", ["scores"], ["codes"], axis=-1, keepdims=0),
        helper.make_node("Gather", ["codebook", "codes"], ["quantised"]),
        helper.make_node("Flatten", ["quantised"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["pixels"]),
        helper.make_node("Reshape", ["pixels", "shape"], ["image"]),
    ]
    constants = {"towards": 2 * CODEBOOK.T, "norms": np.square(CODEBOOK).sum(1), "codebook": CODEBOOK}
    constants |= {"weights": FROM_GRID, "shape": np.array([-1, *SHAPE])}
    content = network(nodes, {"latent": GRID_LATENT}, {"image": SHAPE}, constants)
    return content, _declare("decoder", {"latent": GRID_LATENT}, {"image": SHAPE})


def prior(chain: np.ndarray = CHAIN) -> tuple[bytes, dict]:
    nodes = [
        helper.make_node("Reshape", ["codes", "row"], ["sequence"]),
        helper.make_node("Slice", ["sequence", "zero", "last", "axis"], ["before"]),
        helper.make_node("Slice", ["sequence", "zero", "one", "axis"], ["first"]),
        helper.make_node("Mul", ["first", "nothing"], ["zeros"]),
        helper.make_node("Add", ["zeros", "start"], ["begin"]),
        helper.make_node("Concat", ["begin", "before"], ["given"], axis=1),
        helper.make_node("Gather", ["chain", "given"], ["rows"]),
        helper.make_node("Reshape", ["rows", "shape"], ["logits"]),
    ]
    constants = {"row": np.array([-1, 4]), "zero": np.array([0]), "one": np.array([1]), "last": np.array([3])}
    constants |= {"axis": np.array([1]), "nothing": np.array([0], np.int32), "start": np.array([3], np.int32)}
    shape = (*GRID, VOCABULARY)
    constants |= {"chain": chain, "shape": np.array([-1, *shape])}
    content = network(nodes, {"codes": GRID}, {"logits": shape}, constants)
    return content, _declare("prior", {"codes": GRID}, {"logits": shape})


def manifest(name: str, networks: dict, **changes) -> dict:
    """Return the JSON of a manifest without files."""
    return {
        "schema": 1,
        "name": name,
        "title": name.title(),
        "family": "vae",
        "family_title": "Variational autoencoder",
        "year": 2013,
        "paper": "https://arxiv.org/abs/1312.6114",
        "description": "A model of sixteen pixels.",
        "tags": ["tiny"],
        "dataset": {"id": "digits", "revision": None, "images": 10},
        "image": {"shape": list(SHAPE), "range": [0, 1]},
        "latent": {"shape": [LATENT], "prior": "normal"},
        "classes": ["a", "b", "c"],
        "conditional": False,
        "networks": networks,
        "metrics": {"mse": {"value": 0.1, "low": None, "high": None, "split": "test", "protocol": "ten images"}},
        "provenance": {"recipe": name, "seed": 0, "seconds": 1.5, "options": {"beta": 1.0}},
        "future": {"kept": True},
    } | changes


def write(folder: Path, *parts: tuple[bytes, dict], files: dict[str, bytes] | None = None, **changes) -> entry.Entry:
    """Write an entry of the given networks; files adds further ones, changes replace keys of the manifest."""
    networks = {}
    for content, (role, declared) in parts:
        path = folder / declared["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        networks[role] = declared
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content)
    return entry.write(folder, built(folder, manifest(folder.name, networks, **changes)))


def built(folder: Path, document: dict) -> Manifest:
    """Return the manifest that JSON describes, with the files of a folder. Raises EntryError where it is wrong."""
    kept = {name: file.model_dump() for name, file in entry.files(folder).items()}
    with entry.refusing(folder.name):
        return Manifest.model_validate_json(json.dumps(document | {"files": kept}))


def vae(folder: Path, **changes) -> entry.Entry:
    return write(folder, encoder(), decoder(), **changes)


def autoencoder(folder: Path, codes: np.ndarray | None = None) -> entry.Entry:
    """Write an entry without prior; with codes it gets statistics to sample from."""
    folder.mkdir(parents=True, exist_ok=True)
    if codes is not None:
        np.savez_compressed(folder / "latents.npz", **aggregate.fit(codes))
    return write(folder, plain_encoder(), decoder(), latent={"shape": [LATENT], "prior": "none"})


def vqvae(folder: Path, chain: np.ndarray = CHAIN, codebook: np.ndarray | None = CODEBOOK, **changes) -> entry.Entry:
    """Write a discrete entry; without a codebook it cannot draw."""
    folder.mkdir(parents=True, exist_ok=True)
    if codebook is not None:
        np.savez_compressed(folder / "latents.npz", codebook=codebook)
    latent = {"shape": list(GRID_LATENT), "prior": "autoregressive"}
    parts = grid_encoder(), quantising_decoder(), prior(chain)
    return write(folder, *parts, **{"family": "vqvae", "latent": latent} | changes)


def gan(folder: Path) -> entry.Entry:
    """Write a conditional generator with a discriminator."""
    return write(folder, decoder("generator", conditional=True), discriminator(), family="cgan", conditional=True)


def classifying(folder: Path, **changes) -> entry.Entry:
    return write(folder, classifier(), **({"family": "classifier", "latent": None} | changes))


def images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, *SHAPE), np.float32)


def rewrite(content: bytes, change) -> bytes:
    """Return an ONNX file after change(model) has altered it."""
    model = onnx.ModelProto.FromString(content)
    change(model)
    return model.SerializeToString()


def _declare(role: str, inputs: dict, outputs: dict) -> tuple[str, dict]:
    shapes = [{name: list(shape) for name, shape in tensors.items()} for tensors in (inputs, outputs)]
    return role, {"file": f"onnx/{role}.onnx", "inputs": shapes[0], "outputs": shapes[1], "parameters": 10}
