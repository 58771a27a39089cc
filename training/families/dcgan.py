"""DCGAN: unsupervised representation learning with deep convolutional GANs, Radford et al. 2015, arXiv:1511.06434

    discriminator: min E[softplus(−D(x))] + E[softplus(D(G(z)))] + γ/2 · E‖∇D(x)‖²
    generator:     min E[softplus(−D(G(z)))]                       the non-saturating loss of Goodfellow et al. 2014

From the paper: an all-convolutional pair, batch normalisation in the generator, LeakyReLU in the discriminator. Newer:
R1 (Mescheder et al. 2018, arXiv:1801.04406) on a part of each batch in place of the discriminator's normalisation, Adam
with β₁ = 0, depth-to-space in place of transposed convolutions, and an average of the generator's weights.
"""

from typing import Literal

import keras
import pydantic

from training import family, networks, recipe
from training.tensors import Loss, Tensor, ops


class Family(family.Family):
    title, year = "DCGAN", 2015
    paper = "https://arxiv.org/abs/1511.06434"
    prior = "normal"
    reported = ("discriminator", "generator", "penalty")
    players = ("discriminator", "generator")
    norm = True  # batch normalisation in the generator
    spectral = False  # spectral normalisation in the discriminator

    class Recipe(recipe.Recipe, frozen=True):
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

    def build_networks(self) -> dict[str, keras.Model]:
        r, classes = self.recipe, self.classes if self.conditional else 0
        return {
            "generator": networks.decoder(
                r.latent,
                self.shape,
                "conv",
                r.width,
                classes,
                self.norm,
                r.refine,
                r.mapping,
                upsampling=r.upsampling,
                name="generator",
            ),
            "discriminator": networks.discriminator(
                self.shape, r.critic_width, classes, spectral=self.spectral, hidden=r.critic_hidden
            ),
        }

    def optimizers(self, rate: family.Rate) -> keras.optimizers.Optimizer:
        return self.adversaries(rate, beta_1=0.0, generator=1.0, discriminator=self.recipe.critic_speed)

    def objective(self, images: Tensor, labels: Tensor | None, training: bool = True) -> Loss:
        """Both players in one step: each sees the other's weights, or its samples, as constants."""
        latent = self.normal(ops.shape(images)[0], self.recipe.latent)
        fakes = self.run("generator", self.with_label(latent, labels), training)["image"]
        critic_loss, generator_loss, penalty = self.game(images, fakes, labels, training)
        more, values = self.further_loss(latent, fakes, training)
        values |= {"discriminator": critic_loss, "generator": generator_loss, "penalty": penalty}
        return critic_loss + penalty + generator_loss + more, values

    def scores(self, images: Tensor, labels: Tensor | None, latents: Tensor) -> tuple[Tensor, Tensor]:
        network = self.networks.get("generator") or self.networks["decoder"]
        fakes = network(self.with_label(latents, labels), training=False)["image"]
        real = self.run("discriminator", self.with_label(images, labels))["score"]
        return real, self.run("discriminator", self.with_label(fakes, labels))["score"]

    def game(
        self, images: Tensor, fakes: Tensor, labels: Tensor | None, training: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return (discriminator's loss, generator's loss, penalty) of real images and of fakes, both (B, H, W, C)."""
        fixed = ops.stop_gradient(fakes)
        real = self.run("discriminator", self.with_label(images, labels), training)["score"]
        fake = self.run("discriminator", self.with_label(fixed, labels), training)["score"]
        fake_frozen = family.frozen(self.networks["discriminator"])(self.with_label(fakes, labels))["score"]
        critic_loss, generator_loss = self.adversarial(real, fake, fake_frozen)
        penalty = ops.zeros(())
        if self.recipe.penalty:
            part = self.penalised_images
            penalty = self.gradient_penalty(images[:part], fixed[:part], None if labels is None else labels[:part])
        return critic_loss, generator_loss, penalty

    @property
    def penalised_images(self) -> int:
        """How many images of a batch the penalty is taken on."""
        return max(1, round(self.recipe.batch * self.recipe.penalised))

    def further_loss(self, latent: Tensor, fakes: Tensor, training: bool) -> Loss:
        """Return a further loss of a batch's latents (B, L) and the images (B, H, W, C) drawn from them, and what to
        report of it: here nothing."""
        return 0.0, {}

    def adversarial(self, real: Tensor, fake: Tensor, fake_frozen: Tensor) -> tuple[Tensor, Tensor]:
        """Return (discriminator's loss, generator's loss) from scores (B, 1) of real images and of fakes.

        `fake_frozen` scores the same fakes with the discriminator held constant: the generator learns through it."""
        return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake)), ops.mean(ops.softplus(-fake_frozen))

    def squared_slopes(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """Return the squared norm (B,) of the score's gradient with respect to each image."""

        def score(x: Tensor) -> Tensor:
            return self.run("discriminator", self.with_label(x, labels), training=True)["score"]

        return family.squared_norm(family.input_gradient(score, images))

    def gradient_penalty(self, images: Tensor, fakes: Tensor, labels: Tensor | None) -> Tensor:
        """Return the penalty of real images and fakes (B, H, W, C): here R1, on the real ones."""
        return 0.5 * self.recipe.penalty * ops.mean(self.squared_slopes(images, labels))
