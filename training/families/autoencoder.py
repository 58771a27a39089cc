"""Autoencoder: reducing the dimensionality of data, Hinton & Salakhutdinov 2006, doi:10.1126/science.1127647

min ‖x − decoder(encoder(x))‖²      the bottleneck is all that the decoder gets to see
"""

import pydantic
from keras import ops

from training import family, networks, recipe


class Family(family.Family):
    title, year = "Autoencoder", 2006
    paper = "https://doi.org/10.1126/science.1127647"
    prior = "none"
    reported = ("reconstruction",)
    activation = None  # of the code

    class Recipe(recipe.Recipe):
        latent: int = pydantic.Field(32, ge=1, le=1024, description="size of the bottleneck")

    def build_networks(self):
        r = self.recipe
        return {
            "encoder": networks.encoder(
                self.shape, {"latent": r.latent}, r.network, r.width, activation=self.activation
            ),
            "decoder": networks.decoder(r.latent, self.shape, r.network, r.width, refine=r.refine, mapping=r.mapping),
        }

    def corrupted(self, images):
        """What the encoder is shown while training: here the image itself."""
        return images

    def regulariser(self, images, latent) -> tuple:
        """(what is added to the squared error, {name: value} to report): here nothing."""
        return 0.0, {}

    def objective(self, images, labels, training=True):
        latent = self.networks["encoder"](self.corrupted(images), training=training)["latent"]
        rebuilt = self.networks["decoder"](latent, training=training)["image"]
        loss = ops.mean(ops.sum(ops.square(images - rebuilt), axis=(1, 2, 3)))
        more, values = self.regulariser(images, latent)
        return loss + more, {"reconstruction": loss} | values
