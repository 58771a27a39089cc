"""SNGAN: spectral normalization for generative adversarial networks, Miyato et al. 2018, arXiv:1802.05957

    discriminator: min E[max(0, 1 − D(x))] + E[max(0, 1 + D(G(z)))]      the hinge loss of Lim & Ye 2017
    generator:     min −E[D(G(z))]

Every kernel of the discriminator's convolutions is divided by its largest singular value, so its features cannot become
arbitrarily steep; no gradient penalty is needed. Unlike the paper's, the last layer is free: with three convolutions
bounded scores do not reach the margin of the hinge loss, and the generator learns little. Keras' layer writes the
divided kernel back: on TensorFlow no gradient passes through the singular value.
"""

import pydantic

from training.families import dcgan
from training.tensors import Tensor, ops


class Family(dcgan.Family):
    title, year = "SNGAN", 2018
    paper = "https://arxiv.org/abs/1802.05957"
    spectral = True

    class Recipe(dcgan.Family.Recipe, frozen=True):
        penalty: float = pydantic.Field(0.0, ge=0, le=1000, description="γ of an additional R1")

    def adversarial(self, real: Tensor, fake: Tensor, fake_frozen: Tensor) -> tuple[Tensor, Tensor]:
        critic = ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))
        return critic, -ops.mean(fake_frozen)
