"""Recipes: one small TOML file per entry, checked before anything heavy starts."""

import importlib
import pathlib
import pkgutil
import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from zoo.errors import ZooError

if TYPE_CHECKING:  # needs Keras
    from training.family import Family

RECIPES = pathlib.Path(__file__).parent / "recipes"
FAMILIES = pathlib.Path(__file__).parent / "families"


class RecipeError(ZooError, ValueError):
    """A recipe that cannot be trained; the message is one sentence that says what to change."""


class Recipe(pydantic.BaseModel, extra="forbid", frozen=True, allow_inf_nan=False):
    """What every family understands. A family adds its own keys in a subclass."""

    name: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,95}$")
    title: str = pydantic.Field(min_length=1, max_length=200)
    family: str
    description: str = pydantic.Field("", max_length=4000)
    dataset: str
    images: int | None = pydantic.Field(None, ge=8, description="train on this many images, all when absent")
    network: Literal["conv", "dense"] = "conv"
    width: int = pydantic.Field(64, ge=4, le=1024, description="channels (conv) or units (dense) of the networks")
    refine: int = pydantic.Field(0, ge=0, le=4, description="convolutions at full resolution in a conv decoder")
    upsampling: Literal["depth_to_space", "bilinear"] = pydantic.Field(
        "depth_to_space", description="in a conv decoder, from a quarter of the side on; bilinear leaves no lattice"
    )
    mapping: int = pydantic.Field(0, ge=0, le=8, description="dense layers between latent and grid in a conv decoder")
    epochs: int = pydantic.Field(20, ge=1, le=100_000)
    batch: int = pydantic.Field(128, ge=2, le=8192)
    learning_rate: float = pydantic.Field(1e-3, gt=0, le=1)
    schedule: Literal["cosine", "constant"] = "cosine"
    ema: float = pydantic.Field(
        0.995, ge=0, lt=1, description="decay of the weight average that is exported; 0 exports the raw weights"
    )
    shift: int = pydantic.Field(0, ge=0, le=16, description="augmentation: random shift in pixels")
    flip: bool = pydantic.Field(False, description="augmentation: random mirror image")
    turn: float = pydantic.Field(0.0, ge=0, le=180, description="augmentation: random turn, up to this many degrees")
    balance: bool = pydantic.Field(False, description="draw all classes equally often, the images of rare ones again")
    snapshots: int = pydantic.Field(12, ge=1, le=60, description="sample sheets kept along training")
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    seed: int = pydantic.Field(0, ge=0, lt=2**31)


def families() -> list[str]:
    """Return the names of all families: the modules of training/families."""
    return sorted(module.name for module in pkgutil.iter_modules([str(FAMILIES)]))


def family(name: str) -> "type[Family]":
    """Return the class Family that the module training/families/<name>.py defines; RecipeError when there is none."""
    if name not in families():
        raise RecipeError(f"There is no family '{name}'; the families are {', '.join(families())}.")
    importlib.import_module("training.device")  # first, for it imports Keras quietly
    return importlib.import_module(f"training.families.{name}").Family


def recipes() -> list[str]:
    """Return the names of the recipes that come with the repository."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def load(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe by name or path, apply `key=value` overrides (TOML values, bare words are strings) and check it.

    Raises RecipeError with one sentence when it is missing, malformed or holds a wrong key or value."""
    path = pathlib.Path(name_or_path)
    if path.suffix != ".toml":
        path = RECIPES / f"{name_or_path}.toml"
    if not path.is_file():
        raise RecipeError(f"There is no recipe '{name_or_path}'; give a .toml file or one of {', '.join(recipes())}.")
    try:
        values = {"name": path.stem, **tomllib.loads(path.read_text())}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not valid TOML: {error}.") from None
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise RecipeError(f"--set takes key=value, not '{override}'.")
        try:
            values[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            values[key] = value
    if "family" not in values:
        raise RecipeError(f'{path} names no family; add family = "…" with one of {", ".join(families())}.')
    return check(values)


def check(values: dict[str, Any]) -> Recipe:
    """Validate a dictionary with the recipe class of its family; RecipeError in one sentence."""
    model = family(values["family"]).Recipe
    try:
        return model(**values)
    except pydantic.ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            raise RecipeError(
                f"The recipe key '{key}' is unknown to family {values['family']}; "
                f"it knows {', '.join(model.model_fields)}."
            ) from None
        raise RecipeError(f"The recipe key '{key}' is wrong: {problem['msg'].lower()}.") from None
