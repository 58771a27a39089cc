"""Arrays to layers: which weight of a file belongs to which layer of a graph.

Known are the layouts of Keras 1 and 2 (`layer_names`, `weight_names`), of Keras 3 and late Keras 2 (`dense_1/vars/0`
below `layers` or `_layer_checkpoint_dependencies`), and that of Keras 2.13, where layers with weights count twice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import h5py
import numpy as np

from training.importing import MAX_LAYERS, Refused, graphs, hdf5
from training.importing.configs import Layer, Network
from training.importing.graphs import Graph
from training.importing.layers import ALIASES, Shape
from training.importing.operations import is_operation
from zoo.manifest import brief

CONTAINERS = ("layers", "_layer_checkpoint_dependencies")
# Where Keras 3 keeps the weights of a layer that holds another layer.
INSIDE = {"SpectralNormalization": "/layer", "TimeDistributed": "/layer", "LSTM": "/cell", "GRU": "/cell"}
STATE = ("moving_mean", "moving_variance", "mean", "variance")
POWER_ITERATION = re.compile("(^|/)(sn_|vector_)?u(:0)?$")  # a vector of spectral normalisation, of no use once trained

# Layer path → its weights in Keras' order, each float32 of the shape that the layer's spec says.
Arrays = dict[str, list[np.ndarray]]


def assigned(file: h5py.File, graph: Graph) -> Arrays:
    """The arrays of every layer of the graph that has weights.

    Raises:
        Refused: weights of a layer are missing, of another shape or more than the layer has; the layer is named.
    """
    root = hdf5.group_of(file, "model_weights") or file
    if hdf5.attribute(root, "layer_names") is not None:
        return _by_names(root, graph)
    return _by_classes(root, graph)


# Keras 1 and 2 --------------------------------------------------------------------------------------------------------


def _weighted(graph: Graph, network: Network, path: str) -> list[graphs.Layer]:
    """The layers of a network inside that have weights, in the order of the configuration."""
    found = []
    for layer in network.layers:
        where = f"{path}/{layer.name}" if path else layer.name
        if isinstance(layer, Network):
            found += _weighted(graph, layer, where)
        elif where in graph.layers and graph.layers[where].spec.weights:
            found.append(graph.layers[where])
    return found


def _by_names(root: h5py.Group, graph: Graph) -> Arrays:
    """One group for each layer of the outermost network."""
    network, path = graph.network, graph.key
    own = hdf5.group_of(root, path) if path else None
    if own is not None and "weight_names" in own.attrs:  # networks held by a model of its own class
        return _group(own, _weighted(graph, network, path))
    arrays: Arrays = {}
    names = set(hdf5.texts(hdf5.attribute(root, "layer_names")))
    for layer in network.layers:
        where = f"{path}/{layer.name}" if path else layer.name
        nested = isinstance(layer, Network)
        needed = _weighted(graph, layer, where) if nested else [x for x in [graph.layers.get(where)] if x]
        needed = [item for item in needed if item.spec.weights]
        if needed:
            group = hdf5.group_of(root, layer.name) if layer.name in names else None
            if group is None:
                raise Refused(f"The file holds no weights for the layer {brief(layer.name)}.")
            arrays |= _group(group, needed)
    return arrays


def _group(group: h5py.Group, needed: list[graphs.Layer]) -> Arrays:
    """Assign the weights of one group to the layers in it: by their names, or in one of the orders that Keras used."""
    stated = hdf5.texts(hdf5.attribute(group, "weight_names"))
    stated = [name for name in stated if not POWER_ITERATION.search(name)]
    wanted = [(layer, name, shape) for layer in needed for name, shape in layer.spec.weights]
    last = [tuple(name.split(":")[0].split("/")[-2:]) for name in stated]
    by_name = dict(zip(last, stated, strict=True))
    if len(stated) != len(wanted):
        raise Refused(
            f"The file holds {len(stated)} weights in {brief(group.name)}, but the layers there have {len(wanted)}."
        )
    if len(by_name) == len(stated) and all((layer.name, name) in by_name for layer, name, _ in wanted):
        order = [by_name[layer.name, name] for layer, name, _ in wanted]
    else:
        trainable_first = sorted(range(len(wanted)), key=lambda i: wanted[i][1] in STATE)
        orders = [list(range(len(wanted))), trainable_first]
        fits = [order for order in orders if all(last[k][-1] == wanted[i][1] for k, i in enumerate(order))]
        places = (fits or orders[::-1])[0]
        order = [stated[places.index(i)] for i in range(len(wanted))]
    arrays: Arrays = {}
    for name, (layer, weight, shape) in zip(order, wanted, strict=True):
        where = f"The {weight} of the layer {brief(layer.name)}"
        arrays.setdefault(layer.path, []).append(hdf5.read(group.get(name), shape, where))
    return arrays


# Keras 3 and late Keras 2 ---------------------------------------------------------------------------------------------


def snake(name: str) -> str:
    """The name under which Keras 3 keeps a class: Conv2DTranspose → conv2d_transpose."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def places(
    network: Network, graph: Graph, prefix: str, path: str, container: str, twice: bool
) -> Iterator[tuple[str, str]]:
    """(path of a layer in the tree, its place in the file) of every layer: layers of one class are counted.

    Args:
        container: one of CONTAINERS, the group that holds the layers of a network.
        twice: whether layers with weights are counted twice, as Keras 2.13 did.
    """
    counts: dict[str, int] = {}
    for layer in network.layers:
        if is_operation(layer) or layer.name == "(input)":
            continue
        name = snake(layer.kind)
        number = counts[name] = counts.get(name, -1) + 1
        place = f"{prefix}{container}/{name}_{number}" if number else f"{prefix}{container}/{name}"
        where = f"{path}/{layer.name}" if path else layer.name
        if twice and _has_weights(layer, graph, where):
            counts[name] += 1
        if isinstance(layer, Network):
            yield from places(layer, graph, f"{place}/", where, container, twice)
        else:
            yield where, place + INSIDE.get(ALIASES.get(layer.kind, layer.kind), "")


def _has_weights(layer: Layer | Network, graph: Graph, path: str) -> bool:
    if isinstance(layer, Network):
        return any(_has_weights(item, graph, f"{path}/{item.name}") for item in layer.layers)
    made = graph.layers.get(path)  # missing when nothing that comes in needs it
    return bool(made.spec.weights) if made else bool(re.search("Dense|Conv|Normalization|Embedding", layer.kind))


def _by_classes(root: h5py.Group, graph: Graph) -> Arrays:
    inside = (hdf5.group_of(root, graph.key) if graph.key else None) or root
    container = next((name for name in CONTAINERS if name in inside), None)
    if container is None:
        raise Refused("The file holds no weights in a layout of Keras 2 or 3.")

    def found(twice: bool) -> dict[str, str]:
        listed = dict(places(graph.network, graph, "", graph.key, container, twice))
        return {
            path: place for path, place in listed.items() if path in graph.layers and graph.layers[path].spec.weights
        }

    once, twice = found(False), found(True)
    missing = [sum(hdf5.group_of(inside, f"{p}/vars") is None for p in listed.values()) for listed in (once, twice)]
    chosen = twice if missing[1] < missing[0] else once
    return {path: _variables(inside, place, graph.layers[path]) for path, place in chosen.items()}


def _variables(inside: h5py.Group, place: str, layer: graphs.Layer) -> list[np.ndarray]:
    """The weights of one layer; integer kernels are multiplied out with their scale, other surplus is refused."""
    group = hdf5.group_of(inside, f"{place}/vars")
    if group is None:
        raise Refused(f"The file holds no weights for the layer {brief(layer.name)}.")
    where, wanted = f"of the layer {brief(layer.name)}", layer.spec.weights
    first = group.get("0")
    integer = first if isinstance(first, h5py.Dataset) and first.dtype.kind in "iu" else None
    surplus = len(group) - len(wanted)
    if integer is not None and (surplus != 1 or integer.shape != wanted[0][1]):
        raise Refused(
            f"The kernel {where} is quantised to {integer.dtype}, which is not read; save it before quantising."
        )
    if surplus > 0 and integer is None:
        raise Refused(
            f"The file holds {len(group)} variables {where} ({layer.kind}), more variables than the {len(wanted)} that "
            "such a layer has: it is of a class of its own, or quantised."
        )
    arrays = [
        hdf5.read(group.get(str(index)), shape, f"The {name} {where}") for index, (name, shape) in enumerate(wanted)
    ]
    if integer is not None:  # Keras quantises per output channel: kernel = integers ÷ scale
        scale = hdf5.read(group.get(str(len(wanted))), arrays[0].shape[-1:], f"The scale {where}")
        if not (scale > 0).all():
            raise Refused(f"The scale {where} is not positive; the network is broken.")
        arrays[0] = arrays[0] / scale
    return arrays


# Files of weights alone -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stated:
    """A layer as a file of weights states it: the place of its network ("" outermost), its name, and for each weight in
    Keras' order its name, shape and key in the file; `torch` says that PyTorch trained it."""

    network: str
    name: str
    weights: dict[str, Shape]
    keys: dict[str, str] = field(default_factory=dict, compare=False)
    torch: bool = False


def stated(file: h5py.File) -> tuple[list[Stated], bool]:
    """What a file of weights says by itself, and whether the order of the layers is kept."""
    root = hdf5.group_of(file, "model_weights") or file
    names, found = hdf5.texts(hdf5.attribute(root, "layer_names")), []
    for name in names[:MAX_LAYERS]:
        group = hdf5.group_of(root, name)
        if group is None:
            continue
        held: dict[str, dict[str, h5py.Dataset]] = {}
        for weight in hdf5.texts(hdf5.attribute(group, "weight_names")):
            parts, item = weight.split(":")[0].split("/"), group.get(weight)
            if isinstance(item, h5py.Dataset) and not POWER_ITERATION.search(weight):
                held.setdefault(parts[-2] if len(parts) > 1 else name, {})[parts[-1]] = item
        if len(held) < 2:
            found.append(_stated("", name, next(iter(held.values()), {})))
        else:
            found += [_stated(name, inner, held[inner]) for inner in held]
    if names:
        return found, True

    def visit(place: str, item: object) -> None:
        *parts, last = place.split("/")
        if isinstance(item, h5py.Group) and last == "vars" and parts and parts[0] != "optimizer":
            arrays = {key: value for key, value in item.items() if isinstance(value, h5py.Dataset)}
            if "seed_generator" not in parts and len(found) < MAX_LAYERS:
                found.append(_stated("/".join(parts[:-2]), parts[-1], arrays))

    root.visititems(visit)
    return found, False


def _stated(network: str, name: str, arrays: dict[str, h5py.Dataset]) -> Stated:
    shapes = {key: tuple(item.shape or ()) for key, item in arrays.items()}
    return Stated(network, name, shapes, {key: str(item.name) for key, item in arrays.items()})
