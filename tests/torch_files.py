"""Networks as PyTorch computes, exports and saves them, written without PyTorch.

Images are (N, C, H, W), kernels (out, in, height, width), of transposed convolutions (in, out, height, width). A
network is built as ONNX nodes; its weights bear the names of a state_dict, and ONNX Runtime says what it answers.
"""

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(12)
STORAGES = {"float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage"}


class Network:
    """A network under construction: each method adds a layer to the tensor `x` and returns what comes out."""

    def __init__(self):
        self.nodes, self.initializers, self.inputs, self.outputs = [], [], [], []
        self.state: dict[str, np.ndarray] = {}

    def given(self, name: str, *shape: int, kind: int = TensorProto.FLOAT) -> str:
        self.inputs.append((name, kind, shape))
        return name

    def returned(self, x: str, name: str, *shape: int, kind: int = TensorProto.FLOAT) -> str:
        self.nodes.append(helper.make_node("Identity", [x], [name]))
        self.outputs.append((name, kind, shape))
        return name

    def up_to(self, x: str, name: str, *shape: int) -> "Network":
        """The same network with another end."""
        other = Network()
        other.inputs, other.initializers, other.nodes = self.inputs, self.initializers, list(self.nodes)
        other.returned(x, name, *shape)
        return other

    def node(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        name = f"/{operator}_{len(self.nodes)}_output"
        names = [name, *(f"{name}_{index}" for index in range(1, outputs))]
        self.nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return name

    def constant(self, value: Any, kind: str = "float32") -> str:
        name = f"onnx::Constant_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def weight(self, name: str, value: np.ndarray) -> str:
        self.state[name] = np.ascontiguousarray(value, "float32")
        self.initializers.append(numpy_helper.from_array(self.state[name], name))
        return name

    def linear(self, x: str, name: str, given: int, made: int) -> str:
        kernel = self.weight(f"{name}.weight", RNG.standard_normal((made, given)) * (2 / given) ** 0.5)
        bias = self.weight(f"{name}.bias", RNG.standard_normal(made) * 0.1)
        return self.node("Gemm", x, kernel, bias, transB=1)

    def convolution(self, x, name, given, made, kernel, stride=1, padding=0, bias=True) -> str:
        scale = (2 / (given * kernel**2)) ** 0.5
        inputs = [self.weight(f"{name}.weight", RNG.standard_normal((made, given, kernel, kernel)) * scale)]
        inputs += [self.weight(f"{name}.bias", RNG.standard_normal(made) * 0.1)] if bias else []
        sizes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [padding] * 4}
        return self.node("Conv", x, *inputs, **sizes)

    def transposed(self, x, name, given, made, kernel, stride=1, padding=0, output_padding=0, bias=True) -> str:
        scale = (2 * stride**2 / (given * kernel**2)) ** 0.5
        inputs = [self.weight(f"{name}.weight", RNG.standard_normal((given, made, kernel, kernel)) * scale)]
        inputs += [self.weight(f"{name}.bias", RNG.standard_normal(made) * 0.1)] if bias else []
        sizes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [padding] * 4}
        return self.node("ConvTranspose", x, *inputs, **sizes, output_padding=[output_padding] * 2)

    def normalised(self, x: str, name: str, channels: int, epsilon: float = 1e-5) -> str:
        ends = ("weight", "bias", "running_mean", "running_var")
        values = [RNG.uniform(0.5, 1.5, channels), *RNG.standard_normal((2, channels)) * 0.2]
        values.append(RNG.uniform(0.5, 1.5, channels))
        names = [self.weight(f"{name}.{end}", value) for end, value in zip(ends, values, strict=True)]
        self.state[f"{name}.num_batches_tracked"] = np.asarray(7, "int64")
        return self.node("BatchNormalization", x, *names, epsilon=epsilon)

    def leaky(self, x: str, slope: float = 0.2) -> str:
        return self.node("LeakyRelu", x, alpha=slope)

    def shaped(self, x: str, *shape: int) -> str:
        return self.node("Reshape", x, self.constant(shape, "int64"))

    def model(self, batch: int | str = "batch", opset: int = 17, domains: tuple[str, ...] = ()) -> onnx.ModelProto:
        """As torch.onnx.export writes it; a number as `batch` is what it writes without dynamic_axes."""
        sides = [
            [helper.make_tensor_value_info(name, kind, [batch, *shape]) for name, kind, shape in side]
            for side in (self.inputs, self.outputs)
        ]
        graph = helper.make_graph(self.nodes, "main_graph", *sides, self.initializers)
        imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
        return helper.make_model(
            graph, opset_imports=imports, ir_version=8, producer_name="pytorch", producer_version="2.4.0"
        )

    def run(self, *inputs: np.ndarray, batch: int | str = "batch") -> list[np.ndarray]:
        session = onnxruntime.InferenceSession(self.model(batch).SerializeToString())
        return session.run(None, dict(zip([name for name, _, _ in self.inputs], inputs, strict=True)))


# Files of torch.save -------------------------------------------------------------------------------------------------


def save(path: Path, value: Any, pickled: bytes | None = None, **files: bytes) -> None:
    """Write what torch.save writes: a zip with data.pkl and the bytes of each tensor; `pickled` takes its place."""
    storages: list[np.ndarray] = []
    content = b"\x80\x02" + _written(value, storages) + b"."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{path.stem}/data.pkl", content if pickled is None else pickled)
        archive.writestr(f"{path.stem}/byteorder", "little")
        for number, array in enumerate(storages):
            if f"data__{number}" not in files:
                archive.writestr(f"{path.stem}/data/{number}", array.tobytes())
        archive.writestr(f"{path.stem}/version", "3\n")
        for name, extra in files.items():
            archive.writestr(f"{path.stem}/{name.replace('__', '/')}", extra)


def state_dict(arrays: dict[str, np.ndarray]) -> "State":
    return State(arrays)


class State(dict):
    """A dictionary that is written as the OrderedDict with _metadata that Module.state_dict gives."""


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def _written(value: Any, storages: list[np.ndarray]) -> bytes:
    """The opcodes of pickle (protocol 2) that build a value."""

    def inside(items: Any) -> bytes:
        return b"".join(_written(item, storages) for item in items)

    if isinstance(value, np.ndarray):
        storages.append(np.ascontiguousarray(value))
        strides = tuple(stride // value.itemsize for stride in storages[-1].strides) if value.ndim else ()
        place = b"(" + _text("storage") + f"ctorch\n{STORAGES[value.dtype.name]}\n".encode()
        place += inside((str(len(storages) - 1), "cpu", value.size)) + b"tQ"
        hooks = b"ccollections\nOrderedDict\n)R"
        return (
            b"ctorch._utils\n_rebuild_tensor_v2\n(" + place + inside((0, value.shape, strides, False)) + hooks + b"tR"
        )
    if isinstance(value, State):
        metadata = b"}" + _text("_metadata") + b"ccollections\nOrderedDict\n)Rsb"
        return b"ccollections\nOrderedDict\n)R(" + inside(x for pair in value.items() for x in pair) + b"u" + metadata
    if isinstance(value, dict):
        return b"}(" + inside(x for pair in value.items() for x in pair) + b"u"
    if isinstance(value, list | tuple):
        return (b"](" + inside(value) + b"e") if isinstance(value, list) else b"(" + inside(value) + b"t"
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    return b"G" + struct.pack(">d", value) if isinstance(value, float) else _text(value)


def safetensors(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as safetensors: the length of a JSON header, the header, the bytes."""
    header, data = {}, b""
    for name, array in arrays.items():
        kind = {"float32": "F32", "int64": "I64"}[array.dtype.name]
        raw = array.tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
