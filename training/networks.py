"""Network bodies shared by the families: Functional models of stock Keras layers, images in [0, 1], every layer named.

Convolutional bodies work on a grid of a quarter of the image side (7×7 for 28×28), which is halved for larger images
(8×8 for 64×64), and reach full resolution by depth-to-space (Shi et al. 2016, arXiv:1609.05158), which is faster than
transposed convolution, or by bilinear doublings.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers

from training.recipe import RecipeError
from training.tensors import Tensor, ops

Shape = tuple[int, int, int]  # (H, W, C) of the images
EMBEDDING = 16  # width of a class label's embedding


def _image_input(shape: Shape) -> Tensor:
    return keras.Input(shape, name="image")


def _label_input() -> Tensor:
    return keras.Input((), dtype="int32", name="label")


def _single(inputs: list[Tensor]) -> Any:
    """Return the only input of a list, or the list: Keras warns when a call does not repeat this structure."""
    return inputs if len(inputs) > 1 else inputs[0]


def _grid(shape: Shape) -> tuple[int, int]:
    if shape[0] % 4 or shape[1] % 4:
        raise RecipeError(
            f"Convolutional networks need image sides divisible by 4, not {shape[0]}×{shape[1]}; resize the images, "
            'or choose a family that offers network = "dense".'
        )
    return shape[0] // 4, shape[1] // 4


def halvings(shape: Shape) -> int:
    """Return how often the grid is halved until a 3×3 convolution covers enough of it: 0 up to a side of 32, 1 for 64.

    Raises RecipeError for a side that 4 does not divide."""
    (height, width), count = _grid(shape), 0
    while min(height, width) > 8 and not height % 2 and not width % 2:
        height, width, count = height // 2, width // 2, count + 1
    return count


def _label_map(label: Tensor, classes: int, shape: tuple[int, int]) -> Tensor:
    """Return a label as one extra image channel, learned per class."""
    x = layers.Embedding(classes, shape[0] * shape[1], name="label_map")(label)
    return layers.Reshape((*shape, 1), name="label_channel")(x)


def depth_to_space(x: Tensor, block: int, channels: int, suffix: str = "") -> Tensor:
    """(H, W, block²·channels) → (H·block, W·block, channels) with stock layers."""
    height, width = x.shape[1], x.shape[2]
    x = layers.Reshape((height, width, block, block, channels), name=f"blocks{suffix}")(x)
    x = layers.Permute((1, 3, 2, 4, 5), name=f"interleave{suffix}")(x)
    return layers.Reshape((height * block, width * block, channels), name=f"pixels{suffix}")(x)


def _to_grid(x: Tensor, width: int, more: int = 0) -> Tensor:
    """(H, W, C) → (H/4, W/4, width), whose sides are halved `more` times."""
    x = layers.Conv2D(width // 2, 4, strides=2, padding="same", activation="silu", name="half")(x)
    x = layers.Conv2D(width, 4, strides=2, padding="same", activation="silu", name="quarter")(x)
    for index in range(more):
        x = layers.Conv2D(width, 4, strides=2, padding="same", activation="silu", name=f"halve_{index}")(x)
    return layers.Conv2D(width, 3, padding="same", activation="silu", name="body")(x)


def _from_grid(
    x: Tensor, channels: int, width: int, refine: int, activation: str, upsampling: str = "depth_to_space"
) -> Tensor:
    """(H/4, W/4, width) → (H, W, channels), before the sigmoid. Depth-to-space goes there in one step; bilinear
    doublings, each after a convolution to half the channels (Odena et al. 2016, doi:10.23915/distill.00003), leave no
    lattice on smooth surfaces; both want `refine`."""
    if upsampling == "bilinear":
        fine = max(8, width // 4)
        for index, count in enumerate((max(8, width // 2), fine)):
            x = layers.Conv2D(count, 3, padding="same", name=f"fine_{index}")(x)
            x = layers.UpSampling2D(interpolation="bilinear", name=f"enlarge_{index}")(x)
            x = layers.Activation(activation, name=f"act_fine_{index}")(x)
    else:
        fine = max(8, width // 12)
        x = depth_to_space(layers.Conv2D(16 * fine, 1, name="expand")(x), 4, fine)
        x = layers.Activation(activation, name="act_fine")(x)
        fine *= 2
    for index in range(refine):
        x = layers.Conv2D(fine, 3, padding="same", name=f"refine_{index}")(x)
        x = layers.Activation(activation, name=f"act_refine_{index}")(x)
    return layers.Conv2D(channels, 3, padding="same", name="to_image")(x)


def encoder(
    shape: Shape,
    outputs: Mapping[str, int],
    kind: str = "conv",
    width: int = 64,
    classes: int = 0,
    activation: str | None = None,
    standard: bool = False,
    name: str = "encoder",
) -> keras.Model:
    """image (H, W, C)[, label ()] → one vector per item of `outputs` (name: size), each after `activation`; `standard`
    gives each of its numbers mean 0 and variance 1 over the batch."""
    image = _image_input(shape)
    inputs = [image]
    x = layers.Rescaling(2.0, -1.0, name="centre")(image)
    if classes:
        label = _label_input()
        inputs.append(label)
        x = layers.Concatenate(name="with_label")([x, _label_map(label, classes, shape[:2])])
    if kind == "conv":
        x = _to_grid(x, width, halvings(shape))
        x = layers.Conv2D(width // 2, 1, activation="silu", name="squeeze")(x)
        x = layers.Flatten(name="flat")(x)
        x = layers.Dense(2 * width, activation="silu", name="hidden")(x)
    else:
        x = layers.Flatten(name="flat")(x)
        x = layers.Dense(width, activation="silu", name="hidden_1")(x)
        x = layers.Dense(width // 2, activation="silu", name="hidden_2")(x)
    heads = {
        key: layers.Dense(size, activation=activation, name=key, dtype="float32")(x) for key, size in outputs.items()
    }
    if standard:
        heads = {key: _standard(head, f"standard_{key}") for key, head in heads.items()}
    return keras.Model(_single(inputs), heads, name=name)


def _standard(x: Tensor, name: str) -> Tensor:
    """Mean 0 and variance 1 over all axes but the last."""
    return layers.BatchNormalization(
        momentum=0.98, epsilon=1e-6, center=False, scale=False, dtype="float32", name=name
    )(x)


def decoder(
    latent: int,
    shape: Shape,
    kind: str = "conv",
    width: int = 64,
    classes: int = 0,
    norm: bool = False,
    refine: int = 0,
    mapping: int = 0,
    categories: int = 0,
    upsampling: str = "depth_to_space",
    name: str = "decoder",
) -> keras.Model:
    """latent (L,)[, label ()] → image (H, W, C) in [0, 1]. `norm` adds batch normalisation, as generators
    need it; `refine` adds convolutions at full resolution, which smooth the seams of depth-to-space; `mapping`
    adds dense layers before the grid, with which few latent dimensions can bend far; the first
    `categories` latent dimensions become one choice among as many."""
    z = keras.Input((latent,), name="latent")
    inputs, x = [z], z
    if categories:
        x = _choice(z, latent, categories)
    if classes:
        label = _label_input()
        inputs.append(label)
        x = layers.Concatenate(name="with_label")(
            [x, layers.Embedding(classes, EMBEDDING, name="label_embedding")(label)]
        )
    if kind == "conv":
        doublings = halvings(shape)
        grid = tuple(side >> doublings for side in _grid(shape))
        for index in range(mapping):
            x = layers.Dense(4 * width, activation="silu", name=f"mapping_{index}")(x)
        x = layers.Dense(grid[0] * grid[1] * width, name="project")(x)
        x = layers.Reshape((*grid, width), name="grid")(x)
        for index in range(3 + doublings):
            if index > 2:
                x = layers.UpSampling2D(name=f"double_{index}")(x)
            if index:
                x = layers.Conv2D(width, 3, padding="same", name=f"body_{index}")(x)
            if norm:
                x = layers.BatchNormalization(momentum=0.98, name=f"norm_{index}")(x)
            x = layers.Activation("relu" if norm else "silu", name=f"act_{index}")(x)
        x = _from_grid(x, shape[2], width, refine, "relu" if norm else "silu", upsampling)
    else:
        x = layers.Dense(width // 2, activation="silu", name="hidden_1")(x)
        x = layers.Dense(width, activation="silu", name="hidden_2")(x)
        x = layers.Dense(shape[0] * shape[1] * shape[2], name="to_image")(x)
        x = layers.Reshape(shape, name="grid")(x)
    image = layers.Activation("sigmoid", dtype="float32", name="image")(x)
    return keras.Model(_single(inputs), {"image": image}, name=name)


def _choice(z: Tensor, latent: int, categories: int) -> Tensor:
    """(L,) → (L,): the largest of the first K numbers becomes 1 and the others 0; the rest passes. Of K draws from one
    normal distribution each is the largest equally often, so a normal latent makes an even choice."""
    column = layers.Reshape((latent, 1), name="column")(z)
    head = layers.Flatten(name="choice_numbers")(
        layers.Cropping1D((0, latent - categories), name="choice_part")(column)
    )
    choice = layers.Softmax(name="choice")(layers.Rescaling(100.0, name="sharpen")(head))
    if latent == categories:
        return choice
    rest = layers.Flatten(name="rest")(layers.Cropping1D((categories, 0), name="rest_part")(column))
    return layers.Concatenate(name="choice_and_rest")([choice, rest])


def discriminator(
    shape: Shape,
    width: int = 64,
    classes: int = 0,
    latent: int = 0,
    spectral: bool = False,
    hidden: int = 0,
    name: str = "discriminator",
) -> keras.Model:
    """image (H, W, C)[, label ()][, latent (L,)] → score (1,), unbounded, higher is more real.

    No batch normalisation: penalties on the input gradient are per image; `spectral` bounds the Lipschitz constant of
    every convolution instead (Miyato et al. 2018, arXiv:1802.05957); the last layer stays free, since the scores of so
    shallow a network would else stay far inside the margin of a hinge loss. With classes, the label enters by
    projection (Miyato & Koyama 2018, arXiv:1802.05637)."""
    image = _image_input(shape)

    def bounded(layer: keras.Layer) -> keras.Layer:
        return layers.SpectralNormalization(layer, name=f"{layer.name}_normalised") if spectral else layer

    x = layers.Rescaling(2.0, -1.0, name="centre")(image)
    plan = [(width, 4, 2), (width * 3 // 2, 4, 2), *halvings(shape) * [(width * 2, 4, 2)], (width * 2, 3, 1)]
    for index, (channels, kernel, stride) in enumerate(plan):
        x = bounded(layers.Conv2D(channels, kernel, strides=stride, padding="same", name=f"conv_{index}"))(x)
        x = layers.LeakyReLU(0.2, name=f"act_{index}")(x)
    features = layers.Flatten(name="flat")(x)
    if latent:
        code = keras.Input((latent,), name="latent")
        of_code = layers.Dense(4 * width, activation="leaky_relu", name="code")(code)
        of_image = layers.Dense(4 * width, activation="leaky_relu", name="look")(features)
        # The product says whether the two belong together, which a sum has to learn slowly.
        x = layers.Concatenate(name="pair")([of_image, of_code, layers.Multiply(name="match")([of_image, of_code])])
        for index in range(2):
            x = layers.Dense(4 * width, activation="leaky_relu", name=f"joint_{index}")(x)
        return keras.Model([image, code], {"score": layers.Dense(1, dtype="float32", name="score")(x)}, name=name)
    if not classes:
        if hidden:
            features = layers.Dense(hidden, activation="leaky_relu", name="hidden")(features)
        return keras.Model(image, {"score": layers.Dense(1, dtype="float32", name="score")(features)}, name=name)
    label = _label_input()
    features = layers.Dense(2 * width, activation="leaky_relu", name="hidden")(features)
    projection = layers.Dot(1, dtype="float32", name="projection")(
        [features, layers.Embedding(classes, 2 * width, embeddings_initializer="zeros", name="label_embedding")(label)]
    )
    realism = layers.Dense(1, dtype="float32", name="realism")(features)
    return keras.Model(
        [image, label], {"score": layers.Add(dtype="float32", name="score")([realism, projection])}, name=name
    )


def latent_critic(latent: int, width: int = 128, name: str = "critic") -> keras.Model:
    """latent (L,) → score (1,), higher for draws of the prior."""
    code = keras.Input((latent,), name="latent")
    x = layers.Dense(width, activation="leaky_relu", name="hidden_1")(code)
    x = layers.Dense(width, activation="leaky_relu", name="hidden_2")(x)
    return keras.Model(code, {"score": layers.Dense(1, dtype="float32", name="score")(x)}, name=name)


def classifier(
    shape: Shape,
    classes: int,
    kind: str = "conv",
    width: int = 32,
    features: int = 64,
    dropout: float = 0.3,
    name: str = "classifier",
) -> keras.Model:
    """image (H, W, C) → logits (K,) and the penultimate features (F,), the feature space of the metrics."""
    image = _image_input(shape)
    x = layers.Rescaling(2.0, -1.0, name="centre")(image)
    if kind == "conv":
        plan = [(width, 1), (2 * width, 2), (2 * width, 1), (4 * width, 2), (4 * width, 1)]
        plan += halvings(shape) * [(4 * width, 2)]
        for index, (channels, stride) in enumerate(plan):
            x = layers.Conv2D(channels, 3, strides=stride, padding="same", use_bias=False, name=f"conv_{index}")(x)
            x = layers.BatchNormalization(momentum=0.98, name=f"norm_{index}")(x)
            x = layers.Activation("relu", name=f"act_{index}")(x)
        x = layers.Conv2D(width, 1, activation="relu", name="squeeze")(x)
        x = layers.Dropout(dropout, name="dropout_conv")(x)
    x = layers.Flatten(name="flat")(x)
    if kind == "dense":
        x = layers.Dense(4 * width, activation="relu", name="hidden")(x)
    penultimate = layers.Dense(features, activation="relu", dtype="float32", name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(penultimate)
    logits = layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model(image, {"logits": logits, "features": penultimate}, name=name)


def grid_encoder(shape: Shape, latent: int, width: int = 64, name: str = "encoder") -> keras.Model:
    """image (H, W, C) → latent (H/4, W/4, L), each of its L numbers with mean 0 and variance 1 over data and grid."""
    _grid(shape)
    image = _image_input(shape)
    x = _to_grid(layers.Rescaling(2.0, -1.0, name="centre")(image), width)
    x = layers.Conv2D(latent, 1, name="squeeze")(x)
    # Łańcucki et al. 2020, arXiv:2005.08520: so the codes meet the codebook, and few of its vectors stay unused.
    return keras.Model(image, {"latent": _standard(x, "latent")}, name=name)


def quantising_decoder(
    latent: int,
    codes: int,
    shape: Shape,
    width: int = 64,
    refine: int = 0,
    upsampling: str = "depth_to_space",
    name: str = "decoder",
) -> keras.Model:
    """latent (H/4, W/4, L) → image (H, W, C) in [0, 1], through the nearest of `codes` vectors at each place.

    argmax 2e·z − |e|² is argmin |z − e|²; `quantised` looks that vector up, and `tie` gives `scores` its numbers."""
    z: Tensor = keras.Input((*_grid(shape), latent), name="latent")
    scores = layers.Dense(codes, dtype="float32", trainable=False, name="scores")(z)
    normal: Any = keras.initializers.RandomNormal(stddev=1.0)
    table = layers.Embedding(codes, latent, embeddings_initializer=normal, dtype="float32", name="quantised")
    # The first of the best one is an argmax whose export needs no operators beyond ONNX' own.
    best = layers.Reshape(z.shape[1:-1], name="codes")(ops.top_k(scores, 1)[1])
    x = table(best)
    for index in range(2):
        x = layers.Conv2D(width, 3, padding="same", activation="silu", name=f"body_{index}")(x)
    x = _from_grid(x, shape[2], width, refine, "silu", upsampling)
    image = layers.Activation("sigmoid", dtype="float32", name="image")(x)
    network = keras.Model(z, {"image": image}, name=name)
    tie(network)
    return network


def codebook(decoder: keras.Model) -> np.ndarray:
    """Return the vectors (K, L) that a quantising decoder chooses from."""
    return np.asarray(decoder.get_layer("quantised").embeddings)


def tie(decoder: keras.Model) -> None:
    """Give the scores of a quantising decoder the numbers of its codebook."""
    table = ops.convert_to_tensor(decoder.get_layer("quantised").embeddings)
    kernel, bias = decoder.get_layer("scores").weights
    kernel.assign(2.0 * ops.transpose(table))
    bias.assign(-ops.sum(ops.square(table), axis=1))


def pixelcnn(grid: tuple[int, int], codes: int, width: int = 40, depth: int = 3, name: str = "prior") -> keras.Model:
    """codes (H, W) below K → logits (H, W, K) of each code given those before it in raster order.

    PixelCNN (van den Oord et al. 2016, arXiv:1606.05328): one stack of convolutions sees the rows above, one what lies
    to the left in the row and the first stack. Both are shifted once, at the start, and cover two more rows or columns
    with each block."""
    given = keras.Input(grid, dtype="int32", name="codes")
    x = layers.Embedding(codes, width, name="code")(given)
    above = layers.Cropping2D(((0, 1), (0, 0)), name="rows_above")(
        layers.ZeroPadding2D(((1, 0), (0, 0)), name="down")(x)
    )
    left = layers.Cropping2D(((0, 0), (0, 1)), name="columns_left")(
        layers.ZeroPadding2D(((0, 0), (1, 0)), name="right")(x)
    )
    for index in range(depth):
        padded = layers.ZeroPadding2D(((2, 0), (2, 2)), name=f"pad_above_{index}")(above)
        seen = layers.Conv2D(width, (3, 5), activation="silu", name=f"above_{index}")(padded)
        above = layers.Add(name=f"sum_above_{index}")([above, seen])
        padded = layers.ZeroPadding2D(((0, 0), (2, 0)), name=f"pad_left_{index}")(left)
        seen = layers.Conv2D(width, (1, 3), name=f"left_{index}")(padded)
        seen = layers.Add(name=f"meet_{index}")([seen, layers.Conv2D(width, 1, name=f"across_{index}")(above)])
        left = layers.Add(name=f"sum_left_{index}")([left, layers.Activation("silu", name=f"act_{index}")(seen)])
    x = layers.Conv2D(2 * width, 1, activation="silu", name="hidden")(left)
    return keras.Model(given, {"logits": layers.Conv2D(codes, 1, dtype="float32", name="logits")(x)}, name=name)
