"""Files that must not come in: name → (how to write it into a folder, what the refusal must say).

Run as a script it tries every one in turn, python import_attacks.py FOLDER, and prints what each was answered and by
how much the process grew and what was left unpacked; no answer may take Keras or TensorFlow."""

import io
import json
import sys
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np


def dense(units=3, **options):
    return {"class_name": "Dense", "config": {"name": "dense", "units": units, **options}}


def sequential(*layers, shape=(64,)):
    first = {"class_name": "InputLayer", "config": {"name": "in", "batch_input_shape": [None, *shape]}}
    return {"class_name": "Sequential", "config": {"name": "generator", "layers": [first, *layers]}}


def conv(**options):
    return {"class_name": "Conv2D", "config": {"name": "c", "filters": 4, "kernel_size": 3} | options}


def functional(layers, outputs):
    first = {"class_name": "InputLayer", "name": "in", "config": {"batch_shape": [None, 64]}, "inbound_nodes": []}
    config = {"name": "m", "layers": [first, *layers], "input_layers": [["in", 0, 0]], "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def call(kind, name, *inputs, **options):
    nodes = [[[i, 0, 0, {}] for i in inputs]]
    return {"class_name": kind, "name": name, "config": options, "inbound_nodes": nodes}


def whole(config, change=lambda file: None, units=3):
    """A writer of a Keras 2 file with this configuration and the weights of one Dense layer, then changed."""

    def write(folder: Path) -> Path:
        path = folder / "model.h5"
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = config if isinstance(config, str | bytes) else json.dumps(config)
            group = file.create_group("model_weights")
            group.attrs["layer_names"] = np.array([b"dense"])
            inner = group.create_group("dense")
            inner.attrs["weight_names"] = np.array([b"dense/kernel:0", b"dense/bias:0"])
            inner["dense/kernel:0"] = np.zeros((64, units), "float32")
            inner["dense/bias:0"] = np.zeros(units, "float32")
            change(file)
        return path

    return write


KERNEL = "model_weights/dense/dense/kernel:0"


def replaced(make):
    """Replace the kernel by what `make(file)` puts in its place."""

    def change(file):
        del file[KERNEL]
        make(file)

    return whole(sequential(dense()), change)


def elsewhere(file):
    other = Path(file.filename).with_name("other.h5")
    with h5py.File(other, "w") as target:
        target["kernel"] = np.zeros((64, 3), "float32")
    return other


def external_storage(file):
    path = Path(file.filename).with_name("secret.bin")
    path.write_bytes(bytes(64 * 3 * 4))
    file.create_dataset(KERNEL, (64, 3), "float32", external=[(str(path), 0, 64 * 3 * 4)])


def virtual(file):
    layout = h5py.VirtualLayout((64, 3), "float32")
    layout[...] = h5py.VirtualSource(str(elsewhere(file)), "kernel", shape=(64, 3))
    file.create_virtual_dataset(KERNEL, layout)


def chunk_bomb(file):
    """A chunk of 768 bytes that unpacks to 400 megabytes."""
    data = file.create_dataset(KERNEL, (64, 3), "float32", chunks=(64, 3), compression="gzip")
    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(bytes(4 << 20)) for _ in range(100)) + packer.flush()
    data.id.write_direct_chunk((0, 0), packed)


def declared(shape):
    return lambda file: file.create_dataset(KERNEL, shape, "float32", chunks=(1,) * len(shape), compression="gzip")


def many_groups(file):
    for number in range(20_100):
        file.create_group(f"more/{number}")


def cycle(file):
    file["model_weights/loop"] = file["model_weights"]


def zipped(**files):
    def write(folder: Path) -> Path:
        path = folder / "model.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name.replace("__", "/"), content)
        return path

    return write


def keras_zip(config, weights=b"\x89HDF\r\n\x1a\n" + bytes(64)):
    def write(folder: Path) -> Path:
        path = folder / "model.keras"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", weights)
        return path

    return write


def keras_bombs(config):
    """A small zip of many .keras files, each with weights that unpack to 16 megabytes of nothing."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", bytes(16 << 20))
    return zipped(**{f"m{number}.keras": bomb.getvalue() for number in range(6)})


def zip_slip(folder: Path) -> Path:
    path = folder / "slip.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../outside.h5", b"x")
    return path


def zip_saying(folder: Path, held: int, said: int) -> Path:
    """A zip whose member says another size than it has."""
    path = folder / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.h5", bytes(held))
    path.write_bytes(path.read_bytes().replace(held.to_bytes(4, "little"), said.to_bytes(4, "little")))
    return path


def zip_bomb(folder: Path) -> Path:
    return zip_saying(folder, 1 << 20, 2 << 30)


def zip_lie(folder: Path) -> Path:
    return zip_saying(folder, 100 << 20, 100)


def pickled(folder: Path) -> Path:
    path = folder / "model.keras"
    path.write_bytes(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.")
    return path


def saved(metadata: bytes, index: bool = True):
    def write(folder: Path) -> Path:
        place = folder / "saved"
        (place / "variables").mkdir(parents=True)
        (place / "saved_model.pb").write_bytes(b"")
        (place / "keras_metadata.pb").write_bytes(metadata)
        if index:
            (place / "variables" / "variables.index").write_bytes(b"")
        return place

    return write


def deep_networks(levels):
    config = sequential(dense())
    for level in range(levels):
        outer = sequential(config | {"name": f"inner{level}"})
        config = outer
    return config


NESTED = "[" * 100_000 + "]" * 100_000
LOOP = [call("Add", "a", "in", "b"), call("Dense", "b", "a", units=64)]


def tensors(header, data=b"", length=None):
    """A writer of a safetensors file with this header."""

    def write(folder: Path) -> Path:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        path = folder / "netG.safetensors"
        path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
        return path

    return write


def stored(shape, offsets, kind="F32"):
    """A generator of one linear layer, 4 → 64, whose weight is stated so."""
    weight = {"dtype": kind, "shape": shape, "data_offsets": offsets}
    return {"fc.weight": weight, "fc.bias": {"dtype": "F32", "shape": [64], "data_offsets": [1024, 1280]}}


def torch_zip(content, **files):
    """A writer of a file of torch.save with this pickle."""

    def write(folder: Path) -> Path:
        path = folder / "netG.pth"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("netG/data.pkl", b"\x80\x02" + content + b".")
            for name, data in files.items():
                archive.writestr(f"netG/data/{name[1:]}", data)
        return path

    return write


def view(shape, strides=(1,), offset=0, key="0"):
    """A pickled state_dict of the linear layer "fc", whose weight is such a view of a storage."""

    def number(n):
        return b"\x8a\x08" + n.to_bytes(8, "little", signed=True)

    def text(word):
        return b"X" + len(word).to_bytes(4, "little") + word.encode()

    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu") + number(4) + b"tQ"
    sizes = b"".join(b"(" + b"".join(map(number, part)) + b"t" for part in (shape, strides))
    hooks = b"\x89ccollections\nOrderedDict\n)R"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + sizes + hooks + b"tR"
    return b"}" + text("fc.weight") + tensor + b"s"


def onnx_file(change=lambda model: None, shape=(64,), nodes=1):
    """A writer of an ONNX file that repeats Relu, and is changed then."""

    def write(folder: Path) -> Path:
        from onnx import TensorProto, helper

        names = ["in", *(f"x{n}" for n in range(nodes - 1)), "out"]
        made = [helper.make_node("Relu", [one], [two]) for one, two in zip(names, names[1:], strict=False)]
        sides = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *shape]) for n in ("in", "out")]
        model = helper.make_model(helper.make_graph(made, "g", sides[:1], sides[1:]),
                                  opset_imports=[helper.make_opsetid("", 17)], ir_version=8)  # fmt: skip
        change(model)
        (folder / "decoder.onnx").write_bytes(model.SerializeToString())
        return folder / "decoder.onnx"

    return write


def widened(model):
    """Its result is repeated four million times."""
    from onnx import TensorProto, helper

    model.graph.initializer.append(helper.make_tensor("times", TensorProto.INT64, [2], [1, 4_000_000]))
    model.graph.node.append(helper.make_node("Tile", ["out", "times"], ["wide"]))
    model.graph.output[0].name = "wide"


def circular(model):
    """Two casts wait for each other."""
    from onnx import TensorProto, helper

    for one, two in (("a", "b"), ("b", "a")):
        model.graph.node.append(helper.make_node("Cast", [one], [two], to=TensorProto.FLOAT))
    model.graph.node.append(helper.make_node("Add", ["out", "a"], ["sum"]))
    model.graph.output[0].name = "sum"


def claimed(model):
    """A constant claims 2⁴⁰ values and holds none."""
    from onnx import TensorProto, helper

    kernel = helper.make_tensor("kernel", TensorProto.FLOAT, [1], [1.0])
    kernel.dims[:] = [64, 1 << 40]
    model.graph.initializer.append(kernel)
    model.graph.node.append(helper.make_node("MatMul", ["out", "kernel"], ["wide"]))
    model.graph.output[0].name = "wide"


ATTACKS = {
    "lambda": (whole(sequential({"class_name": "Lambda", "config": {"name": "hack", "function": ["x"]}})),
        "is a Lambda"),
    "custom-layer": (whole(sequential({"class_name": "Mine>Evil", "config": {"name": "x"}})),
        "none of the stock layers"),
    "custom-model": (whole({"class_name": "VAE", "config": {"dim": 3}}), "whose code is not in it"),
    "unknown-op": (whole(functional([call("TFOpLambda", "op", "in", function="io.read_file")], [["op", 0, 0]])),
                   "no stock layer"),
    "wrapper": (whole(sequential({"class_name": "TimeDistributed", "config": {"layer": conv()}})),
        "stock layer that is not understood"),
    "units": (whole(sequential(dense(200_000_000))), "parameters"),
    "units-float": (whole(sequential(dense(1e300))), "units"),
    "units-huge": (whole(sequential(dense(10**4000))), "units"),
    "units-text": (whole(sequential(dense("9" * 50))), "units"),
    "negative": (whole(sequential(dense(-3))), "units"),
    "upsampling": (whole(sequential({"class_name": "UpSampling2D", "config": {"name": "u", "size": [9999, 9999]}},
                                    shape=(8, 8, 1))), "values per image"),
    "repeat": (whole(sequential({"class_name": "RepeatVector", "config": {"name": "r", "n": 4_000_000}})),
        "values per"),
    "padding": (whole(sequential({"class_name": "ZeroPadding2D", "config": {"padding": 4000}}, shape=(8, 8, 1))),
                "values per image"),
    "reshape": (whole(sequential({"class_name": "Reshape", "config": {"target_shape": [8, 9]}})), "target_shape"),
    "input-shape": (whole(sequential(dense(), shape=(1 << 40,))), "values per image"),
    "open-shape": (whole(sequential(conv(), shape=(None, 8, 3))), "open in size"),
    "no-shape": (whole({"class_name": "Sequential", "config": [dense()]}), "shape of its input"),
    "argument": (whole(sequential(dense(backdoor="x"))), "backdoor"),
    "activation": (whole(sequential(dense(activation="evil"))), "activation"),
    "activation-code": (whole(sequential(dense(activation={"class_name": "function", "config": {"code": "x"}}))),
                        "activation"),
    "channels-first": (whole(sequential(conv(data_format="channels_first"), shape=(1, 28, 28))), "channels_first"),
    "loop": (whole(functional(LOOP, [["b", 0, 0]])), "loop"),
    "missing-layer": (whole(functional([], [["ghost", 0, 0]])), "not there"),
    "same-name": (whole(functional([call("Flatten", "a", "in"), call("Flatten", "a", "in")], [["a", 0, 0]])),
        "two layers"),
    "deep-networks": (whole(deep_networks(12)), "deep"),
    "many-layers": (whole(sequential(*[{"class_name": "ReLU", "config": {"name": f"r{n}"}} for n in range(1500)])),
                    "more than 1,000 layers"),
    "nested-json": (keras_zip(NESTED), "nested too deeply"),
    "long-json": (keras_zip(b"[" + b"1," * (2 << 20) + b"1]"), "more than"),
    "json-nan": (keras_zip(b'{"class_name": NaN}'), "NaN"),
    "no-json": (keras_zip(b"\xff\xfe\x00"), "not a configuration"),
    "nan": (whole(sequential(dense()), lambda file: file[KERNEL].write_direct(np.full((64, 3), np.nan, "float32"))),
            "not finite"),
    "infinite": (replaced(lambda file: file.create_dataset(KERNEL, data=np.full((64, 3), 1e300))), "not finite"),
    "wrong-shape": (replaced(lambda file: file.create_dataset(KERNEL, data=np.zeros((7, 3)))), "has the shape"),
    "missing-weight": (replaced(lambda file: None), "missing"),
    "soft-link": (replaced(lambda file: file.__setitem__(KERNEL, h5py.SoftLink("/model_weights/dense/dense/bias:0"))),
                  "link"),
    "external-link": (replaced(lambda file: file.__setitem__(KERNEL, h5py.ExternalLink(str(elsewhere(file)),
        "/kernel"))),
                      "link"),
    "external-storage": (replaced(external_storage), "another file"),
    "virtual": (replaced(virtual), "another file"),
    "objects": (replaced(lambda file: file.create_dataset(KERNEL, (64, 3), h5py.string_dtype())), "objects"),
    "strings": (replaced(lambda file: file.create_dataset(KERNEL, data=np.full((64, 3), b"a"))), "instead of numbers"),
    "chunk-bomb": (replaced(chunk_bomb), "chunk"),
    "declared": (replaced(declared((1 << 40,))), "has the shape"),
    "declared-right": (whole(sequential(dense(900_000)), lambda file: (file.__delitem__(KERNEL),
                             declared((64, 900_000))(file)), units=900_000),
        "packed in a way|parameters|chunk|role|none"),
    "many-groups": (whole(sequential(dense()), many_groups), "too many groups"),
    "cycle": (whole(sequential(dense()), cycle), "too deeply|too many"),
    "truncated": (lambda folder: _cut(whole(sequential(dense()))(folder)), "damaged"),
    "keras-bombs": (keras_bombs({}), "no class_name"),
    "keras-bombs-described": (keras_bombs(sequential(dense())), "damaged or no HDF5"),
    "zip-slip": (zip_slip, "leads out"),
    "zip-bomb": (zip_bomb, "unpacks to more"),
    "zip-lie": (zip_lie, "unpacked|unpacks"),
    "zip-empty": (zipped(readme="nothing"), "holds no model that is read here"),
    "pickle": (pickled, "is a pickle"),
    "metadata-cut": (saved(b"\x0a\xff\xff\xff\x7f"), "cut short"),
    "metadata-noise": (saved(bytes(range(256)) * 100), "metadata is damaged"),
    "no-variables": (saved(b"", index=False), "lacks variables"),
    "no-keras": (saved(b""), "no Keras model"),
    "tensors-header": (tensors({}, length=1 << 60), "header is larger"),
    "tensors-noise": (tensors(b"{" * 50_000), "header is not JSON"),
    "tensors-outside": (tensors(stored([64, 4], [1 << 40, (1 << 40) + 1024]), bytes(1280)), "outside of the file"),
    "tensors-short": (tensors(stored([64, 4], [1000, 2024]), bytes(1280)), "outside of the file"),
    "tensors-type": (tensors(stored([64, 4], [0, 1024], "I64"), bytes(1280)), "is I64"),
    "tensors-huge": (tensors(stored([1 << 40, 4], [0, 1024]), bytes(1280)), "fit together|usual image|parameters"),
    "tensors-shape": (tensors(stored([-1], [0, 1024]), bytes(1280)), "has no shape"),
    "torch-system": (torch_zip(b"cposix\nsystem\nX\x04\x00\x00\x00true\x85R"), r"'posix\.system', which is no tensor"),
    "torch-builtin": (torch_zip(b"cbuiltins\neval\nX\x01\x00\x00\x001\x85R"), r"'builtins\.eval', which is no tensor"),
    "torch-stacked": (torch_zip(b"\x8c\x02os\x8c\x06system\x93)R"), "unusual way"),
    "torch-memo": (torch_zip(b"}r\xff\xff\xff\xef"), "damaged file of PyTorch"),
    "torch-bytes": (torch_zip(b"\x96\x00\x00\x00\x00\x00\x01\x00\x00"), "damaged|unusual way"),
    "torch-cycle": (torch_zip(b"}q\x00(" + b"".join(b"X\x04\x00\x00\x00" + f"{n:04}".encode() + b"h\x00"
                                                   for n in range(2000)) + b"u"), "holds no state_dict"),
    "torch-nested": (torch_zip(b"]" * 200_000 + b"a" * 199_999), "holds no state_dict|damaged"),
    "torch-called": (torch_zip(b"ccollections\nOrderedDict\n)RX\x01\x00\x00\x00a\x85R"), "damaged file of PyTorch"),
    "torch-bomb": (torch_zip(view((64, 4), (4, 1)), _0=b"\xff" * (220 << 20)), "not finite"),
    "torch-long": (torch_zip(view((64, 784), (1 << 40, 1)), _0=bytes(16)), "more than the .* values"),
    "torch-strides": (torch_zip(view((64, 784), (1,)), _0=bytes(16)), "has no shape"),
    "torch-negative": (torch_zip(view((64, 784), (-1, 1)), _0=bytes(16)), "has no shape"),
    "torch-missing": (torch_zip(view((64, 784), (784, 1), key="../../x"), _0=bytes(16)), "missing in the file"),
    "onnx-noise": (lambda folder: _named(folder / "g.onnx", bytes(range(256)) * 99), "damaged, or no ONNX"),
    "onnx-wide": (onnx_file(widened), "values per image"),
    "onnx-claim": (onnx_file(claimed), "values per image|contradict"),
    "onnx-circle": (onnx_file(circular), "no axis|contradict|neither is an image"),
    "onnx-input": (onnx_file(shape=(1 << 40,)), "values per image"),
    "onnx-many": (onnx_file(nodes=20_000), "more than the 10,000 allowed"),
    "onnx-cycle": (onnx_file(lambda model: model.graph.node[0].input.__setitem__(0, "out")),
                   "no axis|contradict|not use|does not"),
}  # fmt: skip


def _named(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _cut(path: Path) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def resident() -> int:
    """The most memory that this process ever held, in bytes."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main(folder: Path) -> None:
    from training.importing import Refused
    from training.importing.options import Options, Source
    from training.importing.reading import drafts

    paths = json.loads((folder / "paths.json").read_text())
    answers = {}
    for name, path in paths.items():
        room = folder / "rooms" / name
        room.mkdir(parents=True)
        before = resident()
        try:
            drafts(Source(name, Path(path)), Options(), room)
            said = "came in"
        except Refused as refusal:
            said = str(refusal)
        left = sum(path.stat().st_size for path in room.rglob("*") if path.is_file())
        answers[name] = (said, resident() - before, left)
    trainers = sorted({"keras", "tensorflow"} & set(sys.modules))
    outside = [str(path) for path in folder.rglob("outside.h5")]
    print(json.dumps({"answers": answers, "trainers": trainers, "outside": outside}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
