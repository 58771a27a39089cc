"""Run the networks of entries: sessions are opened once, kept in a bounded cache, and fed in batches.

The zoo's own networks are checked; a stranger's are also tried in a process of their own before they are opened here,
and only ever run with the sizes of batch that were tried.
"""

import contextlib
import math
import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import onnxruntime

from zoo.entries import Entry, catalog
from zoo.errors import EntryError
from zoo.manifest import Network
from zoo.networks import trial
from zoo.networks.checks import CHUNK, check
from zoo.networks.session import WHOLE, open_session, run_batch, sizes, typed

MAX_NETWORK_BYTES = 256 << 20
MAX_SESSIONS, MAX_SESSION_BYTES = 12, 512 << 20  # that are kept, and their files
CHUNK_PIXELS = CHUNK * 32 * 32


class Opened(NamedTuple):
    """A network that is ready: its session, whether it is the zoo's own, and the largest batch it is run with."""

    session: onnxruntime.InferenceSession
    trusted: bool
    chunk: int


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
    network = entry.manifest.networks.get(role)
    if network is None:
        raise EntryError(f"The entry {entry.name} has no {role}; it has {', '.join(entry.manifest.networks)}.")
    arrays, count = _checked_inputs(entry, role, network, inputs)
    if count == 0:
        return {name: np.empty((0, *shape), np.float32) for name, shape in network.outputs.items()}
    session, trusted, chunk = _session(entry, role)
    parts = []
    for start in range(0, count, chunk):
        batch = {name: array[start : start + chunk] for name, array in arrays.items()}
        try:
            with contextlib.nullcontext() if trusted else _turns.of(_source(entry)):
                parts.append(run_batch(session, network, batch if trusted else _filled_up(batch, chunk)))
        except ValueError as error:
            raise _refusal(entry, role, str(error)) from None
    if len(parts) == 1:
        return {name: parts[0][name][:count] for name in network.outputs}
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in network.outputs}


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


def _session(entry: Entry, role: str) -> Opened:
    key = (entry, role)
    with _lock:
        if key in _sessions:
            _sessions.move_to_end(key)
            return _sessions[key]
    # Made outside the lock, so that a slow file does not hold up other entries; a race costs one spare session.
    session = _make(entry, role)
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


def _make(entry: Entry, role: str) -> Opened:
    network, trusted, chunk = entry.manifest.networks[role], _embedded(entry), _largest_batch(entry)
    content = entry.content(network.file, MAX_NETWORK_BYTES)
    try:
        if trusted:
            check(content, chunk)
        elif reason := trial.refusal(content, network, len(entry.classes), chunk, _source(entry)):
            raise ValueError(reason)
        return Opened(open_session(content, network, trusted), trusted, chunk)
    except ValueError as error:
        raise _refusal(entry, role, str(error)) from None


def _refusal(entry: Entry, role: str, reason: str) -> EntryError:
    return EntryError(f"The {role} of {entry.name} is refused: its network {reason}.")
