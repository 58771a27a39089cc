"""InfoGAN: interpretable representation learning, Chen et al. 2016, arXiv:1606.03657

    the losses of dcgan.py, and for generator and recogniser:  min −λ · E[log Q(c|G(z, c))]

The code c is a choice among `categories`, made by the largest of the first latent numbers, and `styles` numbers after
it. A recogniser has to read c from the image, so c comes to mean something that can be seen. As in the paper it is the
discriminator's body with layers of its own at the end.
"""

import keras
import pydantic
from keras import layers

from training import family, networks
from training.families import dcgan
from training.tensors import Loss, Tensor, ops


class Family(dcgan.Family):
    title, year = "InfoGAN", 2016
    paper = "https://arxiv.org/abs/1606.03657"
    reported = ("discriminator", "generator", "penalty", "information")
    private = ("recogniser",)

    class Recipe(dcgan.Family.Recipe, frozen=True):
        categories: int = pydantic.Field(10, ge=2, le=1000, description="values of the categorical code")
        styles: int = pydantic.Field(2, ge=0, le=64, description="numbers of the continuous code")
        information: float = pydantic.Field(1.0, ge=0, le=100, description="λ, weight of the mutual information")

        @pydantic.model_validator(mode="after")
        def _fits(self):
            if self.categories + self.styles > self.latent:
                raise ValueError("latent must hold the categories and the styles")
            return self

    def build_networks(self) -> dict[str, keras.Model]:
        r, made = self.recipe, super().build_networks()
        discriminator = made["discriminator"]
        seen = discriminator.layers[-2].output  # what the score is made of
        heads = {"category": r.categories} | ({"style": r.styles} if r.styles else {})
        read = {key: layers.Dense(size, dtype="float32", name=key)(seen) for key, size in heads.items()}
        return made | {
            "generator": networks.decoder(
                r.latent,
                self.shape,
                "conv",
                r.width,
                0,
                True,
                r.refine,
                r.mapping,
                r.categories,
                r.upsampling,
                name="generator",
            ),
            "recogniser": keras.Model(discriminator.inputs, read, name="recogniser"),
        }

    def optimizers(self, rate: family.Rate) -> keras.optimizers.Optimizer:
        speed = self.recipe.critic_speed
        return self.adversaries(rate, beta_1=0.0, generator=1.0, discriminator=speed, recogniser=1.0)

    def further_loss(self, latent: Tensor, fakes: Tensor, training: bool) -> Loss:
        """Return −log Q(c|G(z, c)) in nats but for constants: cross-entropy of the choice, squared error of styles."""
        r, read = self.recipe, self.run("recogniser", fakes, training)
        chosen = ops.one_hot(ops.argmax(latent[:, : r.categories], axis=1), r.categories)
        loss = -ops.mean(ops.sum(chosen * ops.log_softmax(read["category"]), axis=1))
        if r.styles:
            wanted = latent[:, r.categories : r.categories + r.styles]
            loss += 0.5 * ops.mean(ops.sum(ops.square(wanted - read["style"]), axis=1))
        return r.information * loss, {"information": loss}
