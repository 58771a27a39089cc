"""Procedural apples and oranges, 32×32 RGB: a dataset whose true distribution is known exactly.

An image is a function of its factors and of nothing else. Given the kind, the factors are independent; RANGES states
each distribution. Shading is done in linear light (gamma 2) at twice the resolution and averaged down.
"""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from zoo.data import pools
from zoo.data.decoding import MAX_VALUES
from zoo.data.records import Progress, Request, Split
from zoo.errors import DatasetUnavailable
from zoo.images import to_uint8
from zoo.known import DATASETS

NAME = "fruits"
CLASSES = DATASETS[NAME].classes
SIDE = DATASETS[NAME].shape[0]

# Every factor but kind, accessory and the apples' hue is uniform on its range; kind and accessory are uniform on their
# values; an apple's hue is uniform on one of its two ranges, each with probability one half.
RANGES: dict[str, tuple] = {
    "kind": (0, 1),  # apple, orange
    "hue": (((-14.0, 8.0), (52.0, 88.0)), ((26.0, 38.0),)),  # degrees: apples red | yellow to green, oranges
    "size": (7.5, 11.0),  # radius in pixels
    "x": (13.0, 19.0),  # centre in pixels from the left edge
    "y": (15.5, 18.5),  # centre in pixels from the top edge
    "light": (-75.0, 75.0),  # degrees from straight above, positive to the right
    "accessory": (0, 1, 2),  # none, stem, stem and leaf
    "texture": (0.0, 1.0),  # apples: streaks and speckles, oranges: depth of the peel
    "background": (0.0, 1.0),  # cool light grey to warm sand
    "phase": (0.0, 1.0),  # which piece of the texture is on show
}

_FINE = 2 * SIDE
_CHUNK = 16  # images shaded at once: their arrays stay in the processor's cache
_TILE = 256


def load(request: Request, report: Progress, other: Callable[..., Split]) -> Split:
    """Render a split or take it from its pool; raises DatasetUnavailable (no such split) or ValueError (too many)."""
    if request.split == "validation":
        raise DatasetUnavailable("The fruits have no validation split: use train or test.")
    count = request.count or DATASETS[NAME].counts[request.split]
    if count * SIDE**2 * 3 > MAX_VALUES:
        raise ValueError(f"At most {MAX_VALUES // (SIDE**2 * 3):,} fruits fit into memory.")
    # Even seeds are for training and odd ones for testing, so no seed of one is ever a seed of the other.
    seed = 2 * request.seed + (request.split == "test")

    def make(folder: Path) -> str:
        images, factors = render(count, seed, progress=report)
        pools.write(folder, {}, to_uint8(images), **factors)
        return name

    pool = pools.find(name := pools.key(NAME, seed))
    if pool is None or len(pool.images) < count:
        pool = pools.keep(make)
    factors = {factor: values[:count] for factor, values in pool.arrays.items()}
    source = "Apples and oranges rendered by this project, with every factor known."
    images = pools.as_float(pool.images[:count])
    return Split(NAME, request.split, images, factors["kind"], CLASSES, factors, None, source)


def draw(count: int, seed: int, **fixed: float | np.ndarray) -> dict[str, np.ndarray]:
    """Factors of `count` fruits, arrays (count,): float32, and int64 for kind and accessory; hue in [0, 360).

    A factor given in `fixed` (a number or an array (count,)) takes that value; the others keep the value they would
    have had, except that the hue follows a fixed kind. Row i is the same whatever the count is.
    Raises ValueError for a factor that does not exist, a wrong length or a value outside of RANGES.
    """
    unknown = set(fixed) - set(RANGES)
    if unknown:
        raise ValueError(f"Fruits have no factor {', '.join(sorted(unknown))}: choose among {', '.join(RANGES)}.")
    uniform = dict(zip(RANGES, np.random.default_rng(seed).random((count, len(RANGES))).T, strict=True))
    factors = {"kind": (uniform["kind"] * 2).astype(np.int64), "accessory": (uniform["accessory"] * 3).astype(np.int64)}
    for name in ("size", "x", "y", "light", "texture", "background", "phase"):
        low, high = RANGES[name]
        factors[name] = (low + (high - low) * uniform[name]).astype(np.float32)
    for name, value in fixed.items():
        value = np.broadcast_to(np.asarray(value, np.float64), (count,))
        if name != "hue" and not np.all((value >= RANGES[name][0]) & (value <= RANGES[name][-1])):
            raise ValueError(f"{name} must lie between {RANGES[name][0]} and {RANGES[name][-1]}.")
        if not np.all(np.isfinite(value)):
            raise ValueError(f"{name} must be finite.")
        factors[name] = value.astype(np.int64 if name in ("kind", "accessory") else np.float32)
    if "hue" not in fixed:
        factors["hue"] = _hue(uniform["hue"], factors["kind"])
    factors["hue"] = np.mod(factors["hue"], 360).astype(np.float32)
    return {name: factors[name] for name in RANGES}


def _hue(uniform: np.ndarray, kind: np.ndarray) -> np.ndarray:
    (red, green), (orange,) = RANGES["hue"]
    half = np.mod(2 * uniform, 1)
    apple = np.where(uniform < 0.5, red[0] + (red[1] - red[0]) * half, green[0] + (green[1] - green[0]) * half)
    return np.where(kind == 0, apple, orange[0] + (orange[1] - orange[0]) * uniform)


def render(
    count: int, seed: int, *, progress: Callable[[float, str], None] | None = None, **fixed: float | np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Images float32 (count, 32, 32, 3) in [0, 1], on 256 levels, and their factors as `draw` returns them.

    `progress` is called with a fraction in [0, 1] and a short text. Raises ValueError as `draw` does.
    """
    factors = draw(count, seed, **fixed)
    images = np.empty((count, SIDE, SIDE, 3), np.float32)
    done = 0
    for kind, fruit in enumerate((_apple, _orange)):
        rows = np.flatnonzero(factors["kind"] == kind)
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            images[chunk] = _shade({name: values[chunk] for name, values in factors.items()}, fruit)
            done += len(chunk)
            if progress:
                progress(done / count, "Rendering fruits")
    return images, factors


# Scene. Coordinates of the fruit: u to the right, v downwards, both in radii from its centre.


def _column(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, np.float32)[:, None, None]


def _shade(f: dict[str, np.ndarray], fruit: Callable) -> np.ndarray:
    pixels = (np.arange(_FINE, dtype=np.float32) + 0.5) / 2
    size = _column(f["size"])
    u = (pixels[None, None, :] - _column(f["x"])) / size
    v = (pixels[None, :, None] - _column(f["y"])) / size
    angle = np.deg2rad(f["light"])
    light = (_column(0.68 * np.sin(angle)), _column(-0.68 * np.cos(angle)), np.float32(0.733))
    ground = _linear(_backdrop(f["background"]))
    layers = _floor(u, v, pixels, light, ground)
    colour, alpha = fruit(f, u, v, light, ground)
    for c in range(3):
        layers[c] += alpha * (colour[c] - layers[c])
    if (f["accessory"] > 0).any():
        _stem(f, u, v, light, layers, kind=int(f["kind"][0]))
    images = np.empty((len(u), SIDE, SIDE, 3), np.float32)
    for c, layer in enumerate(layers):
        rows = layer[:, ::2] + layer[:, 1::2]
        images[..., c] = np.sqrt(np.clip((rows[:, :, ::2] + rows[:, :, 1::2]) / 4, 0, 1))
    return np.rint(images * 255) / np.float32(255)


def _backdrop(background: np.ndarray) -> np.ndarray:
    """Colour of the backdrop (N, 3), encoded: cool light grey to warm sand."""
    grey, sand = np.array([0.87, 0.885, 0.90]), np.array([0.93, 0.86, 0.75])
    return grey + (sand - grey) * background[:, None]


def _linear(encoded: np.ndarray) -> list[np.ndarray]:
    return [_column(encoded[:, c] ** 2) for c in range(3)]


def _smooth(x: np.ndarray) -> np.ndarray:
    """Smoothstep of x on [0, 1]."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def _floor(u, v, pixels, light, ground) -> list[np.ndarray]:
    """Backdrop with a soft horizon, a light pool, and the fruit's shadow: a dark contact and a wide penumbra."""
    depth = (pixels / SIDE)[None, :, None]
    fall = 1.06 - 0.22 * _smooth((depth - 0.35) / 0.5) + 0.10 * _smooth((depth - 0.75) / 0.5)
    su = u + 0.55 * light[0] * (1 + 0.4 * (v - 0.9))
    wide = (su * su) * 0.62 + np.square(v - 0.90) * 7.0
    contact = np.square(u + 0.15 * light[0]) * 2.4 + np.square(v - 0.95) * 60.0
    shadow = 0.52 / (1 + wide * wide * 1.5) + 0.38 / (1 + contact * contact)
    keep = fall * (1 - shadow)
    tint = (1.0, 0.985, 0.97)
    return [g * keep * np.float32(t) + np.float32(0.012) * shadow for g, t in zip(ground, tint, strict=True)]


def _lit(base, normal, light, ground, gloss, sharpness) -> list[np.ndarray]:
    """Wrapped Lambert, sky and bounce light, Blinn-Phong highlight (Blinn 1977) and a rim (Schlick 1994)."""
    nx, ny, nz = normal
    lambert = nx * light[0] + ny * light[1] + nz * light[2]
    diffuse = np.clip(lambert * 0.84 + 0.16, 0, None)
    diffuse *= diffuse * 0.35 + 0.75
    half = np.sqrt(light[0] ** 2 + light[1] ** 2 + (light[2] + 1) ** 2)
    glint = np.clip((nx * light[0] + ny * light[1] + nz * (light[2] + 1)) / half, 0, 1)
    for _ in range(sharpness):
        glint *= glint
    rim = 1 - nz
    rim *= rim
    rim *= rim * 0.30
    sky = 0.17 - 0.07 * ny
    bounce = np.clip(ny, 0, None) * 0.24
    glint *= gloss
    return [b * (sky + diffuse + bounce * g) + glint + rim * g for b, g in zip(base, ground, strict=True)]


def _sphere(u: np.ndarray, v: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Height z of the unit sphere and the coverage of its antialiased disc."""
    q = u * u + v * v
    alpha = np.clip((1 - q) * (size * 0.9) + 0.5, 0, 1)  # d(q)/dr = 2: an edge about one fine pixel wide
    return np.sqrt(np.clip(1 - q, 0, None)), alpha


def _apple(f, u, v, light, ground):
    size = _column(f["size"])
    notch = np.exp(-np.square(u) * 9)
    width = 1.045 - 0.13 * v * np.abs(v + 0.35)  # broad shoulders, narrow foot
    a = u / width
    b = (v - 0.02) / 0.97
    b = b - notch * (0.17 * np.clip(-b, 0, None) - 0.06 * np.clip(b, 0, None))
    z, alpha = _sphere(a, b, size)
    dimple = notch * np.exp(-np.square(v + 0.80) * 26)
    nx = a - dimple * u * 5.5
    ny = b - dimple * (v + 0.80) * 7.0 - dimple * 0.35
    norm = 1 / np.sqrt(nx * nx + ny * ny + z * z + 1e-6)
    streaks, dots = _apple_texture(a, b, z, f["phase"])
    strength = _column(f["texture"])
    base, blush = _apple_colours(f["hue"])
    amount = np.clip(streaks * (1.1 - 0.5 * b) + (a * light[0] - b * 0.3) * 0.4, 0, 1) * (0.62 * strength)
    glow = 0.45 * notch * np.exp(-np.square(v + 0.72) * 10)
    fleck = dots * strength * (0.30 + 0.70 * z)
    pale = (0.80, 0.66, 0.36)
    skin = []
    for c in range(3):
        skin.append(base[c] + amount * (blush[c] - base[c]))
        skin[c] += glow * (np.float32((0.42, 0.46, 0.10)[c]) - skin[c]) + fleck * (np.float32(pale[c]) - skin[c])
        skin[c] *= 1 - 0.60 * dimple
    return _lit(skin, (nx * norm, ny * norm, z * norm), light, ground, 0.62 * (1 - dimple), 5), alpha


def _apple_colours(hue: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Ground colour and streaks, linear: golden streaks on red apples, a warm blush on yellow and green ones."""
    signed = np.mod(hue + 180, 360) - 180
    green = np.clip((signed - 8) / 60, 0, 1)
    base = _hsv(hue, 0.90 - 0.20 * green, 0.85 - 0.06 * green * green)
    blush = _hsv(signed + 24 - 58 * green, 0.84 - 0.06 * green, 0.90 - 0.04 * green)
    return _linear(base), _linear(blush)


def _orange(f, u, v, light, ground):
    size = _column(f["size"])
    a, b = u / 1.015, v / 0.985
    z, alpha = _sphere(a, b, size)
    gx, gy, pit = _peel(a, b, z, f["phase"])
    strength = _column(f["texture"])
    depth = (0.04 + 0.24 * strength) * (0.35 + 0.65 * z)
    navel = np.exp(-(np.square(u) + np.square(v + 0.66) * 2.2) * 30)
    nx = a + depth * gx - navel * u * 5
    ny = b + depth * gy - navel * (v + 0.66) * 7
    norm = 1 / np.sqrt(nx * nx + ny * ny + z * z + 1e-6)
    base = _linear(_hsv(f["hue"], np.full(len(u), 0.93), np.full(len(u), 0.98)))
    dark = (1 - navel * 0.55) * (1 - pit * (0.04 + 0.13 * strength))
    skin = [b_ * dark for b_ in base]
    skin[1] = skin[1] + navel * np.float32(0.10)
    gloss = (0.30 - 0.08 * strength) * (1 - navel)
    return _lit(skin, (nx * norm, ny * norm, z * norm), light, ground, gloss, 4), alpha


def _stem(f, u, v, light, layers, kind: int) -> None:
    """Paint stem and leaf over the layers, in place."""
    size = _column(f["size"])
    foot, top = (-0.74, -1.22) if kind == 0 else (-0.68, -0.98)
    shown = _column(f["accessory"] > 0)
    along = np.clip((v - foot) / (top - foot), 0, 1)
    across = u - 0.16 * along * along
    end = v - (foot + (top - foot) * along)
    distance = np.sqrt(across * across + end * end) - (0.055 + 0.035 * along * along)
    alpha = np.clip(0.5 - distance * size * 2, 0, 1) * shown
    tone = 0.75 + across * light[0] * 6
    for c, brown in enumerate((0.155, 0.090, 0.045) if kind == 0 else (0.16, 0.20, 0.05)):
        layers[c] += alpha * (np.float32(brown) * tone - layers[c])
    leafy = _column(f["accessory"] == 2)
    if not leafy.any():
        return
    pu, pv = u - 0.10, v - (top + 0.14)
    cos, sin = np.float32(np.cos(-0.42)), np.float32(np.sin(-0.42))
    s, t = (pu * cos + pv * sin) / 0.78, (pv * cos - pu * sin) / 0.78
    t = t + 0.22 * s * (1 - s)
    blade = 1.15 * s * (1 - s) * (1.25 - 0.5 * s)
    alpha = np.clip(0.5 + (blade - np.abs(t)) * size * 1.5, 0, 1) * leafy * ((s > -0.02) & (s < 1.02))
    side = np.clip(t * 7, -1, 1)
    tone = 0.80 - 0.26 * side * (0.6 - light[0]) + 0.25 * np.exp(-t * t * 900)
    for c, green in enumerate((0.125, 0.34, 0.060)):
        layers[c] += alpha * (np.float32(green) * tone - layers[c])


def _hsv(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    """HSV, hue in degrees, to RGB (N, 3), all encoded."""
    k = np.mod(np.array([5.0, 3.0, 1.0]) + np.asarray(hue, np.float64)[:, None] / 60, 6)
    return value[:, None] * (1 - saturation[:, None] * np.clip(np.minimum(k, 4 - k), 0, 1))


# Texture: periodic tiles of band-limited noise, made once, wrapped over the sphere.


def _noise(rows: float, columns: float, seed: int) -> np.ndarray:
    """A periodic tile of Gaussian noise, unit variance, with about that many waves down and across."""
    fy = np.fft.fftfreq(_TILE, 1 / _TILE)[:, None] / rows
    fx = np.fft.rfftfreq(_TILE, 1 / _TILE)[None, :] / columns
    ring = np.exp(-4 * np.square(np.hypot(fy, fx) - 1))
    white = np.fft.rfft2(np.random.default_rng(seed).normal(size=(_TILE, _TILE)))
    tile = np.fft.irfft2(white * ring, s=(_TILE, _TILE))
    return (tile / tile.std()).astype(np.float32)


@functools.cache
def _tiles() -> dict[str, np.ndarray]:
    """Flat tiles: streaks and dots of the apple in [0, 1]; slopes and pits of the peel."""
    streaks = np.clip(_noise(2, 18, 1) * 0.6 + _noise(5, 40, 2) * 0.35 + 0.15, 0, 1)
    dots = np.clip((_noise(26, 26, 3) - 1.45) * 1.6, 0, 1)
    peel = _noise(22, 22, 4)
    slope_x = (np.roll(peel, -1, 1) - np.roll(peel, 1, 1)) * 1.6
    slope_y = (np.roll(peel, -1, 0) - np.roll(peel, 1, 0)) * 1.6
    pits = np.clip(-peel - 0.4, 0, 1)
    tiles = {"streaks": streaks, "dots": dots, "slope_x": slope_x, "slope_y": slope_y, "pits": pits}
    return {name: tile.ravel() for name, tile in tiles.items()}


def _index(across: np.ndarray, down: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Tile positions of texture coordinates in tile pixels, shifted by the phase along a path that fills the tile."""
    shift_x = _column(np.mod(np.floor(phase.astype(np.float64) * 65536), _TILE))
    shift_y = _column(np.floor(phase.astype(np.float64) * _TILE))
    x = (across + (shift_x + 2 * _TILE)).astype(np.int32) & (_TILE - 1)
    y = (down + (shift_y + 2 * _TILE)).astype(np.int32) & (_TILE - 1)
    return y * _TILE + x


def _apple_texture(a, b, z, phase):
    tiles = _tiles()
    ring = np.sqrt(np.clip(1 - b * b, 0.02, None))
    streaks = tiles["streaks"][_index(np.clip(a / ring, -1.5, 1.5) * 60, b * 40, phase)]
    stretch = 64 * (1.5 - 0.5 * z)
    dots = tiles["dots"][_index(np.clip(a, -3, 3) * stretch, np.clip(b, -3, 3) * stretch, phase)]
    return streaks, dots


def _peel(a, b, z, phase):
    tiles = _tiles()
    stretch = 64 * (1.5 - 0.5 * z)
    index = _index(np.clip(a, -3, 3) * stretch, np.clip(b, -3, 3) * stretch, phase)
    return tiles["slope_x"][index], tiles["slope_y"][index], tiles["pits"][index]


# Measuring


def measure(images: np.ndarray) -> dict[str, np.ndarray]:
    """Hue (degrees in [0, 360)), size (radius in pixels), x and y (centre in pixels) from the pixels alone.

    images (N, 32, 32, 3). The fruit is what is strongly coloured; an opening removes stem and leaf, and filling between
    the outermost pixels of each row and column closes the highlight. Radius from area, centre from the centroid, hue
    from the mean chroma. NaN where there is no fruit.
    """
    images = np.asarray(images, np.float32)
    if images.ndim != 4 or images.shape[1:] != (SIDE, SIDE, 3):
        raise ValueError(f"Fruits are measured on images of shape (N, 32, 32, 3), not {images.shape}.")
    high, low = images.max(-1), images.min(-1)
    chroma = high - low
    # The backdrop's saturation is at most 0.2, a fruit's at least 0.6: half-way is the edge of the soft mask.
    soft = np.clip((chroma / np.maximum(high, 1e-3) - 0.28) / 0.24, 0, 1)
    body = _dilate(_erode(_filled(soft > 0.5)))
    weight = np.where(body, 1.0, np.where(_dilate(body), soft, 0.0))
    area = weight.sum((1, 2))
    found = area > 9
    total = np.where(found, area, np.nan)
    centres = np.arange(SIDE) + 0.5
    x, y = (weight.sum(1) * centres).sum(1) / total, (weight.sum(2) * centres).sum(1) / total
    inner = _erode(body) * chroma
    red, green, blue = np.moveaxis(images, -1, 0)
    cosine = (inner * (red - (green + blue) / 2)).sum((1, 2))
    sine = (inner * (green - blue)).sum((1, 2)) * np.sqrt(0.75)
    hue = np.where(found, np.mod(np.rad2deg(np.arctan2(sine, cosine)), 360), np.nan)
    # The silhouettes cover on average 0.943 of the disc of their nominal radius.
    return {"hue": hue, "size": np.sqrt(total / (0.943 * np.pi)), "x": x, "y": y}


def _filled(mask: np.ndarray) -> np.ndarray:
    """Pixels that lie between two mask pixels both in their row and in their column."""
    either = np.logical_or.accumulate
    rows = either(mask, 2) & either(mask[:, :, ::-1], 2)[:, :, ::-1]
    columns = either(mask, 1) & either(mask[:, ::-1], 1)[:, ::-1]
    return rows & columns


def _erode(mask: np.ndarray) -> np.ndarray:
    """Erosion by a disc of radius 2: a 5×5 square without its corners."""
    return ~_dilate(~mask)


def _dilate(mask: np.ndarray) -> np.ndarray:
    padded = np.pad(mask, ((0, 0), (2, 2), (2, 2)))
    result = np.zeros_like(mask)
    for dy in range(5):
        for dx in range(5):
            if abs(dy - 2) + abs(dx - 2) < 4:
                result |= padded[:, dy : dy + SIDE, dx : dx + SIDE]
    return result
