"""Network bodies shared by the families: Functional models of stock Keras layers, images in [0, 1], every layer named.

Convolutional bodies work on a grid of a quarter of the image side (7×7 for 28×28), which is halved for larger images
(8×8 for 64×64), and reach full resolution by depth-to-space (Shi et al. 2016, arXiv:1609.05158): faster than transposed
convolution, and no checkerboard.
"""

from collections.abc import Mapping

import keras
import numpy as np
from keras import layers

from training.recipe import RecipeError

EMBEDDING = 16  # width of a class label's embedding


def _image_input(shape: tuple[int, int, int]):
    return keras.Input(shape, name="image")


def _label_input():
    return keras.Input((), dtype="int32", name="label")


def _single(inputs: list):
    """The only input of a list, or the list: Keras warns when a call does not repeat this structure."""
    return inputs if len(inputs) > 1 else inputs[0]


def _grid(shape: tuple[int, int, int]) -> tuple[int, int]:
    if shape[0] % 4 or shape[1] % 4:
        raise RecipeError(
            f"Convolutional networks need image sides divisible by 4, not {shape[0]}×{shape[1]}; resize the images, "
            'or choose a family that offers network = "dense".'
        )
    return shape[0] // 4, shape[1] // 4


def halvings(shape: tuple[int, int, int]) -> int:
    """How often the grid is halved until a 3×3 convolution sees enough of it: 0 up to a side of 32, 1 for 64."""
    (height, width), count = _grid(shape), 0
    while min(height, width) > 8 and not height % 2 and not width % 2:
        height, width, count = height // 2, width // 2, count + 1
    return count


def _label_map(label, classes: int, shape: tuple[int, int]):
    """A label as one extra image channel, learned per class."""
    x = layers.Embedding(classes, shape[0] * shape[1], name="label_map")(label)
    return layers.Reshape((*shape, 1), name="label_channel")(x)


def depth_to_space(x, block: int, channels: int, suffix: str = ""):
    """(H, W, block²·channels) → (H·block, W·block, channels) with stock layers."""
    height, width = x.shape[1], x.shape[2]
    x = layers.Reshape((height, width, block, block, channels), name=f"blocks{suffix}")(x)
    x = layers.Permute((1, 3, 2, 4, 5), name=f"interleave{suffix}")(x)
    return layers.Reshape((height * block, width * block, channels), name=f"pixels{suffix}")(x)


def _to_grid(x, width: int, more: int = 0):
    """(H, W, C) → (H/4, W/4, width), whose sides are halved `more` times."""
    x = layers.Conv2D(width // 2, 4, strides=2, padding="same", activation="silu", name="half")(x)
    x = layers.Conv2D(width, 4, strides=2, padding="same", activation="silu", name="quarter")(x)
    for index in range(more):
        x = layers.Conv2D(width, 4, strides=2, padding="same", activation="silu", name=f"halve_{index}")(x)
    return layers.Conv2D(width, 3, padding="same", activation="silu", name="body")(x)


def _from_grid(x, channels: int, width: int, refine: int, activation: str):
    """(H/4, W/4, width) → (H, W, channels), before the sigmoid."""
    fine = max(8, width // 12)
    x = depth_to_space(layers.Conv2D(16 * fine, 1, name="expand")(x), 4, fine)
    x = layers.Activation(activation, name="act_fine")(x)
    for index in range(refine):
        x = layers.Conv2D(2 * fine, 3, padding="same", name=f"refine_{index}")(x)
        x = layers.Activation(activation, name=f"act_refine_{index}")(x)
    return layers.Conv2D(channels, 3, padding="same", name="to_image")(x)


def encoder(
    shape, outputs: Mapping[str, int], kind="conv", width=64, classes=0, activation=None, standard=False, name="encoder"
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


def _standard(x, name: str):
    """Mean 0 and variance 1 over all axes but the last."""
    return layers.BatchNormalization(
        momentum=0.98, epsilon=1e-6, center=False, scale=False, dtype="float32", name=name
    )(x)


def decoder(
    latent, shape, kind="conv", width=64, classes=0, norm=False, refine=0, mapping=0, categories=0, name="decoder"
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
        x = _from_grid(x, shape[2], width, refine, "relu" if norm else "silu")
    else:
        x = layers.Dense(width // 2, activation="silu", name="hidden_1")(x)
        x = layers.Dense(width, activation="silu", name="hidden_2")(x)
        x = layers.Dense(shape[0] * shape[1] * shape[2], name="to_image")(x)
        x = layers.Reshape(shape, name="grid")(x)
    image = layers.Activation("sigmoid", dtype="float32", name="image")(x)
    return keras.Model(_single(inputs), {"image": image}, name=name)


def _choice(z, latent: int, categories: int):
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


def discriminator(shape, width=64, classes=0, latent=0, spectral=False, hidden=0, name="discriminator") -> keras.Model:
    """image (H, W, C)[, label ()][, latent (L,)] → score (1,), unbounded, higher is more real.

    No batch normalisation: penalties on the input gradient are per image; `spectral` bounds the Lipschitz constant of
    every convolution instead (Miyato et al. 2018, arXiv:1802.05957); the last layer stays free, since the scores of so
    shallow a network would else stay far inside the margin of a hinge loss. With classes, the label enters by
    projection (Miyato & Koyama 2018, arXiv:1802.05637)."""
    image = _image_input(shape)
    if spectral:

        def bounded(layer):
            return layers.SpectralNormalization(layer, name=f"{layer.name}_normalised")
    else:

        def bounded(layer):
            return layer

    x = layers.Rescaling(2.0, -1.0, name="centre")(image)
    plan = [(width, 4, 2), (width * 3 // 2, 4, 2), *halvings(shape) * [(width * 2, 4, 2)], (width * 2, 3, 1)]
    for index, (channels, kernel, stride) in enumerate(plan):
        x = bounded(layers.Conv2D(channels, kernel, strides=stride, padding="same", name=f"conv_{index}"))(x)
        x = layers.LeakyReLU(0.2, name=f"act_{index}")(x)
    features = layers.Flatten(name="flat")(x)
    if latent:
        code = keras.Input((latent,), name="latent")
        told = layers.Dense(4 * width, activation="leaky_relu", name="code")(code)
        look = layers.Dense(4 * width, activation="leaky_relu", name="look")(features)
        # The product says whether the two belong together, which a sum has to learn slowly.
        x = layers.Concatenate(name="pair")([look, told, layers.Multiply(name="match")([look, told])])
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


def latent_critic(latent, width=128, name="critic") -> keras.Model:
    """latent (L,) → score (1,), higher for draws of the prior."""
    code = keras.Input((latent,), name="latent")
    x = layers.Dense(width, activation="leaky_relu", name="hidden_1")(code)
    x = layers.Dense(width, activation="leaky_relu", name="hidden_2")(x)
    return keras.Model(code, {"score": layers.Dense(1, dtype="float32", name="score")(x)}, name=name)


def classifier(shape, classes, kind="conv", width=32, features=64, dropout=0.3, name="classifier") -> keras.Model:
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


def grid_encoder(shape, latent, width=64, name="encoder") -> keras.Model:
    """image (H, W, C) → latent (H/4, W/4, L), each of its L numbers with mean 0 and variance 1 over data and grid."""
    _grid(shape)
    image = _image_input(shape)
    x = _to_grid(layers.Rescaling(2.0, -1.0, name="centre")(image), width)
    x = layers.Conv2D(latent, 1, name="squeeze")(x)
    # Łańcucki et al. 2020, arXiv:2005.08520: so the codes meet the codebook, and few of its vectors stay unused.
    return keras.Model(image, {"latent": _standard(x, "latent")}, name=name)


def quantising_decoder(latent, codes, shape, width=64, refine=0, name="decoder") -> keras.Model:
    """latent (H/4, W/4, L) → image (H, W, C) in [0, 1], through the nearest of `codes` vectors at each place.

    argmax 2e·z − |e|² is argmin |z − e|²; `quantised` looks that vector up, and `tie` gives `scores` its numbers."""
    z = keras.Input((*_grid(shape), latent), name="latent")
    scores = layers.Dense(codes, dtype="float32", trainable=False, name="scores")(z)
    normal = keras.initializers.RandomNormal(stddev=1.0)
    table = layers.Embedding(codes, latent, embeddings_initializer=normal, dtype="float32", name="quantised")
    # The first of the best one is an argmax whose export needs no operators beyond ONNX' own.
    best = layers.Reshape(z.shape[1:-1], name="codes")(keras.ops.top_k(scores, 1)[1])
    x = table(best)
    for index in range(2):
        x = layers.Conv2D(width, 3, padding="same", activation="silu", name=f"body_{index}")(x)
    x = _from_grid(x, shape[2], width, refine, "silu")
    image = layers.Activation("sigmoid", dtype="float32", name="image")(x)
    network = keras.Model(z, {"image": image}, name=name)
    tie(network)
    return network


def codebook(decoder: keras.Model) -> np.ndarray:
    """The vectors (K, L) that a quantising decoder chooses from."""
    return np.asarray(decoder.get_layer("quantised").embeddings)


def tie(decoder: keras.Model) -> None:
    """Give the scores of a quantising decoder the numbers of its codebook."""
    table = keras.ops.convert_to_tensor(decoder.get_layer("quantised").embeddings)
    kernel, bias = decoder.get_layer("scores").weights
    kernel.assign(2.0 * keras.ops.transpose(table))
    bias.assign(-keras.ops.sum(keras.ops.square(table), axis=1))


def pixelcnn(grid, codes, width=40, depth=3, name="prior") -> keras.Model:
    """codes (H, W) below K → logits (H, W, K) of each code given those before it in raster order.

    PixelCNN (van den Oord et al. 2016, arXiv:1606.05328): one stack of convolutions sees the rows above, one what lies
    to the left in the row and the first stack. Both are shifted once, at the start, and see two rows or columns farther
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
