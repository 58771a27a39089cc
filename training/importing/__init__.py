"""Networks that others made become entries: files are read as data, layers are made by our code alone.

    files.py         a file, folder or zip (unpacking.py) → the models in it; foreign.py names those that are none
    configs.py       a Keras configuration of any age → a tree of plain descriptions
    layers/          the allow-list: which layers and arguments are understood, the shapes and weights that follow
    operations.py    functions on tensors as layers;  lambdas.py  Lambdas that scale and shift, read as data
    graphs.py        a tree → a flat list of calls with the shape of every tensor, within caps
    hdf5.py          HDF5 as data;  weights.py  its arrays on the layers
    savedmodel.py    the layers of a Keras 2 SavedModel;  checkpoints.py  variables by TensorFlow's reader
    state_dicts.py   the layers of a state_dict of PyTorch;  safetensors.py, torch_zips.py  the arrays of one, as data
    interchange/     ONNX networks: checked and used as they are
    protobuf.py      the wire format of protocol buffers
    inference/       weights without a configuration → a network, by known architectures or by shapes
    roles/           which part of a graph is an encoder, a decoder, …, and which parts belong together
    options.py       what a user may say, and what is reported
    reading.py       a source → drafts of entries
    ranges.py        what the pixels of images hold
    build.py         the parts as stock Functional models;  entry.py  drafts as entries

Everything up to reading.py runs without Keras: what is refused is refused before TensorFlow is even imported. Only
checkpoints need TensorFlow to be read.
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
