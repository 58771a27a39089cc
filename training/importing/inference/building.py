"""Layers whose kinds, channels and kernels are known, laid one behind the other as long as shapes fit."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from training.importing import Refused
from training.importing.inference.items import ACTIVATIONS, GLOBAL, HELP, PLAIN, Heads, Item, Order
from training.importing.weights import Stated

WHOLE = 4  # side of a kernel from which on it may cover a whole grid


class Misfit(Exception):
    """The shapes do not fit with these strides, padding and side."""


@dataclass(frozen=True)
class Plan:
    """What weights do not tell: image (height, width, channels), strides of the convolutions in order, their padding,
    the activations between the layers and at the end ("linear" for none)."""

    side: int
    strides: tuple[int, ...]
    padding: str
    activation: str
    last: str


class Chain:
    """Layers in order, with the heads of a VAE at the end where it has them; `silent` says that the file names no
    layers without weights."""

    def __init__(self, order: Order, plain: dict[str, int], ordered: bool, silent: bool):
        self.heads = next((item for item in order if isinstance(item, Heads)), None)
        self.order = [item for item in order if not isinstance(item, Heads)]
        self.items = [item for item in self.order if isinstance(item, Item)]
        self.plain, self.ordered, self.silent = plain, ordered, silent
        self.torch = any(item.stated.torch for item in self.items)
        self.convolutions = [item for item in self.items if item.kind.startswith("Conv")]
        first = (self.items or [self.heads.first if self.heads else None])[0]
        if first is None:
            raise Refused(f"The file holds no layers that make a network; {HELP}.")
        self.first: Item = first
        last = (self.items or [first])[-1]
        grows = last.flow[1] >= first.flow[0] and self.heads is None
        self.makes_images = self.heads is None and (
            (first.kind == "Dense" and (grows or bool(self.convolutions))) or first.kind == "Conv2DTranspose"
        )

    @property
    def paints(self) -> bool:
        """Whether it ends in an image: a maker of images, or an autoencoder."""
        first, last = self.first, (self.items or [self.first])[-1]
        same = first.kind == "Conv2D" and last.kind.startswith("Conv") and last.flow[1] == first.flow[0]
        return self.makes_images or (same and self.heads is None and not self.ends_in_kernel)

    @property
    def ends_in_kernel(self) -> bool:
        """Whether PyTorch's last layer is a convolution that may cover its whole grid."""
        last = self.items[-1] if self.items else self.first
        return self.torch and last.kind == "Conv2D" and last.kernel[0] >= WHOLE

    @property
    def weighted(self) -> list[Stated]:
        """The file's layers in the order of the network."""
        heads = [self.heads.first, self.heads.second] if self.heads else []
        return [item.stated for item in [*self.items, *heads]]

    def names(self, *kinds: str) -> list[str]:
        """The plain layers of these kinds that the file names, in order where it keeps one."""
        listed = [item for item in self.order if isinstance(item, str)] if self.ordered else list(self.plain)
        return [PLAIN[name][0] for name in listed if PLAIN[name][0] in kinds]

    def image(self, plan: Plan) -> tuple[int, int, int] | None:
        """(height, width, channels) of the images that a plan makes."""
        try:
            shape = _Builder(self, plan).run()
        except Misfit:
            return None
        return shape if len(shape) == 3 else None

    def strides(self, stated: list[int] | None, decoder: bool) -> Iterator[tuple[int, ...]]:
        """Strides of the convolutions to try, the likeliest first."""
        count = len(self.convolutions)
        if stated:
            yield tuple(stated)[:count] + (1,) * (count - len(stated))
            return
        if any(self.plain.get(name) for name in ("up_sampling2d", "max_pooling2d", "average_pooling2d")):
            yield (1,) * count
            return
        grown = [item.kind == "Conv2DTranspose" for item in self.convolutions]
        places = [index for index, moves in enumerate(grown) if moves or not self.makes_images]
        for doubled in range(len(places), -1, -1):
            # As in the tutorials: generators keep their size first (7×7 with strides 1, 2, 2), encoders and decoders
            # last.
            later = self.makes_images and not decoder
            chosen = set(places[len(places) - doubled :] if later else places[:doubled])
            yield tuple(2 if index in chosen else 1 for index in range(count))

    def described(self, plan: Plan, sides: tuple[int, ...], whole: bool = False) -> dict[str, Any]:
        """The network of a plan as known.py describes networks; raises Misfit, also where it is to end in one pixel
        (`whole`) and does not."""
        builder = _Builder(self, plan)
        shape = builder.run()
        if whole and shape[:2] != (1, 1):
            raise Misfit
        if self.makes_images:
            if len(shape) == 3 and (shape[0] not in sides or shape[2] not in (1, 3)):
                raise Misfit
        elif self.torch and shape[:2] == (1, 1) and not self.heads:  # a code of one pixel, or a score of one patch
            builder.layers.append(["Flatten", {}])
        if self.makes_images or plan.last != "linear":
            builder.layers.append(["Activation", {"activation": plan.last}])
        heads = []
        if self.heads:
            if len(shape) == 3:
                builder.flatten()
            if builder.shape[-1] != self.heads.flow[0]:
                raise Misfit
            heads = [[self.heads.first.name, self.heads.flow[1]], [self.heads.second.name, self.heads.flow[1]]]
        bias = dict(self.heads.first.arguments)["use_bias"] if self.heads else True
        return {"input": builder.given, "layers": builder.layers, "heads": heads, "head_bias": bias}


class _Builder:
    """Lays one layer behind the other as long as shapes fit."""

    def __init__(self, chain: Chain, plan: Plan):
        self.chain, self.plan = chain, plan
        self.layers: list[list[Any]] = []
        self.left_strides, self.left = list(plan.strides), dict(chain.plain)
        self.pending = 0  # up-sampling that is named before the grid is known
        first = chain.first
        self.shape: tuple[int, ...] = (first.flow[0],)
        if first.kind == "Conv2D":
            self.shape = (plan.side, plan.side, first.flow[0])
        self.given = list(self.shape)
        self.at_one_pixel = first.kind == "Conv2DTranspose"
        stated = [name for name in chain.order if isinstance(name, str) and PLAIN[name][0] in ACTIVATIONS]
        self.explicit = chain.ordered and bool(stated)
        # A file of Keras 3 counts the activation layers, though it does not say where they are.
        counted = sum(chain.plain.get(name, 0) for name in PLAIN if PLAIN[name][0] in ACTIVATIONS)
        self.counted = 0 if chain.ordered else counted
        self.activations = self.counted or len(chain.order)
        # Where a file names no layers without weights, those of GANs are taken to be layers of their own.
        self.own = bool(self.counted) or (chain.silent and plan.last == "tanh")

    def run(self) -> tuple[int, ...]:
        """Lay all layers; returns the shape of the last result without the batch axis, raises Misfit."""
        order = self.chain.order
        last_item = max((index for index, item in enumerate(order) if isinstance(item, Item)), default=0)
        for index, item in enumerate(order):
            if isinstance(item, str):
                if index < last_item or PLAIN[item][0] not in ACTIVATIONS or not self.chain.makes_images:
                    self._plain(item)
                continue
            if isinstance(item, Heads):
                continue
            {"Dense": self._dense, "BatchNormalization": self._normalisation}.get(item.kind, self._convolution)(item)
            following = next((other for other in order[index + 1 :] if isinstance(other, Item)), None)
            # Activations that are layers come after normalisation; without any, they belong to the layer before it.
            normalised = following is not None and following.kind == "BatchNormalization"
            here = not normalised if self.own else item.kind != "BatchNormalization"
            last = self.chain.heads is None and item is self.chain.items[-1]
            if last:
                continue
            if not self.explicit and here:
                self._activate()
            elif self.explicit and self._inline(order[index + 1 :]):
                self.layers.append(["Activation", {"activation": "relu"}])
        return self.shape

    def _inline(self, rest: Sequence[Item | str]) -> bool:
        """Whether a layer has its activation as an argument: others are named, but none, nor a normalisation, before
        the next layer with weights. Beside layers of the class Activation that is usual, beside LeakyReLU it is not."""
        if self.plan.activation != "Activation" and self.chain.names("Activation") != self.chain.names(*ACTIVATIONS):
            return False
        for item in rest:
            if isinstance(item, Item):
                return item.kind != "BatchNormalization"
            if isinstance(item, str) and PLAIN[item][0] in ACTIVATIONS:
                return False
        return False

    def flatten(self) -> None:
        if self.chain.torch:  # its vectors hold one channel behind the other
            self.layers.append(["Permute", {"dims": [3, 1, 2]}])
        self.layers.append(["Flatten", {}])
        self.shape = (math.prod(self.shape),)

    def _plain(self, name: str) -> None:
        kind = PLAIN[name][0]
        if kind in ACTIVATIONS:
            if self.explicit:
                self._activate()
        elif name in ("flatten", "dropout", *GLOBAL):
            return
        elif len(self.shape) == 3:
            self._resize(name)
        elif name == "up_sampling2d":
            self.pending += 1

    def _activate(self) -> None:
        self.activations -= 1
        if self.activations < 0:
            return
        name = self.plan.activation
        if name in ("LeakyReLU", "ReLU", "ELU"):
            self.layers.append([name, {}])
        elif name == "leaky_relu":
            self.layers.append(["LeakyReLU", {"negative_slope": 0.2}])
        else:
            self.layers.append(["Activation", {"activation": "relu" if name == "Activation" else name}])

    def _resize(self, name: str) -> None:
        self.layers.append([PLAIN[name][0], dict(PLAIN[name][1])])
        height, width, channels = self.shape
        grows = name == "up_sampling2d"
        self.shape = (height * 2, width * 2, channels) if grows else (-(-height // 2), -(-width // 2), channels)

    def _dense(self, item: Item) -> None:
        if len(self.shape) == 3:
            pooled = next((PLAIN[name][0] for name in GLOBAL if self.chain.plain.get(name)), None)
            if pooled:
                self.layers.append([pooled, {}])
                self.shape = (self.shape[2],)
            else:
                self.flatten()
        if self.shape[-1] != item.flow[0]:
            raise Misfit
        self.shape = (item.flow[1],)
        self.layers.append(["Dense", {"units": item.flow[1], **dict(item.arguments)}])

    def _normalisation(self, item: Item) -> None:
        if self.shape[-1] != item.flow[0] and not (
            len(self.shape) == 1 and self.shape[0] % item.flow[0] == 0 and self._gridded(item.flow[0])
        ):
            raise Misfit
        self.layers.append(["BatchNormalization", dict(item.arguments)])

    def _gridded(self, channels: int) -> bool:
        """Turn a vector into a square grid of so many channels."""
        places = self.shape[0] // channels if self.shape[0] % channels == 0 else 0
        side = math.isqrt(places)
        if not places or side * side != places:
            return False
        self.shape = (side, side, channels)
        if self.chain.torch and side > 1:
            self.layers.append(["Reshape", {"target_shape": [channels, side, side]}])
            self.layers.append(["Permute", {"dims": [2, 3, 1]}])
        else:
            self.layers.append(["Reshape", {"target_shape": list(self.shape)}])
        for _ in range(self.pending):
            self._resize("up_sampling2d")
        self.pending = 0
        return True

    def _as_in_torch(self, item: Item, stride: int) -> tuple[int, str]:
        """Stride and padding of a convolution of PyTorch, "torch" for a margin of (kernel - 1) / 2 on both sides.

        As its tutorials write them: a kernel of the size of its grid leaves one pixel; others keep the size, or halve
        or double it (an uneven transposed one with output_padding 1); an even one of stride 1 has no margin."""
        kernel = item.kernel[0]
        if item.kernel[0] != item.kernel[1]:
            raise Misfit
        if item.kind == "Conv2D" and kernel >= WHOLE and self.shape[:2] == item.kernel:
            return 1, "valid"
        if stride == 1:
            return 1, "same" if kernel % 2 else "valid"
        if kernel > max(self.shape[:2]):
            raise Misfit
        return stride, "torch" if kernel % 2 and kernel > 1 else "same"

    def _convolution(self, item: Item) -> None:
        if len(self.shape) == 1 and not self._gridded(item.flow[0]):
            raise Misfit
        if self.shape[-1] != item.flow[0]:
            raise Misfit
        if not self.chain.ordered and self.left.get("up_sampling2d", 0) > 0 and self.chain.makes_images:
            self.left["up_sampling2d"] -= 1
            self._resize("up_sampling2d")
        stride, padding = self.left_strides.pop(0), self.plan.padding
        if self.at_one_pixel:  # the first layer spreads one pixel to the size of its kernel
            stride, padding, self.at_one_pixel = 1, "valid", False
        elif self.chain.torch:
            stride, padding = self._as_in_torch(item, stride)
        uneven = padding == "torch"  # PyTorch pads both sides alike, where Keras pads one side more
        margin = (item.kernel[0] - 1) // 2
        if uneven and item.kind == "Conv2D":
            self.layers.append(["ZeroPadding2D", {"padding": margin}])
        arguments = {"filters": item.flow[1], "kernel_size": list(item.kernel), "strides": stride}
        arguments["padding"] = "valid" if uneven else padding
        self.layers.append([item.kind, arguments | dict(item.arguments)])
        if uneven and item.kind == "Conv2DTranspose":
            self.layers.append(["Cropping2D", {"cropping": [[margin, item.kernel[0] - 2 - margin]] * 2}])
        size = []
        for n, k in zip(self.shape[:2], item.kernel, strict=True):
            if item.kind == "Conv2DTranspose":
                size.append(n * stride + (max(k - stride, 0) if padding == "valid" else 0))
            else:
                size.append((n - k) // stride + 1 if padding == "valid" else -(-n // stride))
        self.shape = (*size, item.flow[1])
        if min(self.shape) < 1:
            raise Misfit
        if not self.chain.ordered and self.left.get("max_pooling2d", 0) > 0:
            self.left["max_pooling2d"] -= 1
            self._resize("max_pooling2d")
