"""The parts that one network gives, each with its role."""

import math
import re

from training.importing import Refused
from training.importing.graphs import SAMPLING, Graph
from training.importing.options import Options
from training.importing.roles.cuts import autoencoder, mean_and_variance, whole_gan
from training.importing.roles.names import role_of
from training.importing.roles.parts import (
    Image,
    Label,
    Part,
    Shape,
    bounded,
    divides,
    image_of,
    image_or_refuse,
    part_of,
    size,
)
from zoo.manifest import brief

MAX_CLASSES = 1000
SMALLEST_PICTURE = 16  # side from which a grid of 1 or 3 channels is rather a picture than a code
LABELS = re.compile("label|class|cond|categor|digit|^y$", re.IGNORECASE)
READERS = ("encoder", "discriminator", "classifier")
MAKERS = ("generator", "decoder")
Outputs = list[tuple[str, int]]  # (name, tensor)


def parts_of(label: str, graph: Graph, options: Options) -> list[Part]:
    """The networks with a role that a graph holds; raises Refused where it is none of those shown here.

    Args:
        label: what the file, and the network in it, are called.
        graph: of the network.
        options: `role`, `shape` and `classes` say what cannot be seen.
    """
    guesses: list[str] = []
    inputs, conditioned = _inputs(graph, guesses)
    outputs = graph.outputs
    _no_channels_first(graph, inputs, [t for _, t in outputs])
    role = options.role or _role(label, graph, inputs, options)
    parts = _of_role(role, options.role is not None, label, graph, inputs, list(outputs), conditioned, options)
    if options.classes:
        for part in parts:
            _join(part, options.classes)
    parts[0].guesses[:0] = guesses
    return parts


def _inputs(graph: Graph, guesses: list[str]) -> tuple[int, Label | None]:
    """The image or vector that goes in, and the label beside it if there is one."""
    if len(graph.inputs) == 1:
        return graph.inputs[0], None
    if len(graph.inputs) != 2:
        raise Refused(f"The network takes {len(graph.inputs)} inputs; an image or a vector and a label are understood.")
    for tensor, other in (graph.inputs, graph.inputs[::-1]):
        classes = _embedded(graph, tensor)
        if classes is not None and graph.shapes[tensor] in ((), (1,)):
            return other, Label(tensor, classes, one_hot=False)
    first, second = graph.inputs
    named = [t for t in graph.inputs if LABELS.search(graph.names[t])]
    short = min(graph.inputs, key=lambda t: math.prod(graph.shapes[t]))
    chosen = named[0] if len(named) == 1 else short
    shape = graph.shapes[chosen]
    if len(shape) != 1 or not 2 <= shape[0] <= MAX_CLASSES:
        raise Refused(
            f"The network takes {size(graph.shapes[first])} and {size(graph.shapes[second])}; which of them is a label "
            "cannot be told."
        )
    guesses.append(f"The input {brief(graph.names[chosen])} is taken for a one-hot label of {shape[0]} classes.")
    return (second if chosen == first else first), Label(chosen, shape[0], one_hot=True)


def _embedded(graph: Graph, tensor: int) -> int | None:
    """The number of classes when a tensor is looked up in an Embedding."""
    for call in graph.calls:
        if call.inputs == (tensor,):
            if call.layer.kind == "Embedding":
                return call.layer.spec.arguments["input_dim"]
            if call.layer.kind in ("Reshape", "Flatten", "Activation"):
                return _embedded(graph, call.output)
    return None


def _no_channels_first(graph: Graph, inputs: int, outputs: list[int]) -> None:
    for tensor in (inputs, *outputs):
        shape = graph.shapes[tensor]
        if len(shape) == 3 and shape[0] in (1, 3) and shape[2] > 4 and shape[1] == shape[2]:
            raise Refused(f"The images are channels_first ({size(shape)}); save the network with channels_last.")


# Which role -----------------------------------------------------------------------------------------------------------


def _role(label: str, graph: Graph, inputs: int, options: Options) -> str:
    """The role of a network by its name and shapes; "gan" for a whole one."""
    said = role_of(label, graph.network.name)
    shape, shapes = graph.shapes[inputs], [graph.shapes[t] for _, t in graph.outputs]
    if {name for name, _ in graph.outputs} == {"logits", "features"}:
        return "classifier"  # as this project writes them
    if len(shape) == 1:
        return _role_of_vector(said, shape, shapes, graph, inputs, options)
    given = image_of(shape, options)
    images = [i for s in shapes if (i := image_of(s, options)) is not None and len(s) > 1]
    if given is None:
        return "decoder" if said in ("decoder", "autoencoder") else "generator"
    flat = any(len(s) == 1 and image_of(s, options) == given for s in shapes)
    if not images and not flat:
        return _role_of_reader(said, graph)
    made = images[0] if images else given
    larger, smaller = made[0] > given[0], made[0] < given[0]
    if said in READERS and (smaller or said != "discriminator"):
        return said
    if said == "decoder" and (larger or given[0] < SMALLEST_PICTURE):
        return "decoder"
    if smaller:
        return "translator" if said == "translator" else "discriminator" if made[2] == 1 else "encoder"
    if larger:
        return "decoder" if said is None and given[0] < SMALLEST_PICTURE else "translator"
    if made != given or said in ("translator", "generator"):
        return "translator"
    return "autoencoder"


def _role_of_vector(
    said: str | None, shape: Shape, shapes: list[Shape], graph: Graph, inputs: int, options: Options
) -> str:
    """The role of a network that a vector goes into: a code, or an image written as one."""
    pictures = [s for s in shapes if len(s) > 1 and image_of(s, options)]
    equal = [s for s in shapes if math.prod(s) == shape[0] and image_of(s, options)]
    if equal and image_of(shape, options) and said not in MAKERS:
        return "autoencoder"
    if pictures or (said in MAKERS and any(image_of(s, options) for s in shapes)):
        return said if said == "decoder" else "generator"
    longer = [s for s in shapes if len(s) == 1 and s[0] > shape[0] and image_of(s, options)]
    if longer:
        return "decoder" if said == "decoder" else "generator"
    scores = [t for _, t in graph.outputs if graph.shapes[t] == (1,)]
    if scores and whole_gan(graph, inputs, scores[0], None, options):
        return "gan"
    if image_of(shape, options) is None or sum(map(math.prod, shapes)) > shape[0]:
        return "gan" if scores else "none"
    return _role_of_reader(said, graph)


def _role_of_reader(said: str | None, graph: Graph) -> str:
    """The role of a network that makes numbers of an image."""
    if said in READERS:
        return said
    if any(graph.shapes[t] == (1,) for _, t in graph.outputs):
        return "discriminator"
    ended = len(graph.outputs) == 1 and _logits(graph, graph.outputs[0][1], False)
    return "classifier" if ended else "encoder"


def _of_role(
    role: str, stated: bool, label: str, graph: Graph, inputs: int, outputs: Outputs, conditioned: Label | None,
    options: Options,
) -> list[Part]:  # fmt: skip
    shape = graph.shapes[inputs]
    images = [(name, t) for name, t in outputs if image_of(graph.shapes[t], options)]
    guesses: list[str] = []
    if role == "gan":
        found = whole_gan(graph, inputs, next(t for _, t in outputs if graph.shapes[t] == (1,)), conditioned, options)
        if found:
            return found
        raise Refused(f"{brief(label)} makes one number of {size(shape)}; there is no image in between.")
    if role in MAKERS and images:
        return _maker(role, graph, inputs, outputs, conditioned, options, stated)
    if role in READERS and image_of(shape, options):
        return [_reader(label, graph, inputs, outputs, conditioned, role, stated, options)]
    if role in ("autoencoder", "translator") and images and image_of(shape, options):
        image = image_or_refuse(shape, "input", options, guesses)
        made = image_or_refuse(graph.shapes[images[0][1]], "output", options, [])
        if role == "autoencoder":
            found = _autoencoder(graph, inputs, images[0][1], conditioned, image, made, label, stated)
        else:
            found = [_translator(graph, inputs, images[0][1], conditioned, image, made)]
        found[0].guesses[:0] = guesses
        return found
    if stated:
        given = " and ".join(size(graph.shapes[t]) for _, t in outputs)
        raise Refused(f"{brief(label)} takes {size(shape)} and gives {given}: it is no {role}.")
    raise Refused(
        f"{brief(label)} takes {size(shape)} and gives {' and '.join(size(graph.shapes[t]) for _, t in outputs)}: "
        "neither is an image of 1 or 3 channels and sides of 4 to 512, so it is none of the networks shown here; where "
        "a vector is an image, say its height and width (shape)."
    )


# Each role ------------------------------------------------------------------------------------------------------------


def _maker(
    role: str, graph: Graph, inputs: int, outputs: Outputs, label: Label | None, options: Options, stated: bool
) -> list[Part]:
    """Generator or decoder, with the discriminator behind it where it has one."""
    images = [t for _, t in outputs if image_of(graph.shapes[t], options)]
    guesses: list[str] = []
    part = part_of(role, graph, {"latent": inputs}, {"image": images[0]}, label)
    part.image = image_or_refuse(graph.shapes[images[0]], "output", options, guesses)
    part.guesses = guesses
    scores = [t for _, t in outputs if graph.shapes[t] == (1,)]
    beside = {label.tensor} if label else set()
    if scores and not stated and divides(graph, images[0], beside, scores[0]):
        second = part_of("discriminator", graph, {"image": images[0]}, {"score": scores[0]}, label)
        second.image = part.image
        return [bounded(part), second]
    return [bounded(part)]


def _autoencoder(
    graph: Graph, inputs: int, output: int, label: Label | None, image: Image, made: Image, name: str, stated: bool
) -> list[Part]:
    """Encoder and decoder; a translator where there is no bottleneck and nobody says that it is an autoencoder."""
    said = stated or role_of(name, graph.network.name) == "autoencoder"
    if image != made:
        raise Refused(f"The network makes images of {size(made)} from images of {size(image)}: that is no autoencoder.")
    try:
        parts = autoencoder(graph, inputs, output, label, image)
    except Refused:
        if said or any(call.layer.kind == SAMPLING for call in graph.calls):
            raise
        return [_translator(graph, inputs, output, label, image, made)]
    code = parts[0].latent or ()
    if math.prod(code) >= math.prod(image):
        if not said:
            return [_translator(graph, inputs, output, label, image, made)]
        parts[0].guesses.append(f"Its code of {size(code)} has more values than an image: it is no bottleneck.")
    return parts


def _translator(graph: Graph, inputs: int, output: int, label: Label | None, image: Image, made: Image) -> Part:
    if label:
        raise Refused("A network from image to image that also takes a label is not among those shown here.")
    part = part_of("translator", graph, {"source": inputs}, {"image": output}, None)
    part.source, part.image = image, made
    return part


def _reader(
    label: str, graph: Graph, inputs: int, outputs: Outputs, conditioned: Label | None, role: str, stated: bool,
    options: Options,
) -> Part:  # fmt: skip
    """Encoder, discriminator or classifier."""
    guesses: list[str] = []
    image = image_or_refuse(graph.shapes[inputs], "input", options, guesses)
    named = dict(outputs)
    logits = _logits(graph, outputs[0][1], role == "classifier") if len(outputs) == 1 else None
    if role == "discriminator":
        part = _discriminator(label, graph, inputs, outputs, conditioned, image, guesses)
    elif role == "encoder":
        part = _encoder(label, graph, inputs, outputs, conditioned, guesses)
    elif named.keys() == {"logits", "features"}:
        codes = {key: named[key] for key in ("logits", "features")}
        part = part_of("classifier", graph, {"image": inputs}, codes, conditioned)
    elif logits:
        part = part_of(
            "classifier", graph, {"image": inputs}, {"logits": logits[1], "features": logits[2]}, conditioned
        )
        part.logits = logits[0]
    else:
        raise Refused(f"{brief(label)} does not end in a Dense layer on a vector of features, as a classifier does.")
    part.image = image
    part.guesses = guesses
    return bounded(part)


def _discriminator(
    label: str, graph: Graph, inputs: int, outputs: Outputs, conditioned: Label | None, image: Image,
    guesses: list[str],
) -> Part:  # fmt: skip
    """The network of one score; scores of patches are averaged where it is built."""
    shape = graph.shapes[outputs[0][1]]
    single = next((t for _, t in outputs if graph.shapes[t] == (1,)), None)
    if single is None and not (len(outputs) == 1 and len(shape) == 3 and shape[2] == 1 and shape[0] < image[0]):
        raise Refused(f"{brief(label)} gives {size(shape)}; a discriminator gives one number, or scores of patches.")
    if single is None:
        guesses.append(f"The scores of {size(shape)} patches are averaged to one score.")
    if len(outputs) > 1:
        guesses.append("Of several outputs the one number is taken for the discriminator's score.")
    score = outputs[0][1] if single is None else single
    return part_of("discriminator", graph, {"image": inputs}, {"score": score}, conditioned)


def _encoder(
    label: str, graph: Graph, inputs: int, outputs: Outputs, conditioned: Label | None, guesses: list[str]
) -> Part:
    shapes = [graph.shapes[t] for _, t in outputs]
    if len(outputs) in (2, 3) and len(set(shapes)) == 1:
        codes, notes = mean_and_variance(graph, outputs)
        guesses += notes
        return part_of("encoder", graph, {"image": inputs}, codes, conditioned)
    call = graph.made_by.get(outputs[0][1]) if len(outputs) == 1 else None
    if call is not None and call.layer.kind == SAMPLING:  # only the drawn code is given: what it was drawn from
        codes, notes = mean_and_variance(graph, [(graph.names[t], t) for t in call.inputs])
        guesses += notes
        return part_of("encoder", graph, {"image": inputs}, codes, conditioned)
    if len(outputs) == 1:
        return part_of("encoder", graph, {"image": inputs}, {"latent": outputs[0][1]}, conditioned)
    raise Refused(f"{brief(label)} makes {' and '.join(map(size, shapes))} of an image, which is no encoder.")


def _logits(graph: Graph, output: int, stated: bool) -> tuple[int, int, int] | None:
    """(call of the last Dense, tensor that it makes, tensor of features), when a softmax ends the network."""
    call = graph.made_by.get(output)
    ended = call is not None and (
        call.layer.kind == "Softmax" or call.layer.spec.arguments.get("activation") == "softmax"
    )
    if not ended and not stated:
        return None
    if call is not None and call.layer.kind in ("Softmax", "Activation"):
        call = graph.made_by.get(call.inputs[0])
    if call is None or call.layer.kind != "Dense" or len(graph.shapes[call.inputs[0]]) != 1:
        return None
    return graph.calls.index(call), call.output, call.inputs[0]


def _join(part: Part, classes: int) -> None:
    """Take the last values of a maker's code for a one-hot label."""
    if part.role not in MAKERS or part.label:
        return
    shape = part.graph.shapes[part.inputs["latent"]]
    if len(shape) != 1 or shape[0] <= classes:
        raise Refused(f"A code of {size(shape)} has no room for a one-hot label of {classes} classes (classes).")
    part.joined = classes
    part.guesses.append(f"The last {classes} of {shape[0]} values that go in are taken for a one-hot label.")
