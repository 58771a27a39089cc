"""What a user may say about a source, and what an import tells about it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.importing import Refused
from zoo.sharing import corrections


@dataclass
class Options:
    """What a user may correct; None is to be found out.

    Attributes:
        role: what the network is, one of corrections.ROLES.
        makes, reads: the range of images that come out and go in, a key of corrections.RANGES or "low:high".
        name, title: of the entry.
        file: the part of a source that is meant, or several.
        dataset: what it was trained on.
        side: side of images in pixels, where a network is open in size.
        shape: "HxW" or "HxWxC" of images that are written as vectors.
        classes: the last so many values that go in are a one-hot label.
        prior: what codes are drawn from, one of corrections.PRIORS.
        architecture: a known network or a recipe, for weights alone; `strides`, `activation` (between the layers) and
            `last` (at the end) correct one that was inferred from shapes.
    """

    role: str | None = None
    makes: str | None = None
    reads: str | None = None
    name: str | None = None
    title: str | None = None
    file: str | list[str] | None = None
    dataset: str | None = None
    side: int | None = None
    shape: str | None = None
    classes: int | None = None
    prior: str | None = None
    architecture: str | None = None
    strides: list[int] | None = None
    activation: str | None = None
    last: str | None = None

    def __post_init__(self) -> None:
        try:
            corrections.check(vars(self))
        except ValueError as error:
            raise Refused(str(error)) from None

    @property
    def files(self) -> list[str]:
        """The parts of a source that are meant, none when all are."""
        return [self.file] if isinstance(self.file, str) else list(self.file or [])

    @property
    def image(self) -> tuple[int, int, int] | None:
        """`shape` as (height, width, channels), channels 0 where it does not say them."""
        return corrections.image_shape(self.shape) if self.shape else None


@dataclass
class Report:
    """What was found, for people: role, shapes, ranges, what was guessed, what is wrong, and the choices left open."""

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
    choices: list[dict[str, Any]] = field(default_factory=list)  # corrections and a PNG of what they give, in base64


@dataclass
class Source:
    """Where the files are from: a name to tell, a commit of the Hub, the files themselves."""

    name: str
    path: Path
    revision: str | None = None
