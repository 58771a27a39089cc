"""The allow-list of layers: what a description may say, and the shapes and weights that follow from it.

names.py          what one layer is called in other ages and packages; layers that hold another layer
arguments.py      the arguments of one layer, read with bounds; the register of rules
spatial.py        convolutions, pooling, up-sampling, margins on height × width × channels
temporal.py       the same along one axis, and recurrent layers: an image's rows as steps
normalisation.py  batch, layer, group and unit normalisation, rescaling
pointwise.py      Dense, Embedding, activations, and what acts in training alone
shapes.py         layers that rearrange values or join tensors
"""

from training.importing.layers import normalisation, pointwise, shapes, spatial, temporal  # noqa: F401  (rules)
from training.importing.layers.arguments import ACTIVATION_ALIASES, ACTIVATIONS, RULES, Shape, Spec, spec
from training.importing.layers.names import ALIASES, IDENTITIES, STOCK, unwrapped

__all__ = [
    "ACTIVATIONS",
    "ACTIVATION_ALIASES",
    "ALIASES",
    "IDENTITIES",
    "RULES",
    "STOCK",
    "Shape",
    "Spec",
    "spec",
    "unwrapped",
]
