"""Weights without a configuration: the architecture by name, by comparison with well-known ones, or from the shapes.

architectures.json holds networks of tutorials that people publish, each with the address where it is described. The
shapes of weights that are those of such a network are a strong hint, but no proof: it is said to be a guess.

For others, shapes tell kinds, channels and kernels of all layers, and the grid behind a Dense layer; strides and
activations are guessed so that the image gets a usual side, said to be guesses, and can be corrected. The activation at
the end follows a rule (tanh with batch normalisation outside decoders, as in DCGANs, else sigmoid), not the values that
come out: (tanh x + 1) / 2 = sigmoid 2x, so both look plausible on any batch, and the wrong one changes contrast alone.
"""

import json
import math
import re
from collections import defaultdict
from pathlib import Path

from training.importing import Refused, configs
from training.importing.configs import Network
from training.importing.graphs import Graph
from training.importing.weights import Stated, snake
from zoo.known import DATASETS
from zoo.manifest import brief

KNOWN = json.loads((Path(__file__).parent / "architectures.json").read_text("utf-8"))
SIDES = (28, 32, 64, 96, 128, 256, 16, 8)
MAX_STEPS = 20_000
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
    picked = options.architecture
    known = {place: _fitting(items, ordered, picked) for place, items in groups.items()}
    if picked and all(name != picked for name, *_ in filter(None, known.values())):
        raise Refused(f"The weights in {brief(where)} do not fit {KNOWN[picked]['title']}.")
    networks, guesses = {}, []
    for place, items in groups.items():
        fit = known[place]
        network, told = _tutorial(*fit, items, ordered) if fit else _guessed(place, items, ordered, options, where)
        network.name = place or (fit[0] if fit else "inferred")
        networks[place] = network
        guesses += [] if fit and fit[0] == picked else told
    return networks, list(dict.fromkeys(guesses))


def _recipe(name: str) -> dict[str, Network]:
    """The networks of a recipe of this project, built by its family."""
    from training import device, export, library  # noqa: F401  (device first: it imports Keras quietly)
    from training.recipe import RecipeError

    try:
        recipe = library.load(name)
        known = DATASETS.get(recipe.dataset)
        if known is None:
            raise RecipeError("its dataset is not a known one.")
        model = library.family(recipe.family)(recipe, known.shape, len(known.classes))
    except RecipeError as error:
        raise Refused(
            f"There is no architecture {brief(name)}: it is none of {', '.join(KNOWN)}, and as a recipe: {error}"
        ) from None
    return configs.networks(json.loads(export.whole(model.exported, name).to_json()), name)


def _fitting(items: list[Stated], ordered: bool, picked: str | None) -> tuple[str, dict] | None:
    """(name, description with the file's number of latent values) of the known architecture that a network's weights
    fit, first of all the one picked; None where they fit none."""
    weighted = [item for item in items if item.weights]
    shapes = [(_base(item.name), sorted(item.weights.values())) for item in weighted]
    plain = {_base(item.name) for item in items if not item.weights} & PLAIN.keys() - {"dropout", "flatten"}
    for name in dict.fromkeys([*filter(None, [picked]), *KNOWN]):
        for known in _latents(KNOWN[name], weighted):
            layers = _layers(_network(known, name))
            wanted = [(snake(layer.kind), sorted(shape for _, shape in layer.spec.weights)) for layer in layers]
            wanted = [(kind, shape) for kind, shape in wanted if shape]
            # In files of Keras 2 the order is kept, names are free; in those of Keras 3 names tell kinds alone.
            same = [s for _, s in wanted] == [s for _, s in shapes] if ordered else sorted(wanted) == sorted(shapes)
            if same and (name == picked or plain <= {snake(layer.kind) for layer in layers}):
                return name, known
    return None


def _latents(known: dict, weighted: list[Stated]):
    """A known architecture with as many layers, and the same with other numbers of latent values that may be meant."""
    if sum(kind in WEIGHTED for kind, _ in known["layers"]) + len(known.get("heads", [])) != len(weighted):
        return
    yield known
    kernels = [shape for item in weighted for shape in item.weights.values() if len(shape) == 2]
    if "heads" in known:
        units = known["layers"][-1][1]["units"]
        for size in sorted({out for given, out in kernels if given == units}):
            yield known | {"heads": [[head, size] for head, _ in known["heads"]]}
    elif len(known["input"]) == 1 and "label" not in known:
        units = known["layers"][0][1]["units"]
        yield from (known | {"input": [given]} for given, out in kernels if out == units)


def _tutorial(name: str, known: dict, items: list[Stated], ordered: bool) -> tuple[Network, list[str]]:
    """A known architecture under the names of a file's layers, and in which words it is a guess."""
    network = _network(known, name, [item.name for item in items if item.weights] if ordered else None)
    other = " up to the number of latent values" if known != KNOWN[name] else ""
    told = f"The shapes of the weights are those of {known['title']} ({name}){other}"
    return network, [f"{told}; strides and activations are taken from it (architecture)."]


def _network(known: dict, name: str, names: list[str] | None = None) -> Network:
    return next(iter(configs.networks(_config(known, name, names), name).values()))


def _layers(network: Network) -> list:
    return list(Graph(network).layers.values())


def _base(name: str) -> str:
    """The name of a layer without its number: conv2d_3 → conv2d."""
    return re.sub(r"_\d+$", "", name)


def _config(known: dict, name: str, names: list[str] | None = None) -> dict:
    """A Functional configuration of a chain of layers, with a one-hot label joined to the input at the start, or heads
    beside each other at the end."""
    left = list(names or [])
    given = {"input": known["input"], **({"label": [known["label"]]} if "label" in known else {})}
    layers: list[dict] = [
        {"class_name": "InputLayer", "name": name, "config": {"batch_shape": [None, *shape]}}
        for name, shape in given.items()
    ]
    if len(given) > 1:
        joined = [[[name, 0, 0, {}] for name in given]]
        layers.append({"class_name": "Concatenate", "name": "joined", "config": {}, "inbound_nodes": joined})
    for index, (kind, arguments) in enumerate(known["layers"]):
        own = left.pop(0) if left and kind in WEIGHTED else f"{kind.lower()}_{index}"
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
    starts = [[name, 0, 0] for name in given]
    config = {"name": name, "layers": layers, "input_layers": starts, "output_layers": ends}
    return {"class_name": "Functional", "config": config}


# From shapes ---------------------------------------------------------------------------------------------------------


def _guessed(place, items, ordered, options, where) -> tuple[Network, list[str]]:
    help_ = "pick a known one (architecture), or give its configuration as a .json file beside it"
    found, plain, previous, left_out = [], defaultdict(int), None, []
    sequence: list = []
    for item in items:
        base = _base(item.name)
        if not item.weights:
            if base in PLAIN:
                plain[base] += 1
                sequence.append(base)
            elif base not in HARMLESS:
                left_out.append(brief(item.name))
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
    if left_out:
        told.append(f"Layers that the file names, but does not describe, were left out: {', '.join(left_out[:6])}.")
    names = [item.name for item in order if isinstance(item, Item)] + [head.name for head in heads]
    return _network(known, brief(where), names if ordered else None), told


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
    stated = [PLAIN[name][0] for name in named if PLAIN[name][0] in ACTIVATIONS]
    stated.sort(key="Activation".__eq__)  # beside others it is the one at the end
    activation = options.activation or (stated or ["relu"])[0]
    normalised = any(item.kind == "BatchNormalization" for item in items)
    makes_images = first.kind == "Dense" and (items[-1].flow[1] > first.flow[0] or bool(convolutions))
    end = options.last or (("tanh" if normalised and not decoder else "sigmoid") if makes_images else "linear")
    resized = sum(plain[name] for name in ("up_sampling2d", "max_pooling2d", "average_pooling2d"))
    between = {"LeakyReLU": "LeakyReLU of slope 0.3", "Activation": "relu"}.get(activation, activation)
    # All strides 2 at an unusual side are more likely than stride 1 at a usual one.
    for strides in _strides(convolutions, resized, options, makes_images, decoder):
        for side in (options.side,) if options.side else SIDES:
            for padding in ("same", "valid"):
                known = _described(order, ordered, plain, side, strides, padding, activation, end, makes_images, heads)
                if known is None:
                    continue
                guesses = [
                    "The file holds weights alone; its architecture was inferred from their shapes.",
                    f"Strides {', '.join(map(str, strides)) or 'none'} and padding {padding!r} are guessed (strides).",
                    f"Between the layers {between} is guessed (activation)."
                    + (f" At the end {end} is guessed (output activation)." if makes_images else ""),
                ]
                return known, guesses
    return None, []


def _strides(convolutions, resized: int, options, makes_images: bool, decoder: bool):
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
        # As in the tutorials: generators keep their size first (7×7 with strides 1, 2, 2), encoders and decoders last.
        chosen = set(places[len(places) - doubled :] if makes_images and not decoder else places[:doubled])
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
            if item in ("flatten", "dropout", *GLOBAL) or (PLAIN[item][0] in ACTIVATIONS and not explicit):
                continue
            if PLAIN[item][0] in ACTIVATIONS:
                act()
            elif len(shape) == 3:
                shape = resize(item, shape)
            continue
        if item.kind == "Dense":
            if len(shape) == 3:
                pooled = next((PLAIN[name][0] for name in GLOBAL if plain[name]), None)
                layers.append([pooled or "Flatten", {}])
                shape = (shape[2] if pooled else math.prod(shape),)
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
