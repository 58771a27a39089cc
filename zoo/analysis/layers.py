"""What the layers of an entry's networks make of an image or a code: maps, their pictures, and what excites a unit."""

import csv
import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from zoo import networks
from zoo.charts.poster import Row
from zoo.entries import Entry
from zoo.networks import Layer

WAYS = {
    "autoencoder": "Encoder, bottleneck, decoder",
    "encoder": "Encoder",
    "decoder": "Decoder",
    "generator": "Generator",
    "discriminator": "Discriminator",
    "classifier": "Classifier",
    "translator": "Translator",
}
STARTS = {"decoder": "latent", "generator": "latent", "translator": "source"}  # of the other roles: "image"
CODES = ("latent", "z_mean")  # outputs of an encoder that a decoder takes
BATCH = 128  # inputs that are run at once where only the largest value of each map is kept
MAX_RESPONSES = 1 << 24  # values that a search for what excites units keeps
SHARE = 99.5  # per cent of a layer's values that lie within the scale of its pictures
PER_LAYER = 12  # maps of each layer where all layers are shown
FLAT = 4  # how much wider than high the cell of a neuron is in a row
DIM = 0.2  # share of its brightness that a place keeps where a unit is silent
# Zero is black; what is positive goes through orange to white, what is negative through blue: brighter is larger.
RAMPS = (np.array([[0, 0, 0], [230, 159, 0], [255, 250, 235]]), np.array([[0, 0, 0], [0, 114, 178], [214, 238, 252]]))


@dataclass(frozen=True, slots=True)
class Block:
    """A layer on the way of the data: the role of its network, "input" for what goes in; code: the bottleneck."""

    role: str
    layer: Layer
    code: bool = False

    @property
    def key(self) -> str:
        return f"{self.role}.{self.layer.name}"

    @property
    def size(self) -> str:
        """The shape as it is read, e.g. "14×14×32"."""
        return "×".join(map(str, self.layer.shape))


def ways(entry: Entry) -> dict[str, tuple[str, ...]]:
    """Return the ways that data can go through an entry's networks: keys of WAYS to roles, in their order."""
    roles = entry.manifest.networks.keys()
    paints = next((role for role in ("decoder", "generator") if role in roles), None)
    found: dict[str, tuple[str, ...]] = {}
    if "encoder" in roles:
        found |= {"autoencoder": ("encoder", paints)} if paints else {"encoder": ("encoder",)}
    if paints and "generate" in entry.capabilities:
        found[paints] = (paints,)
    return found | {role: (role,) for role in ("discriminator", "classifier", "translator") if role in roles}


def start(roles: Sequence[str]) -> str:
    """Return what goes in: "image", "latent", or the "source" of a translator."""
    return STARTS.get(roles[0], "image")


def blocks(entry: Entry, roles: Sequence[str]) -> list[Block]:
    """Return what goes in and every layer of the networks, in the order of the data; raises EntryError."""
    name = start(roles)
    shape = entry.manifest.networks[roles[0]].inputs[name]
    found = [Block("input", Layer(name, (), "what goes in", "", shape, False, 0, ()))]
    for role in roles:
        passed_on = role == "encoder" and len(roles) > 1
        for layer in networks.layers(entry, role):
            found.append(Block(role, layer, passed_on and layer.tensor in CODES))
    return found


def follow(
    entry: Entry,
    roles: Sequence[str],
    given: np.ndarray,
    labels: np.ndarray | None = None,
    keys: Collection[str] | None = None,
) -> dict[str, np.ndarray]:
    """Send inputs through networks, one behind the other, and return what layers make of them.

    Args:
        given: (N, *shape), images in [0, 1] or latents. labels: (N,), for conditional entries.
        keys: of the blocks that are wanted, None for all.

    Returns:
        Key of the block -> float32 (N, H, W, C) or (N, U), in the order of the data.

    Raises:
        EntryError: a network is missing or refused. ValueError: the inputs do not fit.
    """
    name, found = start(roles), {}
    if keys is None or f"input.{name}" in keys:
        found[f"input.{name}"] = np.asarray(given, np.float32)
    for role in roles:
        inputs = {name: given}
        if "label" in entry.manifest.networks[role].inputs:
            if labels is None:
                raise ValueError(f"The {role} of {entry.name} is conditional: give it one class per image.")
            inputs["label"] = labels
        prefix = f"{role}."
        wanted = None if keys is None else [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]
        outputs, maps = networks.trace(entry, role, wanted, **inputs)
        found |= {f"{role}.{layer}": array for layer, array in maps.items()}
        given, name = next((outputs[code] for code in CODES if code in outputs), given), "latent"
    return found


def peaks(maps: np.ndarray) -> np.ndarray:
    """Return how strongly each unit responds: (N, H, W, C) to (N, C), the largest value of each map; (N, U) stays."""
    return maps.max((1, 2)) if maps.ndim == 4 else maps


def responses(
    entry: Entry,
    roles: Sequence[str],
    key: str,
    given: np.ndarray,
    labels: np.ndarray | None = None,
    report: Callable[[float], None] = lambda part: None,
) -> np.ndarray:
    """Return `peaks` of one block for many inputs: float32 (N, units), batch by batch."""
    found = []
    for at in range(0, len(given), BATCH):
        report(at / len(given))
        part = slice(at, at + BATCH)
        found.append(peaks(follow(entry, roles, given[part], None if labels is None else labels[part], [key])[key]))
    return np.concatenate(found)


def strongest(values: np.ndarray, count: int) -> np.ndarray:
    """Return the places of the largest of values (N,), the largest first; of equal ones the first."""
    return np.argsort(-np.asarray(values, np.float64), kind="stable")[:count]


def scale(maps: np.ndarray) -> float:
    """Return the value that is drawn brightest: nearly all values of a layer lie within it, few outliers do not."""
    size = np.abs(maps)
    return float(np.percentile(size, SHARE)) or float(size.max(initial=0)) or 1.0


def tinted(values: np.ndarray, brightest: float) -> np.ndarray:
    """Return numbers as colours, float32 (*shape, 3) in [0, 1]: 0 is black, ±brightest and beyond are the lightest."""
    at = np.clip(np.asarray(values, np.float32) / brightest, -1, 1)
    places = np.linspace(0, 1, len(RAMPS[0]))
    warm, cold = (
        np.stack([np.interp(s * at, places, c) for c in r.T], -1) for s, r in zip((1, -1), RAMPS, strict=True)
    )
    return (np.where(at[..., None] < 0, cold, warm) / 255).astype(np.float32)


def unit_pictures(maps: np.ndarray, brightest: float | None = None) -> np.ndarray:
    """Return one picture per unit of one input's maps: (H, W, C) to (C, H, W, 3), a vector (U,) to (U, 1, 1, 3)."""
    units = np.moveaxis(maps, -1, 0) if maps.ndim == 3 else maps.reshape(-1, 1, 1)
    return tinted(units, brightest or scale(maps))


def face(maps: np.ndarray, cells: int = 32) -> np.ndarray:
    """Return the picture (h, w, 3) that stands for a layer: its map with the largest spread, or a column of neurons.

    Of a vector (U,) of more than `cells` numbers, the first `cells` are shown."""
    if maps.ndim == 1:
        return tinted(maps[:cells, None], scale(maps))
    best = int(maps.std((0, 1)).argmax())
    return tinted(maps[..., best], scale(maps[..., best]))


def where(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return images (N, H, W, C), dark where a unit's maps (N, h, w) are not near the largest of their values."""
    largest = maps.max((1, 2), keepdims=True)
    share = np.clip(maps / np.where(largest > 0, largest, np.inf), 0, 1)
    height, width = images.shape[1:3]
    rows, columns = (np.arange(size) * part // size for size, part in zip((height, width), maps.shape[1:], strict=True))
    return images * (DIM + (1 - DIM) * share[:, rows][:, :, columns, None])


def described(block: Block) -> str:
    """Say what a layer does, how large its output is, how many parameters it has, and what it takes if that is several
    things."""
    layer = block.layer
    values = f" = {layer.values:,}" if len(layer.shape) > 1 else ""
    text = f"{layer.kind[:1].upper()}{layer.kind[1:]}. {block.size}{values} values, {layer.parameters:,} parameters."
    taken = ", ".join(name or "its input" for name in layer.inputs)
    return f"{text} Takes {taken}." if len(layer.inputs) > 1 else text


def shares(labels: np.ndarray | None, classes: Sequence[str]) -> str:
    """Say of which classes labels (N,) are, at most three: "Of these 12: “ankle boot” 9×, “bag” 3×."; "" for none."""
    if labels is None or not len(labels) or not classes:
        return ""
    counts = np.bincount(labels, minlength=len(classes))
    said = [f"“{classes[index]}” {counts[index]}×" for index in np.argsort(-counts, kind="stable")[:3] if counts[index]]
    return f"Of these {len(labels)}: {', '.join(said)}."


def table(found: Sequence[Block]) -> str:
    """Return all layers as CSV: network, layer, what it does, shape of its output, values, parameters."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["network", "layer", "kind", "output", "values", "parameters"])
    for block in found:
        layer = block.layer
        writer.writerow([block.role, layer.name, layer.kind, block.size, layer.values, layer.parameters])
    return buffer.getvalue()


def total(found: Sequence[Block]) -> str:
    """Say how many parameters the networks have, e.g. "432,991 parameters: encoder 101,060, decoder 331,931"."""
    counts: dict[str, int] = {}
    for block in found[1:]:
        counts[block.role] = counts.get(block.role, 0) + block.layer.parameters
    each = ", ".join(f"{role} {count:,}" for role, count in counts.items())
    return f"{sum(counts.values()):,} parameters" + (f": {each}" if len(counts) > 1 else "")


def rows(found: Sequence[Block], maps: dict[str, np.ndarray]) -> list[Row]:
    """Return a row for each block: the PER_LAYER units that the first input excites most; the first of a network is
    apart."""
    found_rows, role = [], ""
    for block in found:
        count = f" · {block.layer.parameters:,} parameters" if block.layer.parameters else ""
        note = f"{block.size}{count}\n{block.layer.kind}"
        title = f"{block.role} · {block.layer.name}"
        found_rows.append(Row(title, typical(maps[block.key][0]), note, apart=role not in ("", block.role)))
        role = block.role
    return found_rows


def typical(maps: np.ndarray) -> np.ndarray:
    """Return pictures (n, h, w, 3) of the PER_LAYER units with the largest values, in the order of the units; neurons
    are flat cells."""
    chosen = np.sort(strongest(peaks(np.abs(maps)[None])[0], PER_LAYER))
    pictures = unit_pictures(maps, scale(maps))[chosen]
    return pictures if maps.ndim == 3 else pictures.repeat(FLAT, 2)
