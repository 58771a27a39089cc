"""Networks of tutorials that people publish, recognised by the shapes of their weights.

architectures.json holds each with the address where it is described, the shape that goes in and, of those that make
images, what codes are drawn from (prior) and the range of the images (makes). Shapes that are those of such a network
are a strong hint, but no proof: it is said to be a guess.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.importing import configs
from training.importing.configs import Network
from training.importing.graphs import Call, Graph, Layer
from training.importing.inference.items import PLAIN, WEIGHTED, base, number
from training.importing.weights import Stated, snake

KNOWN: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "architectures.json").read_text("utf-8"))
SAID = PLAIN.keys() - {"dropout", "flatten", "activation"}  # layers whose presence speaks against a tutorial without

Networks = dict[str, tuple[Network, dict[str, Stated]]]


def fitting(items: list[Stated], ordered: bool, picked: str | None) -> tuple[str, dict[str, Any]] | None:
    """(name, description with the file's number of latent values) of the known architecture that a network's weights
    fit, first of all the one picked; None where they fit none."""
    weighted = [item for item in items if item.weights]
    shapes = [(base(item.name), sorted(item.weights.values())) for item in weighted]
    plain = {base(item.name) for item in items if not item.weights} & SAID
    torch = any(item.torch for item in weighted)
    for name in dict.fromkeys([*filter(None, [picked]), *KNOWN]):
        if KNOWN[name].get("torch", False) != torch or "embedding" in KNOWN[name]:
            continue  # PyTorch flattens in another order and pads in another way
        for known in _latents(KNOWN[name], weighted):
            layers = layers_of(network_of(known, name))
            wanted = [(snake(layer.kind), sorted(shape for _, shape in layer.spec.weights)) for layer in layers]
            wanted = [(kind, shape) for kind, shape in wanted if shape]
            # In files of Keras 2 the order is kept, names are free; in those of Keras 3 names tell kinds alone.
            same = [s for _, s in wanted] == [s for _, s in shapes] if ordered else sorted(wanted) == sorted(shapes)
            if same and (name == picked or plain <= {snake(layer.kind) for layer in layers}):
                return name, known
    return None


def belonging(graph: Graph, calls: list[Call]) -> tuple[str, dict[str, Any]] | None:
    """(name, description) of the known maker of images whose weights, up to the number of latent values, are those of a
    network with a configuration; None where they are those of none."""
    layers = {call.layer.path: call.layer for call in calls if call.layer.spec.weights}
    found = [(snake(layer.kind), [shape for _, shape in layer.spec.weights]) for layer in layers.values()]
    given = next((shapes[0][0] for kind, shapes in found if kind == "dense"), 0)
    for name, known in KNOWN.items():
        if "prior" not in known or known.get("torch"):
            continue
        classes = known.get("label", 0)
        own = known | {"input": [given - classes]} if given > classes and len(known["input"]) == 1 else known
        wanted = [(snake(layer.kind), [s for _, s in layer.spec.weights]) for layer in layers_of(network_of(own, name))]
        beside = [("embedding", [tuple(known["embedding"][:1]) + (given,)])] if "embedding" in known else []
        if sorted(found) == sorted([*beside, *(item for item in wanted if item[1])]):
            return name, known
    return None


def _latents(known: dict[str, Any], weighted: list[Stated]) -> Iterator[dict[str, Any]]:
    """A known architecture with as many layers, and the same with other numbers of latent values that may be meant."""
    if sum(kind in WEIGHTED for kind, _ in known["layers"]) + len(known.get("heads", [])) != len(weighted):
        return
    yield known
    kernels = [shape for item in weighted for shape in item.weights.values() if len(shape) == 2]
    if "heads" in known:
        units = known["layers"][-1][1]["units"]
        for size in sorted({out for given, out in kernels if given == units}):
            yield known | {"heads": [[head, size] for head, _ in known["heads"]]}
    elif len(known["input"]) == 1 and "label" not in known and "units" in known["layers"][0][1]:
        units = known["layers"][0][1]["units"]
        yield from (known | {"input": [given]} for given, out in kernels if out == units)


def tutorial(
    name: str, known: dict[str, Any], items: list[Stated], ordered: bool, alone: bool
) -> tuple[Networks, list[str], list[dict[str, Any]]]:
    """A known architecture with a file's layers, in which words it is a guess, and no choices: the tutorial tells."""
    weighted = [item for item in items if item.weights]
    place = weighted[0].network
    if not ordered:  # layers of one class keep their order
        queues: dict[str, list[Stated]] = defaultdict(list)
        for item in sorted(weighted, key=lambda item: number(item.name)):
            queues[base(item.name)].append(item)
        kinds = [kind for kind, _ in known["layers"] if kind in WEIGHTED] + ["Dense"] * len(known.get("heads", []))
        weighted = [queues[snake(kind)].pop(0) for kind in kinds]
    network, sources = named(known, name, weighted)
    network.name = place or name
    other = " up to the number of latent values" if known != KNOWN[name] else ""
    said = f"The shapes of the weights are those of {known['title']} ({name}){other}"
    return {place: (network, sources)}, [f"{said}; strides and activations are taken from it (architecture)."], []


def named(known: dict[str, Any], name: str, weighted: list[Stated]) -> tuple[Network, dict[str, Stated]]:
    """A description as a network whose layers bear the names of a file's layers, and the file's layer for each."""
    names: list[str] = []
    for item in weighted:
        own = re.sub(r"\W", "_", item.name) or "layer"
        names.append(own if own not in names else f"{own}_{len(names)}")
    return network_of(known, name, names), dict(zip(names, weighted, strict=True))


def network_of(known: dict[str, Any], name: str, names: list[str] | None = None) -> Network:
    """The network of a description, with layers of these names where they have weights."""
    return next(iter(configs.networks(_config(known, name, names), name).values()))


def layers_of(network: Network) -> list[Layer]:
    """The layers of a network in order, with the shapes of their weights."""
    return list(Graph(network).layers.values())


def _config(known: dict[str, Any], name: str, names: list[str] | None = None) -> dict[str, Any]:
    """A Functional configuration of a chain of layers, with a one-hot label joined to the input at the start, or heads
    beside each other at the end."""
    left = list(names or [])
    given = {"input": known["input"], **({"label": [known["label"]]} if "label" in known else {})}
    layers: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "name": key, "config": {"batch_shape": [None, *shape]}}
        for key, shape in given.items()
    ]
    if len(given) > 1:
        joined = [[[key, 0, 0, {}] for key in given]]
        layers.append({"class_name": "Concatenate", "name": "joined", "config": {}, "inbound_nodes": joined})

    def append(kind: str, own: str, arguments: dict[str, Any], before: str) -> None:
        nodes = [[[before, 0, 0, {}]]]
        layers.append({"class_name": kind, "name": own, "config": dict(arguments), "inbound_nodes": nodes})

    for index, (kind, arguments) in enumerate(known["layers"]):
        own = left.pop(0) if left and kind in WEIGHTED else f"({kind.lower()} {index})"
        append(kind, own, arguments, layers[-1]["name"])
    last, heads = layers[-1]["name"], []
    for title, units in known.get("heads", []):
        heads.append(left.pop(0) if left else title)
        append("Dense", heads[-1], {"units": units, "use_bias": known.get("head_bias", True)}, last)
    ends = [[head, 0, 0] for head in heads or [last]]
    config = {"name": name, "layers": layers, "input_layers": [[key, 0, 0] for key in given], "output_layers": ends}
    return {"class_name": "Functional", "config": config}
