"""Weights without a configuration: the architecture by name, by comparison with well-known ones, or from the shapes.

Shapes tell kinds, channels and kernels of all layers, and the grid behind a Dense layer; strides and activations are
guessed so that the image gets a usual side, said to be guesses, and can be corrected.
"""

import json
import math
import re
from collections import defaultdict
from pathlib import Path

from training.importing import Refused, configs
from training.importing.configs import Network
from training.importing.graphs import Graph
from training.importing.weights import Stated
from zoo.manifest import brief

KNOWN = json.loads((Path(__file__).parent / "architectures.json").read_text("utf-8"))
SIDES = (28, 32, 64, 96, 128, 256, 16, 8)
MAX_STEPS = 20_000
KINDS = {"dense": "Dense", "conv2d": "Conv2D", "conv2d_transpose": "Conv2DTranspose",
         "batch_normalization": "BatchNormalization"}  # fmt: skip
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
    "flatten": ("Flatten", {}),
}
ACTIVATIONS = {"LeakyReLU", "ReLU", "ELU", "Activation"}


class Item:
    """One layer of a file: its kind, its channels in and out (or its length), its name."""

    def __init__(self, kind: str, stated: Stated):
        self.kind, self.name, self.weights = kind, stated.name, list(stated.weights.values())
        self.bias = len(self.weights) > 1
        first = self.weights[0]
        self.kernel = first[:2]
        self.flow = {
            "Dense": first[-2:],
            "Conv2D": first[-2:],
            "Conv2DTranspose": first[-2:][::-1],
            "BatchNormalization": (first[-1], first[-1]),
        }[kind]


def infer(stated: list[Stated], ordered: bool, options, where: str) -> tuple[dict[str, Network], list[str]]:
    """(networks by the place of their weights, what was guessed); raises Refused with what to do."""
    if options.architecture and options.architecture not in KNOWN:
        return _recipe(options.architecture), []
    groups: dict[str, list[Stated]] = defaultdict(list)
    for item in stated:
        groups[item.network].append(item)
    groups = {place: items for place, items in groups.items() if any(item.weights for item in items)}
    if not groups:
        raise Refused(f"{brief(where)} holds no weights of layers.")
    networks, guesses = {}, []
    for place, items in groups.items():
        networks[place], told = _network(place, items, ordered, options, where)
        guesses += told
    return networks, list(dict.fromkeys(guesses))


def _recipe(name: str) -> dict[str, Network]:
    """The networks of a recipe of this project, built by its family."""
    from training import device, export  # noqa: F401  (device first: it imports Keras quietly)
    from training import recipe as recipes
    from zoo import datasets

    try:
        recipe = recipes.load(name)
        known = datasets.NAMES.get(recipe.dataset)
        if known is None:
            raise recipes.RecipeError("its dataset is not a known one.")
        model = recipes.family(recipe.family)(recipe, known.shape, len(known.classes))
    except recipes.RecipeError as error:
        raise Refused(
            f"There is no architecture {brief(name)}: it is none of {', '.join(KNOWN)}, and as a recipe: {error}"
        ) from None
    return configs.networks(json.loads(export.whole(model.exported, name).to_json()), name)


def _network(place, items, ordered, options, where) -> tuple[Network, list[str]]:
    weighted = [item for item in items if item.weights]
    shapes = [sorted(item.weights.values()) for item in weighted]
    for name, known in KNOWN.items():
        network = _known(known, name)
        graph = Graph(network)
        wanted = [sorted(s for _, s in layer.spec.weights) for layer in graph.layers.values() if layer.spec.weights]
        if options.architecture in (None, name) and (wanted == shapes if ordered else sorted(wanted) == sorted(shapes)):
            if ordered:
                config = _config(known, name, [item.name for item in weighted])
                network = next(iter(configs.networks(config, name).values()))
            network.name = place or name
            return network, [f"The weights fit {known['title']} ({name})."]
    if options.architecture:
        raise Refused(f"The weights in {brief(where)} do not fit {KNOWN[options.architecture]['title']}.")
    return _guessed(place, items, ordered, options, where)


def _known(known: dict, name: str) -> Network:
    return next(iter(configs.networks(_config(known, name), name).values()))


def _config(known: dict, name: str, names: list[str] | None = None) -> dict:
    """A Functional configuration of a chain of layers, with heads beside each other at the end."""
    left = list(names or [])
    weighted = {"Dense", "Conv2D", "Conv2DTranspose", "BatchNormalization"}
    layers = [{"class_name": "InputLayer", "name": "input", "config": {"batch_shape": [None, *known["input"]]}}]
    for index, (kind, arguments) in enumerate(known["layers"]):
        own = left.pop(0) if left and kind in weighted else f"{kind.lower()}_{index}"
        before = layers[-1]["name"]
        layers.append(
            {"class_name": kind, "name": own, "config": dict(arguments), "inbound_nodes": [[[before, 0, 0, {}]]]}
        )
    last = layers[-1]["name"]
    heads = []
    for title, units in known.get("heads", []):
        own = left.pop(0) if left else title
        heads.append(own)
        layers.append(
            {"class_name": "Dense", "name": own, "config": {"units": units}, "inbound_nodes": [[[last, 0, 0, {}]]]}
        )
    ends = [[head, 0, 0] for head in heads or [last]]
    config = {"name": name, "layers": layers, "input_layers": [["input", 0, 0]], "output_layers": ends}
    return {"class_name": "Functional", "config": config}


# From shapes ---------------------------------------------------------------------------------------------------------


def _guessed(place, items, ordered, options, where) -> tuple[Network, list[str]]:
    help_ = "pick a known one (architecture), or give its configuration as a .json file beside it"
    found, plain, previous = [], defaultdict(int), None
    sequence: list = []
    for item in items:
        base = re.sub(r"_\d+$", "", item.name)
        if not item.weights:
            if base in PLAIN:
                plain[base] += 1
                sequence.append(base)
            continue
        kind = _kind(item, base, previous)
        if kind is None:
            raise Refused(f"The layer {brief(item.name)} of {brief(where)} does not tell its architecture; {help_}.")
        made = Item(kind, item)
        previous = made.flow[1]
        found.append(made)
        sequence.append(made)
    heads = []
    dense = [item for item in found if item.kind == "Dense"]
    if len(dense) > 1 and dense[-1].flow == dense[-2].flow and dense[-1].flow[0] != dense[-1].flow[1]:
        heads = dense[-2:]
        sequence = [item for item in sequence if item not in heads]
    order = sequence if ordered else _merged([item for item in found if item not in heads])
    if order is None or not any(isinstance(item, Item) for item in order):
        raise Refused(f"The layers of {brief(where)} do not fit together in a chain; {help_}.")
    known, told = _chain(order, plain, ordered, options, heads, "decod" in f"{place} {where}".lower())
    if known is None:
        raise Refused(f"No usual image size follows from the shapes in {brief(where)}; {help_}, or say its strides.")
    network = next(iter(configs.networks(_config(known, place or "inferred", None), brief(where)).values()))
    if ordered:
        names = [item.name for item in order if isinstance(item, Item)] + [head.name for head in heads]
        config = _config(known, place or "inferred", names)
        network = next(iter(configs.networks(config, brief(where)).values()))
    network.name = place or "inferred"
    return network, told


def _kind(item: Stated, base: str, previous: int | None) -> str | None:
    shapes = list(item.weights.values())
    first = shapes[0]
    if len(shapes) == 4 and all(len(shape) == 1 and shape == first for shape in shapes):
        return "BatchNormalization"
    if len(first) == 2 and len(shapes) <= 2 and "embed" not in base:
        return "Dense"
    if len(first) == 4 and len(shapes) <= 2 and "depthwise" not in base and "separable" not in base:
        if base in KINDS:
            return KINDS[base]
        fits_out = previous is not None and first[3] == previous and first[2] != previous
        return "Conv2DTranspose" if "transpose" in base or "deconv" in base or fits_out else "Conv2D"
    return None


def _merged(items: list[Item]) -> list[Item] | None:
    """One order of layers whose order is known only within each kind, such that shapes fit from one to the next."""
    queues: dict[str, list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: _number(item.name)):
        queues[item.kind].append(item)
    steps = [0]

    def fits(state: int | None, grid: bool, item: Item) -> bool:
        if state is None:
            return item.kind == "Dense" or (item.kind == "Conv2D" and item.flow[0] in (1, 3))
        if item.kind in ("Dense", "BatchNormalization"):
            return item.flow[0] == state or (grid and item.kind == "Dense" and item.flow[0] % state == 0)
        return item.flow[0] == state or (not grid and state % item.flow[0] == 0 and _root(state // item.flow[0]) > 0)

    def extend(done: list[Item], state, grid) -> list[Item] | None:
        steps[0] += 1
        if len(done) == len(items):
            return done
        if steps[0] > MAX_STEPS:
            return None
        for kind in ("BatchNormalization", "Conv2D", "Conv2DTranspose", "Dense"):
            used = sum(item.kind == kind for item in done)
            if used == len(queues[kind]) or (kind == "BatchNormalization" and done and done[-1].kind == kind):
                continue
            item = queues[kind][used]
            if fits(state, grid, item):
                after = grid if kind == "BatchNormalization" else kind != "Dense"
                found = extend([*done, item], item.flow[1], after)
                if found:
                    return found
        return None

    return extend([], None, False)


def _number(name: str) -> int:
    found = re.search(r"_(\d+)$", name)
    return int(found[1]) if found else 0


def _root(number: int) -> int:
    root = math.isqrt(number)
    return root if root * root == number else 0


def _chain(order, plain, ordered, options, heads, decoder: bool) -> tuple[dict | None, list[str]]:
    """The chain as a description, trying usual sides, strides and paddings until every shape fits."""
    items = [item for item in order if isinstance(item, Item)]
    first, convolutions = items[0], [item for item in items if item.kind.startswith("Conv")]
    named = [item for item in order if not isinstance(item, Item)] if ordered else list(plain)
    activation = options.activation or next(
        (PLAIN[n][0] for n in named if n in PLAIN and PLAIN[n][0] in ACTIVATIONS), "relu"
    )
    normalised = any(item.kind == "BatchNormalization" for item in items)
    makes_images = first.kind == "Dense" and (items[-1].flow[1] > first.flow[0] or bool(convolutions))
    end = options.last or (("tanh" if normalised and not decoder else "sigmoid") if makes_images else "linear")
    resized = sum(plain[name] for name in ("up_sampling2d", "max_pooling2d", "average_pooling2d"))
    for side in (options.side,) if options.side else SIDES:
        for strides in _strides(convolutions, resized, options, makes_images):
            for padding in ("same", "valid"):
                known = _described(order, ordered, plain, side, strides, padding, activation, end, makes_images, heads)
                if known is None:
                    continue
                guesses = [
                    "The file holds weights alone; its architecture was inferred from their shapes.",
                    f"Strides {', '.join(map(str, strides)) or 'none'} and padding {padding!r} are guessed (strides).",
                    f"Between the layers {activation} is guessed (activation)."
                    + (f" At the end {end} is guessed (output activation)." if makes_images else ""),
                ]
                return known, guesses
    return None, []


def _strides(convolutions, resized: int, options, makes_images: bool):
    count = len(convolutions)
    if options.strides:
        yield tuple(options.strides)[:count] + (1,) * (count - len(options.strides))
        return
    if resized:
        yield (1,) * count
        return
    moving = [item.kind == "Conv2DTranspose" for item in convolutions] if makes_images else [True] * count
    places = [index for index, move in enumerate(moving) if move]
    for doubled in range(len(places), -1, -1):
        # Generators keep their size first (7×7 with strides 1, 2, 2), encoders last.
        chosen = set(places[len(places) - doubled :] if makes_images else places[:doubled])
        yield tuple(2 if index in chosen else 1 for index in range(count))


def _described(order, ordered, plain, side, strides, padding, activation, end, makes_images, heads) -> dict | None:
    """The description when all shapes fit, else None."""
    items = [item for item in order if isinstance(item, Item)]
    first, last, layers, strides = items[0], items[-1], [], list(strides)
    shape: tuple[int, ...] = (first.flow[0],) if first.kind == "Dense" else (side, side, first.flow[0])
    given = list(shape)
    explicit = ordered and any(
        name in PLAIN and PLAIN[name][0] in ACTIVATIONS for name in order if isinstance(name, str)
    )
    left = dict(plain)
    # A file of Keras 3 counts the activation layers, though it does not say where they are.
    told = 0 if ordered else sum(plain[name] for name in PLAIN if PLAIN[name][0] in ACTIVATIONS)
    acts = told or len(order)

    def act() -> None:
        nonlocal acts
        acts -= 1
        if acts < 0:
            return
        if activation in ("LeakyReLU", "ReLU", "ELU"):
            layers.append([activation, {}])
        elif activation == "leaky_relu":
            layers.append(["LeakyReLU", {"negative_slope": 0.2}])
        else:
            layers.append(["Activation", {"activation": "relu" if activation == "Activation" else activation}])

    def resize(name: str, shape):
        layers.append([PLAIN[name][0], dict(PLAIN[name][1])])
        if name == "up_sampling2d":
            return (shape[0] * 2, shape[1] * 2, shape[2])
        return (-(-shape[0] // 2), -(-shape[1] // 2), shape[2])

    for index, item in enumerate(order):
        if isinstance(item, str):
            if item in ("flatten", "dropout") or (PLAIN[item][0] in ACTIVATIONS and not explicit):
                continue
            if PLAIN[item][0] in ACTIVATIONS:
                act()
            elif len(shape) == 3:
                shape = resize(item, shape)
            continue
        if item.kind == "Dense":
            if len(shape) == 3:
                layers.append(["Flatten", {}])
                shape = (math.prod(shape),)
            if shape[-1] != item.flow[0]:
                return None
            shape = (item.flow[1],)
            layers.append(["Dense", {"units": item.flow[1], "use_bias": item.bias}])
        elif item.kind == "BatchNormalization":
            if shape[-1] != item.flow[0]:
                return None
            layers.append(["BatchNormalization", {}])
        else:
            if len(shape) == 1:
                root = _root(shape[0] // item.flow[0]) if shape[0] % item.flow[0] == 0 else 0
                if not root:
                    return None
                shape = (root, root, item.flow[0])
                layers.append(["Reshape", {"target_shape": list(shape)}])
            if shape[2] != item.flow[0]:
                return None
            if not ordered and left.get("up_sampling2d", 0) > 0 and makes_images:
                left["up_sampling2d"] -= 1
                shape = resize("up_sampling2d", shape)
            stride = strides.pop(0)
            layers.append(
                [item.kind, {"filters": item.flow[1], "kernel_size": list(item.kernel), "strides": stride,
                             "padding": padding, "use_bias": item.bias}]
            )  # fmt: skip
            size = []
            for n, k in zip(shape[:2], item.kernel, strict=True):
                if item.kind == "Conv2DTranspose":
                    size.append(n * stride + (max(k - stride, 0) if padding == "valid" else 0))
                else:
                    size.append(-(-n // stride) if padding == "same" else (n - k) // stride + 1)
            shape = (*size, item.flow[1])
            if min(shape) < 1:
                return None
            if not ordered and left.get("max_pooling2d", 0) > 0:
                left["max_pooling2d"] -= 1
                shape = resize("max_pooling2d", shape)
        following = next((x for x in order[index + 1 :] if isinstance(x, Item)), None)
        # Activations that are layers come after normalisation; without any, they belong to the layer before it.
        here = (
            (following is None or following.kind != "BatchNormalization") if told else item.kind != "BatchNormalization"
        )
        if not explicit and here and (heads or item is not last):
            act()
    if makes_images:
        if len(shape) == 3 and (shape[0] not in SIDES or shape[2] not in (1, 3)):
            return None
        layers.append(["Activation", {"activation": end}])
    elif end != "linear":
        layers.append(["Activation", {"activation": end}])
    if heads and (shape if len(shape) == 1 else (math.prod(shape),))[-1] != heads[0].flow[0]:
        return None
    if heads and len(shape) == 3:
        layers.append(["Flatten", {}])
    return {"input": given, "layers": layers, "heads": [[head.name, head.flow[1]] for head in heads]}
