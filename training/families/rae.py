"""RAE-L2: from variational to deterministic autoencoders, Ghosh et al. 2020, arXiv:1903.12436

min ‖x − decoder(z)‖² + β/2 · ‖z‖² + λ · ‖decoder's weights‖²,  z = encoder(x)

A smooth decoder and a compact latent space in place of noise and prior; a Gaussian mixture fitted to the codes
afterwards is what one samples from.
"""

import pydantic

from training.families import autoencoder
from training.tensors import Loss, Tensor, ops


class Family(autoencoder.Family):
    title, year = "Regularised autoencoder", 2020
    paper = "https://arxiv.org/abs/1903.12436"
    reported = ("reconstruction", "size", "weights")

    class Recipe(autoencoder.Family.Recipe, frozen=True):
        latent: int = pydantic.Field(16, ge=1, le=1024, description="size of the bottleneck")
        beta: float = pydantic.Field(1e-2, ge=0, le=100, description="weight of the code's squared norm")
        decay: float = pydantic.Field(1e-3, ge=0, le=10, description="λ, weight of the decoder's squared weights")

    def regulariser(self, images: Tensor, latent: Tensor) -> Loss:
        size = 0.5 * ops.mean(ops.sum(ops.square(latent), axis=1))
        kernels = [weight for weight in self.networks["decoder"].trainable_variables if len(weight.shape) > 1]
        weights = sum(ops.sum(ops.square(ops.convert_to_tensor(kernel))) for kernel in kernels)
        loss = self.recipe.beta * size + self.recipe.decay * weights
        return loss, {"size": size, "weights": weights}
