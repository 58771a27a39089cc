"""Moves along several directions at once: as text in a link and as a JSON file. Both are read as untrusted."""

import json
import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

REACH = 3.0  # largest strength to each side
STEP = 0.1
MOST = 16  # directions of one move
MAX_BYTES = 1 << 18  # of a file
MOST_NUMBERS = 8192  # of a change that is saved: more would not be opened again
KIND = "latent-zoo-move"
NONE = "none"
KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

Move = dict[str, float]


def written(move: Mapping[str, float]) -> str:
    """Return a move as it stands in a link: "size:1.5,leaf:-2" without what is zero, NONE for no move."""
    return ",".join(f"{key}:{strength:.4g}" for key, strength in tidy(move).items()) or NONE


def read(text: str, known: Sequence[str]) -> tuple[Move, list[str]]:
    """Read what `written` wrote: the move along known directions, and the parts that could not be understood."""
    move, refused = {}, []
    for part in [part for part in text.split(",") if part not in ("", NONE)]:
        key, _, number = part.partition(":")
        strength = _strength(number)
        if key in known and strength is not None and len(move) < MOST:
            move[key] = strength
        else:
            refused.append(part)
    return tidy(move), refused


def tidy(move: Mapping[str, float]) -> Move:
    """Return a move within REACH, without what is zero."""
    kept = {key: round(min(max(strength, -REACH), REACH), 2) for key, strength in move.items()}
    return {key: strength for key, strength in list(kept.items())[:MOST] if strength}


def saved(entry: str, move: Mapping[str, float], change: np.ndarray) -> str:
    """Return a move as JSON: the entry, each direction by name with its strength, and the change (L,) that they add to
    a code, unless that is very long, for programs that do not find directions themselves."""
    steps = [{"direction": key, "strength": strength} for key, strength in tidy(move).items()]
    numbers = [round(float(value), 6) for value in change]
    document = {"kind": KIND, "version": 1, "entry": entry, "steps": steps}
    return json.dumps(document | ({"change": numbers} if len(numbers) <= MOST_NUMBERS else {}))


def opened(content: bytes, known: Sequence[str]) -> Move:
    """Read what `saved` wrote; raises ValueError, one sentence, for what is no move along known directions."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"The file has more than {MAX_BYTES >> 10} KB: no move is that long.")
    try:
        document = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ValueError("The file is no JSON: choose one that this page has saved.") from None
    if not isinstance(document, dict) or document.get("kind") != KIND or document.get("version") != 1:
        raise ValueError("The file is no move of version 1: choose one that this page has saved.")
    steps = document.get("steps")
    if not isinstance(steps, list) or len(steps) > MOST or not all(isinstance(step, dict) for step in steps):
        raise ValueError(f"The steps of the move are no list of at most {MOST} directions with their strengths.")
    move: Move = {}
    for step in steps:
        key, strength = step.get("direction"), step.get("strength")
        if not isinstance(key, str) or not KEY.fullmatch(key) or key in move:
            raise ValueError("A direction of the move has no name of its own.")
        if isinstance(strength, bool) or not isinstance(strength, int | float) or not abs(strength) <= REACH:
            raise ValueError(f"The strength of {key} is no number between -{REACH:g} and {REACH:g}.")
        if key not in known:
            raise ValueError(f"The move goes along {key}, a direction that this entry does not have.")
        move[key] = float(strength)
    return tidy(move)


def _strength(text: str) -> float | None:
    try:
        value = float(text[:20])
    except ValueError:
        return None
    return value if math.isfinite(value) else None
