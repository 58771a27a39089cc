"""A source as the entries it may become: models are read, tried in turn, and their networks put together.

Nothing here needs Keras: what can be refused is refused before it is imported.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from training.importing import Refused, files, inference, roles
from training.importing.configs import Network
from training.importing.graphs import Graph
from training.importing.interchange.graphs import OnnxGraph
from training.importing.options import Options, Source
from training.importing.roles.parts import Image, Part
from training.importing.weights import Arrays, Stated
from zoo.manifest import brief

PARTS = {"encoder", "decoder", "generator"}
MAKERS = ("decoder", "generator")
EXCHANGED = (".onnx", *files.TORCH)
MAX_UNNAMED = 6  # models whose names speak of no role that are read from one source


@dataclass
class Draft:
    """One entry before it is built: its networks by role, their weights by layer path, the models they are from."""

    found: roles.Found
    arrays: dict[str, Arrays]
    models: list[files.Model]
    choices: list[dict[str, Any]] = field(default_factory=list)

    @property
    def parts(self) -> dict[str, Part]:
        return self.found.parts


@dataclass
class _Read:
    """A model with its networks' parts and arrays."""

    model: files.Model
    parts: list[Part]
    arrays: dict[int, Arrays]  # by the id of the graph
    guesses: list[str]
    choices: list[dict[str, Any]]
    hints: str


def drafts(source: Source, options: Options, room: Path, say: Callable[[str], None] = lambda text: None) -> list[Draft]:
    """The entries that a source may become, at least one.

    Args:
        source: a file, folder or zip.
        options: what the user says.
        room: an empty folder to unpack into.
        say: called with one line for each step.

    Raises:
        Refused: with one sentence that says why nothing comes in.
    """
    say("Looking at what the files hold")
    models, guesses = _read_models(source, options, room, say)
    hints = " ".join([source.name, *(item.hints for item in models)])
    found = roles.grouped([part for item in models for part in item.parts], hints, options.role)
    made = []
    for group in found:
        arrays, used = {}, []
        for role, part in group.parts.items():
            item = next(item for item in models if id(part.graph) in item.arrays)
            arrays[role] = item.arrays[id(part.graph)]
            used += [item] if item not in used else []
        group.guesses[:0] = list(dict.fromkeys([*guesses, *(g for item in used for g in item.guesses)]))
        choices = [choice for item in used for choice in item.choices]
        made.append(Draft(group, arrays, [item.model for item in used], choices))
    return made


def _read_models(
    source: Source, options: Options, room: Path, say: Callable[[str], None]
) -> tuple[list[_Read], list[str]]:
    """The models that come in: those named, or the latest of each kind of name that can be read."""
    offered = files.models(source.path, room)
    if options.architecture and options.architecture not in inference.KNOWN:
        say("Building the networks of the recipe")
    if options.files:
        missing = next((name for name in options.files if name not in offered), None)
        if missing is not None:
            raise Refused(f"There is no model {brief(missing)}; there are {', '.join(list(offered)[:8])}.")
        attempts = [{name: [name] for name in options.files}]
    else:
        attempts = _attempts(list(offered))
    read: list[_Read] = []
    failures: list[tuple[str, Refused]] = []
    guesses: list[str] = []
    while attempts and not read:
        read, notes = _tried(offered, attempts.pop(0), options, failures, say)
        guesses += notes
    if not read:
        raise failures[0][1]
    return read, guesses + [f"{brief(name)} was left out: {refusal}" for name, refusal in failures]


def _tried(
    offered: dict[str, Callable[[], files.Model]],
    kinds: dict[str, list[str]],
    options: Options,
    failures: list[tuple[str, Refused]],
    say: Callable[[str], None],
) -> tuple[list[_Read], list[str]]:
    """The first model of each kind that can be read; those that cannot are added to `failures`."""
    guesses: list[str] = []
    read: list[_Read] = []
    alone: list[tuple[str, files.Model]] = []  # weights without a configuration: read once the others are known
    for names in kinds.values():
        taken = None
        for name in names:
            try:
                model = offered[name]()
                if model.alone and len(kinds) > 1:
                    alone.append((name, model))
                    taken = name
                    break
                read.append(_model(model, options, None))
                taken = name
                break
            except Refused as refusal:
                failures.append((name, refusal))
        others = [brief(name) for name in names if name != taken]
        if taken is not None and others:
            listed = ", ".join(others[:5])
            guesses.append(f"Of several models {brief(taken)} was taken; there are also {listed} (file).")
    say("Reading the weights")
    image: Image | None = next((part.image for item in read for part in item.parts), None)
    alone.sort(key=lambda item: roles.role_in(item[0]) not in MAKERS)  # these tell the size of images
    for name, model in alone:
        try:
            read.append(_model(model, options, image))
            image = image or next(part.image for part in read[-1].parts)
        except Refused as refusal:
            failures.append((name, refusal))
    return read, guesses


def _attempts(names: list[str]) -> list[dict[str, list[str]]]:
    """Which models are read together, by kind, and which after that where none of those could be.

    Beside a whole model of Keras the files of other frameworks are taken to be exports of it."""
    keras = [name for name in names if not name.lower().endswith(EXCHANGED)]
    if not keras or len(keras) == len(names) or PARTS & _kinds(keras).keys():
        return [_kinds(names)]
    return [_kinds(keras), _kinds([name for name in names if name not in keras])]


def _kinds(names: list[str]) -> dict[str, list[str]]:
    """Names by the role that they speak of, or else by what remains without numbers; in each the likeliest first: files
    of Keras before ONNX before weights of PyTorch, then the best or final one, then the latest."""
    kinds: dict[str, list[str]] = {}
    whole: dict[str, list[str]] = {}
    for name in names:
        role = roles.role_in(name.rpartition("/")[2]) or roles.role_in(name)
        if role in (None, "autoencoder"):
            stem = re.sub(r"\d+|best|final|last|latest|epochs?|checkpoint|ckpt|weights|[^a-z/]", "", name.lower())
            whole.setdefault(stem, []).append(name)
        else:
            kinds.setdefault(role, []).append(name)
    if whole and not PARTS & kinds.keys():
        kinds = dict(list(whole.items())[:MAX_UNNAMED]) | {k: v for k, v in kinds.items() if k == "translator"}
    return {kind: sorted(listed, key=_likelihood)[::-1] for kind, listed in kinds.items()}


def _likelihood(name: str) -> tuple[int, bool]:
    name = name.lower()
    whole = 0 if name.endswith(files.TORCH) else 1 if name.endswith(EXCHANGED) else 2
    return whole, "best" in name or "final" in name


def _model(model: files.Model, options: Options, image: Image | None) -> _Read:
    """The parts of a model with their arrays; raises Refused.

    Args:
        image: of the networks beside it, for weights without a configuration.
    """
    if model.graph:
        return _exchanged(model, model.graph(options.side), options)
    networks, guesses, choices = model.networks, [], []
    sources: dict[str, dict[str, Stated]] = {}
    if networks is None and options.architecture and options.architecture not in inference.KNOWN:
        networks = inference.recipe(options.architecture)
    elif networks is None:
        said = replace(options, shape=None)
        inferred = inference.infer(*model.stated, said, model.name, image)
        networks, sources = inferred.networks, inferred.sources
        guesses, choices = inferred.guesses, inferred.choices
    single = len(networks) == 1 and next(iter(networks)) in ("", next(iter(networks.values())).name)
    parts: list[Part] = []
    arrays: dict[int, Arrays] = {}
    failures: list[Refused] = []
    for key, network in networks.items():
        label = model.name if single else f"{model.name}: {key}"
        try:
            graph = Graph(network, "" if single else key, options.side)
            found = _parts(label, graph, options if len(networks) == 1 else replace(options, role=None))
            arrays[id(graph)] = _assigned(model, graph, network, sources.get(key))
        except Refused as refusal:
            failures.append(refusal)
            continue
        parts += found
    if not parts:
        raise failures[0]
    guesses += [f"A part was left out: {refusal}" for refusal in failures]
    return _Read(model, parts, arrays, guesses, choices, model.name)


def _parts(label: str, graph: Graph, options: Options) -> list[Part]:
    found = roles.parts_of(label, graph, options)
    if graph.assumed:
        found[0].guesses.append(f"It takes images of any size; a side of {graph.assumed} is taken (side).")
    return found


def _exchanged(model: files.Model, graph: OnnxGraph, options: Options) -> _Read:
    """The parts of an ONNX file, which keeps its own weights; raises Refused."""
    return _Read(model, _parts(model.name, graph, options), {id(graph): {}}, list(graph.model.notes), [], model.name)


def _assigned(model: files.Model, graph: Graph, network: Network, sources: dict[str, Stated] | None) -> Arrays:
    """The arrays of a graph's layers: as the model's layout says, or those that an inferred network was made of."""
    if sources is None:
        return model.assign(graph)
    wanted: files.Wanted = []
    counts: dict[str, int] = {}
    for path, layer in graph.layers.items():
        if not layer.spec.weights:
            continue
        stated = sources[layer.name]
        if len(stated.weights) != len(layer.spec.weights):
            raise Refused(f"The file holds {len(stated.weights)} weights for the layer {brief(stated.name)}.")
        counts[path] = len(layer.spec.weights)
        for (name, shape), own in zip(layer.spec.weights, stated.weights, strict=True):
            wanted.append((stated.keys[own], shape, f"The {name} of the layer {brief(stated.name)}"))
    found = model.fetch(wanted)
    arrays: Arrays = {}
    for path, count in counts.items():
        arrays[path], found = found[:count], found[count:]
    return arrays


def digest(source: Source, options: Options) -> str:
    """A short name for what is imported and how: the content of the source and every correction, 16 hex digits."""
    whole = hashlib.sha256(repr(sorted(asdict(options).items())).encode())
    paths = [source.path] if source.path.is_file() else sorted(files.walk(source.path))
    for path in paths:
        whole.update(path.name.encode("utf-8", "replace") + b"\0")
        with path.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()[:16]
