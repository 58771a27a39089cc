"""Parts of a graph as Functional models of stock Keras layers that speak the entry's language: images in [0, 1]."""

import re

import keras
import numpy as np
from keras import layers as stock

from training.importing import Refused
from training.importing.graphs import SAMPLING, Call
from training.importing.roles import Part
from zoo.manifest import brief

# What the values of a network's images mean → (scale, offset) that lead from there to [0, 1].
RANGES: dict[str, tuple[float, float]] = {"unit": (1.0, 0.0), "symmetric": (0.5, 0.5), "bytes": (1 / 255, 0.0)}
LOGITS = "logits"  # of outputs only: a sigmoid leads to [0, 1]
TOLD = {"unit": "[0, 1]", "symmetric": "[-1, 1]", "bytes": "[0, 255]", LOGITS: "logits (a sigmoid is added)"}


def network(part: Part, arrays: dict[str, list[np.ndarray]], reads: str = "unit", makes: str = "unit") -> keras.Model:
    """The network of a part with its weights.

    Args:
        part: what to build.
        arrays: layer path → weights in Keras' order.
        reads: a key of RANGES, what the network expects of images that go in.
        makes: a key of RANGES or LOGITS, what images that come out hold.
    """
    graph, used = part.graph, {"image", "latent", "label", *part.outputs}
    values, inputs = {}, []
    for name, tensor in part.inputs.items():
        shape = graph.shapes[tensor]
        given = keras.Input(part.image if name == "image" else shape, name=name)
        inputs.append(given)
        x = given
        if name == "image":
            if reads != "unit":
                scale, offset = RANGES[reads]
                x = stock.Rescaling(1 / scale, -offset / scale, name=_free("to_its_range", used))(x)
            if shape != part.image:
                x = stock.Reshape(shape, name=_free("to_its_shape", used))(x)
        values[tensor] = x
    if part.label:
        given = keras.Input((), dtype="int32", name="label")
        inputs.append(given)
        values[part.label.tensor] = _label(part, given, used)
    starts = set(values)
    made: dict[str, keras.Layer] = {}
    calls = graph.between(starts, set(part.outputs.values()))
    for call in calls:
        if call.layer.path not in made:
            made[call.layer.path] = _layer(part, call, arrays, used)
        tensors = [values[tensor] for tensor in call.inputs]
        values[call.output] = made[call.layer.path](tensors if len(tensors) > 1 else tensors[0])
    outputs = _outputs(part, values, makes, used)
    model = keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=part.role)
    for call in calls:
        if call.layer.spec.weights and call.layer.kind != "Normalization":
            made[call.layer.path].set_weights(arrays[call.layer.path])
    if part.label and part.label.one_hot:
        model.get_layer("one_hot").set_weights([np.eye(part.label.classes, dtype="float32")])
    if part.halves:
        size = outputs["z_mean"].shape[-1]
        for index, name in enumerate(("z_mean", "z_log_var")):
            model.get_layer(name).set_weights([np.eye(2 * size, dtype="float32")[:, index * size : (index + 1) * size]])
    return model


def _free(name: str, used: set[str]) -> str:
    """A name that Keras takes and that no other layer has."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-")[:60] or "layer"
    base, number = name, 1
    while name in used:
        number += 1
        name = f"{base}_{number}"
    used.add(name)
    return name


def _label(part: Part, given, used: set[str]):
    label, shape = part.label, part.graph.shapes[part.label.tensor]
    if label.one_hot:
        return stock.Embedding(label.classes, label.classes, name=_free("one_hot", used))(given)
    return stock.Reshape(shape, name=_free("label_column", used))(given) if shape else given


def _layer(part: Part, call: Call, arrays: dict[str, list[np.ndarray]], used: set[str]) -> keras.Layer:
    layer = call.layer
    if layer.kind == SAMPLING:
        raise Refused(f"The layer {brief(layer.name)} draws random codes in the middle of the {part.role}.")
    arguments = dict(layer.spec.arguments)
    if layer.kind == "Normalization" and layer.spec.weights:
        mean, variance = arrays[layer.path]
        arguments |= {"mean": mean.tolist(), "variance": variance.tolist()}
    if part.logits is not None and part.graph.calls[part.logits] is call:
        arguments.pop("activation", None)
    return getattr(stock, layer.kind)(**arguments, name=_free(layer.name, used), dtype="float32")


def _outputs(part: Part, values: dict, makes: str, used: set[str]) -> dict:
    def ended(x, name):
        return stock.Activation("linear", name=name, dtype="float32")(x)

    if part.halves:
        x = values[next(iter(part.outputs.values()))]
        return {name: stock.Dense(x.shape[-1] // 2, use_bias=False, name=name)(x) for name in ("z_mean", "z_log_var")}
    outputs = {}
    for name, tensor in part.outputs.items():
        x = values[tensor]
        if name == "image":
            if tuple(x.shape[1:]) != part.image:
                x = stock.Reshape(part.image, name=_free("to_image", used))(x)
            if makes == LOGITS:
                outputs[name] = stock.Activation("sigmoid", name=name, dtype="float32")(x)
                continue
            if makes != "unit":
                scale, offset = RANGES[makes]
                outputs[name] = stock.Rescaling(scale, offset, name=name, dtype="float32")(x)
                continue
        if name == "score" and len(x.shape) == 4:
            x = stock.GlobalAveragePooling2D(name=_free("mean_score", used))(x)
        outputs[name] = ended(x, name)
    return outputs
