"""Layers on vectors and single values: Dense, Embedding, activations, and those that act in training alone."""

from collections.abc import Sequence

from training.importing import Refused
from training.importing.layers.arguments import Arguments, Shape, Spec, axes_of, rule
from training.importing.layers.names import IDENTITIES


@rule("Dense")
def _dense(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    (shape,) = shapes
    units, bias = a.whole("units"), a.flag("use_bias", True)
    if not shape:
        raise Refused(f"{a.where} needs a vector.")
    weights = [("kernel", (shape[-1], units)), *([("bias", (units,))] if bias else [])]
    return a.finish({"units": units, "use_bias": bias, **a.activation()}, (*shape[:-1], units), *weights)


@rule("Embedding")
def _embedding(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    count, size = a.values.get("input_dim"), a.whole("output_dim")
    count = a.whole("input_dim") if count is not None else None
    if count is None:
        raise a.refuse("input_dim", "a whole number")
    a.only("sparse", False)
    return a.finish({"input_dim": count, "output_dim": size}, (*shapes[0], size), ("embeddings", (count, size)))


@rule("Activation")
def _activation(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    return a.finish({"activation": "linear"} | a.activation(), shapes[0])


@rule("LeakyReLU")
def _leaky(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    slope = a.optional("negative_slope")
    old = a.optional("alpha")
    return a.finish({"negative_slope": next((v for v in (slope, old) if v is not None), 0.3)}, shapes[0])


@rule("ReLU")
def _relu(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    most, slope = a.optional("max_value"), a.number("negative_slope", 0.0)
    return a.finish({"max_value": most, "negative_slope": slope, "threshold": a.number("threshold", 0.0)}, shapes[0])


@rule("ELU")
def _elu(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    return a.finish({"alpha": a.number("alpha", 1.0)}, shapes[0])


@rule("PReLU")
def _prelu(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    (shape,) = shapes
    shared = a.get("shared_axes")
    shared = sorted(axes_of(a, "shared_axes", len(shape))) if shared else []
    size = tuple(1 if axis in shared else n for axis, n in enumerate(shape))
    return a.finish({"shared_axes": [axis + 1 for axis in shared] or None}, shape, ("alpha", size))


@rule("Softmax")
def _softmax(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    return a.finish({"axis": [axis + 1 for axis in axes_of(a, "axis", len(shapes[0]))]}, shapes[0])


@rule("Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout")
def _dropout(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    rate = a.number("rate", 0.0)
    a.get("data_format")
    return a.finish({"rate": min(max(rate, 0.0), 0.99)}, shapes[0])


@rule("GaussianNoise")
def _noise(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    return a.finish({"stddev": min(max(a.number("stddev", 0.0), 0.0), 1.0)}, shapes[0])


@rule(*IDENTITIES)
def _identity(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    a.used |= set(a.values)
    return a.finish({}, shapes[0])
