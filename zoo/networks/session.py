"""One network in ONNX Runtime: opened against what its manifest declares, run on one batch, its outputs checked."""

import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import onnxruntime

from zoo.manifest import Network
from zoo.networks.checks import first_line

MAX_ARENA_BYTES = 4 << 30  # of intermediate results, all sessions of the process together
WHOLE = ("label", "codes")  # inputs of whole numbers


Shapes = Mapping[str, tuple[int, ...]]  # of tensors by name, without the batch axis


def open_session(
    content: bytes, network: Network, trusted: bool = False, inner: Shapes = MappingProxyType({})
) -> onnxruntime.InferenceSession:
    """Return a session of a checked ONNX file; raises ValueError when it does not load or is not what is declared.

    inner: the outputs that the file has besides those that the manifest declares.

    The networks that are trusted share memory, which stays with the process. What a stranger's takes is given back
    after each run: that costs up to a third more time, and kept it would never be given back."""
    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = trusted
    if trusted:
        _share_memory()
    options.intra_op_num_threads = min(2, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    for setting, value in {
        "session.load_model_format": "ONNX",
        "session.use_env_allocators": str(int(trusted)),
        "optimization.constant_folding_max_output_size_in_bytes": str(64 << 20),
    }.items():
        options.add_session_config_entry(setting, value)
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        raise ValueError(f"cannot be loaded ({first_line(error)})") from None
    outputs = {**network.outputs, **inner}
    for tensors, declared in ((session.get_inputs(), network.inputs), (session.get_outputs(), outputs)):
        _check_signature(tensors, declared)
    return session


def run_batch(
    session: onnxruntime.InferenceSession,
    network: Network,
    batch: dict[str, np.ndarray],
    inner: Shapes = MappingProxyType({}),
) -> dict[str, np.ndarray]:
    """Run one batch and check what comes out, `inner` included; raises ValueError with the reason, as "gave image with
    values …"."""
    shapes = {**network.outputs, **inner}
    count, names = len(next(iter(batch.values()))), list(shapes)
    try:
        outputs = session.run(names, batch)
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        raise ValueError(f"fails when it runs ({first_line(error)})") from None
    results = {}
    for name, array in zip(names, outputs, strict=True):
        if not isinstance(array, np.ndarray):
            raise ValueError(f"gave {name} as {type(array).__name__}, not as a tensor")
        if array.shape != (count, *shapes[name]) or array.dtype != np.float32:
            raise ValueError(f"gave {name[:60]} as {array.dtype} {array.shape}, against its manifest")
        if not np.isfinite(array).all():
            raise ValueError(f"gave {name} with values that are not finite")
        results[name] = array
    return results


def sizes(batch: int) -> list[int]:
    """Return the batches that a stranger's network is ever run with: powers of two, and `batch` as the largest."""
    return [*(1 << power for power in range(batch.bit_length()) if 1 << power < batch), batch]


def typed(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return inputs in the types that networks take: int32 for "label" and "codes", else float32."""
    return {n: np.ascontiguousarray(array, np.int32 if n in WHOLE else np.float32) for n, array in arrays.items()}


def _check_signature(tensors: Sequence[onnxruntime.NodeArg], declared: dict[str, tuple[int, ...]]) -> None:
    names = {tensor.name for tensor in tensors}
    if names != declared.keys():
        raise ValueError(f"has the tensors {', '.join(sorted(names))[:120]}, against its manifest")
    for tensor in tensors:
        batch, *shape = tensor.shape or [None]
        expected = declared[tensor.name]
        fits = len(shape) == len(expected) and all(
            size == wanted or not isinstance(size, int) for size, wanted in zip(shape, expected, strict=True)
        )
        if isinstance(batch, int) or not fits:
            raise ValueError(f"has {tensor.name[:60]} of shape {tensor.shape}, but its manifest says {list(expected)}")


def _share_memory() -> None:
    """Give all sessions of the process one bounded arena: a hostile network fails there instead of filling the host."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    # Extend as requested, not by doubling: memory then follows what the pages really use.
    arena = onnxruntime.OrtArenaCfg({"max_mem": MAX_ARENA_BYTES, "arena_extend_strategy": 1})
    onnxruntime.create_and_register_allocator(memory, arena)
