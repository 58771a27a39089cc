"""Contractive autoencoder: explicit invariance during feature extraction, Rifai et al. 2011,
https://icml.cc/2011/papers/455_icmlpaper.pdf

min ‖x − decoder(h)‖² + λ · ‖∂h/∂x‖²,  h = sigmoid(encoder(x)): the code may move only where the data moves

The Jacobian's squared norm is estimated by one random projection per image: E‖∂(vᵀh)/∂x‖² = ‖∂h/∂x‖² for v ~ N(0, I).
"""

import pydantic
from keras import ops

from training import family
from training.families import autoencoder


class Family(autoencoder.Family):
    title, year = "Contractive autoencoder", 2011
    paper = "https://icml.cc/2011/papers/455_icmlpaper.pdf"
    reported = ("reconstruction", "contraction")
    activation = "sigmoid"

    class Recipe(autoencoder.Family.Recipe):
        contraction: float = pydantic.Field(1.0, ge=0, le=1e4, description="λ, weight of the Jacobian's squared norm")

    def regulariser(self, images, latent):
        encoder, direction = self.networks["encoder"], self.normal(ops.shape(images)[0], self.recipe.latent)

        def projected(x):
            return encoder(x, training=True)["latent"] * direction

        slope = ops.cast(family.input_gradient(projected, images), "float32")
        loss = ops.mean(ops.sum(ops.square(slope), axis=(1, 2, 3)))
        return self.recipe.contraction * loss, {"contraction": loss}
