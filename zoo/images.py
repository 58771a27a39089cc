"""Pictures in and out: uploads, fitting to a shape, sheets, PNG, GIF, ZIP; degradations. Numpy and Pillow only.

Images are float32 (N, H, W, C) in [0, 1] with C in {1, 3}, unless a docstring says uint8.
"""

import io
import math
import struct
import zipfile
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageOps, ImageStat

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 16_000_000
MAX_SHEET_PIXELS = 4_000_000
MAX_UPLOAD_PIXELS = 1_000_000  # what is left of a larger upload before it becomes numbers of four bytes
MAX_ASPECT = 10
MAX_ANIMATION_BYTES = 4 * 2**20
MAX_FRAMES = 300
MAX_ANIMATION_PIXELS = 64_000_000
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")  # JPEG stands for the MPO of phones too
SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".jfif", ".mpo", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif"
)  # fmt: skip
NAMES = "PNG, JPEG, WebP, BMP, GIF, TIFF, AVIF or HEIC"
ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")  # formats whose further pictures are frames; of others the first is taken
HEIF = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # brands, after "ftyp"
WHITES = (255, 4095, 65535)  # of 8, 12 and 16 bits
EXTENSION, FRAME, END = 0x21, 0x2C, 0x3B  # what a block of a GIF begins with

Colour = float | tuple[float, float, float]


# In


def open_picture(data: bytes, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """A still picture from encoded bytes, bounds checked, pixels not read yet.

    Of several pictures in a file (MPO, TIFF, HEIC) it is the first. Raises ValueError, one sentence, for what is none
    of NAMES, is animated, has more than `max_bytes` bytes or more than `max_pixels` pixels.
    """
    if len(data) > max_bytes:
        raise ValueError(f"The file has {len(data) / 2**20:.0f} MB: choose one of at most {max_bytes // 2**20} MB.")
    try:
        picture = Image.open(io.BytesIO(data), formats=_formats(data))
        pixels = picture.width * picture.height
        animated = pixels <= max_pixels and picture.format in ANIMATED and getattr(picture, "is_animated", False)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(f"The picture is too large: choose one of at most {max_pixels // 10**6} megapixels.") from None
    except Exception as error:  # a hostile header can fail anywhere in Pillow's parsers
        raise ValueError(f"The file is not a picture that can be read: choose a {NAMES}.") from error
    if pixels > max_pixels:
        raise ValueError(f"The picture has {pixels / 1e6:.0f} megapixels: choose one of at most {max_pixels // 10**6}.")
    if animated:
        raise ValueError("The picture is animated: choose a still one.")
    return picture


def _formats(data: bytes) -> tuple[str, ...]:
    """The formats that bytes may have; what reads HEIC takes a tenth of a second to import, so only for these."""
    if data[4:8] != b"ftyp" or data[8:12] not in HEIF:
        return FORMATS
    import pillow_heif

    pillow_heif.register_heif_opener()
    return (*FORMATS, "HEIF")


def is_grey(picture: Image.Image) -> bool:
    """Whether an opened picture has no colours, whatever its bits."""
    return picture.mode in ("1", "L", "LA", "La", "F") or picture.mode.startswith("I")


def white(picture: Image.Image) -> float | None:
    """The value that is white in a grey picture of more than 8 bits, None for others: of WHITES the least that is not
    below its brightest pixel, for cameras keep 12 bits in 16; of decimals also 1."""
    if picture.mode != "F" and not picture.mode.startswith("I"):
        return None
    brightest = float(np.asarray(picture, np.float64).max(initial=0))
    levels = WHITES if picture.mode.startswith("I") else (1, *WHITES)
    return next((level for level in levels if brightest <= level), brightest)


def animation(data: bytes) -> bytes:
    """The bytes of a GIF for a browser to show, after its frames were counted and measured, none of them unpacked.

    Raises ValueError, one sentence, for what is not a whole GIF, has more than MAX_ANIMATION_BYTES bytes, more than
    MAX_FRAMES frames or unpacks to more than MAX_ANIMATION_PIXELS pixels.
    """
    if len(data) > MAX_ANIMATION_BYTES:
        raise ValueError(f"The animation has more than {MAX_ANIMATION_BYTES >> 20} MB.")
    frames = pixels = 0
    try:
        area = math.prod(struct.unpack_from("<2H", data, 6))
        for width, height in _frames(data):
            frames, pixels = frames + 1, pixels + max(area, width * height)
    except (IndexError, struct.error):
        frames = 0
    if not frames:
        raise ValueError("The animation is not a whole GIF.")
    if frames > MAX_FRAMES or pixels > MAX_ANIMATION_PIXELS:
        raise ValueError(
            f"The animation has {frames:,} frames and {pixels / 1e6:,.0f} megapixels: at most {MAX_FRAMES} and "
            f"{MAX_ANIMATION_PIXELS // 10**6} are shown."
        )
    return data


def _frames(data: bytes) -> Iterator[tuple[int, int]]:
    """The right and the lower edge of each frame of a GIF; IndexError where it ends early (CompuServe 1990, GIF89a)."""
    if data[:6] not in (b"GIF87a", b"GIF89a"):
        return
    at = 13 + _colours(data[10])
    while data[at] in (EXTENSION, FRAME):
        if data[at] == FRAME:
            left, top, width, height = struct.unpack_from("<4H", data, at + 1)
            yield left + width, top + height
            at += 11 + _colours(data[at + 9])
        else:
            at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    if data[at] != END:
        raise IndexError


def _colours(flags: int) -> int:
    """Bytes of the colour table that a GIF's flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def read_pixels(picture: Image.Image, most: int = MAX_PIXELS, brightest: float | None = None) -> Image.Image:
    """The picture upright, in mode L or RGB, 8 bit, transparency laid on white (on black where the ink is bright).

    A picture of more than `most` pixels is reduced while it is small, in bytes. Of more than 8 bits, `brightest` is
    white, without it what `white` finds. Raises ValueError when the pixels are damaged.
    """
    try:
        picture = _reduced(picture, most)
        if picture.info.get("exif"):
            picture = ImageOps.exif_transpose(picture)
        if _translucent(picture):
            return _opaque(picture)
        if (top := brightest or white(picture)) and (picture.mode == "F" or picture.mode.startswith("I")):
            return Image.fromarray(to_uint8(np.asarray(picture, np.float64) / top))
        mode = "L" if picture.mode in ("1", "L") else "RGB"
        picture.load()
        return picture if picture.mode == mode else picture.convert(mode)
    except Exception as error:  # damaged data fails with many types, SyntaxError and struct.error among them
        raise ValueError("The picture is damaged: choose another one.") from error


def _opaque(picture: Image.Image) -> Image.Image:
    mode = "L" if picture.mode in ("1", "L", "LA", "La") else "RGB"
    picture = picture.convert("RGBA")
    *colour, alpha = ImageStat.Stat(picture.convert("RGBa")).sum
    ink = sum(colour) / max(1.0, 3 * alpha / 255)
    ground = 255 if ink < 160 or picture.getchannel("A").getextrema()[0] == 255 else 0
    return Image.alpha_composite(Image.new("RGBA", picture.size, (ground,) * 3 + (255,)), picture).convert(mode)


def _reduced(picture: Image.Image, most: int) -> Image.Image:
    """The picture, its sides divided by one whole number so that it has about `most` pixels, or fewer."""
    factor = math.ceil(math.sqrt(picture.width * picture.height / most))
    if factor < 2:
        return picture
    grey = "I" if picture.mode.startswith("I") else "L" if picture.mode in ("1", "L") else "RGB"
    grey = "F" if picture.mode == "F" else grey
    mode = "RGBA" if _translucent(picture) else grey
    small = Image.new(mode, (-(-picture.width // factor), -(-picture.height // factor)))
    for top in range(0, small.height, 64):  # in strips: large pictures are not held twice
        strip = picture.crop((0, top * factor, picture.width, min(picture.height, (top + 64) * factor)))
        small.paste(strip.convert(mode).reduce(factor), (0, top))
    small.info = {key: value for key, value in picture.info.items() if key != "transparency"}
    return small


def _translucent(picture: Image.Image) -> bool:
    return "transparency" in picture.info or picture.mode in ("LA", "La", "PA", "RGBA", "RGBa")


def decode_upload(data: bytes, shape: tuple[int, int, int]) -> tuple[np.ndarray, str | None]:
    """One image (1, *shape) from the bytes of an upload, and in one or two sentences what was done to it, or None.

    Raises ValueError, one sentence, as `open_picture` and `fit_picture` do.
    """
    image, *notices = fit_picture(open_picture(data), shape)
    return image, " ".join(filter(None, notices)) or None


def fit_picture(picture: Image.Image, shape: tuple[int, int, int]) -> tuple[np.ndarray, str | None, str | None]:
    """One image (1, *shape) from an opened picture, `fit`'s notice, and one on bits that are not used, or None.

    Raises ValueError, one sentence, for damaged pixels and for a strip more than MAX_ASPECT times as long as wide:
    padded to a square, a few of its pixels would fill the memory.
    """
    if max(picture.size) > MAX_ASPECT * min(picture.size):
        raise ValueError(f"The picture is more than {MAX_ASPECT} times as long as wide: cut it to what matters.")
    try:
        brightest, sixteen = white(picture), picture.mode.startswith("I;16")
    except Exception as error:  # as in read_pixels
        raise ValueError("The picture is damaged: choose another one.") from error
    picture = read_pixels(picture, MAX_UPLOAD_PIXELS, brightest)
    pixels = np.asarray(picture, np.float32) / 255
    fitted, notice = fit(pixels.reshape(1, picture.height, picture.width, -1), shape)
    return fitted, notice, unused_bits(brightest) if sixteen else None


def unused_bits(brightest: float | None) -> str | None:
    """Say that a picture of 16 bits whose white is `brightest` was scaled; None where it was not."""
    if brightest not in WHITES[:2]:
        return None
    return f"Grey values that use {'8' if brightest == WHITES[0] else '12'} of 16 bits were scaled to all of them."


def fit(images: np.ndarray, shape: tuple[int, int, int]) -> tuple[np.ndarray, str | None]:
    """Images (N, *shape) made from images of another shape, and one sentence on what was done, or None.

    Colour becomes grey by ITU-R 601 luma; other proportions are padded with the border's colour, image by image;
    sizes change by a cubic filter (Keys 1981, a = -1/2), widened when reducing so that nothing aliases.
    """
    images = np.asarray(images, np.float32)
    if images.ndim != 4 or images.shape[3] not in (1, 3) or shape[2] not in (1, 3) or 0 in images.shape[1:3]:
        raise ValueError(f"Images of shape {images.shape} cannot be fitted to {tuple(shape)}.")
    height, width, channels = shape
    done = []
    if channels != images.shape[3]:
        if channels == 1:
            images = images @ np.array([[0.299], [0.587], [0.114]], np.float32)
        else:
            images = np.repeat(images, 3, axis=3)
        done.append("turned to grey" if channels == 1 else "repeated in three colour channels")
    padded = _pad(images, width / height)
    if padded.shape != images.shape:
        done.append("padded with the colour of their border")
    if padded.shape[1:3] != (height, width):
        change = "enlarged" if height * width > padded.shape[1] * padded.shape[2] else "reduced"
        done.append(f"{change} from {images.shape[1]}×{images.shape[2]} to {height}×{width}")
        columns = _resampling(padded.shape[2], width)
        rows = _resampling(padded.shape[1], height)
        padded = np.einsum("oh,nhwc->nowc", rows, padded, optimize=True)
        padded = np.clip(np.einsum("pw,nowc->nopc", columns, padded, optimize=True), 0, 1)
    if not done:
        return images, None
    text = done[0] if len(done) == 1 else ", ".join(done[:-1]) + " and " + done[-1]
    return np.ascontiguousarray(padded, np.float32), f"The images were {text}."


def _pad(images: np.ndarray, aspect: float) -> np.ndarray:
    """Images padded evenly to width / height = aspect with the median colour of their border."""
    n, height, width, channels = images.shape
    target = (max(height, round(width / aspect)), max(width, round(height * aspect)))
    if target == (height, width) or n == 0:
        return images
    sides = (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1])
    border = np.median(np.concatenate(sides, axis=1), axis=1)
    padded = np.empty((n, *target, channels), np.float32)
    padded[:] = border[:, None, None, :]
    top, left = (target[0] - height) // 2, (target[1] - width) // 2
    padded[:, top : top + height, left : left + width] = images
    return padded


def _resampling(before: int, after: int) -> np.ndarray:
    """Weights (after, before) of Keys' cubic filter, rows summing to one."""
    scale = max(1.0, before / after)
    centres = (np.arange(after)[:, None] + 0.5) * before / after
    t = np.abs(np.arange(before)[None, :] + 0.5 - centres) / scale
    weights = np.where(t < 1, 1.5 * t**3 - 2.5 * t**2 + 1, np.where(t < 2, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2, 0))
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


# Out


def to_uint8(images: np.ndarray) -> np.ndarray:
    """Images of any rank from [0, 1] to 0…255; what is outside is clipped, NaN is black; uint8 passes unchanged."""
    if images.dtype == np.uint8:
        return images
    pixels = np.array(images, np.float32)
    np.fmax(pixels, 0, out=pixels)  # of NaN and 0 the 0
    np.fmin(pixels, 1, out=pixels)
    pixels *= 255
    return np.rint(pixels, out=pixels).astype(np.uint8)


def open_sheet(data: bytes, max_bytes: int, width: int) -> np.ndarray:
    """Read a sheet of samples as uint8 (H, W, C), enlarged by a whole factor towards `width` pixels.

    Raises ValueError, one sentence, for what open_picture and read_pixels refuse, and for a sheet more than MAX_ASPECT
    times as long as wide. The result has at most MAX_SHEET_PIXELS pixels.
    """
    picture = open_picture(data, max_bytes, MAX_SHEET_PIXELS)
    if max(picture.size) > MAX_ASPECT * min(picture.size):
        raise ValueError(f"the picture is more than {MAX_ASPECT} times as long as wide.")
    picture = read_pixels(picture)
    pixels = np.asarray(picture).reshape(picture.height, picture.width, -1)
    largest = math.isqrt(MAX_SHEET_PIXELS // (picture.width * picture.height))
    return enlarge(pixels, max(1, min(width // picture.width, largest)))


def enlarge(images: np.ndarray, scale: int) -> np.ndarray:
    """Every pixel of (…, H, W, C) as a square of `scale` × `scale`."""
    return images.repeat(scale, axis=-3).repeat(scale, axis=-2)


def sheet(
    images: np.ndarray, columns: int | None = None, scale: int = 1, gap: int = 2, background: Colour = 1.0
) -> np.ndarray:
    """Images side by side, row by row, as one uint8 (H, W, 3) picture.

    columns: None is the nearest to a square. gap: pixels between images, not scaled. background: grey or RGB in [0, 1].
    """
    tiles = enlarge(to_uint8(np.asarray(images)), scale)
    n, height, width, _ = tiles.shape
    columns = columns or max(1, round(np.sqrt(n)))
    rows = max(1, -(-n // columns))
    result = np.empty((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.uint8)
    result[:] = to_uint8(np.asarray(background, np.float32))
    for i, tile in enumerate(tiles):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        result[top : top + height, left : left + width] = tile
    return result


def strip(rows: Sequence[np.ndarray], scale: int = 4, gap: int = 2, background: Colour = 1.0) -> np.ndarray:
    """Sequences of equally many images (R × (N, H, W, C)), one below the other, as one uint8 (H, W, 3) picture."""
    return sheet(np.concatenate(list(rows)), len(rows[0]), scale, gap, background)


def png(image: np.ndarray, scale: int = 1) -> bytes:
    """A PNG file of one image (H, W, C), float in [0, 1] or uint8."""
    pixels = enlarge(to_uint8(np.asarray(image)), scale)
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, "PNG")
    return buffer.getvalue()


def webp(image: np.ndarray, quality: int) -> bytes:
    """A lossy WebP file of one image (H, W, C), float in [0, 1] or uint8; quality is between 0 and 100."""
    pixels = to_uint8(np.asarray(image))
    buffer = io.BytesIO()
    # Method 2 takes half the time of Pillow's default and gives 1 % more bytes.
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, "WEBP", quality=quality, method=2)
    return buffer.getvalue()


def gif(frames: np.ndarray, ms: int = 80, scale: int = 4) -> bytes:
    """An endless GIF of frames (N, H, W, C), each shown for `ms` milliseconds (GIF counts in tens)."""
    pixels = enlarge(to_uint8(np.asarray(frames)), scale)
    pictures = [Image.fromarray(p[..., 0] if p.shape[-1] == 1 else p) for p in pixels]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=ms, loop=0, disposal=1)
    return buffer.getvalue()


def zip_png(images: np.ndarray, scale: int = 1, prefix: str = "image") -> bytes:
    """A ZIP file of one PNG per image: prefix-00000.png and so on. The same images give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i, image in enumerate(images):
            archive.writestr(zipfile.ZipInfo(f"{prefix}-{i:05d}.png"), png(image, scale))
    return buffer.getvalue()


# Between


def add_noise(images: np.ndarray, sigma: float, seed: int) -> np.ndarray:
    """Images plus Gaussian noise of standard deviation sigma, clipped to [0, 1]."""
    noise = np.random.default_rng(seed).standard_normal(images.shape, dtype=np.float32)
    return np.clip(images + np.float32(sigma) * noise, 0, 1)


def occlude(images: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Images with one mid-grey rectangle of the image's proportions each, over about `fraction` of the area."""
    if not 0 <= fraction <= 1:
        raise ValueError(f"The occluded fraction must lie between 0 and 1, not {fraction}.")
    n, height, width, _ = images.shape
    box = (round(height * fraction**0.5), round(width * fraction**0.5))
    rng = np.random.default_rng(seed)
    tops, lefts = rng.integers(0, height - box[0] + 1, n), rng.integers(0, width - box[1] + 1, n)
    result = images.copy()
    for image, top, left in zip(result, tops, lefts, strict=True):
        image[top : top + box[0], left : left + box[1]] = 0.5
    return result


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """|a - b|, pixel by pixel."""
    if a.shape != b.shape:
        raise ValueError(f"Images of shapes {a.shape} and {b.shape} have no difference.")
    return np.abs(a - b)
