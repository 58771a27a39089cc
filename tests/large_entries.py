"""An entry of large pictures, as a stranger may publish one: few weights, much to compute and to hold."""

from pathlib import Path

import numpy as np
import tiny_entries as tiny
from onnx import helper

from zoo.entries import Entry

CHANNELS = 32


def generator(side: int) -> tuple[bytes, dict]:
    """Return a generator of side × side colour pictures: each number is spread over all pixels and convolved."""
    weights = np.random.default_rng(0).normal(size=(tiny.LATENT, CHANNELS)).astype(np.float32)
    kernel = np.random.default_rng(1).normal(size=(3, CHANNELS, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["latent", "weights"], ["row"]),
        helper.make_node("Reshape", ["row", "point"], ["grid"]),
        helper.make_node("Resize", ["grid", "", "scales"], ["wide"], mode="nearest"),
        helper.make_node("Conv", ["wide", "kernel"], ["sum"], pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid", ["sum"], ["pixels"]),
        helper.make_node("Transpose", ["pixels"], ["image"], perm=[0, 2, 3, 1]),
    ]
    constants = {"weights": weights, "kernel": kernel, "point": np.array([-1, CHANNELS, 1, 1])}
    constants["scales"] = np.array([1, 1, side, side], np.float32)
    shape = (side, side, 3)
    content = tiny.network(nodes, {"latent": (tiny.LATENT,)}, {"image": shape}, constants)
    declared = {"file": "onnx/generator.onnx", "inputs": {"latent": [tiny.LATENT]}, "outputs": {"image": list(shape)}}
    return content, ("generator", declared | {"parameters": 464})


def gan(folder: Path, side: int) -> Entry:
    """Write an entry that draws side × side colour pictures."""
    return tiny.write(folder, generator(side), family="dcgan", image={"shape": [side, side, 3], "range": [0, 1]})
