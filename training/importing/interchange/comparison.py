"""ONNX networks of an entry compared with the file that they are from, as it was given, run by ONNX Runtime."""

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
from onnx import helper

from training.importing import Refused
from training.importing.interchange.graphs import OnnxGraph
from training.importing.interchange.models import keep_needed
from training.importing.interchange.networks import PIXELS, OnnxNetwork, steps_in, steps_out
from training.importing.roles.parts import Part
from zoo.manifest import brief
from zoo.sharing.corrections import to_unit

TOLERANCE = 1e-4  # of max(1, |value|), as for networks of Keras


def compare(
    networks: dict[str, OnnxNetwork], reads: str, makes: str, images: Callable[[tuple, int], np.ndarray], count: int
) -> float:
    """The largest difference between networks and the file that they are parts of, relative to max(1, |value|).

    All are given what the file itself computes at the places where they begin.

    Args:
        networks: by role, of one graph.
        reads, makes: the ranges with which they were built.
        images: gives so many images of a shape in [0, 1].
        count: how many examples are compared.

    Raises:
        Refused: they differ by more than TOLERANCE, or the answer for one image depends on the others beside it.
    """
    found = _answers(networks, images, count)
    largest = 0.0
    for role, made in networks.items():
        given = [_as_entry(made.part, item.name, found, reads, makes) for item in made.inputs]
        got, alone = made(given), made([value[:1] for value in given])
        for name, values in got.items():
            expected = _as_entry(made.part, name, found, reads, makes)
            scale = max(1.0, float(np.abs(expected).max()))
            error = float(np.abs(values - expected).max()) / scale
            if not float(np.abs(alone[name] - values[:1]).max()) / scale <= TOLERANCE:
                raise Refused(
                    f"The {role} mixes the images of a batch: what it makes of one depends on the others beside it."
                )
            if not error <= TOLERANCE:
                raise Refused(
                    f"The {role} differs from the file by {error:.2g} in {name} (allowed {TOLERANCE:.0e}); nothing was "
                    "written."
                )
            largest = max(largest, error)
    return largest


def _answers(networks: dict[str, OnnxNetwork], images: Callable, count: int) -> dict[str, np.ndarray]:
    """What the file as it was given computes at all places where networks begin and end, by the tensor's name."""
    parts = [made.part for made in networks.values()]
    graph = parts[0].graph
    assert isinstance(graph, OnnxGraph)
    model = graph.model
    if model.batch:
        count = -(-count // model.batch) * model.batch
    fed = {name: _fed(graph, name, parts, images, count) for name in model.kinds}
    wanted = {graph.sources[graph.derived.get(t, (t, 1))[0]] for p in parts for t in (p.inputs | p.outputs).values()}
    wanted |= {graph.sources[part.label.tensor] for part in parts if part.label}
    fetched = sorted(wanted - fed.keys())
    proto = onnx.ModelProto()
    proto.CopyFrom(model.original)
    del proto.graph.output[:]
    proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in fetched)
    keep_needed(proto)
    size = model.batch or count
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        runs = [
            session.run(fetched, {name: value[start : start + size] for name, value in fed.items()})
            for start in range(0, count, size)
        ]
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160].rstrip(".")
        raise Refused(f"{brief(model.name)} does not run in ONNX Runtime ({reason}).") from None
    joined = [np.concatenate([np.asarray(run[index]) for run in runs]) for index in range(len(fetched))]
    return fed | dict(zip(fetched, joined, strict=True))


def _fed(graph: OnnxGraph, name: str, parts: list[Part], images: Callable, count: int) -> np.ndarray:
    """Values for one input of the file: images, random codes, or labels."""
    rng, own = np.random.default_rng(0), graph.model.shapes[name]
    kind = helper.tensor_dtype_to_np_dtype(graph.model.kinds[name])
    for part in parts:
        taken = {graph.sources[tensor]: key for key, tensor in part.inputs.items()}
        label = part.label if part.label and graph.sources[part.label.tensor] == name else None
        if label:
            classes = np.arange(count) % label.classes
            value = np.eye(label.classes)[classes] if label.one_hot else classes
            return value.reshape(count, *own).astype(kind)
        if (key := taken.get(name)) in PIXELS:
            value = images((part.source if key == "source" else part.image) or part.image, count)
            for step in steps_in(graph, name, value.shape[1:]):
                value = step.applied(value)
            return np.ascontiguousarray(value, kind)
        if key and part.joined:
            value = rng.standard_normal((count, *own))
            value[:, -part.joined :] = np.eye(part.joined)[np.arange(count) % part.joined]
            return value.astype(kind)
    return rng.standard_normal((count, *own)).astype(kind)


def _as_entry(part: Part, name: str, found: dict[str, np.ndarray], reads: str, makes: str) -> np.ndarray:
    """A value of the file as the entry's input or output of this name."""
    graph = part.graph
    assert isinstance(graph, OnnxGraph)
    if name == "label":
        if not part.label:
            return found[graph.sources[part.inputs["latent"]]][:, -part.joined :].argmax(1)
        value = found[graph.sources[part.label.tensor]]
        return value.reshape(len(value), -1).argmax(1) if part.label.one_hot else value.reshape(-1)
    given = name in part.inputs
    tensor = part.inputs[name] if given else part.outputs.get(name, next(iter(part.outputs.values())))
    origin, factor = graph.derived.get(tensor, (tensor, 1.0))
    raw = graph.sources[origin]
    value = found[raw].astype(np.float32) * np.float32(factor)
    shape = {"image": part.image, "source": part.source}.get(name) or graph.seen(raw)
    for step in steps_out(graph, raw, name, shape):
        value = step.applied(value)
    if name in PIXELS:
        return to_unit(value, reads if given else makes)
    if part.halves and not given:
        half = value.shape[1] // 2
        return value[:, :half] if name == "z_mean" else value[:, half:]
    return value[:, : -part.joined] if given and part.joined else value
