"""Parts of a graph as Functional models of stock Keras layers that speak the entry's language: images in [0, 1]."""

import re
from typing import Any

import keras
import numpy as np
from keras import layers as stock

from training.importing.graphs import Call, Graph
from training.importing.interchange import networks as onnx_networks
from training.importing.interchange.graphs import OnnxGraph
from training.importing.interchange.networks import OnnxNetwork
from training.importing.roles import Label, Part
from training.importing.weights import Arrays
from zoo.sharing.corrections import LOGITS, interval

Used = set[str]  # names of layers that are taken


def network(part: Part, arrays: Arrays, reads: str = "unit", makes: str = "unit") -> keras.Model | OnnxNetwork:
    """The network of a part with its weights; a part of an ONNX file stays ONNX.

    Args:
        part: what to build.
        arrays: layer path → weights in Keras' order.
        reads: the range that the network expects of images that go in, as corrections.interval reads it.
        makes: the range of images that come out, or LOGITS.

    Returns:
        A Functional model, or a network that is called as one, from "image" (N, H, W, C) or "source" in [0, 1], or
        "latent" (N, *shape), and "label" (N,) where it takes one, to a dictionary of the outputs of its role, images in
        [0, 1].
    """
    if isinstance(part.graph, OnnxGraph):
        return onnx_networks.network(part, reads, makes)
    graph, used = part.graph, {"image", "latent", "label", "source", *part.outputs}
    values, inputs = {}, []
    for name, tensor in part.inputs.items():
        pixels = {"image": part.image, "source": part.source}.get(name)
        shape = pixels or (part.latent if part.joined else graph.shapes[tensor])
        given = keras.Input(shape, name=name)
        inputs.append(given)
        x = given
        if pixels:
            if reads != "unit":
                low, high = interval(reads)
                x = stock.Rescaling(high - low, low, name=_free("to_its_range", used))(x)
            if graph.shapes[tensor] != pixels:
                x = stock.Reshape(graph.shapes[tensor], name=_free("to_its_shape", used))(x)
        values[tensor] = x
    if part.joined:
        inputs.append(keras.Input((), dtype="int32", name="label"))
        one_hot = stock.Embedding(part.joined, part.joined, name=_free("one_hot", used))(inputs[-1])
        tensor = part.inputs["latent"]
        values[tensor] = stock.Concatenate(name=_free("code_and_label", used))([values[tensor], one_hot])
    if part.label:
        given = keras.Input((), dtype="int32", name="label")
        inputs.append(given)
        values[part.label.tensor] = _label(part, part.label, given, used)
    starts = set(values)
    made: dict[str, keras.Layer] = {}
    calls = graph.between(starts, set(part.outputs.values()))
    for call in calls:
        if call.layer.path not in made:
            made[call.layer.path] = _layer(part, call, arrays, used)
        tensors = [values[tensor] for tensor in call.inputs]
        x = tensors if len(tensors) > 1 else tensors[0]
        values[call.output] = _applied(graph, call, made[call.layer.path], x, used)
    outputs = _outputs(part, values, makes, used)
    model = keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=part.role)
    _set_weights(part, model, calls, made, arrays)
    return model


def _set_weights(
    part: Part, model: keras.Model, calls: list[Call], made: dict[str, keras.Layer], arrays: Arrays
) -> None:
    """Give every layer its weights, those of the file or those that select and encode."""
    for call in calls:
        if call.layer.kind == "Slice":
            cut = call.layer.spec.arguments
            made[call.layer.path].set_weights(
                [_selection(part.graph.shapes[call.inputs[0]][0], cut["start"], cut["stop"])]
            )
        elif call.layer.spec.weights and call.layer.kind != "Normalization":
            made[call.layer.path].set_weights(_fitted(call, arrays[call.layer.path]))
    if part.joined or (part.label and part.label.one_hot):
        model.get_layer("one_hot").set_weights([np.eye(part.classes, dtype="float32")])
    if part.halves:
        (size,) = part.latent or (0,)
        for index, name in enumerate(("z_mean", "z_log_var")):
            model.get_layer(name).set_weights([_selection(2 * size, index * size, (index + 1) * size)])


def _applied(graph: Graph, call: Call, layer: keras.Layer, x: Any, used: Used) -> Any:
    """The result of a call; a transposed convolution along one axis runs as one over an image one pixel wide, since its
    own ONNX form has sizes that are not known before it runs."""
    if call.layer.kind != "Conv1DTranspose":
        return layer(x)
    length, channels = graph.shapes[call.inputs[0]]
    wide = stock.Reshape((length, 1, channels), name=_free(f"{layer.name}_wide", used))(x)
    return stock.Reshape(call.layer.spec.shape, name=_free(f"{layer.name}_steps", used))(layer(wide))


def _widened(call: Call) -> tuple[int, int]:
    """The kernel of a transposed convolution, at least as wide as its strides: ONNX has none narrower."""
    arguments = call.layer.spec.arguments
    kernel, strides = arguments["kernel_size"], arguments["strides"]
    if "output_padding" in arguments:
        return kernel
    return max(kernel[0], strides[0]), max(kernel[1], strides[1])


def _fitted(call: Call, weights: list[np.ndarray]) -> list[np.ndarray]:
    """Weights as the layer takes them: a widened kernel has zeros behind, where the narrow one leaves gaps."""
    if call.layer.kind == "Conv1DTranspose":
        kernel, stride = weights[0][:, None], call.layer.spec.arguments["strides"]
        return [np.pad(kernel, ((0, max(stride - len(kernel), 0)), (0, 0), (0, 0), (0, 0))), *weights[1:]]
    if call.layer.kind != "Conv2DTranspose":
        return weights
    height, width = _widened(call)
    margins = ((0, height - weights[0].shape[0]), (0, width - weights[0].shape[1]), (0, 0), (0, 0))
    return [np.pad(weights[0], margins), *weights[1:]]


def _selection(length: int, start: int, stop: int) -> np.ndarray:
    """The kernel (length, stop - start) of a Dense layer that gives the values from start to stop, exactly."""
    return np.eye(length, dtype="float32")[:, start:stop]


def _free(name: str, used: Used) -> str:
    """A name that Keras takes and that no other layer has."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_-")[:60] or "layer"
    base, number = name, 1
    while name in used:
        number += 1
        name = f"{base}_{number}"
    used.add(name)
    return name


def _label(part: Part, label: Label, given: Any, used: Used) -> Any:
    """The label as the network takes it: one-hot, or its index."""
    shape = part.graph.shapes[label.tensor]
    if label.one_hot:
        return stock.Embedding(label.classes, label.classes, name=_free("one_hot", used))(given)
    return stock.Reshape(shape, name=_free("label_column", used))(given) if shape else given


def _layer(part: Part, call: Call, arrays: Arrays, used: Used) -> keras.Layer:
    layer, name = call.layer, _free(call.layer.name, used)
    if layer.kind == "Slice":
        cut = layer.spec.arguments
        return stock.Dense(cut["stop"] - cut["start"], use_bias=False, name=name, dtype="float32")
    arguments = dict(layer.spec.arguments)
    if layer.kind == "Conv2DTranspose":
        arguments["kernel_size"] = _widened(call)
    if layer.kind == "Conv1DTranspose":
        stride = arguments["strides"]
        arguments |= {"kernel_size": (max(arguments["kernel_size"], stride), 1), "strides": (stride, 1)}
    if layer.kind == "Normalization" and layer.spec.weights:
        mean, variance = arrays[layer.path]
        arguments |= {"mean": mean.tolist(), "variance": variance.tolist()}
    if part.logits is not None and part.graph.calls[part.logits] is call:
        arguments.pop("activation", None)
    return getattr(stock, layer.kind.replace("1DTranspose", "2DTranspose"))(**arguments, name=name, dtype="float32")


def _outputs(part: Part, values: dict, makes: str, used: Used) -> dict[str, keras.KerasTensor]:
    def ended(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
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
                low, high = interval(makes)
                scale = 1 / (high - low)
                outputs[name] = stock.Rescaling(scale, -low * scale, name=name, dtype="float32")(x)
                continue
        if name == "score" and len(x.shape) == 4:
            x = stock.GlobalAveragePooling2D(name=_free("mean_score", used))(x)
        outputs[name] = ended(x, name)
    return outputs
