"""BiGAN: adversarial feature learning, Donahue et al. 2016, arXiv:1605.09782

    discriminator:        min E[softplus(−D(x, E(x)))] + E[softplus(D(G(z), z))] + γ/2 · E‖∇ₓD(x, E(x))‖²
    generator, encoder:   min E[softplus(−D(G(z), z))] + E[softplus(D(x, E(x)))]

The discriminator sees image and code together, so the encoder has to learn the generator's inverse without ever
comparing two images. Each number of a code is standardised over the batch: so codes have the prior's first two moments
from the first step, and cannot fall together into one, which they did without.
"""

from keras import ops

from training import family, networks
from training.families import dcgan


class Family(dcgan.Family):
    title, year = "BiGAN", 2016
    paper = "https://arxiv.org/abs/1605.09782"
    private = ("discriminator",)  # what it judges is a pair, not an image

    def build_networks(self):
        r, made = self.recipe, super().build_networks()
        return made | {
            "encoder": networks.encoder(self.shape, {"latent": r.latent}, "conv", r.critic_width, standard=True),
            "discriminator": networks.discriminator(self.shape, r.critic_width, latent=r.latent),
        }

    def optimizers(self, rate):
        speed = self.recipe.critic_speed
        return self.adversaries(rate, beta_1=0.0, generator=1.0, encoder=1.0, discriminator=speed)

    def objective(self, images, labels, training=True):
        discriminator = self.networks["discriminator"]
        drawn = self.normal(ops.shape(images)[0], self.recipe.latent)
        fakes = self.networks["generator"](drawn, training=training)["image"]
        codes = self.networks["encoder"](images, training=training)["latent"]
        fixed, known = ops.stop_gradient(fakes), ops.stop_gradient(codes)
        real = discriminator([images, known], training=training)["score"]
        fake = discriminator([fixed, drawn], training=training)["score"]
        judge = family.frozen(discriminator)
        critic_loss = ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))
        generator_loss = ops.mean(ops.softplus(-judge([fakes, drawn])["score"]))
        encoder_loss = ops.mean(ops.softplus(judge([images, codes])["score"]))

        penalty = ops.zeros(())
        if self.recipe.penalty:
            penalty = self.pair_penalty(images, known)
        losses = {"discriminator": critic_loss, "generator": generator_loss + encoder_loss, "penalty": penalty}
        return sum(losses.values()), losses

    def pair_penalty(self, images, codes):
        """R1 with respect to the image of a pair."""
        discriminator, part = self.networks["discriminator"], max(1, round(self.recipe.batch * self.recipe.penalised))
        slope = family.input_gradient(lambda x: discriminator([x, codes[:part]], training=True)["score"], images[:part])
        slope = ops.sum(ops.square(ops.cast(slope, "float32")), axis=(1, 2, 3))
        return 0.5 * self.recipe.penalty * ops.mean(slope)
