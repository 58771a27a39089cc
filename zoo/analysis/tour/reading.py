"""Tours as data: a folder of TOML files, one for each stop, in the order of their names.

`tour.toml` in the folder gives the tour's title and description. Further tours lie beside each other in the folder that
ZOO_TOURS names; what is in them is untrusted: it is bounded and validated here, and escaped where it is shown.
"""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from zoo import settings
from zoo.analysis.tour.shows import SHOWS, wrong_parameters
from zoo.errors import TourError

EMBEDDED = Path(__file__).parents[2] / "tours"
TITLE_FILE = "tour.toml"
MAX_FILE_BYTES, MAX_STOPS, MAX_TOURS = 32_000, 60, 40
# Of LaTeX whatever leads out of the formula, defines or measures is refused: a formula stays a formula.
FORBIDDEN = re.compile(
    r"\$|\\(?:g?def|edef|xdef|let|futurelet|newcommand|renewcommand|providecommand|href|url|includegraphics|html\w*|rule|"
    r"kern|mkern|hskip|mskip|hspace|raisebox|char|catcode|verb|input)(?![A-Za-z])"
)
PAIRS = re.compile(r"\\left(?![A-Za-z])|\\right(?![A-Za-z])|\\begin\{(\w+\*?)\}|\\end\{(\w+\*?)\}|\\[{}\\]|[{}]")


T = TypeVar("T")
# Texts that are not empty, by the number of letters that they may have.
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=600)]
Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1200)]
Page = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


class Part(BaseModel):
    """A table of a stop: keys that are not declared are refused, for they are slips of the pen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Symbol(Part):
    """A symbol of a formula and what it stands for."""

    tex: Line
    meaning: Line

    @field_validator("tex")
    @classmethod
    def balanced(cls, tex: str) -> str:
        return checked_formula(tex)


class Formula(Part):
    """A formula in LaTeX with its symbols explained."""

    tex: Sentence
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=12)]

    @field_validator("tex")
    @classmethod
    def balanced(cls, tex: str) -> str:
        return checked_formula(tex)


class View(BaseModel):
    """What is shown live: its kind, a key of SHOWS, the parameters of that kind, and what one sees."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: Line
    caption: Sentence

    @property
    def parameters(self) -> dict[str, Any]:
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def known(self) -> "View":
        if self.kind not in SHOWS:
            raise ValueError(f"there is no view {self.kind!r}; there are {', '.join(SHOWS)}")
        if wrong := wrong_parameters(self.kind, self.parameters):
            raise ValueError(wrong)
        return self


class Prediction(Part):
    """A question to answer before the answer is shown; `answer` counts the choices from 1."""

    question: Sentence
    choices: Annotated[tuple[Line, ...], Field(min_length=2, max_length=5)]
    answer: Annotated[int, Field(ge=1)]
    reason: Paragraph

    @model_validator(mode="after")
    def answered(self) -> "Prediction":
        if self.answer > len(self.choices):
            raise ValueError(f"answer {self.answer} is none of the {len(self.choices)} choices")
        if len(set(self.choices)) < len(self.choices):
            raise ValueError("two choices are the same")
        return self


class Link(Part):
    """A page of the app, as section/name, in the state that its parameters give."""

    page: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,30}/[a-z_]{1,30}$")]
    label: Line
    parameters: Annotated[dict[str, Line | list[Line]], Field(max_length=12)] = {}


class Reference(Part):
    """Something to read elsewhere."""

    title: Line
    url: Annotated[str, StringConstraints(pattern=r"^https://[^\s<>()\[\]\"'`\\]{3,200}$")]


class Stop(Part):
    """One stop of a tour; `code` is what the notebook runs there, and nothing else ever runs it."""

    title: Line
    text: Paragraph
    formula: Formula
    view: View
    prediction: Prediction
    link: Link
    notes: Page
    references: Annotated[tuple[Reference, ...], Field(max_length=30)] = ()
    code: Page | None = None


class Heading(Part):
    """What `tour.toml` says of a tour."""

    title: Line
    description: Sentence


@dataclass(frozen=True, slots=True)
class Tour:
    """A tour: the name of its folder, its heading, and its stops by the names of their files."""

    name: str
    heading: Heading
    stops: dict[str, Stop]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A folder that is no tour, and the reason in one sentence."""

    name: str
    reason: str


def checked_formula(tex: str) -> str:
    r"""Return a formula; raises ValueError where brackets, \left and \right or environments do not pair, or where it
    holds a dollar or a command that does more than write a formula."""
    if found := FORBIDDEN.search(tex):
        raise ValueError(f"the formula may not hold {found.group()}")
    opened: list[str] = []
    for token in PAIRS.finditer(tex):
        text, begin, end = token.group(), *token.groups()
        if text in (r"\{", r"\}", r"\\"):
            continue
        if text in ("{", r"\left") or begin:
            opened.append(begin or text)
        elif not opened or opened.pop() != (end or {"}": "{", r"\right": r"\left"}[text]):
            raise ValueError(f"the formula closes {text} where it does not stand open")
    if opened:
        raise ValueError(f"the formula leaves {opened[-1]} open")
    return tex


def read(folder: Path) -> Tour:
    """Read one tour; raises TourError, one sentence that names file and key."""
    folder = folder.resolve()
    files = sorted(path for path in folder.glob("*.toml") if path.name != TITLE_FILE)
    if not files:
        raise TourError(f"The tour {folder.name} has no stops: it is a folder of TOML files, one for each stop.")
    if len(files) > MAX_STOPS:
        raise TourError(f"The tour {folder.name} has {len(files)} stops, more than {MAX_STOPS}.")
    heading = _parsed(folder, folder / TITLE_FILE, Heading.model_validate)
    return Tour(folder.name, heading, {path.stem: _parsed(folder, path, Stop.model_validate) for path in files})


def listed(folder: Path) -> list[Tour | Wrong]:
    """Read the tours of a folder, by name; those that are wrong with their reason."""
    try:
        folders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    except OSError:
        return [Wrong(folder.name, f"{settings.TOURS.name} names {folder.name}, which is no folder to be read.")]
    found: list[Tour | Wrong] = []
    for path in folders[:MAX_TOURS]:
        try:
            found.append(read(path))
        except TourError as error:
            found.append(Wrong(path.name, str(error)))
    return found


def tours(folder: str = "") -> list[Tour | Wrong]:
    """Return the tours that come with the zoo and those of a folder, as ZOO_TOURS names one; one for each name."""
    everything = listed(EMBEDDED) + (listed(Path(folder).expanduser()) if folder else [])
    found: dict[str, Tour | Wrong] = {}
    for item in everything:
        found.setdefault(item.name, item)
    return list(found.values())


def _parsed(folder: Path, path: Path, validate: Callable[[Any], T]) -> T:
    place = f"{folder.name}/{path.name}"
    try:
        if not path.resolve().is_relative_to(folder):
            raise TourError(f"The stop {place} is refused: it leads out of the folder.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TourError(f"The stop {place} is refused: it has more than {MAX_FILE_BYTES:,} bytes.")
        return validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as error:
        raise TourError(f"The stop {place} is refused: {_sentence(error)}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TourError(f"The stop {place} is no valid TOML ({str(error)[:120]}).") from None
    except OSError:
        raise TourError(f"The tour {folder.name} lacks {path.name}, or it cannot be read.") from None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    key = ".".join(str(part) for part in first["loc"])[:120]
    message = first["msg"].removeprefix("Value error, ").rstrip(".")[:300]
    return f"key {key}: {message}." if key else f"{message}."
