"""What each of the two players of a game wants: the losses of the families, as formulas in LaTeX.

x is an image of the data, z a draw of the prior, softplus(a) = log(1 + exp(a)). Penalties on the discriminator's slope
are named, not written out: they hold it back and are no part of the game.
"""

from typing import NamedTuple

from zoo.entries import Entry


class Wants(NamedTuple):
    """The losses that discriminator and opponent minimise, and in plain words how to read them."""

    first: str
    second: str
    words: str


NON_SATURATING = Wants(
    r"\mathbb{E}[\operatorname{softplus}(-D(x))]+\mathbb{E}[\operatorname{softplus}(D(G(z)))]",
    r"\mathbb{E}[\operatorname{softplus}(-D(G(z)))]",
    "A discriminator that only guesses has the loss 2 log 2 ≈ 1.39, and the generator then log 2 ≈ 0.69.",
)
LEAST_SQUARES = Wants(
    r"\tfrac12\mathbb{E}[(D(x)-1)^2]+\tfrac12\mathbb{E}[D(G(z))^2]",
    r"\tfrac12\mathbb{E}[(D(G(z))-1)^2]",
    "A discriminator that only guesses answers ½ everywhere and has the loss 0.25.",
)
HINGE = Wants(
    r"\mathbb{E}[\max(0,1-D(x))]+\mathbb{E}[\max(0,1+D(G(z)))]",
    r"-\mathbb{E}[D(G(z))]",
    "A discriminator that only guesses answers 0 everywhere and has the loss 2.",
)
WASSERSTEIN = Wants(
    r"\mathbb{E}[D(G(z))]-\mathbb{E}[D(x)]",
    r"-\mathbb{E}[D(G(z))]",
    "The critic's loss, with its sign turned, estimates how far generated images are from real ones: it goes to 0 as "
    "they come nearer. The slope of the critic is held near 1 by a penalty.",
)
RELATIVISTIC = Wants(
    r"\mathbb{E}[\operatorname{softplus}(D(G(z))-D(x))]",
    r"\mathbb{E}[\operatorname{softplus}(D(x)-D(G(z)))]",
    "Only the difference between a real and a generated image counts; guessing has the loss log 2 ≈ 0.69 for both.",
)
CODES = Wants(
    r"\mathbb{E}[\operatorname{softplus}(-D(z))]+\mathbb{E}[\operatorname{softplus}(D(E(x)))]",
    r"\mathbb{E}[\operatorname{softplus}(-D(E(x)))]",
    "The game is about codes: the encoder E tries to make its codes look like draws of the prior.",
)
PAIRS = Wants(
    r"\mathbb{E}[\operatorname{softplus}(-D(x,E(x)))]+\mathbb{E}[\operatorname{softplus}(D(G(z),z))]",
    r"\mathbb{E}[\operatorname{softplus}(-D(G(z),z))]+\mathbb{E}[\operatorname{softplus}(D(x,E(x)))]",
    "The discriminator sees an image together with its code; generator and encoder play on one side.",
)
FAMILIES = {
    "dcgan": NON_SATURATING, "cgan": NON_SATURATING, "infogan": NON_SATURATING, "progressive": NON_SATURATING,
    "vaegan": NON_SATURATING, "cvaegan": NON_SATURATING, "lsgan": LEAST_SQUARES, "sngan": HINGE,
    "wgan_gp": WASSERSTEIN, "r3gan": RELATIVISTIC, "aae": CODES, "bigan": PAIRS,
}  # fmt: skip


def wants(entry: Entry) -> Wants | None:
    """Return what the players of an entry want; None for a family that is not one of ours."""
    return FAMILIES.get(entry.manifest.family)
