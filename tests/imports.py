"""The imports of a source tree, read as text: who imports whom, circles, and imports against an order of floors."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path


def modules(root: Path, *packages: str) -> dict[str, Path]:
    """Return the files of some packages below root, by dotted name."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            found[".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, also inside functions: "a.b" for `from a import b` and "a" too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path} uses a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def graph(found: Mapping[str, Path]) -> dict[str, set[str]]:
    """Return module -> modules that it imports. A name out of a package counts as an import of the file behind it, or
    of the package's face where it is no file."""
    arrows = {}
    for name, path in found.items():
        named = {other for other in imports(path) if other in found}
        # `from zoo import models` names the package only on the way.
        named -= {other for other in named if any(deeper.startswith(f"{other}.") for deeper in named)}
        arrows[name] = named - {name}
    return arrows


def circle(arrows: Mapping[str, set[str]]) -> list[str] | None:
    """Return modules that import each other in a loop, or None."""
    try:
        list(TopologicalSorter(arrows).static_order())
    except CycleError as error:
        return error.args[1]
    return None


def climbing(arrows: Mapping[str, set[str]], floors: Sequence[Sequence[str]]) -> list[str]:
    """Return "module -> module" for each import that does not lead to a lower floor.

    floors lists the rooms of each floor from the ground up; a room is a module or a package, in which all imports are
    allowed. Modules of no room are named as well.
    """
    level = {room: number for number, rooms in enumerate(floors) for room in rooms}

    def room(module: str) -> str | None:
        return next((room for room in level if module == room or module.startswith(f"{room}.")), None)

    wrong = [module for module in arrows if room(module) is None]
    for module, targets in arrows.items():
        for target in targets:
            one, other = room(module), room(target)
            if one and other and one != other and level[other] >= level[one]:
                wrong.append(f"{module} -> {target}")
    return sorted(wrong)
