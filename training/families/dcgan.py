"""DCGAN: unsupervised representation learning with deep convolutional GANs, Radford et al. 2015, arXiv:1511.06434

    discriminator: min E[softplus(−D(x))] + E[softplus(D(G(z)))] + γ/2 · E‖∇D(x)‖²
    generator:     min E[softplus(−D(G(z)))]                       the non-saturating loss of Goodfellow et al. 2014

From the paper: an all-convolutional pair, batch normalisation in the generator, LeakyReLU in the discriminator. Newer:
R1 (Mescheder et al. 2018, arXiv:1801.04406) on a part of each batch in place of the discriminator's normalisation, Adam
with β₁ = 0, depth-to-space in place of transposed convolutions, and an average of the generator's weights.
"""

from typing import Literal

import pydantic
from keras import ops

from training import family, networks, recipe


class Family(family.Family):
    title, year = "DCGAN", 2015
    paper = "https://arxiv.org/abs/1511.06434"
    prior = "normal"
    reported = ("discriminator", "generator", "penalty")
    norm = True  # batch normalisation in the generator
    spectral = False  # spectral normalisation in the discriminator

    class Recipe(recipe.Recipe):
        network: Literal["conv"] = "conv"
        latent: int = pydantic.Field(64, ge=1, le=4096, description="latent dimensions")
        critic_width: int = pydantic.Field(64, ge=4, le=1024, description="channels of the discriminator")
        critic_hidden: int = pydantic.Field(
            0, ge=0, le=4096, description="units of a dense layer that sees the whole image before it is scored"
        )
        penalty: float = pydantic.Field(0.5, ge=0, le=1000, description="γ of R1, or λ of the gradient penalty")
        penalised: float = pydantic.Field(
            0.125, gt=0, le=1, description="part of each batch that the penalty is taken on"
        )
        critic_speed: float = pydantic.Field(
            1.0, gt=0, le=100, description="learning rate of the discriminator over the generator's"
        )

    def build_networks(self):
        r, classes = self.recipe, self.classes if self.conditional else 0
        return {
            "generator": networks.decoder(
                r.latent, self.shape, "conv", r.width, classes, self.norm, r.refine, r.mapping, name="generator"
            ),
            "discriminator": networks.discriminator(
                self.shape, r.critic_width, classes, spectral=self.spectral, hidden=r.critic_hidden
            ),
        }

    def optimizers(self, rate):
        return self.adversaries(rate, beta_1=0.0, generator=1.0, discriminator=self.recipe.critic_speed)

    def objective(self, images, labels, training=True):
        """Both players in one step: each sees the other's weights, or its samples, as constants."""
        latent = self.normal(ops.shape(images)[0], self.recipe.latent)
        fakes = self.networks["generator"](self.with_label(latent, labels), training=training)["image"]
        critic_loss, generator_loss, penalty = self.game(images, fakes, labels, training)
        more, values = self.also(latent, fakes, training)
        values |= {"discriminator": critic_loss, "generator": generator_loss, "penalty": penalty}
        return critic_loss + penalty + generator_loss + more, values

    def game(self, images, fakes, labels, training) -> tuple:
        """(discriminator's loss, generator's loss, penalty) of real images and of fakes, both (B, H, W, C)."""
        discriminator = self.networks["discriminator"]
        fixed = ops.stop_gradient(fakes)
        real = discriminator(self.with_label(images, labels), training=training)["score"]
        fake = discriminator(self.with_label(fixed, labels), training=training)["score"]
        hopeful = family.frozen(discriminator)(self.with_label(fakes, labels))["score"]

        critic_loss, generator_loss = self.adversarial(real, fake, hopeful)
        penalty = ops.zeros(())
        if self.recipe.penalty:
            part = max(1, round(self.recipe.batch * self.recipe.penalised))
            penalty = self.gradient_penalty(images[:part], fixed[:part], None if labels is None else labels[:part])
        return critic_loss, generator_loss, penalty

    def also(self, latent, fakes, training) -> tuple:
        """(a further loss, {name: value} to report) of a batch's latents and the images drawn from them."""
        return 0.0, {}

    def adversarial(self, real, fake, hopeful):
        """(discriminator's loss, generator's loss) from scores: real, fake, and fake by a frozen critic."""
        return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake)), ops.mean(ops.softplus(-hopeful))

    def slopes(self, images, labels):
        """Squared norm of the score's gradient with respect to each image, (B,)."""
        network = self.networks["discriminator"]
        gradient = family.input_gradient(lambda x: network(self.with_label(x, labels), training=True)["score"], images)
        return ops.sum(ops.square(ops.cast(gradient, "float32")), axis=(1, 2, 3))

    def gradient_penalty(self, images, fakes, labels):
        return 0.5 * self.recipe.penalty * ops.mean(self.slopes(images, labels))
