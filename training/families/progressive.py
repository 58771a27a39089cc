"""Progressive growing of GANs for improved quality, stability, and variation, Karras et al. 2018, arXiv:1710.10196

    the losses of dcgan.py; generator and discriminator begin at a quarter of the side (7×7, then 14×14, then 28×28)

    image at 2s × 2s = up(image at s × s) + α · (what the finer layers add),   α from 0 to 1 over a part of the run

From the paper: growth by halves with a linear fade-in on both sides and in the real images, pixelwise normalisation in
the generator, an average of its weights. Other than there: α is a weight of both networks, so they have their full
size from the first step (layers that wait get no gradient, and the time that small images would save is not saved);
R1 in place of WGAN-GP, no equalised learning rates, no standard deviation over the batch, one convolution per size.
"""

from typing import Literal

import keras
import pydantic
from keras import layers

from training import networks
from training.families import dcgan
from training.tensors import Loss, Tensor, ops


class Family(dcgan.Family):
    title, year = "Progressive GAN", 2018
    paper = "https://arxiv.org/abs/1710.10196"

    class Recipe(dcgan.Family.Recipe, frozen=True):
        refine: Literal[0] = 0
        mapping: Literal[0] = 0
        upsampling: Literal["depth_to_space"] = "depth_to_space"
        grown: float = pydantic.Field(
            0.5, gt=0, le=0.9, description="part of the run after which nothing grows any more"
        )

    def build_networks(self) -> dict[str, keras.Model]:
        self.step = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="float32", name="step")
        self.sizes = 3 + networks.halvings(self.shape)
        return {
            "generator": generator(self.recipe.latent, self.shape, self.recipe.width, self.sizes),
            "discriminator": discriminator(self.shape, self.recipe.critic_width, self.sizes),
        }

    def objective(self, images: Tensor, labels: Tensor | None, training: bool = True) -> Loss:
        weights = self.opened()
        for network in self.networks.values():
            for size, weight in enumerate(weights, 1):
                kernel = network.get_layer(f"fade_{size}").kernel
                kernel.assign(ops.zeros(kernel.shape, kernel.dtype) + weight)
        self.step.assign(self.step + 1.0)
        return super().objective(blended(images, weights), labels, training)

    def scores(self, images: Tensor, labels: Tensor | None, latents: Tensor) -> tuple[Tensor, Tensor]:
        return super().scores(blended(images, self.opened()), labels, latents)

    def opened(self) -> list[Tensor]:
        """Return α of every size but the first, coarse to fine; a size waits as long as it then takes to fade in."""
        phase = max(1.0, self.recipe.grown * self.steps / (2 * (self.sizes - 1)))
        return [ops.clip(self.step / phase - (2 * size - 1), 0.0, 1.0) for size in range(1, self.sizes)]


def blended(images: Tensor, weights: list[Tensor]) -> Tensor:
    """Return real images (B, H, W, C) with the detail that the generator can have by now; weights: α of each size."""
    pyramid = [images]
    for _ in weights:
        pyramid.append(ops.average_pool(pyramid[-1], 2, strides=2))
    shown = pyramid.pop()
    for weight in weights:
        larger = ops.repeat(ops.repeat(shown, 2, axis=1), 2, axis=2)
        shown = larger + weight * (pyramid.pop() - larger)
    return shown


def faded(size: int, old: Tensor, new: Tensor) -> Tensor:
    """Return old + α · (new − old), both (B, H, W, C), with α as the kernel of a layer: 0 until the size is reached."""
    gate = layers.DepthwiseConv2D(
        1, use_bias=False, depthwise_initializer="zeros", trainable=False, dtype="float32", name=f"fade_{size}"
    )
    change = gate(layers.Subtract(dtype="float32", name=f"change_{size}")([new, old]))
    return layers.Add(name=f"faded_{size}")([old, change])


def channels(size: int, width: int) -> int:
    """Return `width` for the coarsest layers, size 0, and fewer and fewer as the side doubles."""
    return max(8, width >> size * (size + 1) // 2)


def generator(latent: int, shape: tuple[int, int, int], width: int, sizes: int) -> keras.Model:
    """latent (L,) → image (H, W, C) in [0, 1], through images of every size."""
    grid = tuple(side >> (sizes - 1) for side in shape[:2])
    z = keras.Input((latent,), name="latent")
    x = layers.Dense(grid[0] * grid[1] * width, name="project")(z)
    x = layers.Reshape((*grid, width), name="grid")(x)
    image = None
    for size in range(sizes):
        block, count = (2 if size else 1), channels(size, width)
        x = layers.Conv2D(block**2 * count, 3, padding="same", name=f"body_{size}")(x)
        if size:
            x = networks.depth_to_space(x, block, count, f"_{size}")
        x = layers.LeakyReLU(0.2, name=f"act_{size}")(x)
        x = layers.RMSNormalization(name=f"norm_{size}")(x)
        new = layers.Conv2D(shape[2], 3, padding="same", dtype="float32", name=f"to_image_{size}")(x)
        if size:
            new = faded(size, layers.UpSampling2D(dtype="float32", name=f"enlarge_{size}")(image), new)
        image = new
    image = layers.Activation("sigmoid", dtype="float32", name="image")(image)
    return keras.Model(z, {"image": image}, name="generator")


def discriminator(shape: tuple[int, int, int], width: int, sizes: int) -> keras.Model:
    """image (H, W, C) → score (1,), unbounded, higher is more real; the generator's mirror image."""
    image = keras.Input(shape, name="image")
    picture = layers.Rescaling(2.0, -1.0, name="centre")(image)

    def features(size: int) -> Tensor:
        x = layers.Conv2D(channels(size, width), 1, name=f"from_image_{size}")(picture)
        return layers.LeakyReLU(0.2, name=f"act_image_{size}")(x)

    x = picture
    for size in reversed(range(1, sizes)):
        x = layers.Conv2D(channels(size - 1, width), 4, strides=2, padding="same", name=f"body_{size}")(x)
        x = layers.LeakyReLU(0.2, name=f"act_{size}")(x)
        picture = layers.AveragePooling2D(2, name=f"halve_{size}")(picture)
        x = faded(size, features(size - 1), x)
    x = layers.Conv2D(2 * width, 3, padding="same", name="body_0")(x)
    x = layers.LeakyReLU(0.2, name="act_0")(x)
    x = layers.Flatten(name="flat")(x)
    return keras.Model(image, {"score": layers.Dense(1, dtype="float32", name="score")(x)}, name="discriminator")
