"""What the pixels of images hold that go into and come out of networks: found by trying, and said to be guessed.

A sigmoid at the end proves [0, 1]; nothing else proves anything. With an encoder and a decoder the pair of ranges is
taken with which built-in images are reconstructed best, as far as any is reconstructed at all. Without an encoder the
quantiles of what comes out of random codes decide, not its extremes: a linear end overshoots on rare codes.
"""

import math
from dataclasses import dataclass

import numpy as np

from training.importing import Refused, build
from training.importing.options import Options
from training.importing.roles import Part
from training.importing.weights import Arrays
from zoo.data import datasets
from zoo.images import fit
from zoo.sharing.corrections import INTERVALS, LOGITS, interval, range_text, to_unit

TRIED = 32  # codes or images at most
TRIED_VALUES = 1 << 25  # of the largest intermediate result, for all of them together
BUILT_IN = {1: "digits", 3: "fruits"}
QUANTILES = (0.02, 0.5, 0.98)
EXPLAINED = 0.3  # share of the images' variance that a reconstruction must explain to count as one
BETTER = 0.9  # of the error of the range that is taken without trying
UNMOVED = ("Reshape", "Flatten", "Cropping2D", "Permute", "ZeroPadding2D", "Dropout", "Clip")


@dataclass(frozen=True)
class Ranges:
    """Ranges as corrections say them: of images that come out, and that go in; None where there are none."""

    makes: str | None
    reads: str | None


def find(
    parts: dict[str, Part],
    arrays: dict[str, Arrays],
    options: Options,
    guesses: list[str],
    warnings: list[str],
    usual: str | None = None,
) -> Ranges:
    """The ranges of an entry's images.

    Args:
        parts, arrays: its networks and their weights, by role.
        options: `makes` and `reads` where the user says them, `prior` of the codes that are tried.
        guesses, warnings: sentences on what is not certain, or wrong, are added to them.
        usual: the range of images that the tutorial makes which the network is from.

    Raises:
        Refused: what comes out is not finite.
    """
    maker = parts.get("generator") or parts.get("decoder") or parts.get("translator")
    readers = [parts[role] for role in ("translator", "encoder", "discriminator", "classifier") if role in parts]
    stated = _first_range(readers[0]) if readers else None
    if maker is None:
        reads = options.reads or stated or "unit"
        if not options.reads and stated is None:
            guesses.append("Images that go in are taken to be expected in [0, 1]: their range is guessed (reads).")
        return Ranges(None, reads)
    last = last_activation(maker)
    if maker.role == "translator":
        return _of_translator(maker, arrays["translator"], last, stated, options, guesses)
    images = _draws(maker, arrays[maker.role], options, warnings)
    likely, sure = range_of(images, last)
    likely = likely if sure else usual or likely
    makes = options.makes or likely
    if {"encoder", "decoder"} <= parts.keys() and not (options.makes and options.reads):
        tried = _reconstructed(parts, arrays, options, last, stated, makes, guesses)
        if tried:
            return tried
    reads = (options.reads or stated or ("unit" if makes == LOGITS else makes)) if readers else None
    if not options.makes and not sure:
        low, _, high = np.quantile(images, QUANTILES)
        guesses.append(
            f"What comes out lies mostly between {low:.3g} and {high:.3g} and is taken for {range_text(makes)}: the "
            "range is guessed (range)."
        )
    if readers and reads and not options.reads and stated is None:
        guesses.append(f"Images that go in are taken to be expected in {range_text(reads)}: guessed (reads).")
    return Ranges(makes, reads)


def codes(rng: np.random.Generator, shape: tuple[int, ...], prior: str | None) -> np.ndarray:
    """Codes float32 of a shape, drawn from U(-1, 1) or, for any other prior, from N(0, 1)."""
    return (rng.uniform(-1, 1, shape) if prior == "uniform" else rng.standard_normal(shape)).astype("float32")


def last_activation(part: Part) -> str | None:
    """The activation at the end of a network that makes images, also through reshapes; None where it is unknown."""
    tensor = part.outputs["image"]
    while call := part.graph.made_by.get(tensor):
        if call.layer.kind not in UNMOVED:
            return call.layer.spec.arguments.get("activation", "linear" if call.layer.spec.weights else None)
        tensor = call.inputs[0]
    return None


def range_of(images: np.ndarray, last: str | None) -> tuple[str, bool]:
    """(range, whether the last layer proves it) of images of any shape, by their quantiles."""
    low, middle, high = (float(value) for value in np.quantile(images, QUANTILES))
    if last == "sigmoid":
        return "unit", True
    if last == "tanh":
        return ("unit" if low >= -0.02 and high > 0.05 else "symmetric"), False
    if low >= -0.25 and high <= 1.5:
        return "unit", False
    if -0.65 <= low <= -0.35 and 0.35 <= high <= 0.65:
        return "half", False
    if low >= -1.5 and high <= 1.5:
        return "symmetric", False
    if low >= -40 and high <= 330 and high > 30:
        return "bytes", False
    if low >= -3 and high <= 3 and -1 <= middle <= 1:
        return "symmetric", False
    return LOGITS, False


def batch_of(part: Part, most: int = TRIED) -> int:
    """How many examples can be run at once, by the largest intermediate result of a network."""
    largest = max((math.prod(shape) for shape in part.graph.shapes), default=1)
    return max(2, min(most, TRIED_VALUES // max(largest, 1)))


def built_in(image: tuple[int, int, int], count: int) -> np.ndarray:
    """Images that come with this project, fitted: (count, *image) in [0, 1]."""
    return fit(datasets.load(BUILT_IN[image[2]], "test", count=count).images, image)[0]


def _first_range(part: Part) -> str | None:
    """The range that a Rescaling at the beginning of a network proves."""
    given = part.inputs.get("image", part.inputs.get("source"))
    calls = [call for call in part.graph.calls if call.inputs == (given,)]
    if len(calls) == 1 and calls[0].layer.kind == "Rescaling":
        scale = calls[0].layer.spec.arguments["scale"]
        if isinstance(scale, float):
            return "bytes" if abs(scale) < 0.05 else "unit" if 0.9 < abs(scale) < 2.1 else None
    return None


def _draws(maker: Part, arrays: Arrays, options: Options, warnings: list[str]) -> np.ndarray:
    """Images (N, *image) that a maker gives for random codes, in its own range."""
    model = build.network(maker, arrays, reads="unit", makes="unit")
    rng, count = np.random.default_rng(0), batch_of(maker)
    batch = [codes(rng, (count, *(maker.latent or ())), options.prior)]
    if maker.classes:
        batch.append((np.arange(count) % maker.classes).astype("int32"))
    images = np.asarray(model(batch if len(batch) > 1 else batch[0], training=False)["image"])
    if not np.isfinite(images).all():
        raise Refused(f"The {maker.role} gives values that are not finite (NaN or infinity) on a trial batch.")
    if float(np.abs(images - images[:1]).max()) < 1e-6:
        warnings.append(f"The {maker.role} gives the same image for every code: it was probably never trained.")
    elif float(images.std()) < 1e-6:
        warnings.append(f"The {maker.role} gives images of one colour only.")
    return images


def _reconstructed(
    parts: dict[str, Part], arrays: dict[str, Arrays], options: Options, last: str | None, stated: str | None,
    likely: str, guesses: list[str],
) -> Ranges | None:  # fmt: skip
    """The ranges with which built-in images are reconstructed best; None where none of them is at all."""
    encoder, decoder = parts["encoder"], parts["decoder"]
    if encoder.classes != decoder.classes and encoder.classes:
        return None
    count = min(batch_of(encoder), batch_of(decoder))
    x = built_in(encoder.image, count)
    encode = build.network(encoder, arrays["encoder"], reads="unit", makes="unit")
    decode = build.network(decoder, arrays["decoder"], reads="unit", makes="unit")
    labels = (np.arange(count) % decoder.classes).astype("int32") if decoder.classes else None
    makes = [options.makes] if options.makes else _makes(last)
    reads = [options.reads] if options.reads else [stated] if stated else list(INTERVALS)
    errors: dict[tuple[str, str], float] = {}
    for read in reads:
        low, high = interval(read)
        given = x * (high - low) + low
        outputs = encode([given, labels] if encoder.classes else given, training=False)
        codes = np.asarray(next(iter(outputs.values())))
        y = np.asarray(decode(codes if labels is None else [codes, labels], training=False)["image"])
        for make in makes:
            errors[read, make] = float(np.square(np.clip(to_unit(y, make), 0, 1) - x).mean())
    (read, make), error = min(errors.items(), key=lambda item: item[1])
    if not error < (1 - EXPLAINED) * float(np.square(x - x.mean(0)).mean()):
        return None
    before = ("unit" if likely == LOGITS else likely, likely)
    if before in errors and error > BETTER * errors[before]:
        (read, make), error = before, errors[before]
    if len(errors) > 1:
        what, decibels = BUILT_IN[encoder.image[2]], -10 * math.log10(max(error, 1e-12))
        guesses.append(
            f"Of {len(errors)} pairs of ranges, images that go in from {range_text(read)} and come out as "
            f"{range_text(make)} reconstruct {count} built-in {what} best (PSNR {decibels:.1f} dB): guessed (reads, "
            "range)."
        )
    return Ranges(make, read)


def _makes(last: str | None) -> list[str]:
    """The ranges that an activation at the end allows."""
    return {
        "sigmoid": ["unit"],
        "tanh": ["symmetric", "unit", "half"],
        "relu": ["unit", "bytes"],
    }.get(last or "", [*INTERVALS, LOGITS])


def _of_translator(
    part: Part, arrays: Arrays, last: str | None, stated: str | None, options: Options, guesses: list[str]
) -> Ranges:
    """The same range for both sides, as the activation at the end or what comes out says."""
    likely = {"tanh": "symmetric", "sigmoid": "unit"}.get(last or "")
    reads = options.reads or stated or likely or "unit"
    if likely is None:
        model = build.network(part, arrays, reads=reads, makes="unit")
        assert part.source is not None
        images = np.asarray(model(built_in(part.source, batch_of(part)), training=False)["image"])
        if not np.isfinite(images).all():
            raise Refused("The translator gives values that are not finite (NaN or infinity) on a trial batch.")
        likely = range_of(images, last)[0]
    makes = options.makes or likely
    if not options.makes and last != "sigmoid":
        guesses.append(f"Images that come out are taken for {range_text(makes)}: the range is guessed (range).")
    if not options.reads and not stated:
        guesses.append(f"Images that go in are taken to be expected in {range_text(reads)}: guessed (reads).")
    return Ranges(makes, reads)
