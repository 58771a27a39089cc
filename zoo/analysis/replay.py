"""The replay of a game of two players: what a run with a discriminator, or a critic of codes, looked like on its way.

`replay.npz` holds moments along training, denser at its start. Like everything of an entry it is untrusted data:
bounded before it is unpacked, and checked against the manifest.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo import manifest
from zoo.entries import Entry, npz
from zoo.errors import EntryError

FILE = "replay.npz"
MAX_BYTES = 16 << 20
MAX_MOMENTS, MAX_SAMPLES, MAX_BINS, MAX_PROTOCOL = 240, 64, 200, 2000
MAX_SEEN = 1 << 53
MAX_NUMBER = 1e30  # a loss or a score beyond it is no number of a run that went well
REQUIRED = ("seen", "samples", "losses", "real", "fake", "edges", "protocol")
OPTIONAL = ("labels", "frechet", "coverage")
BYTES = ("samples", "protocol")


@dataclass(frozen=True)
class Replay:
    """M moments of one run, in order.

    seen: (M,) int64, images that training had seen, at least 1 and rising.
    samples: (M, N, H, W, C) uint8, what the exported generator made of one fixed batch of N latents.
    labels: (N,) int64, the classes of that batch; None unless the entry is conditional.
    losses: (M, 2) float64, of the discriminator (or critic) and of its opponent, averaged since the moment before.
    real, fake: (M, B) int64, histograms of the discriminator's scores of real and of fake images; of a critic of codes,
        those of draws of the prior and of codes of images.
    edges: (M, B + 1) float64, the rising edges of the bins of both histograms of a moment.
    frechet, coverage: (M,) float64, Fréchet distance at least 0 and coverage in [0, 1]; both None where there was no
        classifier of the dataset.
    protocol: one text that says how scores, distance and coverage were measured.
    """

    seen: np.ndarray
    samples: np.ndarray
    labels: np.ndarray | None
    losses: np.ndarray
    real: np.ndarray
    fake: np.ndarray
    edges: np.ndarray
    frechet: np.ndarray | None
    coverage: np.ndarray | None
    protocol: str


def write(path: Path, replay: Replay) -> None:
    """Write a replay as a compressed npz."""
    arrays = {name: getattr(replay, name) for name in (*REQUIRED, *OPTIONAL) if getattr(replay, name) is not None}
    # Differences from the pixel on the left, modulo 256 as in PNG, pack into half the bytes.
    arrays["samples"] = np.diff(replay.samples, axis=3, prepend=np.uint8(0))
    arrays["protocol"] = np.frombuffer(replay.protocol.encode(), np.uint8)
    np.savez_compressed(path, **arrays)


def load(entry: Entry) -> Replay | None:
    """Read the replay of an entry, None when it has none.

    Raises:
        EntryError: the file is too large or no plain npz, or an array has a wrong type, shape or value.
    """
    if not entry.has(FILE):
        return None
    arrays = npz.read(entry, FILE, {*REQUIRED, *OPTIONAL}, MAX_BYTES)
    if problem := _misshapen(entry, arrays) or _misvalued(entry, arrays):
        raise EntryError(f"The entry {entry.place} is refused: {FILE} {problem}.")
    numbers = {
        name: array.astype(np.float64 if array.dtype.kind == "f" else np.int64)
        for name, array in arrays.items()
        if name not in BYTES
    }
    return Replay(
        seen=numbers["seen"],
        samples=np.cumsum(arrays["samples"], axis=3, dtype=np.uint8),
        labels=numbers.get("labels"),
        losses=numbers["losses"],
        real=numbers["real"],
        fake=numbers["fake"],
        edges=numbers["edges"],
        frechet=numbers.get("frechet"),
        coverage=numbers.get("coverage"),
        protocol=arrays["protocol"].tobytes().decode(),
    )


def _misshapen(entry: Entry, arrays: dict[str, np.ndarray]) -> str | None:
    """Which array is missing, too many or has another type or shape than the rest, as the end of a sentence."""
    wanted = {*REQUIRED} | ({"labels"} if entry.conditional else set())
    if arrays.keys() & {"frechet", "coverage"}:
        wanted |= {"frechet", "coverage"}
    if odd := sorted(wanted ^ arrays.keys()):
        return f"lacks the array {odd[0]}" if odd[0] in wanted else f"holds {odd[0]}, but no class can be asked for"
    if arrays["samples"].ndim != 5 or arrays["real"].ndim != 2 or arrays["protocol"].ndim != 1:
        return "holds samples, real or protocol with a wrong number of axes"
    (moments, samples), bins, letters = arrays["samples"].shape[:2], arrays["real"].shape[1], len(arrays["protocol"])
    sizes = ((moments, MAX_MOMENTS), (samples, MAX_SAMPLES), (bins, MAX_BINS), (letters, MAX_PROTOCOL))
    if not all(1 <= size <= most for size, most in sizes):
        return f"has {moments:,} moments of {samples:,} samples, {bins:,} bins and {letters:,} bytes of protocol"
    expected = {
        "seen": ("iu", (moments,)),
        "samples": ("u", (moments, samples, *entry.shape)),
        "labels": ("iu", (samples,)),
        "losses": ("f", (moments, 2)),
        "real": ("iu", (moments, bins)),
        "fake": ("iu", (moments, bins)),
        "edges": ("f", (moments, bins + 1)),
        "frechet": ("f", (moments,)),
        "coverage": ("f", (moments,)),
        "protocol": ("u", (letters,)),
    }
    for name, array in arrays.items():
        kinds, shape = expected[name]
        if array.dtype.kind not in kinds or array.shape != shape or (name in BYTES) != (array.itemsize == 1):
            return f"holds {name} as {array.dtype} of shape {array.shape}, not as numbers of shape {shape}"
    return None


def _misvalued(entry: Entry, arrays: dict[str, np.ndarray]) -> str | None:
    """Which values cannot be, as the end of a sentence."""
    for name in arrays.keys() - set(BYTES):
        if not (np.abs(arrays[name].astype(np.float64)) < MAX_NUMBER).all():  # NaN is not below the bound either
            return f"holds {name} that are not finite"
    seen, most = arrays["seen"], entry.manifest.provenance.images_seen
    if not (seen[0] >= 1 and (seen[1:] > seen[:-1]).all() and seen[-1] <= (MAX_SEEN if most is None else most)):
        return "holds moments that do not rise from the first image seen to the last"
    if "labels" in arrays and not ((arrays["labels"] >= 0) & (arrays["labels"] < len(entry.classes))).all():
        return f"holds labels that are none of the {len(entry.classes)} classes"
    if not ((np.diff(arrays["edges"]) > 0).all() and min(arrays["real"].min(), arrays["fake"].min()) >= 0):
        return "holds histograms with bins that do not rise or counts below 0"
    if "frechet" in arrays and not ((arrays["frechet"] >= 0).all() and (np.abs(arrays["coverage"] - 0.5) <= 0.5).all()):
        return "holds a frechet below 0 or a coverage outside of 0 and 1"
    try:
        manifest.printable(arrays["protocol"].tobytes().decode())
    except ValueError:
        return "holds a protocol that is no plain text"
    return None
