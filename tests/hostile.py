"""A corpus of hostile files: each attack turns a good tiny entry into a hostile one.

`python tests/hostile.py FOLDER` reads every entry of a folder by all readers of the zoo and says, one JSON line each,
how that ended and how much memory it took; a process of its own, so that the measure is honest.
"""

import bz2
import contextlib
import functools
import io
import json
import os
import resource
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import tiny_entries as tiny
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from zoo import samplers
from zoo.entries import entry
from zoo.latent import aggregate

SCRIPT = "<script>alert(1)</script><img src=http://evil.example/x.png onerror=alert(1)>"
MARKDOWN = "![x](http://evil.example/y.png) [y](javascript:alert(1)) **b** $z$ :smile: `c` | # h"
INJECTION = f"{SCRIPT} {MARKDOWN}"
BIDI = "innocent\u202etxt.exe"


class Attack(NamedTuple):
    """How to make an entry hostile, and what its refusal must say (a regex); "" where it must do no harm instead."""

    make: Callable[[Path], object]
    reason: str


def good(folder: Path, **changes) -> entry.Entry:
    """Write an entry of all kinds of files, nothing wrong with any of them."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "README.md": b"---\nlicense: mit\n---\n# Card\nText.",
        "history.json": json.dumps({"images": [1, 2], "loss": [2.0, 1.0]}).encode(),
        "samples.png": png(np.zeros((8, 8, 3), np.uint8)),
        "snapshots.gif": gif(8, 8, 2),
        "latents.npz": npz(**fitted()),
    }
    return tiny.write(folder, tiny.encoder(), tiny.decoder(), files=files | changes.pop("files", {}), **changes)


@functools.cache
def fitted() -> dict[str, np.ndarray]:
    return aggregate.fit(np.random.default_rng(0).normal(size=(50, tiny.LATENT)))


def file(name: str, content: Callable[[], bytes]) -> Callable[[Path], object]:
    """An attack by the content of one file, which the manifest describes rightly."""
    return lambda folder: good(folder, files={name: content()})


def manifest(**changes) -> Callable[[Path], object]:
    """An attack by values in a manifest that is well formed."""
    return lambda folder: good(folder, **changes)


def document(change: Callable[[dict], object]) -> Callable[[Path], object]:
    """An attack by a manifest that entry.write would refuse."""

    def make(folder: Path) -> None:
        good(folder)
        found = json.loads((folder / "zoo.json").read_text())
        change(found)
        (folder / "zoo.json").write_text(json.dumps(found))

    return make


def text(change: Callable[[str], str | bytes]) -> Callable[[Path], object]:
    """An attack by the text of zoo.json."""

    def make(folder: Path) -> None:
        good(folder)
        changed = change((folder / "zoo.json").read_text())
        (folder / "zoo.json").write_bytes(changed if isinstance(changed, bytes) else changed.encode())

    return make


def replaced(name: str, put: Callable[[Path], object]) -> Callable[[Path], object]:
    """An attack by something else in the place of a file."""

    def make(folder: Path) -> None:
        good(folder)
        (folder / name).unlink()
        put(folder / name)

    return make


def network(content: Callable[[], bytes]) -> Callable[[Path], object]:
    """An attack by the decoder's file."""
    return file("onnx/decoder.onnx", content)


def changed(change: Callable[[onnx.ModelProto], object]) -> Callable[[Path], object]:
    """An attack by a change of the decoder's graph."""
    return network(lambda: tiny.rewrite(tiny.decoder()[0], change))


# Manifests


def everywhere(found: dict) -> None:
    """Put the injection into every text of a manifest that takes free text."""
    found |= {
        "title": INJECTION[:200],
        "family_title": INJECTION[:200],
        "description": INJECTION,
        "tags": [INJECTION[:200]],
    }
    found["classes"] = [f"{number} {INJECTION[:190]}" for number in range(3)]
    found["dataset"] |= {"revision": SCRIPT[:100], "source": INJECTION}
    found["metrics"] = {
        INJECTION[:200]: {"value": 1.0, "label": INJECTION[:200], "meaning": INJECTION, "protocol": INJECTION},
        "psnr": {"value": 1e300, "split": INJECTION[:200]},
    }
    made = {key: INJECTION[:200] for key in ("recipe", "backend", "device", "code")}
    found["provenance"] = made | {"seconds": 1e300, "options": {INJECTION: [INJECTION, {"<b>": None}]}}


def shape_bomb(found: dict) -> None:
    found["latent"]["shape"] = [65536, 65536, 65536, 65536]


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def put(*keys: str, value: object) -> Callable[[dict], object]:
    def change(found: dict) -> None:
        for key in keys[:-1]:
            found = found[key]
        found[keys[-1]] = value

    return change


MANIFESTS = {
    "manifest-huge": Attack(text(lambda t: b" " * (1 << 21) + t.encode()), "larger than 1 MiB"),
    "manifest-deep": Attack(
        text(lambda t: t.replace('"kept": true', '"kept": ' + "[" * 90_000 + "]" * 90_000)), "deep"
    ),
    "manifest-many-values": Attack(
        text(lambda t: t.replace('"kept": true', '"kept": [' + "[]," * 300_000 + "0]")), "values"
    ),
    "manifest-key-twice": Attack(text(lambda t: t.replace('"year"', '"title": "Another", "year"')), "twice"),
    "manifest-nan": Attack(text(lambda t: t.replace('"value": 0.1', '"value": NaN')), "not finite"),
    "manifest-endless-number": Attack(
        text(lambda t: t.replace('"seed": 0', '"seed": 1' + "0" * 5000)), "not valid JSON"
    ),
    "manifest-long-number": Attack(document(put("provenance", "seed", value=10**4000)), "provenance.seed"),
    "manifest-float-overflow": Attack(document(put("metrics", "mse", "value", value=10**400)), "metrics.mse.value"),
    "manifest-surrogate": Attack(text(lambda t: t.replace("A model of", "\\ud800")), "surrogates"),
    "manifest-binary": Attack(text(lambda t: b"\x80\x04\x95pickle"), "not valid JSON"),
    "manifest-null-byte": Attack(text(lambda t: t.replace("A model of", "\\u0000")), "description"),
    "manifest-bidi": Attack(document(put("title", value=BIDI)), "title"),
    "manifest-lines": Attack(document(put("title", value="a\nb\r\x1b[2J")), "title"),
    "manifest-dataset-markdown": Attack(
        document(put("dataset", "id", value="![x](http://evil.example/z.png)")), "dataset.id"
    ),
    "manifest-dataset-path": Attack(document(put("dataset", "id", value="/etc")), ""),
    "manifest-script-paper": Attack(document(put("paper", value="javascript:alert(1)")), "paper"),
    "manifest-paper-breakout": Attack(
        document(put("paper", value="https://a>![x](http://evil.example/p.png)")), "paper"
    ),
    "manifest-name-climbs": Attack(document(put("name", value="../../etc")), "name"),
    "manifest-shape-bomb": Attack(document(shape_bomb), "latent"),
    "manifest-injection": Attack(document(everywhere), ""),
    "path-climbs": Attack(
        document(put("networks", "decoder", "file", value="../../../etc/passwd")), "networks.decoder.file"
    ),
    "path-absolute": Attack(document(put("files", "/etc/passwd", value={"sha256": "0" * 64, "size": 1})), "files"),
    "link-outside": Attack(
        replaced("onnx/decoder.onnx", lambda p: p.symlink_to("/etc/passwd")), "leads out of the folder"
    ),
    "link-to-a-device": Attack(replaced("samples.png", lambda p: p.symlink_to("/dev/zero")), "leads out of the folder"),
    "link-loop": Attack(replaced("history.json", loop), "history.json"),
    "link-manifest": Attack(replaced("zoo.json", lambda p: p.symlink_to("/etc/passwd")), "out of the folder"),
    "pipe-for-a-file": Attack(replaced("latents.npz", os.mkfifo), "latents.npz is missing"),
    "folder-for-a-file": Attack(replaced("README.md", os.mkdir), "README.md is missing"),
    "wrong-hash": Attack(document(put("files", "onnx/decoder.onnx", "sha256", value="0" * 64)), "sha256 differs"),
    "wrong-size": Attack(document(put("files", "history.json", "size", value=1 << 30)), "history.json has"),
}


# Networks


def weights(model: onnx.ModelProto) -> onnx.TensorProto:
    return next(tensor for tensor in model.graph.initializer if tensor.name == "decode")


def external(model: onnx.ModelProto) -> None:
    tensor = weights(model)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")


def control_flow(model: onnx.ModelProto) -> None:
    body = helper.make_graph([helper.make_node("Identity", ["image"], ["inner"])], "body", [], [])
    model.graph.node.append(helper.make_node("If", ["image"], ["other"], then_branch=body, else_branch=body))


def foreign_domain(model: onnx.ModelProto) -> None:
    model.graph.node[1].domain = "ai.evil"
    model.opset_import.add(domain="ai.evil", version=1)


def hollow_constant(model: onnx.ModelProto) -> None:
    """A constant that claims 256 MB and holds nothing."""
    weights(model).ClearField("raw_data")
    del weights(model).dims[:]
    weights(model).dims.extend([1 << 13, 1 << 13])


def cycle(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "pixels"


def chain(model: onnx.ModelProto) -> None:
    for number in range(10_001):
        model.graph.node.append(helper.make_node("Identity", [f"i{number}" if number else "sum"], [f"i{number + 1}"]))


def beside(*nodes: onnx.NodeProto, claims: bool = False, **constants: object) -> Callable[[], bytes]:
    """A decoder that also computes "extra" by the nodes, and adds what of it is the smallest to its image."""

    def content() -> bytes:
        extra = [
            *nodes,
            helper.make_node("ReduceMin", ["extra"], ["least"], keepdims=0),
            helper.make_node("Cast", ["least"], ["tiny"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["latent", "decode"], ["sum"]),
            helper.make_node("Add", ["sum", "tiny"], ["moved"]),
            helper.make_node("Sigmoid", ["moved"], ["pixels"]),
            helper.make_node("Reshape", ["pixels", "shape"], ["image"]),
        ]
        arrays = {"decode": tiny.DECODE, "shape": np.array([-1, *tiny.SHAPE])} | constants
        made = tiny.network(extra, {"latent": (tiny.LATENT,)}, {"image": tiny.SHAPE}, arrays)
        if not claims:
            return made
        claim = helper.make_tensor_value_info("extra", TensorProto.FLOAT, [1])
        return tiny.rewrite(made, lambda model: model.graph.value_info.append(claim))

    return content


node = helper.make_node
# A whole number that follows from the data: 2^30 plus zero times a latent.
HIDDEN = [
    node("ReduceMax", ["latent"], ["one"], keepdims=0),
    node("Cast", ["one"], ["whole"], to=TensorProto.INT64),
    node("Mul", ["whole", "zero"], ["nothing"]),
    node("Add", ["big", "nothing"], ["target"]),
]
FOLLOWS = {"zero": np.array(0), "big": np.array([1 << 30])}
# The number of images, as a vector of one.
COUNT = [node("Shape", ["latent"], ["dims"]), node("Gather", ["dims", "first"], ["n"])]
PICTURE = [node("MatMul", ["latent", "decode"], ["flat"]), node("Reshape", ["flat", "grid"], ["grey"])]
GRID = {"grid": np.array([-1, 1, 4, 4])}


def knowing() -> Callable[[], bytes]:
    """A network that is harmless for 1, 2, 4, … 256 images and needs terabytes for any other number."""
    nodes, constants = [*COUNT], {"first": np.array([0]), "one": np.array([1])}
    for power in range(9):
        constants[f"c{power}"] = np.array([1 << power])
        nodes.append(node("Sub", ["n", f"c{power}"], [f"d{power}"]))
        nodes.append(node("Mul", [f"p{power - 1}" if power else "one", f"d{power}"], [f"p{power}"]))
    nodes += [
        node("Mul", ["p8", "p8"], ["square"]),
        node("Add", ["square", "one"], ["target"]),
        node("Expand", ["zero", "target"], ["extra"]),
    ]
    return beside(*nodes, zero=np.zeros(1, np.float32), **constants)


def repeated(operator: str, times: int, start: list[onnx.NodeProto], second: str) -> list[onnx.NodeProto]:
    """The nodes of extra = (…((x0 · w) · w) …) · w."""
    names = ["x0", *(f"x{number}" for number in range(1, times)), "extra"]
    return [*start, *(node(operator, [a, second], [b]) for a, b in zip(names, names[1:], strict=False))]


def slow() -> bytes:
    """A network of innocent shapes that computes for minutes."""
    start = [node("MatMul", ["latent", "widen"], ["x0"])]
    wide = {"widen": np.zeros((tiny.LATENT, 1024), np.float32), "w": np.zeros((1024, 1024), np.float32)}
    return beside(*repeated("MatMul", 5000, start, "w"), **wide)()


def slow_to_load() -> bytes:
    """A network whose constants take minutes to fold."""
    start = [node("ConstantOfShape", ["side"], ["x0"])]
    return beside(*repeated("MatMul", 2000, start, "x0"), side=np.array([2048, 2048]))()


def hungry() -> bytes:
    """A network whose every result is allowed, and which needs gigabytes of them at once."""
    tiles = [node("Tile", ["latent", f"r{number}"], [f"t{number}"]) for number in range(8)]
    repeats = {f"r{number}": np.array([1, (1 << 17) + number]) for number in range(8)}
    least = [node("ReduceMin", [f"t{number}"], [f"m{number}"], keepdims=0) for number in reversed(range(8))]
    late = [node("Sum", [f"m{number}" for number in range(8)], ["extra"])]
    return beside(*tiles, *least, *late, **repeats)()


def scratch() -> bytes:
    """A convolution of few weights whose working memory is enormous."""
    edges = {"edges": np.array([0, 0, 126, 126, 0, 0, 126, 126]), "kernel": np.zeros((1, 1, 129, 129), np.float32)}
    nodes = [
        *PICTURE,
        node("Pad", ["grey", "edges"], ["large"]),
        node("Conv", ["large", "kernel"], ["extra"], pads=[64] * 4),
    ]
    return beside(*nodes, **GRID, **edges)()


def crowded() -> bytes:
    """40 MB of protobuf that become gigabytes of empty operators."""
    operators = b"\x0a\x00" * 20_000_000
    return b"\x08\x08\x3a" + _varint(len(operators)) + operators


def nested() -> bytes:
    """A graph in an attribute of a graph in an attribute, ten thousand deep."""
    content = b""
    for _ in range(10_000):
        attribute = b"\x32" + _varint(len(content)) + content
        operator = b"\x2a" + _varint(len(attribute)) + attribute
        content = b"\x0a" + _varint(len(operator)) + operator
    return b"\x08\x08\x3a" + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    groups = []
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


def typed_double(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE


def fixed_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def operator(name: str) -> Callable[[onnx.ModelProto], object]:
    return lambda model: setattr(model.graph.node[1], "op_type", name)


def filled(value: float) -> Callable[[onnx.ModelProto], object]:
    return lambda model: weights(model).CopyFrom(numpy_helper.from_array(np.full_like(tiny.DECODE, value), "decode"))


UNKNOWN, LARGE = "size is not known before it runs", "computes a result of more than"
COSTLY = r"needs more than 1 GiB|takes more than \d+ seconds"
NETWORKS = {
    "network-external-data": Attack(changed(external), "another file"),
    "network-control-flow": Attack(changed(control_flow), "operator 'If'"),
    "network-function": Attack(changed(lambda m: m.functions.add(name="Sigmoid", domain="local")), "functions"),
    "network-foreign-domain": Attack(changed(foreign_domain), "not allowed"),
    "network-random": Attack(changed(operator("RandomNormalLike")), "RandomNormalLike"),
    "network-terrible-operator": Attack(changed(operator(INJECTION)), "not allowed"),
    "network-constant-bomb": Attack(changed(lambda m: weights(m).dims.extend([1 << 40])), "constant of more than"),
    "network-hollow-constant": Attack(changed(hollow_constant), "refused"),
    "network-cycle": Attack(changed(cycle), "refused"),
    "network-chain": Attack(changed(chain), "operators, not between"),
    "network-fill-bomb": Attack(
        network(beside(node("ConstantOfShape", ["s"], ["extra"]), s=np.array([1 << 15] * 2))), LARGE
    ),
    "network-expand-hidden": Attack(
        network(beside(*HIDDEN, node("Expand", ["one", "target"], ["extra"]), **FOLLOWS)), UNKNOWN
    ),
    "network-expand-claims-less": Attack(
        network(beside(*HIDDEN, node("Expand", ["one", "target"], ["extra"]), claims=True, **FOLLOWS)), UNKNOWN
    ),
    "network-fill-hidden": Attack(
        network(beside(*HIDDEN, node("ConstantOfShape", ["target"], ["extra"]), **FOLLOWS)), UNKNOWN
    ),
    "network-range-hidden": Attack(
        network(
            beside(
                *HIDDEN,
                node("Squeeze", ["target"], ["end"]),
                node("Range", ["zero", "end", "step"], ["extra"]),
                step=np.array(1),
                **FOLLOWS,
            )
        ),
        UNKNOWN,
    ),
    "network-range-bomb": Attack(
        network(
            beside(
                node("Range", ["zero", "end", "step"], ["extra"]),
                zero=np.array(0),
                end=np.array(1 << 33),
                step=np.array(1),
            )
        ),
        LARGE,
    ),
    "network-tile-bomb": Attack(
        network(beside(node("Tile", ["latent", "r"], ["extra"]), r=np.array([1 << 10, 1 << 20]))), LARGE
    ),
    "network-tile-by-batch": Attack(
        network(
            beside(
                *COUNT,
                node("Concat", ["n", "cube"], ["r"], axis=0),
                node("Tile", ["latent", "r"], ["extra"]),
                node("Mul", ["n", "n"], ["square"]),
                node("Mul", ["square", "n"], ["cube"]),
                first=np.array([0]),
            )
        ),
        f"{LARGE}|{UNKNOWN}|cannot be loaded",
    ),
    "network-resize-bomb": Attack(
        network(
            beside(
                *PICTURE,
                node("Resize", ["grey", "", "scales"], ["extra"]),
                **GRID,
                scales=np.array([1, 1, 1e4, 1e4], np.float32),
            )
        ),
        LARGE,
    ),
    "network-pad-bomb": Attack(
        network(beside(*PICTURE, node("Pad", ["grey", "p"], ["extra"]), **GRID, p=np.array([0] * 7 + [1 << 31]))), LARGE
    ),
    "network-pad-hidden": Attack(
        network(
            beside(
                *HIDDEN,
                *PICTURE,
                node("Concat", ["seven", "target"], ["p"], axis=0),
                node("Pad", ["grey", "p"], ["extra"]),
                seven=np.zeros(7, np.int64),
                **GRID,
                **FOLLOWS,
            )
        ),
        UNKNOWN,
    ),
    "network-stride-bomb": Attack(
        network(
            beside(
                *PICTURE,
                node("ConvTranspose", ["grey", "k"], ["extra"], strides=[9000, 9000]),
                **GRID,
                k=np.ones((1, 1, 1, 1), np.float32),
            )
        ),
        LARGE,
    ),
    "network-knows-its-trial": Attack(network(knowing()), ""),
    "network-slow": Attack(network(slow), COSTLY),
    "network-slow-to-load": Attack(network(slow_to_load), COSTLY),
    "network-hungry": Attack(network(hungry), COSTLY),
    "network-scratch": Attack(network(scratch), COSTLY),
    "network-crowded": Attack(network(crowded), f"{COSTLY}|is not an ONNX file|operators, not between"),
    "network-nested": Attack(network(nested), "is not an ONNX file"),
    "network-double": Attack(changed(typed_double), "refused"),
    "network-fixed-batch": Attack(changed(fixed_batch), r"shape \[1, 2\]"),
    "network-other-output": Attack(changed(lambda m: setattr(m.graph.output[0], "name", "pixels")), "refused"),
    "network-nan": Attack(changed(filled(np.nan)), "not finite"),
    "network-infinite": Attack(
        network(beside(node("Exp", ["huge"], ["extra"]), huge=np.full(2, 1e4, np.float32))), "not finite|^$"
    ),
    "network-opset": Attack(changed(lambda m: setattr(m.opset_import[0], "version", 1 << 40)), "refused"),
    "network-truncated": Attack(network(lambda: tiny.decoder()[0][:150]), "refused"),
    "network-pickle": Attack(network(lambda: b"\x80\x04cos\nsystem\n(S'true'\ntR."), "is not an ONNX file"),
    "network-metadata": Attack(changed(lambda m: setattr(m, "doc_string", INJECTION * 10_000)), ""),
}


# Statistics


def codebook(content: Callable[[], bytes]) -> Callable[[Path], object]:
    """An attack by the codebook of an entry whose latents are integers."""

    def make(folder: Path) -> None:
        tiny.vqvae(folder, files={"latents.npz": content()})

    return make


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def statistics(**changes: object) -> Callable[[Path], object]:
    """An attack by arrays that take the place of good ones."""
    return lambda folder: good(folder, files={"latents.npz": npz(**fitted() | changes)})


def packed(name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def understated() -> bytes:
    """300 MB by bzip2 whose directory declares 1000 bytes: zipfile unpacks it all before it cuts."""
    content = bz2.compress(bytes(300 << 20), 1)
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 46, 0, 12, 0, 0, 0, len(content), 1000, 8, 0) + b"mean.npy"
    central = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 46, 46, 0, 12, 0, 0, 0, len(content), 1000, 8, 0, 0, 0, 0, 0, 0)
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(central) + 8, len(local) + len(content), 0)
    return local + content + central + b"mean.npy" + end


def directory() -> bytes:
    """Half a million members of no bytes."""
    count = 500_000
    member = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"x"
    end = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(member) * count, 0)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, len(member) * count, 1)
    return (
        member * count
        + end
        + locator
        + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 65535, 65535, 1 << 32 - 1, 0, 0)[:22]
    )


def claiming(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return packed("mean.npy", stream.getvalue() + bytes(64))


STATISTICS = {
    "statistics-pickle": Attack(statistics(mean=np.array([{}, {}], object)), "latents.npz"),
    "statistics-bomb": Attack(file("latents.npz", lambda: packed("mean.npy", bytes(100 << 20))), "unpacks to more"),
    "statistics-understated-bomb": Attack(file("latents.npz", understated), "not packed as numpy does"),
    "statistics-directory": Attack(file("latents.npz", directory), "too many files|cannot be read"),
    "statistics-claims-terabytes": Attack(file("latents.npz", lambda: claiming((10**12,))), "latents.npz"),
    "statistics-claims-nothing": Attack(file("latents.npz", lambda: claiming((0, 10**30))), "latents.npz"),
    "statistics-paths": Attack(file("latents.npz", lambda: packed("../../mean.npy", b"x")), "lacks|has 0"),
    "statistics-nested": Attack(
        file("latents.npz", lambda: packed("mean.npy", packed("mean.npy", b"x"))), "latents.npz"
    ),
    "flow-bomb": Attack(file("flow.npz", lambda: packed("flow_tables.npy", bytes(100 << 20))), "unpacks to more"),
    "flow-directory": Attack(file("flow.npz", directory), "flow.npz has"),
    "flow-pickle": Attack(file("flow.npz", lambda: npz(flow_tables=np.array([{}], object))), "flow.npz"),
    "flow-of-another": Attack(file("flow.npz", lambda: npz(flow_rotations=np.eye(9), flow_tables=np.eye(9))), "."),
    "codebook": Attack(codebook(lambda: npz(codebook=tiny.CODEBOOK)), ""),
    "codebook-bomb": Attack(codebook(lambda: packed("codebook.npy", bytes(100 << 20))), "unpacks to more"),
    "codebook-directory": Attack(codebook(directory), "too many files|cannot be read"),
    "codebook-pickle": Attack(codebook(lambda: npz(codebook=np.array([{}], object))), "latents.npz"),
    "codebook-of-nothing": Attack(codebook(npz), "no codebook"),
    "statistics-text": Attack(statistics(mean=np.array(["a", "b"])), "latents.npz"),
    "statistics-nan": Attack(statistics(covariance=np.full((2, 2), np.nan)), "covariance"),
    "statistics-huge-numbers": Attack(statistics(mean=np.full(2, 1e300)), "mean"),
    "statistics-rank": Attack(statistics(gmm_means=np.zeros(20)), "gmm_means"),
    "statistics-negative-covariance": Attack(statistics(covariance=-np.eye(2)), ""),
}


# Pictures


def png(pixels: np.ndarray, **options) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **options)
    return stream.getvalue()


def chunks(*parts: tuple[bytes, bytes]) -> bytes:
    """A PNG of any chunks."""
    packed = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def header(width: int, height: int, kind: int = 2) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">2I5B", width, height, 8, kind, 0, 0, 0)


def large_png(width: int, height: int, kind: int = 6) -> bytes:
    """A picture of one colour: megapixels in kilobytes."""
    row = bytes(1 + width * {0: 1, 2: 3, 6: 4}[kind])
    return chunks(header(width, height, kind), (b"IDAT", zlib.compress(row * height, 9)), (b"IEND", b""))


def noted(kind: bytes, before: bytes) -> Callable[[], bytes]:
    """A PNG with a compressed note of 200 MB."""
    note = before + zlib.compress(bytes(200 << 20), 9)
    row = zlib.compress(bytes(4 * 13))
    return lambda: chunks(header(4, 4), (kind, note), (b"IDAT", row), (b"IEND", b""))


def gif(width: int, height: int, frames: int) -> bytes:
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 4, 4, 0) + b"\x02\x05\x84\x8f\xa9\xcb\x05\x00"
    table = b"\x00\x00\x00\xff\xff\xff"
    return b"GIF89a" + struct.pack("<2H3B", width, height, 0x80, 0, 0) + table + frame * frames + b"\x3b"


SHEET = "cannot be shown"
PICTURES = {
    "picture-huge": Attack(file("samples.png", lambda: chunks(header(60_000, 60_000), (b"IEND", b""))), SHEET),
    "picture-large": Attack(file("samples.png", lambda: large_png(4000, 4000)), SHEET),
    "picture-no-side": Attack(file("samples.png", lambda: chunks(header(0, 0), (b"IEND", b""))), SHEET),
    "picture-text-bomb": Attack(file("samples.png", noted(b"zTXt", b"k\0\0")), f"{SHEET}|^$"),
    "picture-profile-bomb": Attack(file("samples.png", noted(b"iCCP", b"k\0\0")), f"{SHEET}|^$"),
    "picture-truncated": Attack(
        file("samples.png", lambda: png(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))[:4000]), SHEET
    ),
    "picture-page": Attack(file("samples.png", lambda: f"<html>{SCRIPT}</html>".encode()), SHEET),
    "picture-drawing": Attack(
        file("samples.png", lambda: f"<svg xmlns='http://www.w3.org/2000/svg'>{SCRIPT}</svg>".encode()), SHEET
    ),
    "picture-and-page": Attack(file("samples.png", lambda: png(np.zeros((8, 8, 3), np.uint8)) + SCRIPT.encode()), ""),
    "picture-animated": Attack(file("samples.png", lambda: gif(8, 8, 5)), SHEET),
    "picture-postscript": Attack(
        file("samples.png", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd)run"), SHEET
    ),
    "animation-frames": Attack(file("snapshots.gif", lambda: gif(8, 8, 100_000)), "frames"),
    "animation-huge": Attack(file("snapshots.gif", lambda: gif(65_535, 65_535, 2)), "megapixels"),
    "animation-page": Attack(file("snapshots.gif", lambda: b"GIF89a<script>alert(1)</script>" * 10), "not a whole GIF"),
    "animation-truncated": Attack(file("snapshots.gif", lambda: gif(8, 8, 2)[:-4]), "not a whole GIF"),
    "animation-drawing": Attack(file("snapshots.gif", lambda: b"<svg onload=alert(1)>"), "not a whole GIF"),
}


# Histories and cards


def history(value: object) -> Callable[[Path], object]:
    return file("history.json", lambda: value if isinstance(value, bytes) else json.dumps(value).encode())


LONG = {f"name {number}": [1, 2] for number in range(50_000)}
HISTORIES = {
    "history-deep": Attack(history(b'{"images": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "history of"),
    "history-huge": Attack(history(b" " * (5 << 20) + b"{}"), "history.json has"),
    "history-large-number": Attack(history(b'{"images": [1], "loss": [1' + b"0" * 4000 + b"]}"), "history of"),
    "history-text": Attack(history({"images": [1], "loss": ["<script>"]}), "history of"),
    "history-many": Attack(history({"images": [1, 2]} | LONG), "history of"),
    "history-no-images": Attack(history({"loss": [1, 2]}), "history of"),
    "history-names": Attack(
        history({"images": [1, 2], "<a href='http://evil.example'>x</a>": [1, 2], SCRIPT: [1, 2]}), ""
    ),
}


def card(content: str) -> Callable[[Path], object]:
    return file("README.md", content.encode)


CARDS = {
    "card-script": Attack(
        card(f"# Hello\n{SCRIPT}\n<iframe src=javascript:alert(1)></iframe>\n<svg onload=alert(1)>"), ""
    ),
    "card-pictures": Attack(
        card(
            "![a](http://evil.example/1.png) ![b][r] ![r] !![c][r] !!![d](http://evil.example/2.png) !![e](x)[f][r]\n"
            "![g\n](http://evil.example/3.png) ![[h]](http://evil.example/4.png)\n\n[r]: http://evil.example/5.png\n"
        ),
        "",
    ),
    "card-links": Attack(
        card(
            "[a](javascript:alert(1)) [b](data:text/html,<script>alert(1)</script>) <javascript:alert(1)> "
            "\\<javascript:alert(2)>"
        ),
        "",
    ),
    "card-quadratic": Attack(card("![" * 40_000), ""),
    "card-huge": Attack(card("a " * (3 << 20)), "README.md has"),
    "card-bidi": Attack(card(f"{BIDI} !\u202a[x][r]\n\n[r]: http://evil.example/6.png"), ""),
    "card-binary": Attack(file("README.md", lambda: bytes(range(256)) * 10), ""),
}

ATTACKS = MANIFESTS | NETWORKS | STATISTICS | PICTURES | HISTORIES | CARDS


def zoo(folder: Path, attacks: dict[str, Attack] = ATTACKS) -> Path:
    """Write one entry for each attack, and a good one."""
    good(folder / "good")
    for name, attack in attacks.items():
        attack.make(folder / name)
    return folder


def read_all(folder: Path) -> None:
    """Read an entry by everything that reads entries; raises what they raise."""
    from zoo import images, models, networks
    from zoo.analysis import history
    from zoo.widgets import loading
    from zoo.widgets.card import card_text

    found = entry.read(folder)
    entry.verify(found)
    if found.has("samples.png"):
        with contextlib.suppress(ValueError):
            images.decode_upload(found.content("samples.png", images.MAX_BYTES), found.shape)
    loading.sample_sheet(found)
    history.history(found)
    card_text(found)
    if found.has("snapshots.gif"):
        images.animation(found.content("snapshots.gif", images.MAX_ANIMATION_BYTES))
    aggregate.load(found)
    for role, declared in found.manifest.networks.items():
        given = {name: np.ones((100, *shape), np.float32) for name, shape in declared.inputs.items()}
        networks.run(found, role, **given)
    for sampler in samplers.offered(found):
        models.sample(found, 3, 0, sampler)


# Keras files, for the importer


def keras_file(change: Callable[[object], object] = lambda file: None, **layer: object) -> Callable[[Path], object]:
    """A Keras 2 file of one dense decoder, made by hand; `layer` changes its dense layer, `change` the open file."""

    def make(folder: Path) -> None:
        import h5py

        dense = {"name": "dense", "units": 16, "activation": "linear", "use_bias": True}
        layers = [
            {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 2], "dtype": "float32", "name": "in"}},
            {"class_name": "Dense", "config": dense} | layer,
            {"class_name": "Reshape", "config": {"name": "reshape", "target_shape": [4, 4, 1]}},
        ]
        with h5py.File(folder / "decoder.h5", "w") as file:
            described = {"class_name": "Sequential", "config": {"name": "decoder", "layers": layers}}
            file.attrs["model_config"] = json.dumps(described)
            file.attrs["keras_version"] = "2.4.0"
            kept = file.create_group("model_weights")
            kept.attrs["layer_names"] = [b"in", b"dense", b"reshape"]
            for name in ("in", "dense", "reshape"):
                kept.create_group(name).attrs["weight_names"] = []
            kept["dense"].attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
            kept["dense/dense/kernel:0"] = np.ones((2, 16), np.float32)
            kept["dense/dense/bias:0"] = np.zeros(16, np.float32)
            change(file)

    return make


KERNEL = "model_weights/dense/dense/kernel:0"


def instead(put: Callable[[object], object]) -> Callable[[object], object]:
    def change(file) -> None:
        del file[KERNEL]
        put(file)

    return change


def virtual(file) -> None:
    import h5py

    layout = h5py.VirtualLayout((2, 16), "float32")
    layout[...] = h5py.VirtualSource("/etc/passwd", "x", shape=(2, 16))
    file.create_virtual_dataset(KERNEL, layout)


def archive(members: dict[str, bytes]) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        with zipfile.ZipFile(folder / "model.keras", "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in members.items():
                file.writestr(name, content)

    return make


def described(text: str) -> Callable[[object], object]:
    return lambda file: file.attrs.__setitem__("model_config", text)


def foreign_attacks() -> dict[str, Attack]:
    """Attacks on the reading of Keras files; {} where h5py is missing."""
    try:
        import h5py
    except ImportError:
        return {}

    def stored(*shape: int, kind: str = "float32", **how: object) -> Callable[[Path], object]:
        return keras_file(instead(lambda file: file.create_dataset(KERNEL, shape, kind, **how)))

    def linked(link: object) -> Callable[[Path], object]:
        return keras_file(instead(lambda file: file.__setitem__(KERNEL, link)))

    lambda_layer = {"class_name": "Lambda", "config": {"name": "evil", "function": ["4wEAAAAA", None, None]}}
    return {
        "keras-good": Attack(keras_file(), ""),
        "keras-external-link": Attack(linked(h5py.ExternalLink("/etc/passwd", "/x")), "link"),
        "keras-soft-link": Attack(linked(h5py.SoftLink("/model_weights")), "link"),
        "keras-external-storage": Attack(stored(2, 16, external=[("/etc/passwd", 0, 128)]), "."),
        "keras-virtual": Attack(keras_file(instead(virtual)), "."),
        "keras-claims-terabytes": Attack(stored(1 << 40, chunks=(1 << 20,), compression="gzip"), "."),
        "keras-claims-gigabytes": Attack(stored((1 << 30) - 1, chunks=(1 << 20,), compression="gzip"), "."),
        "keras-other-shape": Attack(stored(7, 16), "."),
        "keras-broadcast": Attack(stored(1, 16), "."),
        "keras-text": Attack(stored(2, 16, kind="S1"), "."),
        "keras-objects": Attack(stored(2, 16, kind=h5py.string_dtype()), "."),
        "keras-nan": Attack(keras_file(lambda file: file[KERNEL].__setitem__(..., np.nan)), "finite"),
        "keras-missing": Attack(keras_file(instead(lambda file: None)), "."),
        "keras-lambda": Attack(keras_file(**lambda_layer), "Lambda"),
        "keras-custom": Attack(keras_file(class_name="os>system"), "."),
        "keras-huge-layer": Attack(keras_file(config={"name": "dense", "units": 200_000_000}), "."),
        "keras-negative-layer": Attack(keras_file(config={"name": "dense", "units": -5}), "."),
        "keras-deep": Attack(keras_file(described("[" * 50_000)), "."),
        "keras-no-json": Attack(keras_file(described("{'a': __import__('os')}")), "."),
        "keras-archive-climbs": Attack(archive({"../../evil.json": b"{}", "config.json": b"{}"}), "."),
        "keras-archive-bomb": Attack(archive({"config.json": bytes(300 << 20), "model.weights.h5": b"x"}), "."),
        "keras-archive-pickle": Attack(archive({"config.json": b"{}", "model.weights.h5": b"\x80\x04cos\n."}), "."),
        "keras-garbage": Attack(
            lambda f: (f / "model.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 64), "."
        ),
    }


def read_foreign(folder: Path) -> None:
    """Read the Keras files of a folder as the importer does before it needs Keras."""
    from training.importing import files
    from training.importing.graphs import Graph

    with tempfile.TemporaryDirectory() as room:
        for make in files.models(folder, Path(room)).values():
            model = make()
            for key, found in (model.networks or {}).items():
                model.assign(Graph(found, "" if len(model.networks) == 1 else key))


def main(folder: Path, *options: str) -> None:
    """Read every entry of a folder; print name, type and text of the error, and the growth of memory in MB."""
    from zoo.networks import trial

    trial.SECONDS = 3
    read, first = (read_foreign, "keras-good") if options else (read_all, "good")
    read(folder / first)
    before = _megabytes(resource.RUSAGE_SELF)
    for path in sorted(folder.iterdir()):
        kind = message = ""
        try:
            read(path)
        except Exception as error:
            kind, message = type(error).__name__, str(error)
        grown = _megabytes(resource.RUSAGE_SELF) - before
        found = {"name": path.name, "kind": kind, "message": message, "grown": grown}
        print(json.dumps(found | {"trials": _megabytes(resource.RUSAGE_CHILDREN)}), flush=True)


def _megabytes(who: int) -> int:
    """The largest resident memory so far."""
    return resource.getrusage(who).ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
