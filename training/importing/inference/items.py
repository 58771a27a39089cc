"""The layers that a file of weights states, by kind, channels and kernel, and in which order they fit together."""

import math
import re
from collections import defaultdict
from dataclasses import dataclass, field

from training.importing import Refused
from training.importing.weights import Stated
from zoo.manifest import brief

MAX_STEPS = 20_000
SPREAD = "(normalisation of a vector as a grid)"  # tried last
KINDS = {"dense": "Dense", "conv2d": "Conv2D", "conv2d_transpose": "Conv2DTranspose",
         "batch_normalization": "BatchNormalization"}  # fmt: skip
WEIGHTED = frozenset(KINDS.values())
# Layers without weights that names tell of, with the arguments to assume.
PLAIN = {
    "leaky_re_lu": ("LeakyReLU", {}),
    "re_lu": ("ReLU", {}),
    "elu": ("ELU", {}),
    "activation": ("Activation", {"activation": "relu"}),
    "dropout": ("Dropout", {"rate": 0.3}),
    "up_sampling2d": ("UpSampling2D", {}),
    "max_pooling2d": ("MaxPooling2D", {"padding": "same"}),
    "average_pooling2d": ("AveragePooling2D", {"padding": "same"}),
    "global_max_pooling2d": ("GlobalMaxPooling2D", {}),
    "global_average_pooling2d": ("GlobalAveragePooling2D", {}),
    "flatten": ("Flatten", {}),
}
GLOBAL = ("global_max_pooling2d", "global_average_pooling2d")
HARMLESS = {"input", "input_layer", "reshape", "sampling", *PLAIN}  # names whose absence in a guess changes nothing
ACTIVATIONS = {"LeakyReLU", "ReLU", "ELU", "Activation"}
HELP = "pick a known one (architecture), or give its configuration as a .json file beside it"


@dataclass(frozen=True)
class Item:
    """One layer: kind, channels (or length) in and out, kernel, further arguments, and what the file states."""

    kind: str
    flow: tuple[int, int]
    stated: Stated = field(compare=False)
    kernel: tuple[int, int] = (1, 1)
    arguments: tuple[tuple[str, bool | float], ...] = ()

    @property
    def name(self) -> str:
        return self.stated.name


@dataclass(frozen=True)
class Heads:
    """Two Dense layers beside each other: mean and log-variance."""

    first: Item
    second: Item

    @property
    def flow(self) -> tuple[int, int]:
        return self.first.flow


Order = list[Item | Heads | str]


def base(name: str) -> str:
    """The name of a layer without its number: conv2d_3 → conv2d."""
    return re.sub(r"_\d+$", "", name)


def number(name: str) -> int:
    """The number at the end of a layer's name, 0 where there is none."""
    found = re.search(r"_(\d+)$", name)
    return int(found[1]) if found else 0


def root(count: int) -> int:
    """The side of a square of `count` places, 0 where there is none."""
    side = math.isqrt(count)
    return side if side * side == count else 0


def read(stated: list[Stated], ordered: bool, where: str) -> tuple[Order, dict[str, int], list[str]]:
    """(layers in order with the names of plain layers between them, how often each plain layer is named, names of
    layers that are left out); raises Refused for a layer of unknown kind, or where no order fits."""
    found: list[Item] = []
    sequence: Order = []
    plain: dict[str, int] = defaultdict(int)
    left_out: list[str] = []
    for item in stated:
        kind = base(item.name)
        if item.weights:
            made = _item(item, kind, found[-1].flow[1] if found else None)
            if made is None:
                raise Refused(f"The layer {brief(item.name)} of {brief(where)} does not tell its architecture; {HELP}.")
            found.append(made)
            sequence.append(made)
        elif kind in PLAIN:
            plain[kind] += 1
            sequence.append(kind)
        elif kind not in HARMLESS:
            left_out.append(brief(item.name))
    order = _paired(sequence) if ordered else _merged(found)
    if not order:
        raise Refused(f"The layers of {brief(where)} do not fit together in a chain; {HELP}.")
    return order, dict(plain), left_out


def _item(stated: Stated, kind: str, previous: int | None) -> Item | None:
    shapes = list(stated.weights.values())
    first, bias = shapes[0], (("use_bias", len(shapes) > 1),)
    normal = all(len(shape) == 1 and shape == first for shape in shapes) and len(first) == 1
    if normal and (len(shapes) == 4 or (len(shapes) in (2, 3) and kind.startswith("batch_norm"))):
        gamma, beta = len(shapes) == 4 or "gamma" in stated.weights, len(shapes) == 4 or "beta" in stated.weights
        if len(shapes) == 3 and not gamma and not beta:
            beta = True  # names are numbers: without scale is what is written more often
        epsilon = (("epsilon", 1e-5),) if stated.torch else ()
        flags = (("scale", gamma), ("center", beta), *epsilon)
        return Item("BatchNormalization", (first[0], first[0]), stated, (1, 1), flags)
    if len(first) == 2 and len(shapes) <= 2 and "embed" not in kind:
        return Item("Dense", (first[0], first[1]), stated, (1, 1), bias)
    if len(first) == 4 and len(shapes) <= 2 and "depthwise" not in kind and "separable" not in kind:
        made = KINDS.get(kind)
        if made is None:
            fits_out = first[3] == previous and first[2] != previous
            fits_out |= previous is None and stated.torch and first[2] not in (1, 3)
            made = "Conv2DTranspose" if "transpose" in kind or "deconv" in kind or fits_out else "Conv2D"
        flow = (first[3], first[2]) if made == "Conv2DTranspose" else (first[2], first[3])
        return Item(made, flow, stated, (first[0], first[1]), bias)
    return None


def _twins(first: Item | Heads | str, second: Item | Heads | str | None) -> bool:
    """Whether two layers take the same and give as much, which no two in a row do."""
    return (
        isinstance(first, Item)
        and isinstance(second, Item)
        and first.kind == second.kind == "Dense"
        and first.flow == second.flow
        and first.flow[0] != first.flow[1]
    )


def _paired(sequence: Order) -> Order:
    """The sequence with twins as heads."""
    found: Order = []
    rest = list(sequence)
    while rest:
        item = rest.pop(0)
        following = rest[0] if rest else None
        if isinstance(item, Item) and isinstance(following, Item) and _twins(item, following):
            found.append(Heads(item, following))
            rest.pop(0)
        else:
            found.append(item)
    return found


def _fits(state: int | None, grid: bool, item: Item) -> bool:
    """Whether a layer can follow: `state` is the length or the channels before it, None at the start."""
    if state is None:
        return item.kind in ("Dense", "Conv2DTranspose") or (item.kind == "Conv2D" and item.flow[0] in (1, 3))
    if item.kind in ("Dense", "BatchNormalization"):
        return item.flow[0] == state or (grid and item.kind == "Dense" and item.flow[0] % state == 0)
    return item.flow[0] == state or (not grid and state % item.flow[0] == 0 and root(state // item.flow[0]) > 0)


def _spreads(state: int | None, item: Item) -> bool:
    """Whether a vector is a square grid of as many channels as a normalisation has, of more than one place."""
    return state is not None and state % item.flow[0] == 0 and root(state // item.flow[0]) > 1


def _merged(items: list[Item]) -> Order | None:
    """One order of layers whose order is known only within each kind, such that shapes fit from one to the next."""
    queues: dict[str, list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: number(item.name)):
        queues[item.kind].append(item)
    # A grid that starts as a vector of its channels is rare: only where no Dense layer could stand first.
    steps = 0

    def extend(done: Order, used: dict[str, int], state: int | None, grid: bool) -> Order | None:
        nonlocal steps
        steps += 1
        if sum(used.values()) == len(items):
            return done
        if steps > MAX_STEPS:
            return None
        kinds = ["BatchNormalization", "Conv2D", "Conv2DTranspose", "Dense"]
        kinds = ["BatchNormalization", "Conv2D", "Dense", "Conv2DTranspose"] if state is None else [*kinds, SPREAD]
        for kind in kinds:
            spread = kind == SPREAD and state is not None and not grid
            kind = "BatchNormalization" if kind == SPREAD else kind
            count, last = used.get(kind, 0), done[-1] if done else None
            twice = kind == "BatchNormalization" and isinstance(last, Item) and last.kind == kind
            if count == len(queues[kind]) or twice:
                continue
            item = queues[kind][count]
            if not (_spreads(state, item) if spread else _fits(state, grid, item)):
                continue
            following = queues[kind][count + 1] if count + 1 < len(queues[kind]) else None
            after = (grid or spread) if kind == "BatchNormalization" else kind != "Dense"
            if following and _twins(item, following):
                found = extend([*done, Heads(item, following)], used | {kind: count + 2}, item.flow[1], False)
                if found:
                    return found
            found = extend([*done, item], used | {kind: count + 1}, item.flow[1], after)
            if found:
                return found
        return None

    return extend([], {}, None, False)
