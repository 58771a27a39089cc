"""The game of two players as one looks at it: moments of a run, from replay.npz, or from what older runs have kept.

Runs that were recorded have everything in `replay.npz`. Older ones have sheets of samples in `snapshots.gif` and mean
losses per epoch in `history.json`; what is not stored stays away, and `missing` says so.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from zoo.analysis import history, replay
from zoo.entries import Entry
from zoo.errors import EntryError

SNAPSHOTS = "snapshots.gif"
PLAYED = frozenset({"aae", "bigan", "vaegan", "cvaegan"})  # families whose discriminator is left out of the entry
CRITICS, OPPONENTS = ("discriminator", "critic"), ("generator", "deception")  # names of the losses in a history
MAX_PIXELS = 4_000_000  # of all moments together


class Curve(NamedTuple):
    """Values (T,) at numbers of images seen (T,)."""

    seen: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Game:
    """M moments of one run, in order.

    seen: (M,) int64, images seen, rising.
    pictures: (M, H, W, C) uint8, a sheet of samples of one fixed batch of latents at each moment.
    sides: what the discriminator tells apart: what is real to it, and what its opponent makes.
    losses: of the discriminator and of its opponent.
    real, fake, edges: histograms of the discriminator's scores (M, B), (M, B), (M, B + 1); None where not stored.
    frechet, coverage: None where not stored.
    told: share of pairs of a real and a fake one that the discriminator tells apart; None where not stored.
    protocol: how the numbers were measured. missing: what is not stored, in one sentence, or "".
    """

    seen: np.ndarray
    pictures: np.ndarray
    sides: tuple[str, str] = ("real images", "generated images")
    losses: tuple[Curve, Curve] | None = None
    real: np.ndarray | None = None
    fake: np.ndarray | None = None
    edges: np.ndarray | None = None
    frechet: Curve | None = None
    coverage: Curve | None = None
    protocol: str = ""
    missing: str = ""
    told: Curve | None = None


def played(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries whose training was a game of two players, of which something is stored: those with a replay
    first, otherwise in their order."""
    found = [entry for entry in entries if entry.has(replay.FILE) or (_adversarial(entry) and entry.has(SNAPSHOTS))]
    return sorted(found, key=lambda entry: not entry.has(replay.FILE))


def pair(entries: Sequence[Entry]) -> list[str]:
    """Return the ids of at most two recorded runs to begin with: on one dataset the one whose samples cover most of it,
    and beside it the one whose samples cover least."""
    recorded = [entry for entry in entries if entry.has(replay.FILE)] or list(entries)
    groups = [[entry for entry in recorded if entry.dataset == name] for name in {e.dataset: 0 for e in recorded}]
    group = max(groups, key=lambda members: len(members) > 1, default=[])
    ordered = sorted(group, key=_covers, reverse=True)
    return [entry.id for entry in (ordered[:1] + ordered[-1:] if len(ordered) > 1 else ordered)]


def _covers(entry: Entry) -> float:
    found = entry.manifest.metrics.get("coverage")
    return found.value if found else -1.0


def _adversarial(entry: Entry) -> bool:
    return "judge" in entry.capabilities or entry.manifest.family in PLAYED


def load(entry: Entry) -> Game | None:
    """Return the game of an entry, None when none of its moments is stored; raises EntryError for wrong files."""
    found = replay.load(entry)
    return recorded(entry, found) if found else remembered(entry)


def recorded(entry: Entry, found: replay.Replay) -> Game:
    """Return the game that a replay holds."""
    codes = entry.manifest.family == "aae"  # its game is about codes, not about images
    missing = "" if found.frechet is not None else "Fréchet distance and coverage were not recorded for this run."
    return Game(
        seen=found.seen,
        pictures=sheets(found.samples),
        sides=("draws of the prior", "codes of images") if codes else ("real images", "generated images"),
        losses=(Curve(found.seen, found.losses[:, 0]), Curve(found.seen, found.losses[:, 1])),
        real=found.real,
        fake=found.fake,
        edges=found.edges,
        frechet=None if found.frechet is None else Curve(found.seen, found.frechet),
        coverage=None if found.coverage is None else Curve(found.seen, found.coverage),
        protocol=found.protocol,
        missing=missing,
        told=Curve(found.seen, told_apart(found.real, found.fake)),
    )


def remembered(entry: Entry) -> Game | None:
    """Return the game of an entry without a replay, from its snapshots and its history; None without snapshots."""
    content = history.snapshots(entry)
    if content is None:
        return None
    try:
        frames = _frames(content)
    except Exception as error:  # damaged pictures fail with many types
        raise EntryError(f"The snapshots of {entry.name} cannot be read.") from error
    series = history.history(entry)
    seen, values = np.array(series.get("images", []), float), {name: np.array(v) for name, v in series.items()}
    epochs = _epochs(entry, len(frames), values.get("frechet"), len(seen))
    gone = ["histograms of the scores", "coverage"]
    if epochs is None:
        gone.insert(0, "how many images each snapshot had seen")
    losses = [next((values[name] for name in names if name in values), None) for names in (CRITICS, OPPONENTS)]
    frechet = values.get("frechet")
    if frechet is None:
        gone.append("Fréchet distance")
    if epochs is None or losses[0] is None or losses[1] is None:
        gone.append("losses in step with them" if epochs is None else "the losses of both players")
        curves = None
    else:
        curves = Curve(seen, losses[0]), Curve(seen, losses[1])
    return Game(
        seen=seen[epochs].astype(np.int64) if epochs is not None else np.arange(1, len(frames) + 1),
        pictures=frames,
        losses=curves,
        frechet=None if frechet is None or epochs is None else _finite(seen, frechet),
        protocol="Losses are means over an epoch." if curves else "",
        missing=f"This run was not recorded as a replay: {', '.join(gone[:-1])} and {gone[-1]} are not stored.",
    )


def _finite(seen: np.ndarray, values: np.ndarray) -> Curve:
    kept = np.isfinite(values)
    return Curve(seen[kept], values[kept])


def _epochs(entry: Entry, frames: int, frechet: np.ndarray | None, count: int) -> np.ndarray | None:
    """Return the numbers (frames,) of the epochs, from 0, after which the snapshots were taken: training measures the
    Fréchet distance when it takes one, and else takes them at epochs spaced as the recipe says; None where both are
    silent."""
    if frechet is not None and np.isfinite(frechet).sum() == frames:
        return np.flatnonzero(np.isfinite(frechet))
    options = entry.manifest.provenance.options
    epochs, snapshots = options.get("epochs"), options.get("snapshots")
    if not isinstance(epochs, int) or not isinstance(snapshots, int) or not 1 <= epochs == count or snapshots < 1:
        return None
    spaced = np.unique(np.geomspace(1, epochs, min(snapshots, 1000)).round().astype(int)) - 1
    return spaced if len(spaced) == frames else None


def _frames(content: bytes) -> np.ndarray:
    """The frames (M, H, W, 3) uint8 of a GIF that was measured, reduced by a whole factor to MAX_PIXELS together."""
    with Image.open(io.BytesIO(content)) as film:
        count = getattr(film, "n_frames", 1)
        factor = math.ceil(math.sqrt(count * film.width * film.height / MAX_PIXELS))
        frames = []
        for index in range(count):
            film.seek(index)
            frames.append(np.asarray(film.convert("RGB").reduce(factor)))
    return np.stack(frames)


def sheets(samples: np.ndarray, gap: int = 1) -> np.ndarray:
    """Return the samples (M, N, H, W, C) of each moment as one picture (M, H', W', C), in rows, with a grey line
    between them; of large samples only so many that MAX_PIXELS hold all moments."""
    moments, count, height, width, channels = samples.shape
    count = max(1, min(count, MAX_PIXELS // (moments * height * width)))
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    made = np.full((moments, down * (height + gap) - gap, across * (width + gap) - gap, channels), 128, np.uint8)
    for index in range(count):
        top, left = index // across * (height + gap), index % across * (width + gap)
        made[:, top : top + height, left : left + width] = samples[:, index]
    return made


def told_apart(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """Return, for histograms (M, B) over the same bins, the share (M,) of pairs of a real and a fake one in which the
    real one has the higher score; pairs within one bin count half. 0.5 is guessing, 1 never wrong: the area under the
    ROC curve (Hanley & McNeil 1982). Without real or without fake ones it is 0.5."""
    real, fake = np.asarray(real, float), np.asarray(fake, float)
    below = np.cumsum(fake, axis=1) - fake / 2
    pairs = real.sum(1) * fake.sum(1)
    return np.where(pairs > 0, (real * below).sum(1) / np.where(pairs > 0, pairs, 1), 0.5)


def tiled(pictures: np.ndarray, most: int = 16_000) -> tuple[np.ndarray, int]:
    """Return pictures (M, H, W, C) side by side in rows as one (H', W', C), and how many stand in a row: a shape near a
    square, whose sides have at most `most` pixels where M allows it."""
    count, height, width, channels = pictures.shape
    across = max(1, min(count, round(math.sqrt(count * height / width)), most // width))
    down = math.ceil(count / across)
    padded = np.zeros((down * across, height, width, channels), np.uint8)
    padded[:count] = pictures
    return padded.reshape(down, across, height, width, channels).swapaxes(1, 2).reshape(
        down * height, across * width, channels
    ), across


def table(games: Mapping[str, Game]) -> str:
    """Return the numbers of some runs as CSV: one row for each run, figure and moment."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["run", "figure", "images_seen", "value"])
    for name, game in games.items():
        curves = {"frechet": game.frechet, "coverage": game.coverage, "told_apart": game.told}
        if game.losses:
            curves |= {"loss_discriminator": game.losses[0], "loss_opponent": game.losses[1]}
        for figure, curve in curves.items():
            if curve is not None:
                writer.writerows([name, figure, int(s), f"{v:.6g}"] for s, v in zip(*curve, strict=True))
    return stream.getvalue()
