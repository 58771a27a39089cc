"""Layers that normalise, with statistics that were learnt or are given."""

import math
from collections.abc import Sequence

from training.importing.layers.arguments import Arguments, Shape, Spec, axes_of, numbers, rule


@rule("BatchNormalization")
def _batch_normalization(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    (shape,) = shapes
    axes = axes_of(a, "axis", len(shape))
    a.only("renorm", False)
    if len(axes) != 1:
        raise a.refuse("axis", "one axis")
    center, scale, epsilon = a.flag("center", True), a.flag("scale", True), a.number("epsilon", 1e-3)
    size = (shape[axes[0]],)
    names = [*(["gamma"] if scale else []), *(["beta"] if center else []), "moving_mean", "moving_variance"]
    momentum = min(max(a.number("momentum", 0.99), 0.0), 1.0)
    arguments = {"axis": axes[0] + 1, "epsilon": epsilon, "center": center, "scale": scale, "momentum": momentum}
    return a.finish(arguments, shape, *[(name, size) for name in names])


@rule("LayerNormalization")
def _layer_normalization(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    (shape,) = shapes
    axes = sorted(axes_of(a, "axis", len(shape)))
    center, scale, epsilon = a.flag("center", True), a.flag("scale", True), a.number("epsilon", 1e-3)
    a.only("rms_scaling", False)
    size = tuple(shape[axis] for axis in axes)
    names = [*(["gamma"] if scale else []), *(["beta"] if center else [])]
    arguments = {"axis": [axis + 1 for axis in axes], "epsilon": epsilon, "center": center, "scale": scale}
    return a.finish(arguments, shape, *[(name, size) for name in names])


@rule("GroupNormalization")
def _group_normalization(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    (shape,) = shapes
    axes = axes_of(a, "axis", len(shape))
    if axes != [len(shape) - 1]:
        raise a.refuse("axis", "the last axis")
    groups = a.whole("groups", 32, low=-1)
    if groups == 0 or (groups > 0 and shape[-1] % groups):
        raise a.refuse("groups", "a divisor of the channels")
    center, scale, epsilon = a.flag("center", True), a.flag("scale", True), a.number("epsilon", 1e-3)
    names = [*(["gamma"] if scale else []), *(["beta"] if center else [])]
    arguments = {"groups": groups, "epsilon": epsilon, "center": center, "scale": scale}
    return a.finish(arguments, shape, *[(name, (shape[-1],)) for name in names])


@rule("Normalization")
def _normalization(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    (shape,) = shapes
    axis = a.get("axis", -1)
    axes = [] if axis is None or axis == [] else axes_of(a, "axis", len(shape))
    if axes not in ([], [len(shape) - 1]):
        raise a.refuse("axis", "the last axis or none")
    a.only("invert", False)
    size = (shape[-1],) if axes else ()
    given = [a.get("mean"), a.get("variance")]
    if given == [None, None]:
        return a.finish({"axis": -1 if axes else None}, shape, ("mean", size), ("variance", size))
    values = [found for value in given if (found := numbers(value, 4096)) is not None]
    if len(values) != 2 or any(len(value) not in (1, math.prod(size)) for value in values):
        raise a.refuse("mean", "one number for each channel")
    return a.finish({"axis": -1 if axes else None, "mean": values[0], "variance": values[1]}, shape)


@rule("Rescaling")
def _rescaling(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    found = {}
    for key, default in (("scale", 1.0), ("offset", 0.0)):
        values = numbers(a.get(key, default), 3)
        if values is None or (len(values) > 1 and (not shapes[0] or len(values) != shapes[0][-1])):
            raise a.refuse(key, "a finite number or one for each channel")
        found[key] = values if len(values) > 1 else values[0]
    return a.finish(found, shapes[0])


@rule("UnitNormalization")
def _unit_normalization(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    (shape,) = shapes
    axes = axes_of(a, "axis", len(shape))
    return a.finish({"axis": [axis + 1 for axis in axes]}, shape)
