"""What one layer is called in other ages and packages, and layers that hold another layer."""

from typing import Any

ALIASES = {
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Deconvolution2D": "Conv2DTranspose",
    "SeparableConvolution2D": "SeparableConv2D",
    "MaxPool2D": "MaxPooling2D",
    "AvgPool2D": "AveragePooling2D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
}
# Stock layers that are known, but not understood here.
STOCK = frozenset(
    """
    Attention AdditiveAttention Bidirectional CategoryEncoding CenterCrop Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D
    ConvLSTM3D DepthwiseConv1D Discretization EinsumDense FlaxLayer GroupQueryAttention Hashing HashedCrossing
    IntegerLookup JaxLayer LocallyConnected1D LocallyConnected2D Masking MaxPooling3D MelSpectrogram MultiHeadAttention
    RNN SeparableConv1D SimpleRNN StackedRNNCells STFTSpectrogram StringLookup TextVectorization UpSampling3D
    ZeroPadding3D Cropping3D AveragePooling3D TimeDistributed ThresholdedReLU RMSNormalization
    """.split()  # noqa: SIM905
)
# What Keras 1 called arguments; what None stands for has no meaning any more.
KERAS_1 = {"nb_filter": "filters", "border_mode": "padding", "subsample": "strides", "bias": "use_bias", "p": "rate",
           "subsample_length": "strides", "filter_length": "kernel_size", "atrous_rate": "dilation_rate",
           "output_shape": None, "mode": None}  # fmt: skip
ORDERINGS = {"tf": "channels_last", "th": "channels_first"}
# Layers that act in training alone.
IDENTITIES = frozenset(
    """
    ActivityRegularization RandomBrightness RandomContrast RandomCrop RandomFlip RandomHeight RandomRotation
    RandomTranslation RandomWidth RandomZoom
    """.split()  # noqa: SIM905
)


def unwrapped(kind: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Class and options of the stock layer that a layer is, or holds.

    Spectral normalisation divides the kernel in training, and the divided kernel is what is saved: the layer inside is
    the whole. Instance normalisation (tensorflow_addons, keras_contrib) is group normalisation with a group for each
    channel (Wu & He 2018, https://arxiv.org/abs/1803.08494, section 3).
    """
    kind = kind.rpartition(">")[2]
    kind = ALIASES.get(kind, kind)
    inner = options.get("layer")
    if kind in ("SpectralNormalization", "TimeDistributed") and isinstance(inner, dict):
        held, config = inner.get("class_name"), inner.get("config")
        if isinstance(held, str) and isinstance(config, dict):
            pointwise = ("Dense", "Activation", "LeakyReLU", "ReLU", "Dropout", "ELU")  # alike on every step
            if kind == "SpectralNormalization" or held in pointwise:
                return unwrapped(held, config)
    if kind == "InstanceNormalization":
        axis = options.get("axis")
        return "GroupNormalization", {**options, "groups": -1, "axis": -1 if axis in (None, 3) else axis}
    return kind, _of_keras_1(kind, options)


def _of_keras_1(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options as Keras 2 calls them."""
    old = {"nb_filter", "border_mode", "dim_ordering", "init", "W_regularizer", "bias", "p"} & options.keys()
    if not old and not (kind == "Dense" and "units" not in options and "output_dim" in options):
        return options
    found = {}
    for key, value in options.items():
        if key.startswith(("W_", "b_", "U_")) or key in ("nb_row", "nb_col", "dim_ordering"):
            continue
        key = KERAS_1.get(key, key)
        if key == "output_dim" and kind == "Dense":
            key = "units"
        if key is not None:
            found[key] = value
    if "nb_row" in options:
        found["kernel_size"] = [options["nb_row"], options.get("nb_col")]
    if options.get("dim_ordering") not in (None, "default"):
        found["data_format"] = ORDERINGS.get(options["dim_ordering"], options["dim_ordering"])
    return found
