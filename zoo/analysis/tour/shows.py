"""What a stop of a tour can show, by its kind: entries and plain parameters in, pictures and figures out.

A kind is a function below: its parameters behind the first are what a stop may set in its data file, and their
annotations say of which type. Pages draw the same live where that is possible; a handout and a notebook show this.
"""

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from zoo import charts, images, models
from zoo.analysis import comparison, fidelity, game, layers, manifold, walk
from zoo.analysis.tour.setting import POOL, Setting, Shown
from zoo.analysis.walk import Anchor
from zoo.charts.poster import Row
from zoo.entries import Entry
from zoo.errors import EntryError
from zoo.latent import codes
from zoo.metrics.figures import FIGURES, Figure

DRAWN = 400  # images that are drawn where their distribution is shown


def outputs(setting: Setting, entry: str, image: int = 0) -> Shown:
    """Show the three kinds of output for one image: a classifier's numbers, an encoder's vector, a decoder's image."""
    found = setting.entry(entry)
    seen, classifier = setting.pictures(found), setting.classifier(found)
    at = image % len(seen.images)
    one = seen.images[at : at + 1]
    probabilities, _ = models.classify(classifier, images.fit(one, classifier.shape)[0])
    latent = models.encode(found, one, _of(seen.asked, at))
    rows = [Row("Input", one), Row("Output: an image", models.decode(found, latent, _of(seen.asked, at)))]
    figures = {
        "Output: one number for each class, the classifier's probability.": charts.class_probabilities(
            probabilities[0], classifier.classes
        ),
        "Output: a vector, the code that the encoder gives the image.": charts.latent_bars(latent[0]),
    }
    return Shown(rows, [seen.name(at)], figures, note=seen.note)


def parameters(setting: Setting, entry: str) -> Shown:
    """Show how many weights each layer of an entry's networks has."""
    found = setting.entry(entry)
    ways = layers.ways(found)
    blocks = [block for block in layers.blocks(found, next(iter(ways.values()))) if block.layer.parameters]
    counts = {f"{block.role} · {block.layer.name}": block.layer.parameters for block in blocks}
    return Shown(figures={"The number of weights of each layer.": charts.parameter_bars(counts)})


def maps(setting: Setting, entry: str, way: str = "encoder", image: int = 0) -> Shown:
    """Show what every layer of a network makes of one image."""
    found = setting.entry(entry)
    ways = layers.ways(found)
    roles = ways[way] if way in ways else next(iter(ways.values()))
    seen = setting.pictures(found)
    at = image % len(seen.images)
    given = models.sample(found, 1, image).latents if layers.start(roles) == "latent" else seen.images[at : at + 1]
    blocks = layers.blocks(found, roles)
    followed = layers.follow(found, roles, given, _of(seen.asked, at))
    names = [f"unit {number}" for number in range(1, layers.PER_LAYER + 1)]
    return Shown(layers.rows(blocks, followed), names, note=seen.note)


def integer(setting: Setting, dataset: str = "digits", image: int = 0, added: int = 0) -> Shown:
    """Show an image as one integer, its bytes being digits to base 256, and the image of that integer plus `added`."""
    pool = setting.split(dataset, "test", POOL)
    picture = pool.images[image % len(pool.images)]
    number = to_integer(picture)
    other = from_integer(number + added, picture.shape)
    rows = [Row("Image", picture[None]), Row(f"Integer + {added:,}", other[None])]
    text = f"The integer of the image has {len(str(number))} decimal digits:\n\n`{number}`"
    return Shown(rows, ["the image"], text=text)


def to_integer(picture: np.ndarray) -> int:
    """Return the integer whose digits to base 256 are the pixels of an image (H, W, C), the last pixel the lowest."""
    return int.from_bytes(images.to_uint8(picture[None])[0].tobytes(), "big")


def from_integer(number: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return the image (H, W, C) of an integer; the inverse of to_integer, modulo the number of all images."""
    count = int(np.prod(shape))
    content = (number % 256**count).to_bytes(count, "big")
    return np.frombuffer(content, np.uint8).reshape(shape).astype(np.float32) / 255


def integers(setting: Setting, entry: str, image: int = 0) -> Shown:
    """Show an image, the grid of integers that a discrete entry makes of it, and the image these become."""
    found = setting.entry(entry)
    if not found.discrete:
        raise EntryError(f"The entry {entry} has no codebook: its codes are no integers.")
    seen = setting.pictures(found)
    at = image % len(seen.images)
    given = fidelity.reconstruct(found, seen.images[at : at + 1], seen.images[at : at + 1])
    assert given.codes is not None  # a discrete entry gives them
    rows = [Row("Image", given.clean), Row("Decoded from the integers", given.outputs)]
    vocabulary = codes.vocabulary(found)
    caption = f"The {given.codes[0].size} integers of the image, each below {vocabulary}: indices into the codebook."
    figures = {caption: charts.code_grid(given.codes[0], vocabulary)}
    return Shown(rows, [seen.name(at)], figures, note=seen.note)


def written(setting: Setting, entry: str, number: int = 721041, seed: int = 0) -> Shown:
    """Show an integer as a row of images of its digits, by an entry that can be asked for them, in one style."""
    found = setting.entry(entry)
    digits = str(abs(number))[:12]
    if not all(digit in found.classes for digit in digits):
        raise EntryError(f"The entry {entry} cannot be asked for digits.")
    asked = np.array([found.classes.index(digit) for digit in digits])
    latent = models.sample(found, 1, seed, label=0).latents.repeat(len(asked), axis=0)
    return Shown([Row(digits, models.decode(found, latent, asked))], list(digits))


def reconstruction(setting: Setting, entries: list[str], seed: int = 0, count: int = 6) -> Shown:
    """Show images and what each entry gives back of them, with the mean squared error."""
    found = [setting.entry(name) for name in entries]
    seen = setting.pictures(found[0])
    index = np.random.default_rng(seed).permutation(len(seen.images))[: min(count, 12)]
    rows = [Row("Image x", seen.images[index], "", [seen.name(i) for i in index])]
    for entry in found:
        given = fidelity.reconstruct(
            entry, seen.images[index], seen.images[index], _of(seen.labels, index), seen.classes
        )
        size = int(np.prod(entry.latent_shape))
        numbers = [f"MSE {error:.4f}" for error in given.errors["mse"]]
        rows.append(Row(f"x̂ by {entry.label}", given.outputs, f"{size} numbers in the bottleneck", numbers))
    return Shown(rows, [f"image {number}" for number in range(1, len(index) + 1)], note=seen.note)


def principal(setting: Setting, entry: str, seed: int = 0, count: int = 6) -> Shown:
    """Show images beside what an entry and what principal components of the same number give back of them."""
    found = setting.entry(entry)
    size = int(np.prod(found.latent_shape))
    seen, train = setting.pictures(found), setting.pictures(found, "train")
    index = np.random.default_rng(seed).permutation(len(seen.images))[: min(count, 12)]
    shown = seen.images[index]
    flat = train.images.reshape(len(train.images), -1)
    mean = flat.mean(0)
    # By the images' products, of which there are fewer than of the pixels' (Turk and Pentland 1991).
    values, vectors = np.linalg.eigh((flat - mean) @ (flat - mean).T)
    axes = ((flat - mean).T @ vectors[:, -size:] / np.sqrt(np.maximum(values[-size:], 1e-9))).T
    linear = np.clip(mean + (shown.reshape(len(shown), -1) - mean) @ axes.T @ axes, 0, 1).reshape(shown.shape)
    learned = models.reconstruct(found, shown, _of(seen.asked, index))
    note = f"{size} numbers"
    rows = [Row("Image", shown, "", [seen.name(i) for i in index])]
    for title, outputs in ((f"{size} principal components", linear), (found.label, learned)):
        errors = np.square(outputs - shown).mean((1, 2, 3))
        rows.append(Row(title, outputs, note, [f"MSE {error:.4f}" for error in errors]))
    return Shown(rows, [f"image {number}" for number in range(1, len(index) + 1)], note=seen.note)


def plane(setting: Setting, entry: str) -> Shown:
    """Show a latent space of two dimensions as a map of decoded pictures."""
    grid = manifold.decoded(setting.entry(entry), 13)
    return Shown([Row("", manifold.tiled(grid)[None])], ["the map of the latent plane"])


def anchors(setting: Setting, entry: Entry, classes: Sequence[str], seed: int = 0) -> list[Anchor]:
    """Return an anchor for the code of one image of each class, in their order."""
    seen = setting.pictures(entry)
    if seen.labels is None or not set(classes) <= set(seen.classes):
        raise EntryError(f"The images at hand for {entry.label} are not of the classes {', '.join(classes)}.")
    found = []
    for wanted in classes:
        members = np.flatnonzero(seen.labels == seen.classes.index(wanted))
        if not len(members):
            raise EntryError(f"None of the images at hand is of the class {wanted}.")
        picture = seen.images[members[seed % len(members)]]
        found.append(walk.encoded(entry, picture, wanted, seen.classes.index(wanted), seen.classes)[0])
    return found


def interpolation(setting: Setting, entry: str, classes: list[str], seed: int = 0) -> Shown:
    """Show the walks from an image of one class to one of another: through latent space and through the pixels."""
    found = setting.entry(entry)
    t = np.linspace(0, 1, 9)
    rows, columns = walk.poster(walk.walk(found, anchors(setting, found, classes[:2], seed), t), t)
    return Shown(rows, columns)


def dimensions(setting: Setting, entry: str, seed: int = 0, count: int = 6) -> Shown:
    """Show what the most effective dimensions of a code do, one in each row, all others at rest."""
    found = setting.entry(entry)
    sample = models.sample(found, models.affordable(found, walk.TRAVERSED), 0)
    ranked = models.rank_dimensions(found, sample.latents, sample.labels)[: min(count, 12)]
    moves = walk.traverse(found, walk.drawn(found, seed), ranked, sample.latents)
    rows = [Row(f"z{move.dimension}", move.frames, move.note) for move in moves]
    return Shown(rows, [f"{at:+.2g} σ" for at in walk.TRAVERSAL])


def clusters(setting: Setting, entry: str) -> Shown:
    """Show where an encoder puts images: their codes as points, along the principal axes where they are more than two
    numbers, coloured by a class that the encoder was not told."""
    found = setting.entry(entry)
    seen = setting.pictures(found)
    points = models.encode(found, seen.images, seen.asked).reshape(len(seen.images), -1)
    axes = ("z0", "z1")
    if points.shape[1] > 2:
        points = comparison.principal_axes(points).project(points)
        axes = ("first principal component of the codes", "second principal component")
    caption = f"Each point is the code of one of {len(points)} images; the encoder never saw the names of the classes."
    chart = charts.latent_map(points, seen.labels, seen.classes)
    chart.update_layout(xaxis_title_text=axes[0], yaxis_title_text=axes[1])
    return Shown(figures={caption: chart}, note=seen.note)


def figures(setting: Setting, figure: str, entries: list[str]) -> Shown:
    """Show one stored figure of several entries with its interval, and what real images score."""
    row, found = _figure(figure), [setting.entry(name) for name in entries]
    measured = {entry.label: entry.manifest.metrics[figure] for entry in found if figure in entry.manifest.metrics}
    if not measured:
        raise EntryError(f"None of the entries {', '.join(entries)} was measured for {row.label}.")
    values = [metric.value for metric in measured.values()]
    lows = [m.value if m.low is None else m.low for m in measured.values()]
    highs = [m.value if m.high is None else m.high for m in measured.values()]
    ends = (f"{figure}_floor", f"{figure}_real")
    floors = [entry.manifest.metrics[end].value for entry in found for end in ends if end in entry.manifest.metrics]
    chart = charts.ranking(list(measured), values, lows, highs, f"{row.label} {row.arrow}", next(iter(floors), None))
    protocol = next((metric.protocol for metric in measured.values() if metric.protocol), "")
    return Shown(figures={f"{row.label}: {row.meaning}. {protocol}".strip(): chart})


def tradeoff(setting: Setting, x: str, y: str, entries: list[str]) -> Shown:
    """Show two stored figures of several entries against each other."""
    found = [setting.entry(name) for name in entries]
    known = [entry for entry in found if {x, y} <= entry.manifest.metrics.keys()]
    if not known:
        raise EntryError(f"None of the entries {', '.join(entries)} was measured for {x} and {y}.")
    across, up = ([entry.manifest.metrics[name].value for entry in known] for name in (x, y))
    names = [entry.label for entry in known]
    labels = _figure(x).label, _figure(y).label
    chart = charts.tradeoff(names, across, up, names, *labels)
    return Shown(
        figures={f"{labels[0]} and {labels[1]} of {len(known)} entries; better is up and to the right.": chart}
    )


def classes(setting: Setting, entries: list[str], seed: int = 0) -> Shown:
    """Show how often a classifier sees each class among real images and among those that entries draw."""
    found = [setting.entry(name) for name in entries]
    classifier = setting.classifier(found[0])
    sets = {entry.label: models.sample(entry, DRAWN, seed).images for entry in found}
    note = f"{found[0].dataset} is not on this machine: without real images beside the drawn ones."
    if setting.available(found[0].dataset):
        sets, note = {charts.REAL_NAME: setting.pictures(found[0]).images} | sets, ""
    size = len(classifier.classes)
    counts = {}
    for name, drawn in sets.items():
        probabilities, _ = models.classify(classifier, images.fit(drawn, classifier.shape)[0])
        counts[name] = np.bincount(probabilities.argmax(1), minlength=size)
    caption = f"The share of each class as {classifier.label} sees it, among {DRAWN} images of each set, seed {seed}."
    return Shown(figures={caption: charts.class_histogram(counts, classifier.classes)}, note=note)


def draws(setting: Setting, entries: list[str], seed: int = 0, count: int = 8) -> Shown:
    """Show what entries make of noise: as many images each, from codes drawn with one seed."""
    rows = [
        Row(
            entry.label,
            models.sample(entry, min(count, 16), seed).images,
            f"{np.prod(entry.latent_shape)} random numbers",
        )
        for entry in (setting.entry(name) for name in entries)
    ]
    return Shown(rows, [f"draw {number}" for number in range(1, count + 1)])


def conditions(setting: Setting, entry: str, classes: list[str], seed: int = 0, count: int = 6) -> Shown:
    """Show images asked for by class: a row for each class, a column for each noise."""
    found = setting.entry(entry)
    if not found.conditional or not set(classes) <= set(found.classes):
        raise EntryError(f"The entry {entry} cannot be asked for {', '.join(classes)}.")
    latents = models.sample(found, min(count, 12), seed, label=0).latents
    rows = [Row(name, models.decode(found, latents, found.classes.index(name))) for name in classes[:12]]
    return Shown(rows, [f"noise {number}" for number in range(1, len(latents) + 1)])


def replay(setting: Setting, entry: str, count: int = 6) -> Shown:
    """Show the same codes decoded at moments of an entry's training, the first and the last among them."""
    found = game.load(setting.entry(entry))
    if found is None:
        raise EntryError(f"The entry {entry} keeps nothing of its training.")
    total = len(found.seen)
    moments = np.unique(np.linspace(0, total - 1, max(2, min(count, 12))).astype(int))
    names = [f"{found.seen[moment]:,} images seen" for moment in moments]
    return Shown([Row("", found.pictures[moments].astype(np.float32) / 255, "", names)], names)


def lab(setting: Setting, preset: str = "modes") -> Shown:
    """Stand for an experiment of the live lab, which runs in a browser only."""
    return Shown(text=f"This view trains in the browser: in the app, open **Live lab** with the preset `{preset}`.")


def papers(setting: Setting) -> Shown:
    """List the papers behind the entries, the oldest first, from the entries' own manifests."""
    found: dict[tuple[int, str, str], list[str]] = {}
    for entry in setting.entries.values():
        made = entry.manifest
        if made.paper:
            found.setdefault((made.year or 0, made.family_title, made.paper), []).append(entry.id)
    return Shown(text="\n".join(f"{year or '—'}\t{title}\t{url}" for year, title, url in sorted(found)))


def _of(values: np.ndarray | None, at: int | np.ndarray) -> np.ndarray | None:
    return None if values is None else values[at : at + 1] if isinstance(at, int) else values[at]


def _figure(name: str) -> Figure:
    if name not in FIGURES:
        raise EntryError(f"There is no figure {name!r}.")
    return FIGURES[name]


KINDS = (
    outputs, parameters, maps, integer, integers, written, reconstruction, principal, plane, interpolation, dimensions,
    clusters, figures, tradeoff, classes, draws, conditions, replay, lab, papers,
)  # fmt: skip
SHOWS: dict[str, Callable[..., Shown]] = {kind.__name__: kind for kind in KINDS}


def wrong_parameters(kind: str, given: Mapping[str, object]) -> str:
    """Return what is wrong with the parameters of a kind, "" where they fit its function's signature."""
    declared = {p.name: p for p in list(inspect.signature(SHOWS[kind]).parameters.values())[1:]}
    for name, value in given.items():
        if name not in declared:
            return f"the view {kind} has no {name}; it has {', '.join(declared) or 'no parameters'}"
        wanted = declared[name].annotation
        if isinstance(wanted, types.GenericAlias):
            inner = typing.get_args(wanted)[0]
            right = isinstance(value, list) and 0 < len(value) <= 16 and all(type(part) is inner for part in value)
        else:
            right = type(value) is wanted or (wanted is float and type(value) is int)
        if not right or (isinstance(value, int | float) and not abs(value) < 1e12):
            return f"{name} of the view {kind} has to be {getattr(wanted, '__name__', wanted)}"
    missing = [name for name, p in declared.items() if p.default is p.empty and name not in given]
    return f"the view {kind} needs {', '.join(missing)}" if missing else ""
