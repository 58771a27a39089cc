"""What an ONNX file must be before anything of it runs: bounded, of known operators, with sizes known beforehand."""

import math
import re
from collections.abc import Iterable

import onnx
from google.protobuf.message import DecodeError

CHUNK = 256  # images that are run at once, at most
MAX_NODES = 10_000
MAX_TENSOR_VALUES = 1 << 26  # of one constant
MAX_RESULT_VALUES = 1 << 27  # of one intermediate result for a whole batch

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
        raise ValueError(f"has shapes that contradict each other ({first_line(error)})") from None
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


def first_line(error: Exception) -> str:
    """What an error says first, without the place in the source code of ONNX Runtime that says it."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0].rpartition("Status Message: ")[2]
    return re.sub(r"/onnxruntime_src/\S+ .*?\) ", "", line)[:160].rstrip(".")
