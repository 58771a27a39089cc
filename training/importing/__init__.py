"""Networks that others made become entries: files are read as data, layers are made by our code alone.

    files.py      a file, folder or zip → the models in it (configuration, weights) and what they hold
    configs.py    a Keras configuration of any age → a tree of plain descriptions
    layers.py     the allow-list: which layers and arguments are understood, the shapes and weights that follow
    graphs.py     a tree → a flat list of calls with the shape of every tensor, within caps
    weights.py    HDF5 → arrays on the layers;  savedmodel.py  the same for a Keras 2 SavedModel
    inference.py  weights without a configuration → a configuration, by known architectures or by shapes
    roles.py      which part of the graph is an encoder, a decoder, a generator, a discriminator, a classifier
    build.py      the parts as stock Functional models;  entry.py  the models as an entry

Everything up to build.py runs without Keras: what is refused is refused before TensorFlow is even imported.
"""

MAX_PARAMETERS = 60_000_000
MAX_TENSOR_VALUES = 1 << 22  # of one intermediate result per image: a batch of 64 then takes 1 GiB
MAX_LAYERS = 1000
MAX_DEPTH = 8
MAX_CONFIG_BYTES = 2 << 20
MAX_FILE_BYTES = 1 << 30
MAX_FILES = 2000


class Refused(ValueError):
    """What was given cannot come in; the message is one sentence for people."""
