"""Autoencoder: reducing the dimensionality of data, Hinton & Salakhutdinov 2006, doi:10.1126/science.1127647

min ‖x − decoder(encoder(x))‖²      the bottleneck is all that the decoder gets to see
"""

import keras
import pydantic

from training import family, networks, recipe
from training.tensors import Loss, Tensor, ops


class Family(family.Family):
    title, year = "Autoencoder", 2006
    paper = "https://doi.org/10.1126/science.1127647"
    prior = "none"
    reported = ("reconstruction",)
    activation: str | None = None  # of the code

    class Recipe(recipe.Recipe, frozen=True):
        latent: int = pydantic.Field(32, ge=1, le=1024, description="size of the bottleneck")

    def build_networks(self) -> dict[str, keras.Model]:
        r = self.recipe
        return {
            "encoder": networks.encoder(
                self.shape, {"latent": r.latent}, r.network, r.width, activation=self.activation
            ),
            "decoder": networks.decoder(
                r.latent,
                self.shape,
                r.network,
                r.width,
                refine=r.refine,
                mapping=r.mapping,
                upsampling=r.upsampling,
            ),
        }

    def corrupted(self, images: Tensor) -> Tensor:
        """Return what the encoder gets while training, (B, H, W, C): here the images themselves."""
        return images

    def regulariser(self, images: Tensor, latent: Tensor) -> Loss:
        """Return what images (B, H, W, C) and their latents (B, L) add to the squared error, and what to report of it:
        here nothing."""
        return 0.0, {}

    def objective(self, images: Tensor, labels: Tensor | None, training: bool = True) -> Loss:
        latent = self.run("encoder", self.corrupted(images), training)["latent"]
        rebuilt = self.run("decoder", latent, training)["image"]
        loss = ops.mean(ops.sum(ops.square(images - rebuilt), axis=(1, 2, 3)))
        more, values = self.regulariser(images, latent)
        return loss + more, {"reconstruction": loss} | values
