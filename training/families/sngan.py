"""SNGAN: spectral normalization for generative adversarial networks, Miyato et al. 2018, arXiv:1802.05957

    discriminator: min E[max(0, 1 − D(x))] + E[max(0, 1 + D(G(z)))]      the hinge loss of Lim & Ye 2017
    generator:     min −E[D(G(z))]

Every kernel of the discriminator is divided by its largest singular value, so the score cannot become arbitrarily
steep; no gradient penalty is needed. Keras' layer writes the divided kernel back: on TensorFlow no gradient passes
through the singular value.
"""

import pydantic
from keras import ops

from training.families import dcgan


class Family(dcgan.Family):
    title, year = "SNGAN", 2018
    paper = "https://arxiv.org/abs/1802.05957"
    spectral = True

    class Recipe(dcgan.Family.Recipe):
        penalty: float = pydantic.Field(0.0, ge=0, le=1000, description="γ of an additional R1")
        # A bounded score learns slowly: at equal rates the generator would learn from a discriminator that lags.
        critic_speed: float = pydantic.Field(
            4.0, gt=0, le=100, description="learning rate of the discriminator over the generator's"
        )

    def adversarial(self, real, fake, hopeful):
        critic = ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))
        return critic, -ops.mean(hopeful)
