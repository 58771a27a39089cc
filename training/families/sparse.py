"""Sparse autoencoder: sparse deep belief net model for visual area V2, Lee, Ekanadham & Ng 2007; the Kullback-Leibler
penalty in place of its squared one after Ng, CS294A lecture notes, 2011

min ‖x − decoder(h)‖² + λ · Σⱼ KL(ρ ‖ mean hⱼ),  h = sigmoid(encoder(x)): each unit may be active for few images only
"""

import pydantic

from training.families import autoencoder
from training.tensors import Loss, Tensor, ops


class Family(autoencoder.Family):
    title, year = "Sparse autoencoder", 2007
    paper = "https://papers.nips.cc/paper/3313"
    reported = ("reconstruction", "sparsity")
    activation = "sigmoid"

    class Recipe(autoencoder.Family.Recipe, frozen=True):
        latent: int = pydantic.Field(128, ge=1, le=1024, description="units, of which few are active")
        active: float = pydantic.Field(0.05, gt=0, lt=1, description="ρ, how active a unit is on average")
        sparsity: float = pydantic.Field(1.0, ge=0, le=1000, description="λ, weight of the sparsity term")

    def regulariser(self, images: Tensor, latent: Tensor) -> Loss:
        rate, found = self.recipe.active, ops.clip(ops.mean(latent, axis=0), 1e-4, 1.0 - 1e-4)
        divergence = rate * ops.log(rate / found) + (1.0 - rate) * ops.log((1.0 - rate) / (1.0 - found))
        loss = ops.sum(divergence)
        return self.recipe.sparsity * loss, {"sparsity": loss}
