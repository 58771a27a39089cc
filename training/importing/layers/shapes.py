"""Layers that rearrange values or join tensors."""

import math
from collections.abc import Sequence

from training.importing import Refused
from training.importing.layers.arguments import Arguments, Shape, Spec, axes_of, rule, whole
from zoo.manifest import brief


@rule("Flatten")
def _flatten(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    a.only("data_format", None, "channels_last")
    return a.finish({}, (math.prod(shapes[0]),))


@rule("Reshape")
def _reshape(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    (shape,) = shapes
    target = a.get("target_shape")
    listed = [whole(n) for n in target] if isinstance(target, list | tuple) and len(target) <= 8 else [None]
    total, sizes = math.prod(shape), [n for n in listed if n is not None]
    known = math.prod(n for n in sizes if n > 0)
    if sizes.count(-1) == 1 and known and total % known == 0:
        sizes = [total // known if n == -1 else n for n in sizes]
    if len(sizes) != len(listed) or any(n < 1 for n in sizes) or math.prod(sizes) != total:
        raise a.refuse("target_shape", f"a shape of {total:,} values")
    return a.finish({"target_shape": tuple(sizes)}, tuple(sizes))


@rule("Permute")
def _permute(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    (shape,) = shapes
    order = a.wholes("dims", None, len(shape))
    if sorted(order) != list(range(1, len(shape) + 1)):
        raise a.refuse("dims", f"an order of 1 to {len(shape)}")
    return a.finish({"dims": order}, tuple(shape[n - 1] for n in order))


@rule("RepeatVector")
def _repeat(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    if len(shapes[0]) != 1:
        raise Refused(f"{a.where} needs a vector, not {shapes[0]}.")
    count = a.whole("n", high=1 << 22)
    return a.finish({"n": count}, (count, *shapes[0]))


@rule("Add", "Multiply", "Average", "Maximum", "Minimum", inputs=None)
def _merged(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    return a.finish({}, _broadcast(a, shapes))


@rule("Subtract", inputs=2)
def _subtracted(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    return a.finish({}, _broadcast(a, shapes))


def _broadcast(a: Arguments, shapes: Sequence[Shape]) -> Shape:
    rank = max(map(len, shapes))
    if any(len(shape) != rank for shape in shapes):
        raise Refused(f"{a.where} joins tensors of different rank: {brief(list(shapes))}.")
    sizes = [set(column) - {1} for column in zip(*shapes, strict=True)]
    if any(len(size) > 1 for size in sizes):
        raise Refused(f"{a.where} joins tensors of shapes that do not fit: {brief(list(shapes))}.")
    return tuple(max(column) for column in zip(*shapes, strict=True))


@rule("Concatenate", inputs=None)
def _concatenated(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    rank = len(shapes[0])
    if any(len(shape) != rank for shape in shapes):
        raise Refused(f"{a.where} joins tensors of different rank: {brief(list(shapes))}.")
    (axis,) = axes_of(a, "axis", rank)[:1]
    others = {shape[:axis] + shape[axis + 1 :] for shape in shapes}
    if len(others) != 1:
        raise Refused(f"{a.where} joins tensors of shapes that do not fit: {brief(list(shapes))}.")
    shape = list(shapes[0])
    shape[axis] = sum(item[axis] for item in shapes)
    return a.finish({"axis": axis + 1}, tuple(shape))


@rule("Dot", inputs=2)
def _dot(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    if any(len(shape) != 1 for shape in shapes) or shapes[0] != shapes[1]:
        raise Refused(f"{a.where} is understood for two vectors of one length, not for {brief(list(shapes))}.")
    a.only("axes", -1, 1, [1, 1], [-1, -1])
    return a.finish({"axes": 1, "normalize": a.flag("normalize", False)}, (1,))


@rule("Slice")
def _slice(a: Arguments, shapes: Sequence[Shape]) -> Spec:
    (shape,) = shapes
    start, stop = a.whole("start", low=0), a.whole("stop")
    if len(shape) != 1 or not 0 <= start < stop <= shape[0]:
        raise Refused(f"{a.where} takes values {start} to {stop} of a tensor of shape {shape}.")
    return a.finish({"start": start, "stop": stop}, (stop - start,))
