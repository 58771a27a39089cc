"""What entries can come from, as one line of text: in the URL, in the sidebar, in the environment variable ZOO_SOURCES.

owner/name[@revision]   a repository on the Hugging Face Hub, also as hf://… or its web address
owner                   all repositories of a user or organisation that carry our tag
collections/owner/slug  a collection
./folder                a folder of entries, or one entry
import:<digest>         a model that was imported
"""

import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from huggingface_hub import constants

from zoo import settings
from zoo.entries import imported
from zoo.errors import SourceError
from zoo.hub.origin import NAME, REVISION
from zoo.settings import hosted

MOST = 8  # sources of one visitor
EXAMPLES = "owner/name, owner/name@v1, owner or collections/owner/title"


@dataclass(frozen=True, slots=True)
class Source:
    """Where entries come from: kind "repository", "owner", "collection", "folder" or "import", and its name.

    `signed` says whether HF_TOKEN may be used for it.
    """

    kind: str
    name: str
    revision: str | None = None
    signed: bool = True

    @property
    def text(self) -> str:
        """The line that parse reads."""
        prefix = {"collection": "collections/", "import": "import:"}.get(self.kind, "")
        return prefix + self.name + (f"@{self.revision}" if self.revision else "")

    @property
    def on_the_hub(self) -> bool:
        return self.kind in ("repository", "owner", "collection")


def parse(text: str, visitor: bool = False) -> Source:
    """Read a source.

    Args:
        visitor: whether the text comes from a URL or an input of the app. Where ZOO_HOSTED is set, visitors see no
            folders of the server and only what everybody may read on the Hub.

    Raises:
        SourceError: the text names no source, or a folder that visitors may not see.
    """
    text, guest = text.strip(), visitor and hosted()
    if found := re.fullmatch(r"import:([0-9a-f]{8,64})", text):
        return Source("import", found[1], signed=not guest)
    if text.startswith(("/", "./", "../", "~")) or text in (".", "..") or re.match(r"[A-Za-z]:[\\/]", text):
        if guest:
            raise SourceError(f"This app opens no folders of its server; name entries on the Hub: {EXAMPLES}.")
        if not _may_exist(text):
            raise SourceError(f"{text[:60]!r} can be no folder: a name in it is too long or unknown to this machine.")
        return Source("folder", text)
    if text.startswith(("http://", "https://")):
        text = _path(text)
    text = text.removeprefix("hf://").removeprefix("models/").strip("/")
    for kind, pattern in (
        ("collection", rf"collections/({NAME}/{NAME})"),
        ("repository", rf"({NAME}/{NAME})(?:@({REVISION})|/tree/({REVISION}))?"),
        ("owner", rf"({NAME})"),
    ):
        found = re.fullmatch(pattern, text)
        if found and ".." not in text and "//" not in text and not text.startswith(("datasets/", "spaces/")):
            name, *revisions = found.groups()
            revision = next(filter(None, revisions), None)
            return Source(kind, name, None if revision == "main" else revision, signed=not guest)
    raise SourceError(f"{text[:60]!r} names no source of entries; write {EXAMPLES}.")


def _may_exist(folder: str) -> bool:
    try:
        os.lstat(Path(folder).expanduser())
    except (RuntimeError, ValueError):  # no such user; a character that no name holds
        return False
    except OSError as error:
        return error.errno != errno.ENAMETOOLONG
    return True


def _path(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        raise SourceError(f"{address[:60]!r} is no web address.") from None
    # Whatever Hub the client asks, people copy addresses from the public one.
    public = getattr(constants, "_HF_DEFAULT_ENDPOINT", constants.ENDPOINT)
    if parts.netloc not in {urlsplit(endpoint).netloc for endpoint in (constants.ENDPOINT, public)}:
        raise SourceError(f"{address[:60]!r} is no address on the Hub that this app asks.")
    path = unquote(parts.path).strip("/")
    return re.sub(r"^([^/]+/[^/]+)/(?:blob|tree)/([^/]+)/.*$", r"\1@\2", path) if "/" in path else path


def environment() -> tuple[list[Source], list[str]]:
    """Return the host's sources in ZOO_SOURCES, separated by commas, and what is wrong with the others."""
    found, wrong = [], []
    for text in filter(None, (part.strip() for part in settings.SOURCES.read().split(","))):
        try:
            found.append(parse(text))
        except SourceError as error:
            wrong.append(f"{settings.SOURCES.name}: {error}")
    return list(dict.fromkeys(found)), wrong


def folder(source: Source) -> Path | None:
    """Return the folder that a source stands for, or None for one on the Hub or an import that is not here."""
    if source.kind == "folder":
        return Path(source.name).expanduser()
    if source.kind == "import":
        return imported.folder(source.name)
    return None
