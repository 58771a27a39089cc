"""Parts of several networks that belong together, as one entry or several."""

import re
from dataclasses import dataclass, field

from training.importing import Refused
from training.importing.roles.parts import Part, size

READERS = ("discriminator", "classifier")


@dataclass
class Found:
    """The networks of one entry by role, and what is to be said about how they were found."""

    parts: dict[str, Part]
    guesses: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def grouped(parts: list[Part], hints: str, role: str | None = None) -> list[Found]:
    """Networks as entries: encoder with decoder, generator with discriminator, each translator alone.

    Args:
        parts: all networks that were found.
        hints: what source, files and networks are called; only used for warnings.
        role: what the user says that it is, one of corrections.ROLES.

    Raises:
        Refused: not what was asked for, or networks that do not know the same classes.
    """
    guesses: list[str] = []
    by_role: dict[str, Part] = {}
    for part in parts:
        if part.role in by_role:
            guesses.append(f"There are several networks that could be the {part.role}; the first one was taken.")
        else:
            by_role[part.role] = part
    found = [_group(group) for group in _groups(by_role)]
    if role and role != "autoencoder":
        found = [item for item in found if role in item.parts]
    if not found:
        raise Refused(f"What was found is {' and '.join(by_role) or 'nothing'}, which is no {role}.")
    for item in found:
        item.guesses[:0] = list(dict.fromkeys([*guesses, *(g for part in item.parts.values() for g in part.guesses)]))
        _misnamed(item, hints)
    return found


def _groups(parts: dict[str, Part]) -> list[dict[str, Part]]:
    """Which roles stand in which entry, the one that shows most first."""
    rest = dict(parts)
    encoder, generator = rest.get("encoder"), rest.get("generator")
    if encoder and generator and "decoder" not in rest and _fit(encoder, generator):
        rest["decoder"] = rest.pop("generator")
        rest["decoder"].role = "decoder"
    found = []
    if "translator" in rest:
        found.append({"translator": rest.pop("translator")})
    first = {name: rest.pop(name) for name in ("encoder", "decoder") if name in rest}
    second = {name: rest.pop(name) for name in ("generator",) if name in rest}
    alone: dict[str, Part] = {}
    for name in READERS:
        if name in rest:
            (second or first or alone)[name] = rest.pop(name)
    return [group for group in (first, second, *found, alone) if group]


def _fit(encoder: Part, maker: Part) -> bool:
    """Whether a maker begins where an encoder ends."""
    if encoder.image != maker.image:
        return False
    wanted, given = maker.latent or (), encoder.latent or ()
    return given == wanted or ("latent" in encoder.outputs and len(wanted) == 1 and given == (2 * wanted[0],))


def _group(parts: dict[str, Part]) -> Found:
    """One latent space, one image and one set of classes for all networks of an entry."""
    found = Found(parts)
    maker, reader = parts.get("decoder") or parts.get("generator"), parts.get("encoder")
    if maker and reader:
        wanted, given = maker.latent or (), reader.latent or ()
        if not _fit(reader, maker):
            found.warnings.append(
                f"The encoder (code of {size(given)}, images of {size(reader.image)}) does not fit the decoder "
                f"({size(wanted)}, {size(maker.image)}) and was left out."
            )
            del parts["encoder"]
        elif given != wanted:
            reader.halves = True
            found.guesses.append(
                f"The encoder's {size(given)} values are taken for {size(wanted)} means and as many log-variances."
            )
    for name in READERS:
        other = parts.get(name)
        if other and len(parts) > 1:
            main = maker or parts.get("encoder")
            if name == "classifier" or main is None or other.image != main.image:
                found.warnings.append(f"The {name} does not fit the other networks and was left out.")
                del parts[name]
    _one_set_of_classes(found)
    return found


def _one_set_of_classes(found: Found) -> None:
    parts = found.parts
    counts = {part.classes for part in parts.values() if part.classes}
    if len(counts) > 1:
        raise Refused(f"The networks know different numbers of classes: {sorted(counts)}.")
    if not counts:
        return
    # One model of both takes the label for both or for none.
    first = next(iter(parts))
    for name in [name for name, part in parts.items() if not part.classes and len(parts) > 1]:
        if name not in (first, "decoder"):
            found.warnings.append(f"The {name} takes no label, though the {first} does, and was left out.")
            del parts[name]


def _misnamed(found: Found, hints: str) -> None:
    roles = set(found.parts)
    named = re.search("gan|generat", hints, re.I) and not re.search("discrim|critic", hints, re.I)
    if not roles & {"generator", "decoder"} and "discriminator" in roles and named:
        image = found.parts["discriminator"].image
        found.warnings.insert(
            0,
            "It calls itself a GAN or a generator, but it holds the DISCRIMINATOR: it takes images of "
            f"{size(image)} and gives one number, and cannot draw. Ask its author for the generator.",
        )
