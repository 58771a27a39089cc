"""What a network is, by the shapes that go in and come out, and where an autoencoder or a whole GAN is cut in two.

vector → image           generator, or decoder when it comes with an encoder
image → vector           encoder; classifier when a softmax ends it; discriminator when the vector is one number
image → image            autoencoder: cut at the sampling step, between networks inside, or where it is narrowest
vector → image → 1       a whole GAN: cut at the image
vector or image + label  conditional; the label is an index or one-hot
"""

import math
import re
from dataclasses import dataclass, field

from training.importing import Refused
from training.importing.graphs import SAMPLING, Graph
from zoo.manifest import MAX_LATENT_VALUES, brief

ROLES = ("autoencoder", "encoder", "decoder", "generator", "discriminator", "classifier")
MAX_CLASSES = 1000
LABELS = re.compile("label|class|cond|categor|digit|^y$", re.IGNORECASE)
LOG_VARIANCE = re.compile("var|sigma|std|log", re.IGNORECASE)
Image = tuple[int, int, int]


@dataclass
class Label:
    """A tensor that takes a class: by its index, or one-hot of length `classes`."""

    tensor: int
    classes: int
    one_hot: bool


@dataclass
class Part:
    """A network of the entry: tensors of a graph between which it lies."""

    role: str
    graph: Graph
    inputs: dict[str, int]
    outputs: dict[str, int]
    image: Image | None = None
    label: Label | None = None
    halves: bool = False  # one output of 2·L values holds mean and log-variance
    logits: int | None = None  # classifier: the call that makes the logits


@dataclass
class Found:
    """Networks by role, and what is to be told about how they were found."""

    parts: dict[str, Part]
    guesses: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def size(shape) -> str:
    return "×".join(map(str, shape)) or "one number"


def image_of(shape: tuple[int, ...]) -> Image | None:
    """The image that a tensor of this shape is: (H, W, C), (H, W), or a vector of a square image's length."""
    if len(shape) == 3 and shape[2] in (1, 3) and all(4 <= n <= 512 for n in shape[:2]):
        return shape
    if len(shape) == 2 and all(4 <= n <= 512 for n in shape):
        return (*shape, 1)
    if len(shape) == 1:
        for channels in (1, 3):
            side = math.isqrt(shape[0] // channels)
            if side * side * channels == shape[0] and 8 <= side <= 512:
                return (side, side, channels)
    return None


def find(graphs: dict[str, Graph], hints: str, role: str | None = None) -> Found:
    """Networks by role.

    Args:
        graphs: label (file or network name) → graph.
        hints: what source, files and networks are called; only used for warnings and to tell decoder from generator.
        role: what the user says that it is, one of ROLES.

    Raises:
        Refused: the networks have no role here, or not the one that was asked for.
    """
    found, everything = Found({}), []
    for label, graph in graphs.items():
        everything += _parts(label, graph, role if len(graphs) == 1 else None, found)
    for part in everything:
        other = found.parts.get(part.role)
        if other is None:
            found.parts[part.role] = part
        else:
            found.guesses.append(f"There are several networks that could be the {part.role}; the first one was taken.")
    _joined(found, role)
    _told(found, hints)
    return found


def _parts(label: str, graph: Graph, role: str | None, found: Found) -> list[Part]:
    inputs, labelled = _inputs(graph, found)
    shape = graph.shapes[inputs]
    outputs = [(name, tensor) for name, tensor in graph.outputs]
    images = [(name, t) for name, t in outputs if _is_output_image(graph.shapes[t], shape)]
    vectors = [(name, t) for name, t in outputs if (name, t) not in images]
    _no_channels_first(graph, inputs, outputs)
    given = _is_input_image(shape, [graph.shapes[t] for _, t in outputs])
    plain = {name for name, _ in outputs} != {"logits", "features"}
    if given and images and plain and role not in ("encoder", "discriminator", "classifier"):
        return _autoencoder(graph, inputs, images[0][1], labelled, found)
    if given and (not images or role in ("encoder", "discriminator", "classifier") or not plain):
        vectors = vectors + images
        return [_from_image(label, graph, inputs, vectors, labelled, role, found)]
    if not given and images:
        if role not in (None, "generator", "decoder"):
            raise Refused(f"{brief(label)} makes images of vectors: it is a generator or a decoder, not a {role}.")
        part = _part("generator", graph, {"latent": inputs}, {"image": images[0][1]}, labelled)
        part.role = role or ("decoder" if re.search("decod", f"{label} {graph.network.name}", re.I) else "generator")
        part.image = _image(graph.shapes[images[0][1]], "output", found)
        scores = [t for _, t in vectors if graph.shapes[t] == (1,)]
        beside = {labelled.tensor} if labelled else set()
        if scores and role is None and _divides(graph, images[0][1], beside, scores[0]):
            judge = _part("discriminator", graph, {"image": images[0][1]}, {"score": scores[0]}, labelled)
            judge.image = part.image
            return [part, judge]
        return [part]
    if not given and all(graph.shapes[t] == (1,) for _, t in vectors):
        return _whole_gan(label, graph, inputs, vectors[0][1], labelled, found)
    raise Refused(
        f"{brief(label)} takes {size(shape)} and gives {' and '.join(size(graph.shapes[t]) for _, t in outputs)}: "
        "neither is an image of 1 or 3 channels and sides of 4 to 512, so it is none of the networks shown here."
    )


def _inputs(graph: Graph, found: Found) -> tuple[int, Label | None]:
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
    found.guesses.append(f"The input {brief(graph.names[chosen])} is taken for a one-hot label of {shape[0]} classes.")
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


def _is_input_image(shape, outputs) -> bool:
    if image_of(shape) is None:
        return False
    # A long vector is an image only where something shorter, or as long, comes out.
    return len(shape) > 1 or all(math.prod(o) <= shape[0] for o in outputs)


def _is_output_image(shape, given) -> bool:
    if image_of(shape) is None:
        return False
    if len(shape) == 1:
        return shape[0] > math.prod(given) or (shape[0] == math.prod(given) and image_of(given) is not None)
    return image_of(given) is None or len(given) == 1 or shape[:2] == given[:2]


def _no_channels_first(graph, inputs, outputs) -> None:
    for tensor in (inputs, *[t for _, t in outputs]):
        shape = graph.shapes[tensor]
        if len(shape) == 3 and shape[0] in (1, 3) and shape[2] > 4 and shape[1] == shape[2]:
            raise Refused(f"The images are channels_first ({size(shape)}); save the network with channels_last.")


def _image(shape, where: str, found: Found) -> Image:
    image = image_of(shape)
    if shape != image:
        found.guesses.append(f"The {where} of {size(shape)} is taken for an image of {size(image)}.")
    return image


def _part(role, graph, inputs, outputs, labelled: Label | None) -> Part:
    starts = set(inputs.values()) | ({labelled.tensor} if labelled else set())
    calls = graph.between(starts, set(outputs.values()))
    used = {tensor for call in calls for tensor in call.inputs}
    part = Part(role, graph, dict(inputs), dict(outputs))
    part.label = labelled if labelled and labelled.tensor in used else None
    missing = [name for name, tensor in inputs.items() if tensor not in used]
    if missing:
        raise Refused(f"The {role} does not use its {missing[0]}.")
    return part


def _from_image(label, graph, inputs, vectors, labelled, role, found: Found) -> Part:
    """Encoder, discriminator or classifier."""
    shapes = [graph.shapes[t] for _, t in vectors]
    image = _image(graph.shapes[inputs], "input", found)
    single = [t for (_, t), s in zip(vectors, shapes, strict=True) if s == (1,)]
    patches = len(vectors) == 1 and len(shapes[0]) == 3 and shapes[0][2] == 1
    named = dict(vectors)
    if role in (None, "classifier") and named.keys() == {"logits", "features"}:  # as this project writes them
        part = _part("classifier", graph, {"image": inputs}, {k: named[k] for k in ("logits", "features")}, labelled)
    elif role in (None, "discriminator") and (single or patches):
        tensor = single[0] if single else vectors[0][1]
        if patches:
            found.guesses.append(f"The scores of {size(shapes[0])} patches are averaged to one score.")
        if len(vectors) > 1:
            found.guesses.append("Of several outputs the one number is taken for the discriminator's score.")
        part = _part("discriminator", graph, {"image": inputs}, {"score": tensor}, labelled)
    elif role == "discriminator":
        raise Refused(f"{brief(label)} gives {size(shapes[0])}; a discriminator gives one number.")
    elif len(vectors) == 1 and role in (None, "classifier") and (logits := _logits(graph, vectors[0][1], role)):
        part = _part("classifier", graph, {"image": inputs}, {"logits": vectors[0][1]}, labelled)
        part.logits = logits[0]
        part.outputs = {"logits": logits[1], "features": logits[2]}
    elif role == "classifier":
        raise Refused(f"{brief(label)} does not end in a Dense layer on a vector of features, as a classifier does.")
    elif role in (None, "encoder") and len(vectors) in (2, 3) and shapes[0] == shapes[1]:
        part = _part("encoder", graph, {"image": inputs}, _mean_first(graph, vectors, found), labelled)
    elif role in (None, "encoder") and len(vectors) == 1:
        part = _part("encoder", graph, {"image": inputs}, {"latent": vectors[0][1]}, labelled)
    else:
        told = " and ".join(map(size, shapes))
        raise Refused(f"{brief(label)} makes {told} of an image, which is no {role or 'known kind of network'}.")
    part.image = image
    _bounded_latent(part)
    return part


def _mean_first(graph, vectors, found: Found) -> dict[str, int]:
    (a_name, a), (b_name, b) = vectors[:2]
    names = [f"{a_name} {graph.names[a]}", f"{b_name} {graph.names[b]}"]
    hit = [bool(LOG_VARIANCE.search(name)) for name in names]
    if hit == [True, False]:
        a, b = b, a
    elif hit != [False, True]:
        found.guesses.append("The first output of the encoder is taken for the mean, the second for the log-variance.")
    if re.search("sigma|std", " ".join(names), re.I) and not re.search("log", " ".join(names), re.I):
        found.guesses.append(
            "The second output of the encoder is read as log-variance, though its name says deviation."
        )
    return {"z_mean": a, "z_log_var": b}


def _bounded_latent(part: Part) -> None:
    for name, tensor in (part.inputs | part.outputs).items():
        shape = part.graph.shapes[tensor]
        if name in ("latent", "z_mean") and (math.prod(shape) > MAX_LATENT_VALUES or not 1 <= len(shape) <= 4):
            raise Refused(f"A latent code of {size(shape)} is larger than the {MAX_LATENT_VALUES:,} values allowed.")


def _logits(graph: Graph, output: int, role: str | None) -> tuple[int, int, int] | None:
    """(call of the last Dense, tensor that it makes, tensor of features), when a softmax ends the network."""
    call = graph.made_by.get(output)
    ended = call is not None and (
        call.layer.kind == "Softmax" or call.layer.spec.arguments.get("activation") == "softmax"
    )
    if not ended and role != "classifier":
        return None
    if call is not None and call.layer.kind in ("Softmax", "Activation"):
        call = graph.made_by.get(call.inputs[0])
    if call is None or call.layer.kind != "Dense" or len(graph.shapes[call.inputs[0]]) != 1:
        return None
    return graph.calls.index(call), call.output, call.inputs[0]


def _autoencoder(graph, inputs, output, labelled, found: Found) -> list[Part]:
    image, other = _image(graph.shapes[inputs], "input", found), image_of(graph.shapes[output])
    if image != other:
        raise Refused(
            f"The network makes images of {size(other)} from images of {size(image)}: that is no autoencoder."
        )
    codes, cut = _cut(graph, inputs, output, labelled, found)
    first = _part("encoder", graph, {"image": inputs}, codes, labelled)
    second = _part("decoder", graph, {"latent": cut}, {"image": output}, labelled)
    first.image = second.image = image
    _bounded_latent(first)
    return [first, second]


def _cut(graph: Graph, inputs, output, labelled, found: Found) -> tuple[dict[str, int], int]:
    """(what the encoder gives, where the decoder begins)."""
    starts = {inputs} | ({labelled.tensor} if labelled else set())
    calls = graph.between(starts, {output})
    for call in calls:
        if call.layer.kind == SAMPLING and _divides(graph, call.output, starts - {inputs}, output):
            named = [(graph.names[t], t) for t in call.inputs]
            return _mean_first(graph, named, found), call.output
    area, candidates = math.prod(image_of(graph.shapes[inputs])[:2]), []
    made = {call.output for call in calls}
    order = {tensor: index for index, tensor in enumerate(call.output for call in calls)}
    for tensor in sorted(made - {output}, key=order.get):
        shape = graph.shapes[tensor]
        smaller = len(shape) == 1 or (len(shape) == 3 and shape[0] * shape[1] < area)
        if smaller and math.prod(shape) <= MAX_LATENT_VALUES and _divides(graph, tensor, starts - {inputs}, output):
            before, after = graph.between(starts, {tensor}), graph.between({tensor} | starts - {inputs}, {output})
            if _has_weights(before) and _has_weights(after):
                candidates.append(tensor)
    if not candidates:
        raise Refused(
            "The autoencoder has no bottleneck that could be its code: skip connections lead around every narrow place."
        )
    for boundary in graph.boundaries:
        tensors = [t for _, t in boundary.outputs]
        inside = [t for t in tensors if t in candidates]
        if inside:
            same = [item for item in boundary.outputs if graph.shapes[item[1]] == graph.shapes[inside[0]]]
            if len(same) in (2, 3):
                return _mean_first(graph, same, found), inside[0]
            return {"latent": inside[0]}, inside[0]
    narrow = min(math.prod(graph.shapes[t]) for t in candidates)
    smallest = [t for t in candidates if math.prod(graph.shapes[t]) == narrow]
    vectors = [t for t in smallest if len(graph.shapes[t]) == 1]
    chosen = (vectors or smallest)[0]
    while (follower := _unweighted_follower(graph, chosen)) in smallest:
        chosen = follower
    found.guesses.append(
        f"The autoencoder is cut at its narrowest place, behind the layer {brief(graph.names[chosen])} "
        f"({size(graph.shapes[chosen])})."
    )
    return {"latent": chosen}, chosen


def _unweighted_follower(graph: Graph, tensor: int) -> int | None:
    """The tensor after an activation, normalisation or dropout of the code: it still belongs to the encoder."""
    users = [call for call in graph.calls if tensor in call.inputs]
    if len(users) == 1 and graph.shapes[users[0].output] == graph.shapes[tensor]:
        kind = users[0].layer.kind
        if kind in ("BatchNormalization", "LayerNormalization") or not users[0].layer.spec.weights:
            return users[0].output
    return None


def _has_weights(calls) -> bool:
    return any(call.layer.spec.weights for call in calls)


def _divides(graph: Graph, tensor: int, beside: set[int], output: int) -> bool:
    """Whether all that reaches the output passes this tensor."""
    try:
        graph.between({tensor} | beside, {output})
    except Refused:
        return False
    return True


def _whole_gan(label, graph, inputs, score, labelled, found: Found) -> list[Part]:
    beside = {labelled.tensor} if labelled else set()
    for boundary in graph.boundaries:
        for _, tensor in boundary.outputs:
            shape = graph.shapes[tensor]
            if len(shape) > 1 and image_of(shape) and _divides(graph, tensor, beside, score):
                first = _part("generator", graph, {"latent": inputs}, {"image": tensor}, labelled)
                second = _part("discriminator", graph, {"image": tensor}, {"score": score}, labelled)
                first.image = second.image = _image(shape, "image", found)
                return [first, second]
    raise Refused(f"{brief(label)} makes one number of {size(graph.shapes[inputs])}; there is no image in between.")


def _joined(found: Found, role: str | None) -> None:
    """Bring the networks of several files to one latent space and one image."""
    parts = found.parts
    if {"encoder", "generator"} <= parts.keys() and "decoder" not in parts:
        parts["decoder"] = parts.pop("generator")
        parts["decoder"].role = "decoder"
    if {"generator", "decoder"} <= parts.keys():
        found.warnings.append("A generator and a decoder were found; only the generator comes in.")
        del parts["decoder"]
    maker = parts.get("decoder") or parts.get("generator")
    reader = parts.get("encoder")
    if maker and reader:
        wanted = maker.graph.shapes[maker.inputs["latent"]]
        given = reader.graph.shapes[next(iter(reader.outputs.values()))]
        if "latent" in reader.outputs and len(wanted) == 1 and given == (2 * wanted[0],):
            reader.halves = True
            found.guesses.append(
                f"The encoder's {given[0]} values are taken for {wanted[0]} means and {wanted[0]} log-variances."
            )
        elif given != wanted or reader.image != maker.image:
            found.warnings.append(
                f"The encoder (code of {size(given)}, images of {size(reader.image)}) does not fit the decoder "
                f"({size(wanted)}, {size(maker.image)}) and was left out."
            )
            del parts["encoder"]
    for name in ("discriminator", "classifier"):
        other = parts.get(name)
        if other and len(parts) > 1:
            main = maker or parts.get("encoder")
            if name == "classifier" or main is None or other.image != main.image:
                found.warnings.append(f"The {name} does not fit the other networks and was left out.")
                del parts[name]
    labels = {name: part.label for name, part in parts.items()}
    if any(labels.values()):
        counts = {label.classes for label in labels.values() if label}
        if len(counts) > 1:
            raise Refused(f"The networks know different numbers of classes: {sorted(counts)}.")
        # One model of both takes the label for both or for none.
        for name in [name for name, label in labels.items() if label is None and len(parts) > 1]:
            first = next(iter(parts))
            if name != first and name != "decoder":
                found.warnings.append(f"The {name} takes no label, though the {first} does, and was left out.")
                del parts[name]
    if role and role != "autoencoder" and role not in parts:
        raise Refused(f"What was found is {' and '.join(parts) or 'nothing'}, which is no {role}.")


def _told(found: Found, hints: str) -> None:
    roles = set(found.parts)
    if not roles & {"generator", "decoder"} and "discriminator" in roles and re.search("gan|generat", hints, re.I):
        image = found.parts["discriminator"].image
        found.warnings.insert(
            0,
            "It calls itself a GAN or a generator, but it holds the DISCRIMINATOR: it takes images of "
            f"{size(image)} and gives one number, and cannot draw. Ask its author for the generator.",
        )
