"""The content of zoo.json as a pydantic model: unknown keys are kept, wrong ones refused."""

import json
import re
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

MANIFEST = "zoo.json"
SCHEMA = 1  # major version of the manifest
SCHEMA_FILE = Path(__file__).parent / "zoo.schema.json"  # the JSON Schema of the manifest, kept by `make schema`
STATISTICS = "latents.npz"  # of the aggregate posterior, or the codebook of integers
MAX_FILE_BYTES = 2 << 30
MAX_TENSOR_VALUES = 1 << 22
MAX_LATENT_VALUES = 65536
MAX_CODES = 1024  # integers of one image, each of which is drawn by one pass through the prior
MAX_CODEBOOK = 4096

Prior = Literal["normal", "uniform", "none", "autoregressive"]
ENCODER_OUTPUTS = ({"latent"}, {"z_mean", "z_log_var"})
# role -> (input it must have, sets of outputs it may have); all but classifier and prior may also take "label".
ROLES: dict[str, tuple[str, tuple[set[str], ...]]] = {
    "encoder": ("image", ENCODER_OUTPUTS),
    "decoder": ("latent", ({"image"},)),
    "generator": ("latent", ({"image"},)),
    "discriminator": ("image", ({"score"},)),
    "classifier": ("image", ({"logits", "features"},)),
    "prior": ("codes", ({"logits"},)),
    "translator": ("source", ({"image"},)),  # from one kind of images to another, of any size
}
UNLABELLED = ("classifier", "prior", "translator")


def brief(value: object) -> str:
    """Return the repr of an untrusted value, cut to what fits a sentence."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _relative_path(name: str) -> str:
    """Accept only a relative POSIX path that stays where it is and means the same on every system."""
    parts = name.split("/")
    if not all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}", part) for part in parts) or len(parts) > 8:
        raise ValueError(f"{brief(name)} is not a plain relative path inside the entry")
    return name


def _volume(shape: tuple[int, ...]) -> tuple[int, ...]:
    if prod(shape) > MAX_TENSOR_VALUES:
        raise ValueError(f"a tensor of {prod(shape):,} values is larger than the allowed {MAX_TENSOR_VALUES:,}")
    return shape


def printable(text: str) -> str:
    """Refuse control characters, and those that turn the direction of what is written around them."""
    if found := re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text):
        raise ValueError(f"the character {brief(found[0])} is not allowed in a text")
    return text


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,95}$")]
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(printable)]
Text = Annotated[str, Field(max_length=4000), AfterValidator(printable)]
Count = Annotated[int, Field(ge=0, le=1 << 53)]
RelativePath = Annotated[str, AfterValidator(_relative_path)]
Side = Annotated[int, Field(ge=4, le=512)]
Extent = Annotated[int, Field(ge=1, le=65536)]
Shape = Annotated[tuple[Extent, ...], Field(max_length=4), AfterValidator(_volume)]


def _schema(version: Any) -> int | str:
    """Accept what this zoo can read: its own major version, of whatever minor version.

    A minor version adds keys that older readers may leave alone; whatever they would misread is a new major version."""
    found = re.fullmatch(r"([1-9]\d{0,3})(?:\.\d{1,4})?", str(version)) if type(version) in (int, str) else None
    if found is None:
        raise ValueError(f'{brief(version)} is no version; write {SCHEMA}, or "{SCHEMA}.1" for a minor version')
    if int(found[1]) > SCHEMA:
        raise ValueError(
            f"it was made by a newer zoo (version {version}), and this one reads up to version {SCHEMA}: "
            "update it, by `git pull` or `pip install --upgrade latent-zoo`"
        )
    return version


SCHEMA_FORMS = [{"const": SCHEMA}, {"type": "string", "pattern": rf"^{SCHEMA}(\.[0-9]{{1,4}})?$"}]
Schema = Annotated[int | str, PlainValidator(_schema), WithJsonSchema({"anyOf": SCHEMA_FORMS})]


class Part(BaseModel):
    """Base of all manifest parts: known keys are strict, unknown keys are kept."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        ser_json_inf_nan="constants",  # so that a number that is not finite is refused when it is written, not changed
        populate_by_name=True,
    )


class Dataset(Part):
    """What the entry was trained on; id is one of DATASETS, a Hub "owner/name" or a local folder's name."""

    # Pickers show it as a label, where Markdown means something: none of its brackets, links and codes.
    id: Annotated[Line, Field(pattern=r"^[^\[\]<>`*$:!|\\]+$")]
    revision: Annotated[str, Field(max_length=100)] | None = None
    images: Count | None = None
    source: Text = ""


class Image(Part):
    """Shape (height, width, channels) and value range of the images that the networks take and give."""

    shape: tuple[Side, Side, Literal[1, 3]]
    range: tuple[Literal[0], Literal[1]] = (0, 1)


class Latent(Part):
    """Shape of one latent code; prior "normal" is N(0, I), "uniform" is U(-1, 1) in each dimension, "none" is an
    autoencoder without a prior, "autoregressive" is a grid of vectors (H, W, D) out of a codebook, whose integers
    (H, W) the network of role "prior" draws."""

    shape: Annotated[Shape, Field(min_length=1)]
    prior: Prior

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if prod(self.shape) > MAX_LATENT_VALUES:
            raise ValueError(
                f"a latent of {prod(self.shape):,} values is larger than the allowed {MAX_LATENT_VALUES:,}"
            )
        if self.prior == "autoregressive" and not (len(self.shape) == 3 and prod(self.shape[:2]) <= MAX_CODES):
            raise ValueError(f"an autoregressive prior needs a grid of at most {MAX_CODES:,} vectors")
        return self


class Network(Part):
    """One ONNX file and its tensors: name -> shape without the batch axis."""

    file: RelativePath
    inputs: Annotated[dict[str, Shape], Field(max_length=2)]
    outputs: Annotated[dict[str, Shape], Field(max_length=2)]
    parameters: Count


class Metric(Part):
    """A measured number with its interval, its name and meaning for people, the split and how it was measured."""

    value: float
    low: float | None = None
    high: float | None = None
    split: Line | None = None
    label: Line | None = None
    meaning: Text = ""
    protocol: Text = ""


class Provenance(Part):
    """How the entry was made; what is not known is null."""

    recipe: Line | None = None
    seed: Annotated[int, Field(ge=-(1 << 63), le=1 << 64)] | None = None
    backend: Line | None = None
    device: Line | None = None
    images_seen: Count | None = None
    seconds: Annotated[float, Field(ge=0)] | None = None
    code: Line | None = None
    options: dict[str, Any] = {}


class File(Part):
    """Hash and size in bytes of one file of the entry."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]


class Manifest(Part):
    """The content of zoo.json."""

    schema_version: Annotated[Schema, Field(alias="schema")]
    name: Name
    title: Line
    family: Name
    family_title: Line
    year: Annotated[int, Field(ge=1900, le=2200)] | None = None
    paper: Annotated[str, Field(pattern=r"^https?://[^\s<>\"']+$", max_length=500)] | None = None
    description: Text = ""
    tags: Annotated[tuple[Line, ...], Field(max_length=64)] = ()
    dataset: Dataset
    image: Image
    latent: Latent | None = None
    classes: Annotated[tuple[Line, ...], Field(max_length=10_000)] = ()
    conditional: bool = False
    networks: Annotated[dict[str, Network], Field(min_length=1, max_length=16)]
    metrics: Annotated[dict[Line, Metric], Field(max_length=500)] = {}
    license: JsonValue = None  # what its maker says; strangers say it in many forms, so whoever shows it checks it
    provenance: Provenance = Provenance()
    files: Annotated[dict[RelativePath, File], Field(max_length=200)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes holds a name twice")
        if MANIFEST in self.files:
            raise ValueError(f"files lists {MANIFEST}, which cannot hold its own hash")
        if ("prior" in self.networks) != (self.latent is not None and self.latent.prior == "autoregressive"):
            raise ValueError('latent.prior must be "autoregressive" where networks holds a prior, and only there')
        for role, network in self.networks.items():
            self._check_network(role, network)
        if {"decoder", "generator"} <= self.networks.keys():
            raise ValueError("networks holds a decoder and a generator, but only one network may make the images")
        labelled = any("label" in network.inputs for network in self.networks.values())
        if labelled != self.conditional:
            found = "a network takes a label" if labelled else "no network takes a label"
            raise ValueError(f"conditional is {str(self.conditional).lower()}, but {found}")
        if self.conditional and not self.classes:
            raise ValueError("conditional is true, but classes is empty")
        return self

    def _check_network(self, role: str, network: Network) -> None:
        where = f"networks.{role[:40]}"
        if role not in ROLES:
            raise ValueError(f"{where} is not a known role ({', '.join(ROLES)})")
        if network.file not in self.files:
            raise ValueError(f"{where}.file names {brief(network.file)}, which files does not list")
        needed, choices = ROLES[role]
        if needed not in network.inputs:
            raise ValueError(f'{where}.inputs lacks "{needed}"')
        if extra := network.inputs.keys() - {needed} - ({"label"} if role not in UNLABELLED else set()):
            raise ValueError(f"{where}.inputs holds {brief(min(extra))}, which a {role} does not take")
        if network.outputs.keys() not in choices:
            wanted = " or ".join(" and ".join(f'"{name}"' for name in sorted(choice)) for choice in choices)
            raise ValueError(f"{where}.outputs must be exactly {wanted}")
        for name, shape in (network.inputs | network.outputs).items():
            expected = self._shape_of(name, role, where)
            if expected is not None and shape != expected:
                raise ValueError(f"{where} declares {name} as {list(shape)} where {list(expected)} is needed")
        if role == "prior" and not 2 <= network.outputs["logits"][-1] <= MAX_CODEBOOK:
            raise ValueError(f"{where} declares a codebook of {network.outputs['logits'][-1]:,} vectors")
        if role == "translator":
            Image(shape=network.inputs["source"])  # pyright: ignore[reportArgumentType]  (validated here)
        if "features" in network.outputs and len(network.outputs["features"]) != 1:
            raise ValueError(f"{where} declares features as {list(network.outputs['features'])}, not as a vector")

    def _shape_of(self, tensor: str, role: str, where: str) -> tuple[int, ...] | None:
        """Return the shape that a tensor of this name must have, or None where the network is free to choose."""
        if tensor in ("latent", "z_mean", "z_log_var", "codes"):
            if self.latent is None:
                raise ValueError(f"{where} uses {tensor}, but latent is null")
            return self.latent.shape[:-1] if tensor == "codes" else self.latent.shape
        if (
            role == "prior" and self.latent is not None
        ):  # it predicts codes, of which the manifest tells the number here alone
            sizes = self.networks["prior"].outputs["logits"][-1:]
            return (*self.latent.shape[:-1], *sizes)
        return {"image": self.image.shape, "label": (), "score": (1,), "logits": (len(self.classes),)}.get(tensor)


def json_schema() -> str:
    """Return the JSON Schema (draft 2020-12) of zoo.json, for who reads or writes manifests without this package.

    It tells shapes, types and bounds of the keys; what several keys must agree on is checked by Manifest alone.
    """
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | Manifest.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json_schema(), encoding="utf-8")
