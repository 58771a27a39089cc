"""Run the networks of entries: sessions are opened once, kept in a bounded cache, and fed in batches.

The zoo's own networks are checked; a stranger's are also tried in a process of their own before they are opened here,
and only ever run with the sizes of batch that were tried.
"""

import contextlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import onnxruntime

from zoo.entries import Entry, catalog
from zoo.errors import EntryError
from zoo.manifest import Network
from zoo.networks import trial
from zoo.networks.checks import CHUNK, check
from zoo.networks.parameters import CONFIG, MAX_CONFIG_BYTES, layer_parameters
from zoo.networks.session import WHOLE, Shapes, open_session, run_batch, sizes, typed
from zoo.networks.structure import Layer, exposing, layers_of

MAX_NETWORK_BYTES = 256 << 20
MAX_SESSIONS, MAX_SESSION_BYTES = 12, 512 << 20  # that are kept, and their files
CHUNK_PIXELS = 1 << 16  # of a batch: more takes more memory and no less time
LOOKING = 60.0  # seconds after the last look at layers until a session gives outputs alone again, a tenth faster
MAX_LAYER_VALUES = 1 << 23  # that the layers of a batch have together, where they are looked at


class Opened(NamedTuple):
    """A network that is ready: its session, whether it is the zoo's own, and the largest batch it is run with; what its
    layers are where the session gives their results too, and when they were last asked for."""

    session: onnxruntime.InferenceSession
    trusted: bool
    chunk: int
    layers: tuple[Layer, ...] = ()
    looked: float = 0.0

    def suits(self, inner: bool) -> bool:
        """Whether it is the session to use, for what layers give or for outputs alone."""
        return bool(self.layers) if inner else not self.layers or time.monotonic() - self.looked < LOOKING


_sessions: OrderedDict[tuple[Entry, str], Opened] = OrderedDict()
_lock = threading.Lock()
_turns = trial.Turns(trial.AT_ONCE)  # of strangers' batches, each within what its trial was allowed


def run(entry: Entry, role: str, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Run one network on a batch of any size.

    Args:
        entry: where the network comes from.
        role: its key in the manifest, as "decoder".
        inputs: one array (N, *shape) for each input that the manifest declares; "label" is (N,), "codes" are integers.

    Returns:
        Output name -> float32 array (N, *shape), all values finite.

    Raises:
        ValueError: an input is missing, unknown, of the wrong shape, not finite, or a label or code is out of range.
        EntryError: the entry has no such network, its file is refused, or it does not do what the manifest says.
    """
    return _run(entry, role, inputs, None)[0]


def layers(entry: Entry, role: str) -> tuple[Layer, ...]:
    """Return the layers of a network in the order of the data; raises EntryError as `run` does.

    For a while the network's one session then also gives what they compute: no second one holds the weights again.
    """
    _declared(entry, role)
    return _session(entry, role, inner=True).layers


def trace(
    entry: Entry, role: str, names: Collection[str] | None = None, **inputs: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Run one network as `run` does; return its outputs, and what each layer gives: float32 (N, H, W, C) or (N, U).

    names: of the layers that are wanted, None for all; others are computed, but not kept. What is kept of a large
    number of inputs takes memory: ask for few.
    """
    return _run(entry, role, inputs, names if names is not None else [layer.name for layer in layers(entry, role)])


def _declared(entry: Entry, role: str) -> Network:
    network = entry.manifest.networks.get(role)
    if network is None:
        raise EntryError(f"The entry {entry.name} has no {role}; it has {', '.join(entry.manifest.networks)}.")
    return network


def _run(
    entry: Entry, role: str, inputs: dict[str, np.ndarray], names: Collection[str] | None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the outputs, and what the layers of these names give; with None no layer is asked for."""
    network = _declared(entry, role)
    arrays, count = _checked_inputs(entry, role, network, inputs)
    if count == 0 and names is None:
        return {name: np.empty((0, *shape), np.float32) for name, shape in network.outputs.items()}, {}
    opened = _session(entry, role, inner=names is not None)
    wanted = [layer for layer in opened.layers if layer.name in (names or ())]
    inner = {layer.tensor: layer.stored for layer in wanted if layer.tensor not in network.outputs}
    shapes = {**network.outputs, **inner}
    parts = [{name: np.empty((0, *shape), np.float32) for name, shape in shapes.items()}]
    for start in range(0, count, opened.chunk):
        batch = {name: array[start : start + opened.chunk] for name, array in arrays.items()}
        try:
            with contextlib.nullcontext() if opened.trusted else _turns.of(_source(entry)):
                full = batch if opened.trusted else _filled_up(batch, opened.chunk)
                parts.append(run_batch(opened.session, network, full, inner))
        except ValueError as error:
            raise _refusal(entry, role, str(error)) from None
    parts = parts[1:] if count else parts
    joined = {name: _together([part[name] for part in parts])[:count] for name in shapes}
    maps = {layer.name: _in_order(joined[layer.tensor], layer) for layer in wanted}
    return {name: joined[name] for name in network.outputs}, maps


def _together(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _in_order(array: np.ndarray, layer: Layer) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(array, 1, -1)) if layer.channels_first else array


def _checked_inputs(
    entry: Entry, role: str, network: Network, inputs: dict[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], int]:
    if inputs.keys() != network.inputs.keys():
        wanted, given = (", ".join(sorted(names)) or "nothing" for names in (network.inputs, inputs))
        raise ValueError(f"The {role} of {entry.name} takes {wanted}, but {given} was given.")
    arrays = {}
    for name, shape in network.inputs.items():
        array = np.ascontiguousarray(inputs[name], np.int64 if name in WHOLE else np.float32)
        if array.shape[1:] != shape or array.ndim != 1 + len(shape):
            wanted = ", ".join(map(str, ("N", *shape)))
            raise ValueError(f"The {role} of {entry.name} takes {name} of shape ({wanted}), not {array.shape}.")
        if name == "label" and array.size and not 0 <= array.min() <= array.max() < len(entry.classes):
            raise ValueError(f"The labels for {entry.name} must lie between 0 and {len(entry.classes) - 1}.")
        if name == "codes" and array.size and not 0 <= array.min() <= array.max() < network.outputs["logits"][-1]:
            raise ValueError(f"The codes for {entry.name} must lie between 0 and {network.outputs['logits'][-1] - 1}.")
        if not np.isfinite(array).all():
            raise ValueError(f"The {name} given to the {role} of {entry.name} holds values that are not finite.")
        arrays[name] = array
    counts = {len(array) for array in arrays.values()}
    if len(counts) != 1:
        raise ValueError(f"The inputs of the {role} of {entry.name} have different lengths: {sorted(counts)}.")
    return typed(arrays), counts.pop()


def _embedded(entry: Entry) -> bool:
    return entry.folder.is_relative_to(catalog.EMBEDDED.resolve())


def _source(entry: Entry) -> str:
    """Return who brings a stranger's entry: the owner on the Hub, or the folder on this machine."""
    return entry.origin.repo.partition("/")[0] if entry.origin else str(entry.folder.parent)


def _largest_batch(entry: Entry) -> int:
    translator = entry.manifest.networks.get("translator")
    pixels = max(math.prod(entry.shape[:2]), math.prod(translator.inputs["source"][:2]) if translator else 0)
    return max(1, min(CHUNK, CHUNK_PIXELS // pixels))


def _filled_up(batch: dict[str, np.ndarray], largest: int) -> dict[str, np.ndarray]:
    """Repeat the last row until the batch has a size that was tried: a network may know which size was not."""
    count = len(next(iter(batch.values())))
    missing = next(size for size in sizes(largest) if size >= count) - count
    return {name: np.concatenate([array, array[-1:].repeat(missing, 0)]) for name, array in batch.items()}


def _session(entry: Entry, role: str, inner: bool = False) -> Opened:
    """Return the network's session; with `inner` one that gives its layers too, which takes the other one's place."""
    key = (entry, role)
    with _lock:
        if key in _sessions and _sessions[key].suits(inner):
            if inner:
                _sessions[key] = _sessions[key]._replace(looked=time.monotonic())
            _sessions.move_to_end(key)
            return _sessions[key]
    # Made outside the lock, so that a slow file does not hold up other entries; a race costs one spare session.
    session = _make(entry, role, inner)
    with _lock:
        _sessions[key] = session
        _sessions.move_to_end(key)
        while len(_sessions) > MAX_SESSIONS or (len(_sessions) > 1 and sum(map(_size, _sessions)) > MAX_SESSION_BYTES):
            _sessions.popitem(last=False)
    return session


def _size(key: tuple[Entry, str]) -> int:
    """Return the bytes of a network's file."""
    entry, role = key
    return entry.manifest.files[entry.manifest.networks[role].file].size


def _make(entry: Entry, role: str, inner: bool) -> Opened:
    network, trusted, chunk = entry.manifest.networks[role], _embedded(entry), _largest_batch(entry)
    content = entry.content(network.file, MAX_NETWORK_BYTES)
    try:
        _accept(entry, content, network, chunk, {})
        if not inner:
            return Opened(open_session(content, network, trusted), trusted, chunk)
        found = layers_of(content, _parameters(entry, role, network))
        if (values := sum(layer.values for layer in found)) > MAX_LAYER_VALUES:
            raise ValueError(f"has layers of {values:,} values for one image, more than {MAX_LAYER_VALUES:,}")
        # A session keeps what all layers give until the batch is done, whether it was asked for or not.
        chunk = min(chunk, 1 << (MAX_LAYER_VALUES // max(1, values)).bit_length() - 1)
        content = exposing(content, found)
        shapes = {layer.tensor: layer.stored for layer in found if layer.tensor not in network.outputs}
        _accept(entry, content, network, chunk, shapes)
        return Opened(open_session(content, network, trusted, shapes), trusted, chunk, tuple(found), time.monotonic())
    except ValueError as error:
        raise _refusal(entry, role, str(error)) from None


def _accept(entry: Entry, content: bytes, network: Network, chunk: int, inner: Shapes) -> None:
    """Check a file, a stranger's in a process of its own that also runs it; raises ValueError with the reason."""
    if _embedded(entry):
        check(content, chunk)
    elif reason := trial.refusal(content, network, len(entry.classes), chunk, _source(entry), inner):
        raise ValueError(reason)


def _parameters(entry: Entry, role: str, network: Network) -> dict[str, int] | None:
    """Return the parameters of each layer by the configuration; None unless they make up what the manifest says."""
    if not entry.has(CONFIG) or entry.manifest.files[CONFIG].size > MAX_CONFIG_BYTES:
        return None
    counts = layer_parameters(entry.content(CONFIG, MAX_CONFIG_BYTES), role)
    return counts if counts and sum(counts.values()) == network.parameters else None


def _refusal(entry: Entry, role: str, reason: str) -> EntryError:
    return EntryError(f"The {role} of {entry.name} is refused: its network {reason}.")
