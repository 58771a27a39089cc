"""A Keras 2 SavedModel: layers from the metadata that Keras wrote beside it; its variables are a checkpoint.

The graph in saved_model.pb is never loaded and never run.
"""

from pathlib import Path

from training.importing import MAX_LAYERS, Refused, configs, protobuf
from training.importing.configs import Network
from zoo.manifest import brief

MAX_METADATA_BYTES = 32 << 20
MAX_NODES = 200_000


def networks(folder: Path) -> dict[str, Network] | None:
    """The networks that a SavedModel describes, by their path in it ("" is the whole model); None for one that holds
    no description of layers, as model.export writes it.

    Raises:
        Refused: it describes a model of a class of its own without networks in it, or is damaged.
    """
    described = _metadata(folder)
    root = described.get("root")
    if root is None and (folder / "keras_metadata.pb").is_file():
        raise Refused("The SavedModel holds no Keras model: its metadata describes none.")
    if root is None:
        return None
    document = configs.load(root, "The metadata of the SavedModel")
    if isinstance(document, dict) and configs.is_network(document):
        found = configs.networks(_with_shape(document), "The SavedModel")
        return {"": next(iter(found.values()))}
    held = {}
    for path, content in described.items():
        if path.count(".") != 1 or len(held) > 16:
            continue
        part = configs.load(content, "The metadata of the SavedModel")
        if configs.is_network(part):
            name = path.partition(".")[2]
            held[name] = next(iter(configs.networks(_with_shape(part), "The SavedModel").values()))
    if not held:
        kind = document.get("class_name") if isinstance(document, dict) else None
        raise Refused(
            f"The SavedModel is a model of the class {brief(kind)}, and none of its parts is a Functional or "
            "Sequential network that could be rebuilt."
        )
    return held


def _with_shape(document: dict) -> dict:
    """A Sequential that was built by its first call: the metadata keeps the shape beside the configuration."""
    config, shape = document.get("config"), document.get("build_input_shape")
    if isinstance(config, dict) and isinstance(shape, list) and not config.get("build_input_shape"):
        config["build_input_shape"] = shape
    return document


def _metadata(folder: Path) -> dict[str, bytes]:
    """Node path → JSON of the Keras objects that may be networks."""
    path = folder / "keras_metadata.pb"
    old = not path.is_file()
    path = folder / "saved_model.pb" if old else path
    if path.stat().st_size > MAX_METADATA_BYTES:
        raise Refused(f"{path.name} has {path.stat().st_size:,} bytes, more than the {MAX_METADATA_BYTES:,} allowed.")
    content = memoryview(path.read_bytes())
    if old:
        return _old_metadata(content)
    found: dict[str, bytes] = {}
    for count, (number, node) in enumerate(protobuf.fields(content)):
        if count > MAX_NODES:
            raise Refused("The metadata of the SavedModel lists too many objects.")
        if number != 1 or isinstance(node, int):
            continue
        parts = {key: value for key, value in protobuf.fields(node) if not isinstance(value, int)}
        where = bytes(parts.get(3, b"")).decode("utf-8", "replace")
        kind = bytes(parts.get(4, b"")).decode("utf-8", "replace")
        if kind in ("_tf_keras_model", "_tf_keras_network", "_tf_keras_sequential") and len(found) < MAX_LAYERS:
            found[where] = bytes(parts.get(5, b""))
    return found


def _old_metadata(content: memoryview) -> dict[str, bytes]:
    """TensorFlow 2.0 to 2.4 kept the metadata inside saved_model.pb: meta_graphs[0].object_graph_def.nodes[…]."""
    graph = protobuf.first(protobuf.first(content, 2), 7)
    nodes = [node for number, node in protobuf.fields(memoryview(graph)) if number == 1][:MAX_NODES]
    found: dict[str, bytes] = {}
    if not nodes:
        return found

    def keras(index: int) -> bytes | None:
        user = protobuf.first(nodes[index], 4)
        kind = bytes(protobuf.first(memoryview(user), 1)).decode("utf-8", "replace")
        return bytes(protobuf.first(memoryview(user), 3)) if kind.startswith("_tf_keras_") else None

    if (root := keras(0)) is not None:
        found["root"] = root
        for number, child in protobuf.fields(nodes[0]):
            if number == 1:
                target, name = protobuf.first(child, 1, 0), bytes(protobuf.first(child, 2)).decode("utf-8", "replace")
                if isinstance(target, int) and 0 < target < len(nodes) and "." not in name:
                    held = keras(target)
                    if held:
                        found[f"root.{name}"] = held
    return found
