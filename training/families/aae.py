"""AAE: adversarial autoencoders, Makhzani et al. 2015, arXiv:1511.05644

    autoencoder:  min ‖x − decoder(z)‖² + λ · E[softplus(−C(z))],  z = encoder(x)
    critic:       min E[softplus(−C(p))] + E[softplus(C(z))],      p ~ N(0, I)

The two-player game is played on codes instead of images: the encoder learns to hide among draws of the prior.
"""

import keras
import pydantic

from training import family, networks
from training.families import autoencoder
from training.tensors import Loss, Tensor, ops


class Family(autoencoder.Family):
    title, year = "Adversarial autoencoder", 2015
    paper = "https://arxiv.org/abs/1511.05644"
    prior = "normal"
    reported = ("reconstruction", "critic", "deception")
    private = ("critic",)
    players = ("critic", "deception")

    class Recipe(autoencoder.Family.Recipe, frozen=True):
        latent: int = pydantic.Field(8, ge=1, le=1024, description="latent dimensions")
        deception: float = pydantic.Field(3.0, ge=0, le=1e4, description="λ, weight of the game against the likeness")

    def build_networks(self) -> dict[str, keras.Model]:
        return super().build_networks() | {"critic": networks.latent_critic(self.recipe.latent)}

    def optimizers(self, rate: family.Rate) -> keras.optimizers.Optimizer:
        return self.adversaries(rate, beta_1=0.5, encoder=1.0, decoder=1.0, critic=1.0)

    def scores(self, images: Tensor, labels: Tensor | None, latents: Tensor) -> tuple[Tensor, Tensor]:
        codes = self.run("encoder", images)["latent"]
        return self.run("critic", latents)["score"], self.run("critic", codes)["score"]

    def regulariser(self, images: Tensor, latent: Tensor) -> Loss:
        drawn = self.normal(ops.shape(latent)[0], self.recipe.latent)
        real = self.run("critic", drawn, training=True)["score"]
        fake = self.run("critic", ops.stop_gradient(latent), training=True)["score"]
        critic_loss = ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))
        fake_frozen = family.frozen(self.networks["critic"])(latent)["score"]
        deception = ops.mean(ops.softplus(-fake_frozen))
        return critic_loss + self.recipe.deception * deception, {"critic": critic_loss, "deception": deception}
