"""A part of a graph with a role, and images as shapes."""

import math
from dataclasses import dataclass, field

from training.importing import Refused
from training.importing.graphs import OPAQUE, SAMPLING, Graph
from training.importing.options import Options
from zoo.manifest import MAX_LATENT_VALUES, brief

Image = tuple[int, int, int]  # height, width, channels
Shape = tuple[int, ...]


@dataclass
class Label:
    """A tensor that takes a class: by its index, or one-hot of length `classes`."""

    tensor: int
    classes: int
    one_hot: bool


@dataclass
class Part:
    """A network of the entry.

    Attributes:
        role: one of zoo.manifest.ROLES.
        graph: the graph in which it lies.
        inputs, outputs: name → tensor of the graph between which it lies.
        image: of the images that come out, or go in where none come out.
        source: of the images that go into a translator.
        label: the tensor that takes a class.
        joined: so many classes are the last values of the code, one-hot (a label that is joined outside).
        halves: one output of 2·L values holds mean and log-variance.
        logits: of a classifier, the number of the call that makes the logits.
        guesses: what about it is not certain, in sentences.
    """

    role: str
    graph: Graph
    inputs: dict[str, int]
    outputs: dict[str, int]
    image: Image = (0, 0, 0)
    source: Image | None = None
    label: Label | None = None
    joined: int = 0
    halves: bool = False
    logits: int | None = None
    guesses: list[str] = field(default_factory=list)

    @property
    def latent(self) -> Shape | None:
        """The shape of its code without a joined label, None where it has none."""
        tensor = self.inputs.get("latent", self.outputs.get("latent", self.outputs.get("z_mean")))
        if tensor is None:
            return None
        shape = self.graph.shapes[tensor]
        if self.halves:
            shape = (shape[0] // 2,)
        return (shape[0] - self.joined,) if self.joined else shape

    @property
    def classes(self) -> int:
        """How many classes it takes labels of, 0 for none."""
        return self.label.classes if self.label else self.joined


def size(shape: Shape) -> str:
    """A shape in words: 28×28×1."""
    return "×".join(map(str, shape)) or "one number"


def image_of(shape: Shape, options: Options) -> Image | None:
    """The image that a tensor of this shape is: (H, W, C), (H, W), a vector of a square image's length, or of the
    length of the shape that the user says."""
    if len(shape) == 3 and shape[2] in (1, 3) and all(4 <= n <= 512 for n in shape[:2]):
        return shape[0], shape[1], shape[2]
    if options.image:
        height, width, channels = options.image
        for count in (channels,) if channels else (1, 3):
            if math.prod(shape) == height * width * count:
                return height, width, count
    if len(shape) == 2 and all(4 <= n <= 512 for n in shape):
        return shape[0], shape[1], 1
    if len(shape) == 1:
        for channels in (1, 3):
            side = math.isqrt(shape[0] // channels)
            if side * side * channels == shape[0] and 8 <= side <= 512:
                return side, side, channels
    return None


def image_or_refuse(shape: Shape, where: str, options: Options, guesses: list[str]) -> Image:
    """The image that a tensor is, with a note where its shape does not say so."""
    image = image_of(shape, options)
    if image is None:
        raise Refused(f"The {where} of {size(shape)} is no image of 1 or 3 channels and sides of 4 to 512.")
    if shape != image:
        guesses.append(f"The {where} of {size(shape)} is taken for an image of {size(image)}.")
    return image


def part_of(role: str, graph: Graph, inputs: dict[str, int], outputs: dict[str, int], label: Label | None) -> Part:
    """The part of a graph between tensors; raises Refused when it needs another input, or a step that is no stock
    layer."""
    starts = set(inputs.values()) | ({label.tensor} if label else set())
    calls = graph.between(starts, set(outputs.values()))
    for call in calls:
        if call.layer.kind == OPAQUE:
            raise Refused(str(call.layer.spec.arguments["reason"]))
        if call.layer.kind == SAMPLING:
            raise Refused(f"The layer {brief(call.layer.name)} draws random codes in the middle of the {role}.")
    used = {tensor for call in calls for tensor in call.inputs} | set(outputs.values())
    part = Part(role, graph, dict(inputs), dict(outputs))
    part.label = label if label and label.tensor in used else None
    missing = [name for name, tensor in inputs.items() if tensor not in used]
    if missing:
        raise Refused(f"The {role} does not use its {missing[0]}.")
    return part


def bounded(part: Part) -> Part:
    """The part, when its code is no larger than allowed; raises Refused."""
    for name, tensor in (part.inputs | part.outputs).items():
        shape = part.graph.shapes[tensor]
        if name in ("latent", "z_mean") and (math.prod(shape) > MAX_LATENT_VALUES or not 1 <= len(shape) <= 4):
            raise Refused(f"A latent code of {size(shape)} is larger than the {MAX_LATENT_VALUES:,} values allowed.")
    return part


def divides(graph: Graph, tensor: int, beside: set[int], output: int) -> bool:
    """Whether all that reaches the output passes this tensor, or those beside it."""
    try:
        graph.between({tensor} | beside, {output})
    except Refused:
        return False
    return True
