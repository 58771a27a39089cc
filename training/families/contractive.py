"""Contractive autoencoder: explicit invariance during feature extraction, Rifai et al. 2011,
https://icml.cc/2011/papers/455_icmlpaper.pdf

min ‖x − decoder(h)‖² + λ · ‖∂h/∂x‖²,  h = sigmoid(encoder(x)): the code may move only where the data moves

The Jacobian's squared norm is estimated by one random projection per image: E‖∂(vᵀh)/∂x‖² = ‖∂h/∂x‖² for v ~ N(0, I).
"""

import pydantic

from training import family
from training.families import autoencoder
from training.tensors import Loss, Tensor, ops


class Family(autoencoder.Family):
    title, year = "Contractive autoencoder", 2011
    paper = "https://icml.cc/2011/papers/455_icmlpaper.pdf"
    reported = ("reconstruction", "contraction")
    activation = "sigmoid"

    class Recipe(autoencoder.Family.Recipe, frozen=True):
        contraction: float = pydantic.Field(1.0, ge=0, le=1e4, description="λ, weight of the Jacobian's squared norm")

    def regulariser(self, images: Tensor, latent: Tensor) -> Loss:
        direction = self.normal(ops.shape(images)[0], self.recipe.latent)

        def projected(x: Tensor) -> Tensor:
            return self.run("encoder", x, training=True)["latent"] * direction

        loss = ops.mean(family.squared_norm(family.input_gradient(projected, images)))
        return self.recipe.contraction * loss, {"contraction": loss}
