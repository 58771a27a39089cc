"""A Keras configuration of any age as a tree of plain descriptions; nothing in it is executed or looked up by name.

Understood are `Sequential` (with a bare list of layers, as Keras 2.0 wrote it, or with a name), `Functional` (also as
`Model`, also a subclass of it), references in the style of Keras 2 (`["dense", 0, 0, {}]`) and Keras 3
(`{"args": …, "kwargs": …}`), and a model of a class of its own whose configuration holds networks.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from training.importing import MAX_CONFIG_BYTES, MAX_DEPTH, MAX_LAYERS, Refused
from zoo.manifest import brief


@dataclass(frozen=True)
class Reference:
    """A tensor: the output number `tensor` of the call number `node` of the layer `layer`."""

    layer: str
    node: int
    tensor: int
    plain: bool = False  # counted from 0 also for networks, as Keras 3 does inside its nodes


@dataclass
class Node:
    """One call of a layer: positional and named arguments with references in place of tensors."""

    arguments: list[Any]
    named: dict[str, Any]

    @property
    def references(self) -> list[Reference]:
        return list(references(self.arguments))


@dataclass
class Layer:
    """One layer as described: class, module, options, calls."""

    kind: str
    module: str
    name: str
    options: dict[str, Any]
    nodes: list[Node] = field(default_factory=list)


@dataclass
class Network:
    """Layers and how they are joined; a Sequential has nodes of its own making."""

    kind: str
    name: str
    layers: list["Layer | Network"]
    inputs: list[Reference]
    outputs: list[tuple[str, Reference]]  # name, "" where there is none
    nodes: list[Node] = field(default_factory=list)
    input_shape: list | None = None  # of a Sequential without an InputLayer


def load(content: bytes | str, where: str) -> Any:
    """JSON within bounds, tuples of old ages as lists; raises Refused."""
    if len(content) > MAX_CONFIG_BYTES:
        raise Refused(f"{where} has {len(content):,} bytes, more than the {MAX_CONFIG_BYTES:,} that are read.")

    def constant(name: str) -> None:
        raise ValueError(f"it holds {name}")

    try:
        return json.loads(content, object_hook=_unwrap, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:100]
        raise Refused(f"{where} is not a configuration in JSON ({reason}).") from None


def _unwrap(value: dict) -> Any:
    if value.get("class_name") in ("__tuple__", "TensorShape") and isinstance(value.get("items"), list):
        return value["items"]
    return value


def networks(document: Any, where: str) -> dict[str, Network]:
    """The networks that a configuration holds, by name: one, or several in a model of a class of its own."""
    if isinstance(document, dict) and isinstance(document.get("model_config"), dict):
        document = document["model_config"]
    if isinstance(document, list):  # a bare list is what Keras 2.0 wrote for a Sequential
        document = {"class_name": "Sequential", "config": document}
    if not isinstance(document, dict) or not isinstance(document.get("class_name"), str):
        raise Refused(f"{where} does not describe a Keras model: it has no class_name.")
    counter = [0]
    if is_network(document):
        found = _network(document, where, 0, counter)
        return {found.name: found}
    config = document.get("config")
    held = {name: item for name, item in config.items() if is_network(item)} if isinstance(config, dict) else {}
    if not held:
        raise Refused(
            f"{where} describes a model of the class {brief(document['class_name'])}, whose code is not in it; save "
            "its encoder, decoder, generator or discriminator as Functional or Sequential models of their own."
        )
    return {str(name)[:60]: _network(item, where, 0, counter) for name, item in held.items()}


def is_network(item: Any) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("class_name"), str):
        return False
    config = item.get("config")
    if item["class_name"] == "Sequential":
        return isinstance(config, list) or (isinstance(config, dict) and isinstance(config.get("layers"), list))
    return isinstance(config, dict) and isinstance(config.get("layers"), list) and "output_layers" in config


def _network(item: dict, where: str, depth: int, counter: list[int]) -> Network:
    if depth > MAX_DEPTH:
        raise Refused(f"{where} nests networks more than {MAX_DEPTH} deep.")
    config = item["config"]
    if isinstance(config, list):
        config = {"name": item.get("name"), "layers": config}
    name = config.get("name") or item.get("name") or item["class_name"].lower()
    if not isinstance(name, str):
        raise Refused(f"{where} names a network {brief(name)}, which is no name.")
    layers: list[Layer | Network] = []
    for part in config["layers"]:
        counter[0] += 1
        if counter[0] > MAX_LAYERS:
            raise Refused(f"{where} holds more than {MAX_LAYERS:,} layers.")
        layers.append(_layer(part, where, depth, counter))
    names = [layer.name for layer in layers]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused(f"{where} has two layers of the name {brief(twice)}.")
    found = Network(item["class_name"], name, layers, [], [])
    if item["class_name"] == "Sequential":
        built = item.get("build_config")
        found.input_shape = config.get("build_input_shape") or (built or {}).get("input_shape")
        _chain(found, where)
    else:
        found.inputs = [reference for _, reference in _ends(config.get("input_layers"), where)]
        found.outputs = _ends(config.get("output_layers"), where)
    return found


def _layer(part: Any, where: str, depth: int, counter: list[int]) -> "Layer | Network":
    if not isinstance(part, dict) or not isinstance(part.get("class_name"), str):
        raise Refused(f"{where} lists a layer without a class_name.")
    if is_network(part):
        found = _network(part, where, depth + 1, counter)
        found.name = part["name"] if isinstance(part.get("name"), str) else found.name
    else:
        options = part.get("config")
        options = options if isinstance(options, dict) else {}
        name = part.get("name") or options.get("name")
        if not isinstance(name, str):
            name = f"{part['class_name'].lower()}_{counter[0]}"
        found = Layer(part["class_name"], str(part.get("module") or ""), name, options)
    nodes = part.get("inbound_nodes") or []
    if not isinstance(nodes, list) or len(nodes) > MAX_LAYERS:
        raise Refused(f"{where}: the calls of the layer {brief(found.name)} are not understood.")
    found.nodes = [_node(node, f"{where}: the layer {brief(found.name)}") for node in nodes]
    return found


def _chain(network: Network, where: str) -> None:
    """Give the layers of a Sequential the calls that a Functional model would state."""
    if not network.layers:
        raise Refused(f"{where} holds a Sequential without layers.")
    first = network.layers[0]
    if not (isinstance(first, Layer) and first.kind == "InputLayer"):
        inner = first
        while isinstance(inner, Network) and inner.input_shape is None and inner.kind == "Sequential":
            inner = inner.layers[0]
        if isinstance(inner, Network):
            head = next((x for x in inner.layers if inner.inputs and x.name == inner.inputs[0].layer), None)
            shape = inner.input_shape or (shape_of(head.options) if isinstance(head, Layer) else None)
        else:
            shape = shape_of(inner.options)
        given = Layer("InputLayer", "keras.layers", "(input)", {"batch_shape": shape or network.input_shape})
        network.layers.insert(0, given)
    for before, layer in zip(network.layers, network.layers[1:], strict=False):
        layer.nodes = [Node([Reference(before.name, 0, 0)], {})]
    network.inputs = [Reference(network.layers[0].name, 0, 0)]
    network.outputs = [("", Reference(network.layers[-1].name, 0, 0))]


def shape_of(options: dict) -> list | None:
    """The shape with its batch axis that an InputLayer or a first layer states, None where there is none."""
    for key in ("batch_shape", "batch_input_shape"):
        value = options.get(key)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        if isinstance(value, list):
            return value
    value = options.get("input_shape") or options.get("shape")
    if isinstance(value, list):
        return [None, *value]
    if options.get("input_dim") is not None and options.get("output_dim") is None:
        return [None, options["input_dim"]]
    return None


def _ends(value: Any, where: str) -> list[tuple[str, Reference]]:
    """Inputs or outputs of a network: one reference, a list or a dictionary of them."""
    if _is_old(value):
        return [("", Reference(*value[:3]))]
    if isinstance(value, dict):
        return [(str(name), found) for name, item in sorted(value.items()) for _, found in _ends(item, where)]
    if isinstance(value, list) and 0 < len(value) <= 64:
        return [end for item in value for end in _ends(item, where)]
    raise Refused(f"{where} does not say what goes into or out of its network.")


def _is_old(value: Any) -> bool:
    """Whether a value is a reference as Keras 2 writes it: name, node, tensor[, named arguments]."""
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(n, int) and not isinstance(n, bool) and -1 <= n < MAX_LAYERS for n in value[1:3])
        and (len(value) == 3 or isinstance(value[3], dict))
    )


CONSTANT = "_CONSTANT_VALUE"  # how Keras 2 writes a first argument that is no tensor


def _node(node: Any, where: str) -> Node:
    if isinstance(node, dict) and isinstance(node.get("args"), list):
        stated = node.get("kwargs")
        named = stated if isinstance(stated, dict) else {}
        return Node(_references(node["args"], False, 0), {str(k): _references(v, False, 0) for k, v in named.items()})
    items = [node] if _is_old(node) or (isinstance(node, list) and node and node[0] == CONSTANT) else node
    if isinstance(items, dict):
        items = list(items.values())
    if not isinstance(items, list) or not items:
        raise Refused(f"{where} is called in a way that is not understood.")
    arguments, named = [], {}
    for item in items:
        if isinstance(item, list) and len(item) >= 3 and item[0] == CONSTANT:
            arguments.append(item[2])
        elif _is_old(item):
            arguments.append(Reference(*item[:3]))
        else:
            raise Refused(f"{where} is called in a way that is not understood.")
        if len(item) == 4 and isinstance(item[3], dict):
            named |= {str(key): _references(value, True, 0) for key, value in item[3].items()}
    return Node(arguments, named)


def _references(value: Any, old: bool, depth: int) -> Any:
    """The value with references in place of tensors."""
    if depth > 16:
        raise Refused("The calls of a layer are nested too deeply.")
    if old and _is_old(value):
        return Reference(*value[:3])
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        config = value.get("config")
        history = config.get("keras_history") if isinstance(config, dict) else None
        if not isinstance(history, list) or not _is_old(history):
            raise Refused("A layer is called with a tensor of unknown origin.")
        return Reference(*history[:3], plain=True)
    if isinstance(value, list):
        return [_references(item, old, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: _references(item, old, depth + 1) for key, item in value.items()}
    return value


def references(value: Any):
    """Every reference in a value, in order."""
    if isinstance(value, Reference):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from references(item)
