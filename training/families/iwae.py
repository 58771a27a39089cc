"""IWAE: importance weighted autoencoders, Burda et al. 2015, arXiv:1509.00519

min −E[log 1/k · Σᵢ p(x|zᵢ) p(zᵢ) / q(zᵢ|x)],  zᵢ ~ q(z|x): with more draws the bound comes closer to log p(x)
"""

import math

import pydantic

from training.families import vae
from training.tensors import Loss, Tensor, ops


class Family(vae.Family):
    title, year = "Importance weighted autoencoder", 2015
    paper = "https://arxiv.org/abs/1509.00519"
    reported = ("negative_bound",)

    class Recipe(vae.Family.Recipe, frozen=True):
        beta: float = pydantic.Field(1.0, ge=1, le=1, description="the bound knows no other weight")
        draws: int = pydantic.Field(5, ge=1, le=200, description="k, latents drawn per image")

    def objective(self, images: Tensor, labels: Tensor | None, training: bool = True) -> Loss:
        k, count = self.recipe.draws, ops.shape(images)[0]
        images = self.observed(images)
        mean, log_var = self.posterior(images, labels, training)
        noise = self.normal(k * count, self.recipe.latent)
        latent = ops.tile(mean, (k, 1)) + ops.exp(0.5 * ops.tile(log_var, (k, 1))) * noise
        rebuilt = self.run("decoder", latent, training)["image"]
        log_likelihood = -self.negative_log_likelihood(ops.tile(images, (k, 1, 1, 1)), rebuilt)
        # log p(z) − log q(z|x); the constants of the two Gaussians cancel
        log_ratio = 0.5 * ops.sum(ops.square(noise) + ops.tile(log_var, (k, 1)) - ops.square(latent), axis=1)
        weights = ops.reshape(log_likelihood + log_ratio, (k, count))
        bound = -ops.mean(ops.logsumexp(weights, axis=0) - math.log(k))
        return bound, {"negative_bound": bound}
