"""Entries on real data without training: principal axes as encoder and decoder, class means as classifier."""

import functools
from pathlib import Path

import numpy as np
import tiny_entries as tiny
from onnx import helper

from zoo.data import datasets
from zoo.entries import entry
from zoo.latent import aggregate

COUNT = 1000


def _network(role: str, given: str, nodes: list, outputs: dict, shapes: dict, constants: dict) -> tuple[bytes, tuple]:
    content = tiny.network(nodes, {given: shapes[given]}, outputs, constants)
    made = {name: list(shape) for name, shape in outputs.items()}
    declared = {"inputs": {given: list(shapes[given])}, "outputs": made, "parameters": 10}
    return content, (role, {"file": f"onnx/{role}.onnx"} | declared)


def _data(name: str) -> tuple[datasets.Split, np.ndarray, dict]:
    split = _split(name)
    kept = {"dataset": {"id": name, "revision": None, "images": 20}, "classes": list(split.classes)}
    return split, split.images.reshape(len(split.images), -1), kept | {"image": {"shape": list(split.images.shape[1:])}}


@functools.cache
def _split(name: str) -> datasets.Split:
    return datasets.load(name, "train", COUNT)


@functools.cache
def _components(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return singular values and principal axes of a dataset: computed once for all entries of all test files."""
    flat = _data(name)[1]
    return np.linalg.svd(flat - flat.mean(0), full_matrices=False)[1:]


def autoencoder(folder: Path, dataset: str, size: int, encoder: bool = True, **changes) -> entry.Entry:
    """Write a whitened principal component analysis as a VAE, or without encoder as a GAN with a discriminator."""
    split, flat, kept = _data(dataset)
    mean = flat.mean(0)
    values, axes = _components(dataset)
    scale = (values[:size] / np.sqrt(len(flat))).astype(np.float32)
    shapes = {"image": split.images.shape[1:], "latent": (size,)}
    constants = {"mean": mean, "down": (axes[:size].T / scale), "up": (axes[:size] * scale[:, None])}
    constants |= {"low": np.float32(0), "high": np.float32(1), "shape": np.array([-1, *shapes["image"]])}
    constants |= {"spread": np.full((mean.size, size), -3 / mean.sum(), np.float32)}
    paint = [
        helper.make_node("MatMul", ["latent", "up"], ["sum"]),
        helper.make_node("Add", ["sum", "mean"], ["moved"]),
        helper.make_node("Clip", ["moved", "low", "high"], ["clipped"]),
        helper.make_node("Reshape", ["clipped", "shape"], ["image"]),
    ]
    painted = {"image": shapes["image"]}
    parts = [_network("decoder" if encoder else "generator", "latent", paint, painted, shapes, constants)]
    files = {}
    if encoder:
        code = [
            helper.make_node("Flatten", ["image"], ["flat"]),
            helper.make_node("Sub", ["flat", "mean"], ["centred"]),
            helper.make_node("MatMul", ["centred", "down"], ["z_mean"]),
            helper.make_node("MatMul", ["flat", "spread"], ["z_log_var"]),
        ]
        outputs = {"z_mean": (size,), "z_log_var": (size,)}
        parts.append(_network("encoder", "image", code, outputs, shapes, constants))
        codes = (flat - mean) @ constants["down"]
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder / "latents.npz", **aggregate.fit(codes, codes, np.full_like(codes, -3)))
    else:
        score = [helper.make_node("Flatten", ["image"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["score"])]
        weights = {"w": axes[:1].T.copy()}
        parts.append(_network("discriminator", "image", score, {"score": (1,)}, shapes, weights))
    latent = {"shape": [size], "prior": "normal"}
    return tiny.write(folder, *parts, files=files, **kept | {"latent": latent, "title": folder.name.title()} | changes)


def classifier(folder: Path, dataset: str) -> entry.Entry:
    """Write a classifier by the nearest class mean: logits are -|x - mean|² up to a constant, features 16 axes."""
    split, flat, kept = _data(dataset)
    means = np.stack([flat[split.labels == k].mean(0) for k in range(len(split.classes))])
    axes = _components(dataset)[1][:16].T.copy()
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "axes"], ["features"]),
        helper.make_node("MatMul", ["flat", "means"], ["inner"]),
        helper.make_node("Sub", ["inner", "norms"], ["logits"]),
    ]
    constants = {"axes": axes, "means": means.T.copy(), "norms": (0.5 * (means**2).sum(1)).astype(np.float32)}
    outputs = {"features": (16,), "logits": (len(means),)}
    part = _network("classifier", "image", nodes, outputs, {"image": split.images.shape[1:]}, constants)
    return tiny.write(folder, part, **kept | {"latent": None, "family": "classifier"})
