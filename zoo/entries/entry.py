"""The entry contract: one folder holds one trained model, its manifest zoo.json says what is in it.

Everything in an entry is untrusted data: bounds come before reading, hashes before use. What is wrong ends as an
EntryError whose one sentence names the folder and the key.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from zoo import atomic
from zoo.entries.storage import Folder, Storage
from zoo.errors import EntryError
from zoo.hub.origin import Origin
from zoo.known import ColumnNames
from zoo.manifest import MANIFEST, STATISTICS, File, Manifest, Prior, brief

MAX_MANIFEST_BYTES = 1 << 20
MAX_MANIFEST_VALUES = 20_000  # a megabyte of nothing but brackets would become a hundred times as much


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder whose manifest was read and accepted; equal and hashable by folder and revision.

    Its storage knows how files that are not here yet are had.
    """

    folder: Path
    manifest: Manifest = field(compare=False, repr=False)
    revision: str
    storage: Storage = field(compare=False)
    alias: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """The manifest's name, fit for file names."""
        return self.manifest.name

    @property
    def id(self) -> str:
        """What tells entries of all sources apart: the name, or "owner/name" on the Hub, with "@revision" if asked."""
        return self.origin.id if self.origin else self.alias or self.name

    @property
    def origin(self) -> Origin | None:
        """Where on the Hub it is from; None for a folder."""
        return self.storage.origin

    @property
    def place(self) -> str:
        """The name that messages use."""
        return self.storage.place

    @property
    def title(self) -> str:
        return self.manifest.title

    @property
    def label(self) -> str:
        """Family and id, e.g. "VAE · fruits-vae": the one name of an entry in pickers, charts, captions and cards.

        A family's id of at most four letters is its acronym; longer ones give way to the family's title.
        """
        family = self.manifest.family
        return f"{family.upper() if len(family) <= 4 else self.manifest.family_title} · {self.id}"

    @property
    def dataset(self) -> str:
        return self.manifest.dataset.id

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.manifest.image.shape

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent code. Raises EntryError for an entry without a latent space, such as a classifier."""
        if self.manifest.latent is None:
            raise EntryError(f"The entry {self.place} has no latent space.")
        return self.manifest.latent.shape

    @property
    def prior(self) -> Prior | None:
        """What latents are drawn from: "normal", "uniform", "none", "autoregressive"; None without a latent space."""
        return self.manifest.latent.prior if self.manifest.latent else None

    @property
    def discrete(self) -> bool:
        """Whether its codes are integers, each of them the number of a vector in a codebook."""
        return self.prior == "autoregressive"

    @property
    def classes(self) -> tuple[str, ...]:
        return self.manifest.classes

    @property
    def conditional(self) -> bool:
        return self.manifest.conditional

    @property
    def balanced(self) -> bool:
        """Whether it was trained on all classes equally often, whatever their shares in the dataset."""
        return bool(self.manifest.provenance.options.get("balance"))

    @property
    def columns(self) -> ColumnNames:
        """The columns of its dataset's table that its recipe names."""
        options, found = self.manifest.provenance.options, ColumnNames()
        if isinstance(image := options.get("image_column"), str):
            found["image_column"] = image[:100]
        if isinstance(label := options.get("label_column"), str):
            found["label_column"] = label[:100]
        return found

    @property
    def parameters(self) -> int:
        """Sum over all networks."""
        return sum(network.parameters for network in self.manifest.networks.values())

    @property
    def capabilities(self) -> frozenset[str]:
        """Among "encode", "decode", "reconstruct", "generate", "classify", "judge", "translate", "conditional"."""
        roles = self.manifest.networks.keys()
        encode, decode = "encoder" in roles, not roles.isdisjoint({"decoder", "generator"})
        drawable = self.prior in ("normal", "uniform") or (self.prior is not None and self.has(STATISTICS))
        found = {
            "encode": encode,
            "decode": decode,
            "reconstruct": encode and decode,
            "generate": decode and drawable,
            "classify": "classifier" in roles,
            "judge": "discriminator" in roles,
            "translate": "translator" in roles,
            "conditional": self.conditional,
        }
        return frozenset(name for name, true in found.items() if true)

    def has(self, file: str) -> bool:
        """Whether the manifest lists this file."""
        return file in self.manifest.files

    def here(self, file: str) -> bool:
        """Whether a listed file lies on this machine with the size that the manifest says."""
        path = self.folder / file
        return self.has(file) and path.is_file() and path.stat().st_size == self.manifest.files[file].size

    def path(self, file: str, again: bool = False) -> Path:
        """Return where a listed file lies, fetching it if it is on the Hub; with `again` even when it is here.

        Raises EntryError when it is not listed, is missing, cannot be fetched or leaves the folder.
        """
        if not self.has(file):
            raise EntryError(f"The entry {self.place} has no file {brief(file)}.")
        if self.storage.renewable and (again or not self.here(file)):
            self.storage.fetch(file, self.manifest.files[file].size, again or (self.folder / file).exists())
        self.storage.used(file)
        return _locate(self.storage, file)

    def content(self, file: str, limit: int) -> bytes:
        """Return the verified content of a listed file of at most `limit` bytes; raises EntryError."""
        if not self.has(file):
            raise EntryError(f"The entry {self.place} has no file {brief(file)}.")
        record = self.manifest.files[file]
        if record.size > limit:
            raise EntryError(
                f"The entry {self.place} is refused: {file} has {record.size:,} bytes, more than {limit:,}."
            )
        # What a cache holds may be damaged: it is fetched again, once.
        for again in (False, True) if self.storage.renewable else (False,):
            try:
                with self.path(file, again).open("rb") as stream:
                    content = stream.read(record.size + 1)
            except OSError as error:
                raise EntryError(f"The entry {self.place} cannot be read: {file}: {error.strerror}.") from error
            if hashlib.sha256(content).hexdigest() == record.sha256:
                return content
        reason = _tampered(self.place, file)
        self.storage.refuse(file, reason)
        raise EntryError(reason)


def read(place: Path | str | Storage) -> Entry:
    """Read and check the manifest of an entry; cheap, for it hashes nothing but zoo.json.

    Args:
        place: a folder that holds zoo.json and every file that it lists, or a storage that can fetch what is missing.

    Raises:
        EntryError: zoo.json is missing, larger than 1 MiB or wrong, or a file is missing, has another size than the
            manifest says or lies outside the folder.
    """
    storage = Folder(Path(place).resolve()) if isinstance(place, Path | str) else place
    if not (storage.folder / MANIFEST).is_file():
        raise EntryError(f"{storage.place} is not an entry: it holds no {MANIFEST}.")
    try:
        with _locate(storage, MANIFEST).open("rb") as stream:
            content = stream.read(MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise EntryError(f"The entry {storage.place} cannot be read: {MANIFEST}: {error.strerror}.") from error
    manifest = _parse(storage.place, content)
    for file, record in () if storage.renewable else manifest.files.items():
        size = _locate(storage, file).stat().st_size
        if size != record.size:
            raise EntryError(
                f"The entry {storage.place} is refused: {file} has {size:,} bytes, but {MANIFEST} says {record.size:,}."
            )
    return Entry(storage.folder.resolve(), manifest, hashlib.sha256(content).hexdigest()[:12], storage)


def verify(entry: Entry, *files: str) -> None:
    """Compare the sha256 of the named files, or of all when none is named; raises EntryError when one differs."""
    for file in files or entry.manifest.files:
        if _hash(entry.path(file)) != entry.manifest.files[file].sha256:
            raise EntryError(_tampered(entry.place, file))


@contextlib.contextmanager
def refusing(place: str) -> Iterator[None]:
    """Let a manifest that is built in this block and breaks the contract raise EntryError, which names `place`."""
    try:
        yield
    except ValidationError as error:
        raise EntryError(f"The entry {place} is refused: {_sentence(error)}") from None


def files(folder: Path) -> dict[str, File]:
    """Return hash and size of every visible file of a folder but zoo.json, by relative path.

    Raises EntryError for a link that leads out of the folder."""
    return {name: File(sha256=_hash(path), size=path.stat().st_size) for name, path in _walk(folder.resolve())}


def write(folder: Path | str, manifest: Manifest) -> Entry:
    """Write zoo.json atomically and read it back.

    Args:
        folder: holds everything that belongs to the entry already; hidden files are left out.
        manifest: what zoo.json is to hold; its files are taken anew from the folder, keys never set are left out.

    Raises:
        EntryError: the manifest or a file breaks the contract; an older zoo.json then stays as it was.
    """
    folder = Path(folder).resolve()
    try:
        document = manifest.model_copy(update={"files": files(folder)})
        plain = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
        content = (json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except EntryError:
        raise
    except (TypeError, ValueError) as error:
        raise EntryError(f"The manifest of {folder.name} is not plain JSON: {error}.") from error
    _parse(folder.name, content)
    atomic.write(folder / MANIFEST, content)
    return read(folder)


def _parse(place: str, content: bytes) -> Manifest:
    refused = f"The entry {place} is refused: "
    if len(content) > MAX_MANIFEST_BYTES:
        raise EntryError(f"{refused}{MANIFEST} is larger than 1 MiB.")
    try:
        for count, value in enumerate(_values(json.loads(content, object_pairs_hook=_unique))):
            if count > MAX_MANIFEST_VALUES:
                raise EntryError(f"{refused}{MANIFEST} holds more than {MAX_MANIFEST_VALUES:,} values.")
            if isinstance(value, float) and not abs(value) < float("inf"):
                raise EntryError(f"{refused}{MANIFEST} holds a number that is not finite.")
            if isinstance(value, str):
                # A lone surrogate is legal JSON but breaks every place that shows it.
                value.encode()
        with refusing(place):
            return Manifest.model_validate_json(content)
    except EntryError:
        raise
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise EntryError(f"{refused}{MANIFEST} is not valid JSON ({reason[:120]}).") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object of JSON of its pairs; of two values under one key, others may read the other one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object holds a key twice")
    return found


def _values(document: object) -> Iterator[object]:
    """Yield every key and every value of a JSON document, without recursion."""
    rest = [document]
    while rest:
        value = rest.pop()
        yield value
        if isinstance(value, dict):
            yield from value.keys()
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    key = ".".join(str(part) for part in first["loc"])[:120]
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{MANIFEST}, key {key}: {message}." if key else f"{MANIFEST}: {message}."


def _locate(storage: Storage, file: str) -> Path:
    place = storage.place
    try:
        path = (storage.folder / file).resolve()
    except (OSError, RuntimeError):  # which of them a loop of links raises depends on Python's version
        raise EntryError(f"The entry {place} cannot be read: {file} leads nowhere.") from None
    if not path.is_relative_to(storage.boundary):
        raise EntryError(f"The entry {place} is refused: {file} leads out of the folder.")
    if not path.is_file():
        raise EntryError(f"The entry {place} is incomplete: {file} is missing.")
    return path


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = PurePosixPath(path.relative_to(folder))
        hidden = any(part.startswith(".") for part in name.parts)
        if not hidden and str(name) != MANIFEST and (path.is_file() or path.is_symlink()):
            yield str(name), _locate(Folder(folder), str(name))


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _tampered(place: str, file: str) -> str:
    return f"The entry {place} is refused: {file} is not the file that {MANIFEST} describes (its sha256 differs)."
