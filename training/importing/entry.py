"""What was found in a source, as entries: networks built, ranges tried, ONNX verified, manifest and sheet written."""

import base64
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from training import device, export, networks, staging  # noqa: F401  (device first: it imports Keras quietly)

import keras  # isort: skip
import numpy as np

from training.importing import Refused, build, files, inference, ranges, reading, roles
from training.importing.interchange.comparison import compare
from training.importing.interchange.networks import OnnxNetwork
from training.importing.options import Options, Report, Source
from training.importing.reading import Draft
from training.importing.roles import Part
from training.recipe import RecipeError
from zoo import entries, models
from zoo.entries import Entry
from zoo.errors import EntryError
from zoo.hub.origin import TAG
from zoo.images import fit, png, sheet
from zoo.known import DATASETS
from zoo.manifest import SCHEMA, Dataset, File, Image, Latent, Manifest, Network, Provenance
from zoo.sharing.corrections import PRIORS

Say = Callable[[str], None]
ORDER = ("encoder", "decoder", "generator", "discriminator", "classifier", "translator")
CHECKED = 64  # inputs on which Keras and ONNX are compared, fewer for large networks
SHOWN = 24  # images on a sheet of pairs
CHOICE = 8  # images of each choice
SAME = 1e-3  # largest difference of pixels between choices that count as one
TITLES = {
    "autoencoder": "Imported autoencoder",
    "vae": "Imported variational autoencoder",
    "gan": "Imported GAN",
    "generator": "Imported generator",
    "decoder": "Imported decoder",
    "encoder": "Imported encoder",
    "discriminator": "Imported discriminator",
    "classifier": "Imported classifier",
    "translator": "Imported image translator",
}


def write(
    source: Source, drafts: list[Draft], destination: Path, options: Options, say: Say
) -> list[tuple[Entry, Report]]:
    """Write drafts as the entries destination/<name>, with what is to be said about each.

    Args:
        source: where they are from.
        drafts: as reading.drafts gives them; of several, one that fails is left out and named.
        destination: the folder of the entries.
        options: what the user says.
        say: called with one line for each step.

    Raises:
        Refused: none could be written.
    """
    device.use("float32")
    made: list[tuple[Entry, Report]] = []
    failures: list[Refused] = []
    for draft in drafts:
        name = options.name or _slug(source)
        if len(drafts) > 1:
            name = f"{name[:60]}-{_kind(draft.parts)}"
        try:
            made.append(_written(source, draft, destination / name, options, say))
        except (RecipeError, EntryError) as error:
            failures.append(Refused(str(error)))
        except Refused as refusal:
            failures.append(refusal)
    if not made:
        raise failures[0]
    made[0][1].warnings += [f"A part was left out: {refusal}" for refusal in failures]
    return made


def _written(source: Source, draft: Draft, final: Path, options: Options, say: Say) -> tuple[Entry, Report]:
    say("Building the networks")
    parts, guesses, warnings = draft.parts, draft.found.guesses, draft.found.warnings
    options, usual = as_in_the_tutorial(parts, options, guesses)
    found = ranges.find(parts, draft.arrays, options, guesses, warnings, usual)
    makes, reads = found.makes or "unit", found.reads or "unit"
    built = {role: build.network(parts[role], draft.arrays[role], reads, makes) for role in ORDER if role in parts}
    report = Report(
        {role: described(part) for role, part in parts.items()},
        draft.models[0].format,
        [model.name for model in draft.models],
        sum(network.count_params() for network in built.values()),
        list(next(iter(parts.values())).image),
        _latent(parts),
        max((part.classes for part in parts.values()), default=0),
        found.makes,
        found.reads,
        guesses,
        warnings,
    )
    with staging.replacing(final) as staged:
        files_of = _networks(final.name, built, parts, staged, reads, makes, say)
        say("Drawing the samples")
        with entries.refusing(final.name):
            manifest = _manifest(final.name, source, options, draft, files_of, report, entries.files(staged))
        entry = entries.write(staged, manifest)
        sheet = _sheet(entry, parts, report)
        if sheet is not None:
            (staged / "samples.png").write_bytes(png(sheet))
        entries.verify(staging.finish(staged, manifest))
    report.choices = choices(source, draft, options, say)
    return entries.read(final), report


def as_in_the_tutorial(parts: dict[str, Part], options: Options, guesses: list[str]) -> tuple[Options, str | None]:
    """(options with the prior of the tutorial that a maker without an encoder is from, the range of its images).

    What is said stays; what is taken from the tutorial is added to the guesses."""
    maker = None if "encoder" in parts else parts.get("generator", parts.get("decoder"))
    found = inference.tutorial(maker) if maker else None
    if found is None:
        return options, None
    name, known = found
    if options.prior is None:
        options = replace(options, prior=known["prior"])
        guesses.append(
            f"Its weights have the shapes of {known['title']} ({name}), whose codes are drawn from "
            f"{PRIORS[known['prior']]}: so are these taken to be (prior)."
        )
    return options, known["makes"]


def _networks(
    name: str,
    built: dict[str, keras.Model | OnnxNetwork],
    parts: dict[str, Part],
    staged: Path,
    reads: str,
    makes: str,
    say: Say,
) -> dict[str, Network]:
    """Write the networks into an entry's folder: as ONNX, and as Keras where none is from an ONNX file.

    Each ONNX network is compared with what it was made from: Keras, or the file as it was given."""
    models = {role: network for role, network in built.items() if isinstance(network, keras.Model)}
    if models.keys() == built.keys():
        export.save(_whole(models, name), staged)
    described = {}
    for role, network in models.items():
        say(f"Writing the {role} as ONNX and comparing it with Keras")
        part = parts[role]
        count = ranges.batch_of(part, CHECKED)
        pixels = ranges.built_in(part.source or part.image, count)
        described[role] = _exported(network, role, staged, pixels, count)
    given = {role: network for role, network in built.items() if isinstance(network, OnnxNetwork)}
    for graph in {id(network.part.graph): network.part.graph for network in given.values()}.values():
        group = {role: network for role, network in given.items() if network.part.graph is graph}
        say(f"Comparing {' and '.join(group)} with the file as it was given")
        count = min(ranges.batch_of(network.part, CHECKED) for network in group.values())
        compare(group, reads, makes, ranges.built_in, count)
        for role, network in group.items():
            file = staged / network.declared.file
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(network.content)
            described[role] = network.declared
    return {role: described[role] for role in built}


def _exported(network: keras.Model, role: str, staged: Path, pixels: np.ndarray, count: int) -> Network:
    try:
        return export.onnx_file(network, role, staged, pixels, count)
    except (RecipeError, Refused):
        raise
    except Exception as error:  # tf2onnx and ONNX Runtime raise errors of many classes here
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160].rstrip(".")
        raise Refused(f"The {role} cannot be written as ONNX, which the app runs ({reason}).") from None


def _whole(built: dict[str, keras.Model], name: str) -> keras.Model:
    """One Functional model that holds the networks as sub-models under their roles."""
    if set(built) <= {"discriminator", "translator"}:
        (network,) = built.values()
        inputs = [keras.Input(x.shape[1:], dtype=x.dtype, name=x.name) for x in network.inputs]
        return keras.Model(inputs, network(inputs if len(inputs) > 1 else inputs[0]), name=name.replace(".", "_"))
    first, decoder = built.get("encoder"), built.get("decoder")
    if first is not None and decoder is not None and len(first.inputs) < len(decoder.inputs):
        image = keras.Input(first.inputs[0].shape[1:], name="image")
        label = keras.Input((), dtype="int32", name="label")
        codes = first(image)
        through = codes.get("latent", codes.get("z_mean"))
        return keras.Model([image, label], codes | decoder([through, label]), name=name.replace(".", "_"))
    return export.whole(built, name)


def _sheet(entry: Entry, parts: dict[str, Part], report: Report) -> np.ndarray | None:
    """The gallery's picture, uint8 (height, width, C): the network's own draws, or what it makes of built-in images,
    beside them."""
    if "generate" in entry.capabilities:
        return export.sample_sheet(entry)
    if not entry.capabilities & {"reconstruct", "translate"}:
        return None
    first = parts.get("translator", parts.get("encoder"))
    assert first is not None
    given = ranges.built_in(first.source or first.image, SHOWN)
    if "translate" in entry.capabilities:
        made, what = models.translate(entry, given), "what it makes of them"
        given, _ = fit(given if given.shape[3] == entry.shape[2] else _recoloured(given, entry), entry.shape)
    else:
        labels = np.arange(len(given)) % len(entry.classes) if entry.conditional else None
        made, what = models.reconstruct(entry, given, labels), "their reconstructions"
    report.guesses.append(
        f"Its own data is not known: the sheet shows {ranges.BUILT_IN[(first.source or first.image)[2]]} beside {what}."
    )
    return sheet(np.stack([given, made], axis=1).reshape(-1, *entry.shape), 12)


def _recoloured(images: np.ndarray, entry: Entry) -> np.ndarray:
    """Images (N, H, W, 1 or 3) with the channels of the entry's images."""
    return images.repeat(3, axis=3) if entry.shape[2] == 3 else images.mean(axis=3, keepdims=True)


def choices(source: Source, draft: Draft, options: Options, say: Say) -> list[dict[str, Any]]:
    """Each choice that weights alone leave open, with a PNG (base64) of what it makes of the same codes.

    Of several that paint the same, the first."""
    shown: list[dict[str, Any]] = []
    painted: list[np.ndarray] = []
    for corrections in draft.choices if len(draft.choices) > 1 else []:
        say("Drawing what the choices would give")
        chosen = replace(options, **corrections)
        with tempfile.TemporaryDirectory() as room:
            try:
                (other,) = reading.drafts(source, chosen, Path(room))
                role = next(role for role in ("decoder", "generator") if role in other.parts)
                found = ranges.find(other.parts, other.arrays, chosen, [], [])
                network = build.network(other.parts[role], other.arrays[role], makes=found.makes or "unit")
            except (Refused, StopIteration, ValueError):
                continue
        codes = ranges.codes(np.random.default_rng(1), (CHOICE, *(other.parts[role].latent or ())), options.prior)
        images = np.clip(np.asarray(network(codes, training=False)["image"]), 0, 1)
        if any(np.allclose(images, other, atol=SAME) for other in painted):
            continue  # a linear end that holds logits paints what a sigmoid paints
        painted.append(images)
        picture = base64.b64encode(png(sheet(images, CHOICE))).decode()
        shown.append({"corrections": corrections, "picture": picture})
    return shown


def described(part: Part) -> str:
    """One line on a network: what goes in and what comes out."""
    shapes = part.graph.shapes
    given = []
    for name, tensor in part.inputs.items():
        shape = (part.latent or ()) if name == "latent" else shapes[tensor]
        given.append(f"{name} {roles.size(shape)}")
    if part.classes:
        one_hot = part.joined or (part.label and part.label.one_hot)
        given.append(f"label of {part.classes} classes" + (", one-hot" if one_hot else ""))
    made = [f"{name} {roles.size(shapes[tensor])}" for name, tensor in part.outputs.items()]
    return f"{', '.join(given)} → {', '.join(made)}"


def _latent(parts: dict[str, Part]) -> list[int] | None:
    for role in ("generator", "decoder", "encoder"):
        if role in parts and (latent := parts[role].latent) is not None:
            return list(latent)
    return None


def _slug(source: Source) -> str:
    stem = re.sub(
        r"(\.weights)?\.(h5|hdf5|keras|zip|onnx|index|safetensors|pth?|bin|ckpt)$", "",
        source.name.rstrip("/").rpartition("/")[2], flags=re.I,
    )  # fmt: skip
    name = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:80]
    return name or "imported"


def _kind(parts: dict[str, Part]) -> str:
    """A key of TITLES."""
    if {"encoder", "decoder"} <= parts.keys():
        return "vae" if "z_mean" in parts["encoder"].outputs or parts["encoder"].halves else "autoencoder"
    if {"generator", "discriminator"} <= parts.keys():
        return "gan"
    return next(role for role in ORDER if role in parts)


def _manifest(
    name: str, source: Source, options: Options, draft: Draft, described: dict[str, Network], report: Report,
    kept: dict[str, File],
) -> Manifest:  # fmt: skip
    """The content of zoo.json; `kept` are the files that it lists."""
    parts, models, kind = draft.parts, draft.models, _kind(draft.parts)
    classes = report.classes
    if "classifier" in parts:
        classes = described["classifier"].outputs["logits"][0]
    known = DATASETS.get(options.dataset or "")
    fits = known is not None and len(known.classes) == classes
    conditional = any(part.classes for part in parts.values())
    prior = options.prior or ("none" if kind in ("autoencoder", "encoder") else "normal")
    if kind in ("decoder", "generator", "gan") and not options.prior:
        report.guesses.append("Codes are taken to be drawn from the standard normal distribution (prior).")
    licence = files.card(source.path).get("license")
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
        classes=tuple(known.classes) if known and fits else tuple(map(str, range(classes))),
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
