"""WAE-MMD: Wasserstein auto-encoders, Tolstikhin et al. 2018, arXiv:1711.01558

min ‖x − decoder(z)‖² + λ · MMD(z, N(0, I)),  z = encoder(x)

The codes together have to follow the prior, not each of them as in a VAE: so no noise blurs the codes. The
maximum mean discrepancy is unbiased, with the sum of inverse multiquadratic kernels of the paper's code.
"""

import pydantic

from training.families import autoencoder
from training.tensors import Loss, Tensor, ops


class Family(autoencoder.Family):
    title, year = "Wasserstein autoencoder (MMD)", 2018
    paper = "https://arxiv.org/abs/1711.01558"
    prior = "normal"
    reported = ("reconstruction", "discrepancy")

    class Recipe(autoencoder.Family.Recipe, frozen=True):
        latent: int = pydantic.Field(8, ge=1, le=1024, description="latent dimensions")
        discrepancy: float = pydantic.Field(100.0, ge=0, le=1e5, description="λ, weight of the discrepancy")

    def regulariser(self, images: Tensor, latent: Tensor) -> Loss:
        loss = discrepancy(latent, self.normal(ops.shape(latent)[0], self.recipe.latent))
        return self.recipe.discrepancy * loss, {"discrepancy": loss}


def discrepancy(a: Tensor, b: Tensor) -> Tensor:
    """Return the unbiased squared maximum mean discrepancy of a (B, L) and b (B, L), kernels C / (C + ‖a − b‖²)."""
    count = ops.cast(ops.shape(a)[0], a.dtype)

    def distances(x: Tensor, y: Tensor) -> Tensor:
        squares = ops.sum(ops.square(x), axis=1)[:, None] + ops.sum(ops.square(y), axis=1)[None, :]
        return ops.maximum(squares - 2.0 * ops.matmul(x, ops.transpose(y)), 0.0)

    total: Tensor = 0.0
    for scale in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0):
        c = 2.0 * a.shape[1] * scale
        within = c / (c + distances(a, a)) + c / (c + distances(b, b))
        same = ops.sum(within) - 2.0 * count  # each point has similarity 1 with itself
        total += same / (count * (count - 1.0)) - 2.0 * ops.mean(c / (c + distances(a, b)))
    return total
