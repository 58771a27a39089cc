"""From kinds, channels and kernels of layers to a network whose shapes fit.

Shapes tell kinds, channels and kernels of all layers, and the grid behind a Dense layer; strides and activations are
guessed so that the image gets a usual side, said to be guesses, and can be corrected. The activation at the end cannot
be told from weights: (tanh x + 1) / 2 = sigmoid 2x, so both look plausible on any batch. What the file is called
decides between them (a decoder ends in sigmoid, a GAN's generator in tanh), and the others are offered as choices.
"""

import re
from typing import Any

from training.importing import Refused
from training.importing.inference import known
from training.importing.inference.building import Chain, Misfit, Plan
from training.importing.inference.items import ACTIVATIONS, HELP, Heads, Item, read
from training.importing.inference.known import Networks
from training.importing.options import Options
from training.importing.roles.names import role_in
from training.importing.weights import Stated
from zoo.manifest import brief

SIDES = (28, 32, 64, 96, 128, 256, 16, 8)
ENDS = ("sigmoid", "tanh", "linear")
SLOPES = {"LeakyReLU": "LeakyReLU of slope 0.3", "leaky_relu": "LeakyReLU of slope 0.2", "Activation": "relu"}
MAX_CHOICES = 6
DECODER = re.compile("decod|vae|autoenc", re.IGNORECASE)


def inferred(
    place: str, stated: list[Stated], ordered: bool, options: Options, where: str, image: tuple[int, int, int] | None
) -> tuple[Networks, list[str], list[dict[str, Any]]]:
    """(networks by place, guesses, choices) for the layers of one network of a file; raises Refused."""
    order, plain, left_out = read(stated, ordered, where)
    heads = next((index for index, item in enumerate(order) if isinstance(item, Heads)), None)
    after = [] if heads is None else order[heads + 1 :]
    whole = any(isinstance(item, Item) for item in after)  # encoder and decoder in one
    parts = {"encoder": order[: (heads or 0) + 1], "decoder": after} if whole else {"": order}
    found: Networks = {}
    guesses: list[str] = []
    choices: list[dict[str, Any]] = []
    for name, part in reversed(parts.items()):  # the decoder tells the side of the images
        silent = all(item.weights for item in stated)
        chain = Chain(part, plain if len(parts) == 1 else _counted(plain, name), ordered, silent)
        label = f"{place} {where} {name}"
        known_as, plan = _fitting(chain, options, image, label)
        if known_as is None or plan is None:
            raise Refused(f"No usual image size follows from the shapes in {brief(where)}; {HELP}, or say its strides.")
        network, sources = known.named(known_as, brief(where), chain.weighted)
        network.name = "/".join(filter(None, [place, name])) or "inferred"
        found[network.name if name else place] = network, sources
        guesses += _guesses(chain, plan, known_as["layers"])
        choices += _choices(chain, plan, options)
        image = chain.image(plan) if chain.makes_images else image
    if left_out:
        listed = ", ".join(left_out[:6])
        guesses.append(f"Layers that the file names, but does not describe, were left out: {listed}.")
    return dict(reversed(found.items())), guesses, choices[:MAX_CHOICES]


def _counted(plain: dict[str, int], name: str) -> dict[str, int]:
    """How many plain layers a part has: pooling makes images smaller, up-sampling larger."""
    foreign = "up_sampling" if name == "encoder" else "pooling"
    return {key: count for key, count in plain.items() if foreign not in key}


def _guesses(chain: Chain, plan: Plan, layers: list[list[Any]]) -> list[str]:
    between = SLOPES.get(plan.activation, plan.activation)
    strides = ", ".join(str(arguments["strides"]) for kind, arguments in layers if kind.startswith("Conv")) or "none"
    padding = "the margins of PyTorch's tutorials" if chain.torch else f"padding {plan.padding!r}"
    end = f" At the end {plan.last} is guessed (output activation)." if chain.paints else ""
    return [
        "The file holds weights alone; its architecture was inferred from their shapes.",
        f"Strides {strides} and {padding} are guessed (strides).",
        f"Between the layers {between} is guessed (activation).{end}",
    ]


def _choices(chain: Chain, plan: Plan, options: Options) -> list[dict[str, Any]]:
    """Corrections with which other images follow from the same weights."""
    if not chain.paints:
        return []
    ends = [plan.last] if options.last else [plan.last, *(end for end in ENDS if end != plan.last)]
    slopes = [plan.activation]
    if not options.activation:
        leaky = chain.names("LeakyReLU")
        others = ["LeakyReLU", "leaky_relu"] if leaky else [] if chain.names("ReLU", "ELU") else ["relu", "leaky_relu"]
        if not leaky and chain.names("Activation"):
            others = []
        slopes += [name for name in others if name != plan.activation]
    listed = [{"last": end, "activation": slope} for slope in slopes for end in ends]
    return [
        {key: value for key, value in item.items() if getattr(options, key) is None} for item in listed[:MAX_CHOICES]
    ]


def _fitting(
    chain: Chain, options: Options, image: tuple[int, int, int] | None, label: str
) -> tuple[dict[str, Any] | None, Plan | None]:
    """The first description whose shapes all fit, trying usual sides, strides and paddings."""
    named = chain.names(*ACTIVATIONS)
    named.sort(key="Activation".__eq__)  # beside others it is the one at the end
    reads = any(role_in(part) == "discriminator" for part in label.split())  # where LeakyReLU is what is written
    activation = options.activation or (named or ["leaky_relu" if reads else "relu"])[0]
    end = options.last or ("sigmoid" if chain.paints else "linear")
    spoken = "gan" in label.lower() or any(role_in(part) == "generator" for part in label.split())
    if chain.makes_images and not options.last and spoken and not DECODER.search(label):
        end = "tanh"
    sides = (options.side,) if options.side else (image[0],) if image else SIDES
    # All strides 2 at an unusual side are more likely than stride 1 at a usual one.
    # A last kernel that is no small one covers its whole grid, as in PyTorch's discriminators, rather than patches.
    for whole in (True, False) if chain.ends_in_kernel else (False,):
        for strides in chain.strides(options.strides, bool(DECODER.search(label))):
            for side in sides:
                for padding in ("same", "valid"):
                    plan = Plan(side, strides, padding, activation, end)
                    try:
                        return chain.described(plan, sides if image or options.side else SIDES, whole), plan
                    except Misfit:
                        continue
    return None, None
