"""AAE: adversarial autoencoders, Makhzani et al. 2015, arXiv:1511.05644

    autoencoder:  min ‖x − decoder(z)‖² + λ · E[softplus(−C(z))],  z = encoder(x)
    critic:       min E[softplus(−C(p))] + E[softplus(C(z))],      p ~ N(0, I)

The two-player game is played on codes instead of images: the encoder learns to hide among draws of the prior.
"""

import pydantic
from keras import ops

from training import family, networks
from training.families import autoencoder


class Family(autoencoder.Family):
    title, year = "Adversarial autoencoder", 2015
    paper = "https://arxiv.org/abs/1511.05644"
    prior = "normal"
    reported = ("reconstruction", "critic", "deception")
    private = ("critic",)

    class Recipe(autoencoder.Family.Recipe):
        latent: int = pydantic.Field(8, ge=1, le=1024, description="latent dimensions")
        deception: float = pydantic.Field(3.0, ge=0, le=1e4, description="λ, weight of the game against the likeness")

    def build_networks(self):
        return super().build_networks() | {"critic": networks.latent_critic(self.recipe.latent)}

    def optimizers(self, rate):
        return self.adversaries(rate, beta_1=0.5, encoder=1.0, decoder=1.0, critic=1.0)

    def regulariser(self, images, latent):
        critic = self.networks["critic"]
        drawn = critic(self.normal(ops.shape(latent)[0], self.recipe.latent), training=True)["score"]
        found = critic(ops.stop_gradient(latent), training=True)["score"]
        game = ops.mean(ops.softplus(-drawn)) + ops.mean(ops.softplus(found))
        deception = ops.mean(ops.softplus(-family.frozen(critic)(latent)["score"]))
        return game + self.recipe.deception * deception, {"critic": game, "deception": deception}
