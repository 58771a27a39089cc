"""Denoising autoencoder: extracting and composing robust features, Vincent et al. 2008, doi:10.1145/1390156.1390294

min ‖x − decoder(encoder(x̃))‖²,  x̃ = x with Gaussian noise and blanked pixels
"""

import keras
import pydantic

from training.families import autoencoder
from training.tensors import Tensor, ops


class Family(autoencoder.Family):
    title, year = "Denoising autoencoder", 2008
    paper = "https://doi.org/10.1145/1390156.1390294"

    class Recipe(autoencoder.Family.Recipe, frozen=True):
        noise: float = pydantic.Field(
            0.3, ge=0, le=2, description="largest standard deviation of the noise, drawn per image from 0 up"
        )
        blank: float = pydantic.Field(
            0.3, ge=0, le=1, description="largest fraction of pixels set to 0, drawn per image from 0 up"
        )

    def corrupted(self, images: Tensor) -> Tensor:
        count = ops.shape(images)[0]
        strength = keras.random.uniform((2, count, 1, 1, 1), seed=self.seeds)
        noise = keras.random.normal(ops.shape(images), seed=self.seeds) * self.recipe.noise * strength[0]
        keep = keras.random.uniform(ops.shape(images[..., :1]), seed=self.seeds) >= self.recipe.blank * strength[1]
        return ops.clip((images + noise) * ops.cast(keep, images.dtype), 0.0, 1.0)
