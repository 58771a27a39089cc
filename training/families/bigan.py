"""BiGAN: adversarial feature learning, Donahue et al. 2016, arXiv:1605.09782

    discriminator:        min E[softplus(−D(x, E(x)))] + E[softplus(D(G(z), z))] + γ/2 · E‖∇ₓD(x, E(x))‖²
    generator, encoder:   min E[softplus(−D(G(z), z))] + E[softplus(D(x, E(x)))]

The discriminator sees image and code together, so the encoder has to learn the generator's inverse without ever
comparing two images. Each number of a code is standardised over the batch: so codes have the prior's first two moments
from the first step, and cannot fall together into one, which they did without.
"""

import keras

from training import family, networks
from training.families import dcgan
from training.tensors import Loss, Tensor, ops


class Family(dcgan.Family):
    title, year = "BiGAN", 2016
    paper = "https://arxiv.org/abs/1605.09782"
    private = ("discriminator",)  # its input is a pair, not an image

    def build_networks(self) -> dict[str, keras.Model]:
        r, made = self.recipe, super().build_networks()
        return made | {
            "encoder": networks.encoder(self.shape, {"latent": r.latent}, "conv", r.critic_width, standard=True),
            "discriminator": networks.discriminator(self.shape, r.critic_width, latent=r.latent),
        }

    def optimizers(self, rate: family.Rate) -> keras.optimizers.Optimizer:
        speed = self.recipe.critic_speed
        return self.adversaries(rate, beta_1=0.0, generator=1.0, encoder=1.0, discriminator=speed)

    def objective(self, images: Tensor, labels: Tensor | None, training: bool = True) -> Loss:
        drawn = self.normal(ops.shape(images)[0], self.recipe.latent)
        fakes = self.run("generator", drawn, training)["image"]
        codes = self.run("encoder", images, training)["latent"]
        fixed, known = ops.stop_gradient(fakes), ops.stop_gradient(codes)
        real = self.run("discriminator", [images, known], training)["score"]
        fake = self.run("discriminator", [fixed, drawn], training)["score"]
        frozen = family.frozen(self.networks["discriminator"])
        critic_loss = ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))
        generator_loss = ops.mean(ops.softplus(-frozen([fakes, drawn])["score"]))
        encoder_loss = ops.mean(ops.softplus(frozen([images, codes])["score"]))

        penalty = ops.zeros(())
        if self.recipe.penalty:
            penalty = self.pair_penalty(images, known)
        losses = {"discriminator": critic_loss, "generator": generator_loss + encoder_loss, "penalty": penalty}
        return sum(losses.values()), losses

    def scores(self, images: Tensor, labels: Tensor | None, latents: Tensor) -> tuple[Tensor, Tensor]:
        codes = self.run("encoder", images)["latent"]
        fakes = self.run("generator", latents)["image"]
        return self.run("discriminator", [images, codes])["score"], self.run("discriminator", [fakes, latents])["score"]

    def pair_penalty(self, images: Tensor, codes: Tensor) -> Tensor:
        """Return R1 with respect to the images (B, H, W, C) of pairs, on the first part of the batch."""
        part = self.penalised_images

        def score(x: Tensor) -> Tensor:
            return self.run("discriminator", [x, codes[:part]], training=True)["score"]

        slope = family.squared_norm(family.input_gradient(score, images[:part]))
        return 0.5 * self.recipe.penalty * ops.mean(slope)
