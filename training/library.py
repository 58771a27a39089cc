"""Families and recipes by name: a family is a module of training/families, a recipe one small TOML file per entry.

A recipe is checked before anything heavy starts.
"""

import importlib
import pathlib
import pkgutil
import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pydantic

from training.recipe import Recipe, RecipeError

if TYPE_CHECKING:  # needs Keras
    from training.family import Family

RECIPES = pathlib.Path(__file__).parent / "recipes"
FAMILIES = pathlib.Path(__file__).parent / "families"


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
