"""Run an entry's networks with ONNX Runtime.

A network file comes from a stranger: it is hashed, bounded, checked and, unless it belongs to the embedded zoo, run in
a process with limits (zoo.networks.trial) before a session is made here from the same bytes.
"""

import functools
import math
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable

import numpy as np
import onnx
import onnxruntime
from google.protobuf.message import DecodeError

from zoo.entries import Entry, catalog
from zoo.errors import EntryError
from zoo.manifest import Network
from zoo.networks import trial

MAX_NETWORK_BYTES = 256 << 20
MAX_NODES = 10_000
# Of one constant, and of one intermediate result for a whole batch; all sessions together share MAX_ARENA_BYTES.
MAX_TENSOR_VALUES = 1 << 26
MAX_RESULT_VALUES = 1 << 27
MAX_ARENA_BYTES = 4 << 30
MAX_SESSIONS = 12
CHUNK = 256
CHUNK_PIXELS = CHUNK * 32 * 32
WHOLE = ("label", "codes")  # inputs of whole numbers

# What stock Keras layers become; no control flow (If, Loop, Scan), no string or sequence operators, no random numbers.
OPERATORS = frozenset(
    """
    Abs Acos Add And ArgMax ArgMin Asin Atan AveragePool BatchNormalization Cast CastLike Ceil Celu Clip Concat
    Constant ConstantOfShape Conv ConvTranspose Cos Cosh CumSum DepthToSpace Div Dropout Einsum Elu Equal Erf Exp
    Expand Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater
    GreaterOrEqual GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LayerNormalization
    LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean Min Mish Mod Mul Neg Not OneHot Or PRelu Pad
    Pow Range Reciprocal ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare Relu Reshape Resize Round Selu Shape Sigmoid Sign Sin Sinh Slice Softmax Softplus Softsign
    SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK Transpose Unsqueeze Where Xor
    """.split()  # noqa: SIM905
)

_sessions: OrderedDict[tuple[Entry, str], onnxruntime.InferenceSession] = OrderedDict()
_lock = threading.Lock()


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
    session, trusted = _session(entry, role), _embedded(entry)
    chunk, parts = _largest_batch(entry), []
    for start in range(0, count, chunk):
        batch = {name: array[start : start + chunk] for name, array in arrays.items()}
        try:
            parts.append(run_batch(session, network, batch if trusted else _filled_up(batch, chunk)))
        except ValueError as error:
            raise _refusal(entry, role, str(error)) from None
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in network.outputs}


def run_batch(
    session: onnxruntime.InferenceSession, network: Network, batch: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Run one batch and check what comes out; raises ValueError with the reason, as "gave image with values …"."""
    count, names = len(next(iter(batch.values()))), list(network.outputs)
    try:
        results = dict(zip(names, session.run(names, batch), strict=True))
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        raise ValueError(f"fails when it runs ({_first_line(error)})") from None
    for name, array in results.items():
        if array.shape != (count, *network.outputs[name]) or array.dtype != np.float32:
            raise ValueError(f"gave {name} as {array.dtype} {array.shape}, against its manifest")
        if not np.isfinite(array).all():
            raise ValueError(f"gave {name} with values that are not finite")
    return results


def sizes(batch: int) -> list[int]:
    """Return the batches that a stranger's network is ever run with: powers of two, and `batch` as the largest."""
    return [*(1 << power for power in range(batch.bit_length()) if 1 << power < batch), batch]


def typed(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return inputs in the types that networks take: int32 for "label" and "codes", else float32."""
    return {n: np.ascontiguousarray(array, np.int32 if n in WHOLE else np.float32) for n, array in arrays.items()}


def check(content: bytes, batch: int = CHUNK) -> None:
    """Check the bytes of an ONNX file without running anything; raises ValueError with the reason.

    Refused: external data, operators outside OPERATORS or outside ONNX' own domain, subgraphs, functions, sparse
    tensors, more than MAX_NODES nodes, constants of more than MAX_TENSOR_VALUES values, and for a batch of this size
    results of more than MAX_RESULT_VALUES values or of a size that follows from data.
    """
    try:
        model = onnx.ModelProto.FromString(content)
    except DecodeError:
        raise ValueError("is not an ONNX file") from None
    graph = model.graph
    if model.functions or model.training_info or graph.sparse_initializer:
        raise ValueError("holds functions, training information or sparse tensors")
    if not 0 < len(graph.node) <= MAX_NODES:
        raise ValueError(f"holds {len(graph.node):,} operators, not between 1 and {MAX_NODES:,}")
    for node in graph.node:
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
            raise ValueError(f"uses the operator {node.op_type[:60]!r}, which is not allowed")
        for attribute in node.attribute:
            if attribute.HasField("g") or attribute.graphs or attribute.HasField("sparse_tensor"):
                raise ValueError(f"holds a subgraph or a sparse tensor in the operator {node.op_type}")
            _check_tensors([attribute.t, *attribute.tensors])
    _check_tensors(graph.initializer)
    _check_results(model, batch)


def _check_tensors(tensors: Iterable[onnx.TensorProto]) -> None:
    for tensor in tensors:
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise ValueError("keeps data in another file, which is not allowed")
        if tensor.data_type == onnx.TensorProto.STRING or any(size < 0 for size in tensor.dims):
            raise ValueError("holds a constant of strings or of negative size")
        if math.prod(tensor.dims) > MAX_TENSOR_VALUES:
            raise ValueError(f"holds a constant of more than {MAX_TENSOR_VALUES:,} values")


def _check_results(model: onnx.ModelProto, batch: int) -> None:
    """Refuse results that are huge, or whose size nobody knows before it runs: stock layers have none such."""
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    # What the file itself claims about its results is no evidence.
    del graph.value_info[:]
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    for value in graph.input:
        if value.name not in constants and value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].dim_value = batch
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception as error:  # onnx raises its own errors, RuntimeError and ValueError here
        raise ValueError(f"has shapes that contradict each other ({_first_line(error)})") from None
    known = {
        value.name: [dim.dim_value if dim.HasField("dim_value") else -1 for dim in value.type.tensor_type.shape.dim]
        for value in (*inferred.value_info, *inferred.output)
        if value.type.tensor_type.HasField("shape")
    }
    for node in graph.node:
        for name in filter(None, node.output):
            shape = known.get(name, [-1])
            if min(shape, default=0) < 0:
                raise ValueError(f"computes a result whose size is not known before it runs ({node.op_type})")
            if math.prod(shape) > MAX_RESULT_VALUES:
                raise ValueError(f"computes a result of more than {MAX_RESULT_VALUES:,} values for {batch} images")


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


def _largest_batch(entry: Entry) -> int:
    return max(1, min(CHUNK, CHUNK_PIXELS // math.prod(entry.shape[:2])))


def _filled_up(batch: dict[str, np.ndarray], largest: int) -> dict[str, np.ndarray]:
    """Repeat the last row until the batch has a size that was tried: a network may know which size was not."""
    count = len(next(iter(batch.values())))
    missing = next(size for size in sizes(largest) if size >= count) - count
    return {name: np.concatenate([array, array[-1:].repeat(missing, 0)]) for name, array in batch.items()}


def _session(entry: Entry, role: str) -> onnxruntime.InferenceSession:
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
        while len(_sessions) > MAX_SESSIONS:
            _sessions.popitem(last=False)
    return session


def _make(entry: Entry, role: str) -> onnxruntime.InferenceSession:
    network = entry.manifest.networks[role]
    content = entry.content(network.file, MAX_NETWORK_BYTES)
    try:
        if _embedded(entry):
            check(content, _largest_batch(entry))
        elif reason := trial.refusal(content, network, len(entry.classes), _largest_batch(entry)):
            raise ValueError(reason)
        return open_session(content, network)
    except ValueError as error:
        raise _refusal(entry, role, str(error)) from None


def open_session(content: bytes, network: Network) -> onnxruntime.InferenceSession:
    """Return a session of a checked ONNX file; raises ValueError when it does not load or is not what is declared."""
    _share_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(2, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    for setting, value in {
        "session.load_model_format": "ONNX",
        "session.use_env_allocators": "1",
        "optimization.constant_folding_max_output_size_in_bytes": str(64 << 20),
    }.items():
        options.add_session_config_entry(setting, value)
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions share no public base class
        raise ValueError(f"cannot be loaded ({_first_line(error)})") from None
    for tensors, declared in ((session.get_inputs(), network.inputs), (session.get_outputs(), network.outputs)):
        _check_signature(tensors, declared)
    return session


def _check_signature(tensors: list[onnxruntime.NodeArg], declared: dict[str, tuple[int, ...]]) -> None:
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


@functools.cache
def _share_memory() -> None:
    """Give all sessions of the process one bounded arena: a hostile network fails there instead of filling the host."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    # Extend as requested, not by doubling: memory then follows what the pages really use.
    arena = onnxruntime.OrtArenaCfg({"max_mem": MAX_ARENA_BYTES, "arena_extend_strategy": 1})
    onnxruntime.create_and_register_allocator(memory, arena)


def _refusal(entry: Entry, role: str, reason: str) -> EntryError:
    return EntryError(f"The {role} of {entry.name} is refused: its network {reason}.")


def _first_line(error: Exception) -> str:
    """What an error says first, without the place in the source code of ONNX Runtime that says it."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0].rpartition("Status Message: ")[2]
    return re.sub(r"/onnxruntime_src/\S+ .*?\) ", "", line)[:160].rstrip(".")
