"""What was found in a source, as an entry: networks built, ranges tried, ONNX verified, manifest and sheet written."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from training.importing import Refused, files, inference, roles
from training.importing.graphs import Graph
from zoo import entries
from zoo import images as pictures
from zoo.data import datasets
from zoo.entries import Entry
from zoo.hub.origin import TAG
from zoo.known import DATASETS
from zoo.manifest import SCHEMA, Dataset, File, Image, Latent, Manifest, Provenance, brief

RANGES = ("unit", "symmetric", "bytes", "logits")
BUILT_IN = {1: "digits", 3: "fruits"}
TRIED = 32  # latents or images on which ranges are tried out
TITLES = {
    "autoencoder": "Imported autoencoder",
    "vae": "Imported variational autoencoder",
    "gan": "Imported GAN",
    "generator": "Imported generator",
    "decoder": "Imported decoder",
    "encoder": "Imported encoder",
    "discriminator": "Imported discriminator",
    "classifier": "Imported classifier",
}


@dataclass
class Options:
    """What a user may correct; None is to be found out.

    `file` is the part of a source that is meant; `reads` and `makes` the range of images (one of RANGES) that go in
    and come out; `side` that of images where a network is open in size; `architecture` a known network or a recipe for
    weights alone, `strides`, `activation` and `last` correct one that was inferred from shapes."""

    role: str | None = None
    makes: str | None = None
    reads: str | None = None
    name: str | None = None
    title: str | None = None
    file: str | None = None
    dataset: str | None = None
    side: int | None = None
    architecture: str | None = None
    strides: tuple[int, ...] | None = None
    activation: str | None = None
    last: str | None = None


@dataclass
class Report:
    """What was found, for people: role, shapes, ranges, what was guessed and what is wrong."""

    roles: dict[str, str]
    format: str
    files: list[str]
    parameters: int
    image: list[int]
    latent: list[int] | None
    classes: int
    makes: str | None
    reads: str | None
    guesses: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass
class Source:
    """Where the files are from: a name to tell, a commit of the Hub, the files themselves."""

    name: str
    path: Path
    revision: str | None = None


def bring(source: Source, destination: Path, options: Options, say: Callable[[str], None]) -> tuple[Entry, Report]:
    """Write the networks in a source as the entry destination/<name>; raises Refused with one sentence.

    Everything that can be refused without Keras is refused before it is imported."""
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".room") as room:
        models, found, arrays, guesses = read(source, options, Path(room), say)
        say("Building the networks")
        return _written(source, destination, options, models, found, arrays, guesses, say)


def read(source: Source, options: Options, room: Path, say: Callable[[str], None] = lambda text: None) -> tuple:
    """(models, roles found, weights by role and layer path, guesses) of a source, without Keras; raises Refused."""
    say("Looking at what the files hold")
    models, guesses = _chosen(source, room, options)
    graphs: dict[str, Graph] = {}
    owners: dict[int, files.Model] = {}
    for model in models:
        for key, network in _networks(model, options, guesses).items():
            graph = graphs[f"{model.name}: {key}" if key else model.name] = Graph(network, key, options.side)
            owners[id(graph)] = model
    hints = " ".join([source.name, *(f"{label} {graph.network.name}" for label, graph in graphs.items())])
    found = roles.find(graphs, hints, options.role)
    say("Reading the weights")
    parts = {id(part.graph): part.graph for part in found.parts.values()}
    arrays = {number: owners[number].assign(graph) for number, graph in parts.items()}
    return models, found, {role: arrays[id(part.graph)] for role, part in found.parts.items()}, guesses


def _chosen(source: Source, room: Path, options: Options) -> tuple[list[files.Model], list[str]]:
    """The models of a source that come in: the one named, or one of each kind of name, the latest of its kind."""
    offered = files.models(source.path, room)
    if options.file:
        if options.file not in offered:
            raise Refused(f"There is no model {brief(options.file)}; there are {', '.join(list(offered)[:8])}.")
        return [offered[options.file]()], []
    kinds: dict[str, list[str]] = {}
    for name in offered:
        match = re.search("encod|decod|discrim|critic|generat|classif", name.lower())
        kinds.setdefault(match[0] if match else "", []).append(name)
    if len(kinds) > 1 and "" in kinds:
        parts = set(kinds) & {"encod", "decod", "generat"}
        kinds = {kind: names for kind, names in kinds.items() if bool(kind) == bool(parts)}
    guesses, chosen, failures = [], [], []
    for names in kinds.values():
        names = sorted(names, key=lambda name: "best" in name.lower() or "final" in name.lower())
        for name in reversed(names):
            try:
                chosen.append(offered[name]())
                break
            except Refused as error:
                failures.append(error)
        if len(names) > 1 and chosen:
            others = ", ".join(brief(name) for name in names[:6] if name != chosen[-1].name)
            guesses.append(f"Of several models {brief(chosen[-1].name)} was taken; there are also {others} (file).")
    if not chosen:
        raise failures[0]
    guesses += [f"A part was left out: {error}" for error in failures]
    return chosen, guesses


def _networks(model: files.Model, options: Options, guesses: list[str]) -> dict:
    """The networks of a model by the key of its weights ("" where it is the whole model)."""
    networks = model.networks
    if networks is None:
        networks, told = inference.infer(*model.stated, options, model.name)
        guesses += told
    if len(networks) == 1 and next(iter(networks)) in ("", next(iter(networks.values())).name):
        return {"": next(iter(networks.values()))}
    return networks


def _written(source, destination, options, models, found, arrays, guesses, say) -> tuple[Entry, Report]:
    from training import device, export, networks, staging  # noqa: F401  (device first: it imports Keras quietly)
    from training.importing import build

    device.use("float32")
    parts = found.parts
    guesses = guesses + found.guesses
    makes, reads = _ranges(parts, arrays, options, guesses, found.warnings, build)
    built = {
        name: build.network(part, arrays[name], reads=reads or "unit", makes=makes or "unit")
        for name, part in _ordered(parts).items()
    }
    image = next(part.image for part in parts.values())
    pixels, notice = pictures.fit(datasets.load(BUILT_IN[image[2]], "test", count=64).images, image)
    name = options.name or _slug(source)
    final = destination / name
    with staging.replacing(final) as staged:
        import keras

        keras.saving.save_model(_whole(built, name), staged, zipped=False)
        shutil.rmtree(staged / "assets", ignore_errors=True)
        export.compress(staged / "model.weights.h5")
        described = {}
        for role, network in built.items():
            say(f"Writing the {role} as ONNX and comparing it with Keras")
            described[role] = export.onnx_file(network, role, staged, pixels)
        report = Report(
            {role: _told(part) for role, part in parts.items()},
            models[0].format,
            [model.name for model in models],
            sum(item.parameters for item in described.values()),
            list(image),
            _latent(built),
            max((part.label.classes for part in parts.values() if part.label), default=0),
            makes,
            reads,
            guesses,
            found.warnings,
        )
        say("Drawing the samples")
        with entries.refusing(name):
            manifest = _manifest(name, source, options, models, parts, described, report, entries.files(staged))
        entry = entries.write(staged, manifest)
        sheet = _sheet(entry, pixels, report)
        if sheet is not None:
            (staged / "samples.png").write_bytes(pictures.png(sheet))
        entries.verify(staging.finish(staged, manifest))
    return entries.read(final), report


def _ordered(parts: dict[str, roles.Part]) -> dict[str, roles.Part]:
    return {
        role: parts[role]
        for role in ("encoder", "decoder", "generator", "discriminator", "classifier")
        if role in parts
    }


def _whole(built: dict, name: str):
    from training import export

    if set(built) == {"discriminator"}:
        import keras

        network = built["discriminator"]
        inputs = [keras.Input(x.shape[1:], dtype=x.dtype, name=x.name) for x in network.inputs]
        return keras.Model(inputs, network(inputs if len(inputs) > 1 else inputs[0]), name=name.replace(".", "_"))
    first = built.get("encoder")
    decoder = built.get("decoder")
    if first is not None and decoder is not None and len(first.inputs) < len(decoder.inputs):
        import keras

        image = keras.Input(first.inputs[0].shape[1:], name="image")
        label = keras.Input((), dtype="int32", name="label")
        codes = first(image)
        through = codes.get("latent", codes.get("z_mean"))
        return keras.Model([image, label], codes | decoder([through, label]), name=name.replace(".", "_"))
    return export.whole(built, name)


def _ranges(parts, arrays, options, guesses, warnings, build) -> tuple[str | None, str | None]:
    """(what the images that come out hold, what the images that go in are expected to hold), None where there are none.

    What comes out is tried on draws from N(0, I) and on encoded images."""
    import numpy as np

    maker = parts.get("generator") or parts.get("decoder")
    readers = [parts[role] for role in ("encoder", "discriminator", "classifier") if role in parts]
    makes = reads = None
    if options.makes not in (None, *RANGES) or options.reads not in (None, *RANGES[:3]):
        raise Refused(f"A range is one of {', '.join(RANGES)}; what goes in is never {RANGES[3]}.")
    if maker is not None:
        model = build.network(maker, arrays[maker.role])
        rng = np.random.default_rng(0)
        shape = maker.graph.shapes[maker.inputs["latent"]]
        batch = [rng.standard_normal((TRIED, *shape)).astype("float32")]
        if maker.label:
            batch.append((np.arange(TRIED) % maker.label.classes).astype("int32"))
        images = np.asarray(model(batch if len(batch) > 1 else batch[0], training=False)["image"])
        if not np.isfinite(images).all():
            raise Refused(f"The {maker.role} gives values that are not finite (NaN or infinity) on a trial batch.")
        if float(np.abs(images - images[:1]).max()) < 1e-6:
            warnings.append(f"The {maker.role} gives the same image for every code: it was probably never trained.")
        elif float(images.std()) < 1e-6:
            warnings.append(f"The {maker.role} gives images of one colour only.")
        found, sure = _range_of(images, _last_activation(maker))
        makes = options.makes or found
        if not options.makes and not sure:
            low, high = float(images.min()), float(images.max())
            guesses.append(
                f"What comes out lies between {low:.3g} and {high:.3g} and is taken for {build.TOLD[makes]} (range)."
            )
    if readers:
        reads = options.reads or _first_range(readers[0]) or {None: "unit", "logits": "unit"}.get(makes, makes)
        if not options.reads and _first_range(readers[0]) is None and makes is None:
            guesses.append("Images that go in are taken to be expected in [0, 1] (reads).")
    return makes, reads


def _last_activation(part: roles.Part) -> str | None:
    """The activation of the last call, also through reshapes."""
    tensor = part.outputs["image"]
    while call := part.graph.made_by.get(tensor):
        if call.layer.kind not in ("Reshape", "Flatten", "Cropping2D", "Permute"):
            return call.layer.spec.arguments.get("activation", "linear" if call.layer.spec.weights else None)
        tensor = call.inputs[0]
    return None


def _range_of(images, last: str | None) -> tuple[str, bool]:
    """(range, whether the network's last layer proves it) of a trial batch."""
    low, high = float(images.min()), float(images.max())
    if last == "sigmoid":
        return "unit", True
    if last == "tanh":
        return "symmetric", True
    if low >= -0.25 and high <= 1.5:
        return "unit", False
    if low >= -1.5 and high <= 1.5:
        return "symmetric", False
    if low >= -30 and high <= 330 and high > 30:
        return "bytes", False
    return "logits", False


def _first_range(part: roles.Part) -> str | None:
    """The range that a Rescaling at the beginning of a network proves."""
    calls = [call for call in part.graph.calls if call.inputs == (part.inputs["image"],)]
    if len(calls) == 1 and calls[0].layer.kind == "Rescaling":
        scale = calls[0].layer.spec.arguments["scale"]
        if isinstance(scale, float):
            return "bytes" if abs(scale) < 0.05 else "unit" if 0.9 < abs(scale) < 2.1 else None
    return None


def _sheet(entry: Entry, pixels, report: Report):
    """The gallery's picture: the network's own draws, or an autoencoder's reconstructions beside the originals."""
    import numpy as np

    from training import export
    from zoo import models

    if "generate" in entry.capabilities:
        return export.sample_sheet(entry)
    if "reconstruct" not in entry.capabilities:
        return None
    shown = pixels[:24]
    labels = np.arange(len(shown)) % len(entry.classes) if entry.conditional else None
    pairs = np.stack([shown, models.reconstruct(entry, shown, labels)], axis=1)
    report.guesses.append(
        f"Its own data is not known: the sheet shows {BUILT_IN[entry.shape[2]]} beside their reconstructions."
    )
    return pictures.sheet(pairs.reshape(-1, *entry.shape), 12)


def _told(part: roles.Part) -> str:
    """One line on a network: what goes in and what comes out."""
    graph = part.graph
    given = [f"{name} {roles.size(graph.shapes[tensor])}" for name, tensor in part.inputs.items()]
    if part.label:
        given.append(f"label of {part.label.classes} classes" + (", one-hot" if part.label.one_hot else ""))
    made = [f"{name} {roles.size(graph.shapes[tensor])}" for name, tensor in part.outputs.items()]
    return f"{', '.join(given)} → {', '.join(made)}"


def _latent(built: dict) -> list[int] | None:
    for role, tensors in built.items():
        if role in ("generator", "decoder"):
            return list(tensors.inputs[0].shape[1:])
    if "encoder" in built:
        return list(next(iter(built["encoder"].output.values())).shape[1:])
    return None


def _slug(source: Source) -> str:
    stem = re.sub(r"(\.weights)?\.(h5|hdf5|keras|zip)$", "", source.name.rstrip("/").rpartition("/")[2], flags=re.I)
    name = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:80]
    return name or "imported"


def _kind(parts) -> str:
    if {"encoder", "decoder"} <= parts.keys():
        return "vae" if "z_mean" in parts["encoder"].outputs or parts["encoder"].halves else "autoencoder"
    if {"generator", "discriminator"} <= parts.keys():
        return "gan"
    return next(iter(_ordered(parts)))


def _manifest(name, source, options, models, parts, described, report, kept: dict[str, File]) -> Manifest:
    kind = _kind(parts)
    classes = report.classes
    if "classifier" in parts:
        classes = described["classifier"].outputs["logits"][0]
    known = DATASETS.get(options.dataset or "")
    fits = known is not None and len(known.classes) == classes
    conditional = any(part.label for part in parts.values())
    prior = "none" if kind in ("autoencoder", "encoder") else "normal"
    if kind in ("decoder", "generator", "gan"):
        report.guesses.append("Codes are taken to be drawn from the standard normal distribution.")
    licence = files.told(source.path).get("license")
    digests = {model.name: model.sha256 for model in models}
    return Manifest(
        schema_version=SCHEMA,
        name=name,
        title=options.title or re.sub("[-_.]+", " ", name).strip().capitalize()[:200] or name,
        family="imported",
        family_title=TITLES[kind],
        year=None,
        paper=None,
        description=f"Imported from {_plain(source.name)} ({models[0].format}).",
        tags=(TAG, "imported", kind),
        dataset=Dataset(
            id=options.dataset or "unknown",
            revision=None,
            images=None,
            source="" if options.dataset else "Not known: the network was made elsewhere.",
        ),
        image=Image.model_validate({"shape": tuple(report.image), "range": (0, 1)}),
        latent=Latent.model_validate({"shape": tuple(report.latent), "prior": prior}) if report.latent else None,
        classes=tuple(known.classes) if fits else tuple(map(str, range(classes))),
        conditional=conditional,
        networks=described,
        metrics={},
        license=licence,
        provenance=Provenance.model_validate(
            {
                "recipe": None,
                "seed": None,
                "imported": {
                    "source": _plain(source.name),
                    "revision": source.revision,
                    "format": report.format,
                    "keras": models[0].keras,
                    "sha256": digests,
                    "makes": report.makes,
                    "reads": report.reads,
                    "guesses": list(report.guesses),
                    "warnings": list(report.warnings),
                },
            }
        ),
        files=kept,
    )


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:150]


def digest(source: Source, options: Options) -> str:
    """A short name for what is imported and how: the content of the source and every correction."""
    whole = hashlib.sha256(repr(sorted(asdict(options).items())).encode())
    paths = [source.path] if source.path.is_file() else sorted(files._walk(source.path))
    for path in paths:
        whole.update(path.name.encode("utf-8", "replace") + b"\0")
        with path.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()[:16]
