"""Autoencoders and whole GANs: where they are cut in two."""

import math
import re

from training.importing import Refused
from training.importing.graphs import LOG_VARIANCE, SAMPLING, Call, Graph
from training.importing.options import Options
from training.importing.roles.parts import Image, Label, Part, bounded, divides, image_of, part_of, size
from zoo.manifest import MAX_LATENT_VALUES, brief

MEAN = re.compile(r"mean|loc|(^|[_ ])mu($|[_ \d])", re.IGNORECASE)


def autoencoder(graph: Graph, inputs: int, output: int, label: Label | None, image: Image) -> list[Part]:
    """Encoder and decoder of an autoencoder; raises Refused where it has no bottleneck."""
    codes, cut, guesses = _cut(graph, inputs, output, label, image)
    first = part_of("encoder", graph, {"image": inputs}, codes, label)
    second = part_of("decoder", graph, {"latent": cut}, {"image": output}, label)
    first.image = second.image = image
    first.guesses = guesses
    return [bounded(first), second]


def _cut(
    graph: Graph, inputs: int, output: int, label: Label | None, image: Image
) -> tuple[dict[str, int], int, list[str]]:
    """(what the encoder gives, where the decoder begins, what is guessed)."""
    beside = {label.tensor} if label else set()
    calls = graph.between({inputs} | beside, {output})
    for call in calls:
        if call.layer.kind == SAMPLING and divides(graph, call.output, beside, output):
            codes, guesses = mean_and_variance(graph, [(graph.names[t], t) for t in call.inputs])
            return codes, call.output, guesses
    candidates = _narrow_places(graph, calls, inputs, beside, output, math.prod(image[:2]))
    if not candidates:
        raise Refused(
            "The autoencoder has no bottleneck that could be its code: skip connections lead around every narrow place."
        )
    for boundary in graph.boundaries:
        inside = [t for _, t in boundary.outputs if t in candidates]
        if inside:
            same = [item for item in boundary.outputs if graph.shapes[item[1]] == graph.shapes[inside[0]]]
            if len(same) in (2, 3):
                codes, guesses = mean_and_variance(graph, same)
                return codes, inside[0], guesses
            return {"latent": inside[0]}, inside[0], []
    narrow = min(math.prod(graph.shapes[t]) for t in candidates)
    smallest = [t for t in candidates if math.prod(graph.shapes[t]) == narrow]
    vectors = [t for t in smallest if len(graph.shapes[t]) == 1]
    chosen = (vectors or smallest)[0]
    while (follower := _unweighted_follower(graph, chosen)) in smallest and follower is not None:
        chosen = follower
    place = f"behind the layer {brief(graph.names[chosen])} ({size(graph.shapes[chosen])})"
    return {"latent": chosen}, chosen, [f"The autoencoder is cut at its narrowest place, {place}."]


def _narrow_places(graph: Graph, calls: list[Call], inputs: int, beside: set[int], output: int, area: int) -> list[int]:
    """Tensors that everything passes, smaller than the image, with weights before and after them, in order."""
    found = []
    for tensor in [call.output for call in calls if call.output != output]:
        shape = graph.shapes[tensor]
        smaller = (
            len(shape) == 1
            or (len(shape) == 3 and shape[0] * shape[1] < area)
            or (len(shape) == 2 and math.prod(shape) < math.prod(graph.shapes[inputs]))
        )
        if smaller and math.prod(shape) <= MAX_LATENT_VALUES and divides(graph, tensor, beside, output):
            before, after = graph.between({inputs} | beside, {tensor}), graph.between({tensor} | beside, {output})
            if _has_weights(before) and _has_weights(after):
                found.append(tensor)
    return found


def _unweighted_follower(graph: Graph, tensor: int) -> int | None:
    """The tensor after an activation, normalisation or dropout of the code: it still belongs to the encoder."""
    users = [call for call in graph.calls if tensor in call.inputs]
    if len(users) == 1 and graph.shapes[users[0].output] == graph.shapes[tensor]:
        kind = users[0].layer.kind
        if kind in ("BatchNormalization", "LayerNormalization") or not users[0].layer.spec.weights:
            return users[0].output
    return None


def _has_weights(calls: list[Call]) -> bool:
    return any(call.layer.spec.weights for call in calls)


def mean_and_variance(graph: Graph, outputs: list[tuple[str, int]]) -> tuple[dict[str, int], list[str]]:
    """({"z_mean": tensor, "z_log_var": tensor}, what is guessed) of outputs of one shape, by their names.

    A code that was drawn from two others is left out."""
    drawn = [
        (t, graph.made_by[t]) for _, t in outputs if t in graph.made_by and graph.made_by[t].layer.kind == SAMPLING
    ]
    if drawn and len(outputs) > 2:
        outputs = [(name, t) for name, t in outputs if t != drawn[0][0]]
    elif drawn:  # [mean, code]: the log-variance is what the code was drawn with
        outputs = [(graph.names[t], t) for t in drawn[0][1].inputs]
    named = [(f"{name} {graph.names[t]}", t) for name, t in outputs]
    variances = [t for name, t in named if LOG_VARIANCE.search(name)]
    means = [t for name, t in named if MEAN.search(name) and t not in variances]
    guesses = []
    if len(variances) == 1 and (len(means) == 1 or len(outputs) == 2):
        mean = means[0] if means else next(t for _, t in outputs if t != variances[0])
        codes = {"z_mean": mean, "z_log_var": variances[0]}
    else:
        codes = {"z_mean": outputs[0][1], "z_log_var": outputs[1][1]}
        guesses.append("The first output of the encoder is taken for the mean, the second for the log-variance.")
    words = " ".join(name for name, t in named if t == codes["z_log_var"])
    if re.search("sigma|std|dev", words, re.I) and not re.search("log|2|sq", words, re.I):
        guesses.append("The second output of the encoder is read as log-variance, though its name says deviation.")
    return codes, guesses


def whole_gan(graph: Graph, inputs: int, score: int, label: Label | None, options: Options) -> list[Part]:
    """Generator and discriminator of a GAN that makes one number of a code, [] when there is no image in between."""
    beside = {label.tensor} if label else set()
    inner = [t for boundary in graph.boundaries for _, t in boundary.outputs]
    larger = [call.output for call in graph.calls if len(graph.shapes[call.output]) == 3]
    given = math.prod(graph.shapes[inputs])
    for tensor in [*inner, *(t for t in larger if math.prod(graph.shapes[t]) > given)]:
        image = image_of(graph.shapes[tensor], options)
        if tensor in (inputs, score) or image is None or not divides(graph, tensor, beside, score):
            continue
        if len(graph.shapes[tensor]) == 1 and math.prod(image) <= given:
            continue
        first = part_of("generator", graph, {"latent": inputs}, {"image": tensor}, label)
        second = part_of("discriminator", graph, {"image": tensor}, {"score": score}, label)
        first.image = second.image = image
        if graph.shapes[tensor] != image:
            first.guesses.append(f"The image of {size(graph.shapes[tensor])} is taken for one of {size(image)}.")
        return [bounded(first), second]
    return []
