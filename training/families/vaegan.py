"""VAE-GAN: autoencoding beyond pixels using a learned similarity metric, Larsen et al. 2016, arXiv:1512.09300

    encoder:        min KL(q(z|x) ‖ N(0, I)) + λ · ‖f(x) − f(decoder(z))‖²,  f: a hidden layer of the discriminator
    decoder:        min λγ · ‖f(x) − f(decoder(z))‖² + E[softplus(−D(decoder(p)))],  p ~ N(0, I)
    discriminator:  min E[softplus(−D(x))] + E[softplus(D(decoder(p)))] + R1

The distance between images is that of the discriminator's features instead of pixels, so nothing rewards blur. The
paper's discriminator gets reconstructions as fakes, too; here only draws of the prior.
"""

import keras
import pydantic

from training import family, networks
from training.families import dcgan
from training.families.vae import kl_divergence
from training.tensors import Loss, Tensor, ops


class Family(dcgan.Family):
    title, year = "VAE-GAN", 2016
    paper = "https://arxiv.org/abs/1512.09300"
    reported = ("discriminator", "generator", "penalty", "likeness", "kl")

    class Recipe(dcgan.Family.Recipe, frozen=True):
        latent: int = pydantic.Field(32, ge=1, le=4096, description="latent dimensions")
        likeness: float = pydantic.Field(0.05, gt=0, le=1e3, description="λ, weight of the features' squared error")
        gamma: float = pydantic.Field(0.2, ge=0, le=1e3, description="γ, the same for the decoder against its game")

    def build_networks(self) -> dict[str, keras.Model]:
        r, classes = self.recipe, self.classes if self.conditional else 0
        heads = {"z_mean": r.latent, "z_log_var": r.latent}
        return {
            "encoder": networks.encoder(self.shape, heads, "conv", r.critic_width, classes),
            "decoder": networks.decoder(
                r.latent, self.shape, "conv", r.width, classes, True, r.refine, r.mapping, upsampling=r.upsampling
            ),
            "discriminator": networks.discriminator(self.shape, r.critic_width, classes, hidden=r.critic_hidden),
        }

    def optimizers(self, rate: family.Rate) -> keras.optimizers.Optimizer:
        speed = self.recipe.critic_speed
        return self.adversaries(rate, beta_1=0.0, encoder=1.0, decoder=1.0, discriminator=speed)

    def objective(self, images: Tensor, labels: Tensor | None, training: bool = True) -> Loss:
        discriminator, decoder = self.networks["discriminator"], self.networks["decoder"]
        posterior = self.run("encoder", self.with_label(images, labels), training)
        mean, log_var = posterior["z_mean"], ops.clip(posterior["z_log_var"], -12.0, 6.0)
        latent = self.drawn_from(mean, log_var)
        drawn = self.with_label(self.normal(ops.shape(images)[0], self.recipe.latent), labels)
        fakes = self.run("decoder", drawn, training)["image"]
        critic_loss, generator_loss, penalty = self.game(images, fakes, labels, training)

        # Encoder and decoder share the likeness with different weights: each gets its own copy of the other, frozen.
        features = family.frozen(keras.Model(discriminator.inputs[0], discriminator.get_layer("act_1").output))
        wanted = ops.stop_gradient(features(images))

        def likeness(rebuilt: Tensor) -> Tensor:
            return ops.mean(ops.sum(ops.square(wanted - features(rebuilt)), axis=(1, 2, 3)))

        by_encoder = likeness(family.frozen(decoder)(self.with_label(latent, labels))["image"])
        rebuilt = self.run("decoder", self.with_label(ops.stop_gradient(latent), labels), training)["image"]
        by_decoder = likeness(rebuilt)
        kl = kl_divergence(mean, log_var)
        r = self.recipe
        total = critic_loss + penalty + generator_loss + kl + r.likeness * (by_encoder + r.gamma * by_decoder)
        return total, {
            "discriminator": critic_loss,
            "generator": generator_loss,
            "penalty": penalty,
            "likeness": by_decoder,
            "kl": kl,
        }
