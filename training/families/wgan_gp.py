"""WGAN-GP: improved training of Wasserstein GANs, Gulrajani et al. 2017, arXiv:1704.00028

    critic:    min E[D(G(z))] − E[D(x)] + λ · E[(‖∇D(x̂)‖ − 1)²],  x̂ on the line between a real and a generated image
    generator: min −E[D(G(z))]

Instead of several critic steps per generator step the critic learns faster (two time scales, Heusel et al. 2017).
"""

import keras
import pydantic

from training.families import dcgan
from training.tensors import Tensor, ops


class Family(dcgan.Family):
    title, year = "WGAN-GP", 2017
    paper = "https://arxiv.org/abs/1704.00028"

    class Recipe(dcgan.Family.Recipe, frozen=True):
        penalty: float = pydantic.Field(10.0, ge=0, le=1000, description="λ of the gradient penalty")
        penalised: float = pydantic.Field(
            0.25, gt=0, le=1, description="part of each batch that the penalty is taken on"
        )
        critic_speed: float = pydantic.Field(
            3.0, gt=0, le=100, description="learning rate of the critic over the generator's"
        )

    def adversarial(self, real: Tensor, fake: Tensor, fake_frozen: Tensor) -> tuple[Tensor, Tensor]:
        return ops.mean(fake) - ops.mean(real), -ops.mean(fake_frozen)

    def gradient_penalty(self, images: Tensor, fakes: Tensor, labels: Tensor | None) -> Tensor:
        mix = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), seed=self.seeds)
        slope = ops.sqrt(self.squared_slopes(images * mix + fakes * (1.0 - mix), labels) + 1e-12)
        return self.recipe.penalty * ops.mean(ops.square(slope - 1.0))
