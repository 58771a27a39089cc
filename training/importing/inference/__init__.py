"""Weights without a configuration: the architecture by name, by comparison with well-known ones, or from the shapes.

    known.py    networks of tutorials that people publish, in architectures.json with the address of each
    items.py    the layers that a file of weights states, and their order
    chains.py   from kinds, channels and kernels of layers to a network whose shapes fit;  building.py  lays its layers

The tutorial that a network is from tells also what its file leaves open: the prior and the range of its images. What is
found is said to be a guess. What shapes cannot tell, as the activation at the end, is offered as choices.
"""

import json
import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from training.importing import Refused, configs
from training.importing.configs import Network
from training.importing.graphs import Graph
from training.importing.inference import chains, known
from training.importing.inference.known import KNOWN
from training.importing.options import Options
from training.importing.roles.names import role_in
from training.importing.roles.parts import Part
from training.importing.weights import Stated
from zoo.known import DATASETS
from zoo.manifest import brief

MAKERS = ("generator", "decoder")


@dataclass
class Inferred:
    """Networks by the place of their weights, the file's layer for each layer of theirs, what was guessed, and the
    corrections (options and values) with which other networks follow from the same weights."""

    networks: dict[str, Network] = field(default_factory=dict)
    sources: dict[str, dict[str, Stated]] = field(default_factory=dict)
    guesses: list[str] = field(default_factory=list)
    choices: list[dict[str, Any]] = field(default_factory=list)


def infer(
    stated: list[Stated], ordered: bool, options: Options, where: str, image: tuple[int, int, int] | None = None
) -> Inferred:
    """The networks to which weights belong.

    Args:
        stated: the layers of the file.
        ordered: whether they stand in the order of the network.
        options: `architecture`, `strides`, `activation`, `last` and `side` correct what is guessed.
        where: what the file is called; "decoder" or "gan" in it are hints.
        image: the shape (height, width, channels) of networks that lie beside it.

    Raises:
        Refused: no network follows; the sentence says what to do.
    """
    groups: dict[str, list[Stated]] = defaultdict(list)
    for item in stated:
        groups[item.network].append(item)
    groups = {place: items for place, items in groups.items() if any(item.weights for item in items)}
    if not groups:
        raise Refused(f"{brief(where)} holds no weights of layers.")
    picked = options.architecture
    fits = {place: known.fitting(items, ordered, picked) for place, items in groups.items()}
    if picked and all(fit is None or fit[0] != picked for fit in fits.values()):
        raise Refused(f"The weights in {brief(where)} do not fit {KNOWN[picked]['title']}.")
    found = Inferred()
    # Networks that make images come first: they tell the others the size.
    for place, items in sorted(groups.items(), key=lambda group: role_in(group[0]) not in MAKERS):
        fit = fits[place]
        if fit:
            networks, guesses, choices = known.tutorial(*fit, items, ordered, place == "" or len(groups) == 1)
            guesses = [] if fit[0] == picked else guesses
        else:
            networks, guesses, choices = chains.inferred(place, items, ordered, options, where, image)
        for key, (network, layers) in networks.items():
            found.networks[key], found.sources[key] = network, layers
            image = image or _made(network)
        found.guesses += guesses
        found.choices += choices
    found.guesses = list(dict.fromkeys(found.guesses))
    return found


def _made(network: Network) -> tuple[int, int, int] | None:
    """The shape of the images that a network makes, None where it makes none."""
    graph = Graph(network)
    shape = graph.shapes[graph.outputs[0][1]]
    grows = math.prod(shape) > math.prod(graph.shapes[graph.inputs[0]])
    return (shape[0], shape[1], shape[2]) if grows and len(shape) == 3 and shape[2] in (1, 3) else None


def tutorial(part: Part) -> tuple[str, dict[str, Any]] | None:
    """(name, description) of the tutorial that a maker of images is from, None where its weights tell none."""
    starts = set(part.inputs.values()) | ({part.label.tensor} if part.label else set())
    return known.belonging(part.graph, part.graph.between(starts, set(part.outputs.values())))


def recipe(name: str) -> dict[str, Network]:
    """The networks of a recipe of this project, built by its family; raises Refused."""
    from training import device, export, library  # noqa: F401  (device first: it imports Keras quietly)
    from training.recipe import RecipeError

    try:
        plan = library.load(name)
        data = DATASETS.get(plan.dataset)
        if data is None:
            raise RecipeError("its dataset is not a known one.")
        model = library.family(plan.family)(plan, data.shape, len(data.classes))
    except RecipeError as error:
        raise Refused(
            f"There is no architecture {brief(name)}: it is none of {', '.join(KNOWN)}, and as a recipe: {error}"
        ) from None
    return configs.networks(json.loads(export.whole(model.exported, name).to_json()), name)
