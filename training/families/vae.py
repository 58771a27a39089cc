"""VAE: auto-encoding variational Bayes, Kingma & Welling 2014, arXiv:1312.6114; β after Higgins et al. 2017

min E_q[−log p(x|z)] + β · KL(q(z|x) ‖ N(0, I)),   q(z|x) = N(z_mean, exp(z_log_var))
"""

from typing import Literal

import keras
import pydantic

from training import family, networks, recipe
from training.tensors import Loss, Tensor, ops


class Family(family.Family):
    title, year = "Variational autoencoder", 2013
    paper = "https://arxiv.org/abs/1312.6114"
    prior = "normal"
    reported = ("reconstruction", "kl")

    class Recipe(recipe.Recipe, frozen=True):
        latent: int = pydantic.Field(16, ge=1, le=1024, description="latent dimensions")
        beta: float = pydantic.Field(
            1.0, ge=0, le=1000, description="weight of the KL term; 1 is the evidence lower bound"
        )
        likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"
        binarise: bool = pydantic.Field(False, description="draw every pixel as 0 or 1 anew in each batch")
        sigma: float = pydantic.Field(0.1, gt=0, le=10, description="standard deviation of the Gaussian likelihood")

    def build_networks(self) -> dict[str, keras.Model]:
        r, classes = self.recipe, self.classes if self.conditional else 0
        heads = {"z_mean": r.latent, "z_log_var": r.latent}
        return {
            "encoder": networks.encoder(self.shape, heads, r.network, r.width, classes),
            "decoder": networks.decoder(
                r.latent,
                self.shape,
                r.network,
                r.width,
                classes,
                refine=r.refine,
                mapping=r.mapping,
                upsampling=r.upsampling,
            ),
        }

    def negative_log_likelihood(self, images: Tensor, rebuilt: Tensor) -> Tensor:
        """Return −log p(x|z) per image (B,), in nats; constants of the Gaussian are left out."""
        if self.recipe.likelihood == "gaussian":
            pixels = ops.square(images - rebuilt) / (2.0 * self.recipe.sigma**2)
        else:
            rebuilt = ops.clip(rebuilt, 1e-6, 1.0 - 1e-6)
            pixels = -images * ops.log(rebuilt) - (1.0 - images) * ops.log(1.0 - rebuilt)
        return ops.sum(pixels, axis=(1, 2, 3))

    def observed(self, images: Tensor) -> Tensor:
        """Return what the likelihood is taken of: the images, or with `binarise` a draw of each pixel, 1 with the
        probability of its grey value."""
        if not self.recipe.binarise:
            return images
        return ops.cast(keras.random.uniform(ops.shape(images), seed=self.seeds) < images, images.dtype)

    def posterior(self, images: Tensor, labels: Tensor | None, training: bool) -> tuple[Tensor, Tensor]:
        """Return (z_mean, z_log_var) of q(z|x), each (B, L); the clip keeps the first steps from overflowing."""
        outputs = self.run("encoder", self.with_label(images, labels), training)
        return outputs["z_mean"], ops.clip(outputs["z_log_var"], -12.0, 6.0)

    def objective(self, images: Tensor, labels: Tensor | None, training: bool = True) -> Loss:
        images = self.observed(images)
        mean, log_var = self.posterior(images, labels, training)
        latent = self.drawn_from(mean, log_var)
        rebuilt = self.run("decoder", self.with_label(latent, labels), training)["image"]
        reconstruction = ops.mean(self.negative_log_likelihood(images, rebuilt))
        kl = kl_divergence(mean, log_var)
        return reconstruction + self.recipe.beta * kl, {"reconstruction": reconstruction, "kl": kl}


def kl_divergence(mean: Tensor, log_var: Tensor) -> Tensor:
    """Return the mean over the batch of KL(N(mean, exp(log_var)) ‖ N(0, I)), both (B, L), in nats."""
    return ops.mean(0.5 * ops.sum(ops.square(mean) + ops.exp(log_var) - log_var - 1.0, axis=1))
