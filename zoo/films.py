"""Films as MP4, which presentations and messengers show where they turn a GIF into a still picture."""

import fractions
import io

import numpy as np

from zoo import images


def mp4(frames: np.ndarray, ms: int = 80, scale: int = 4) -> bytes:
    """A film in H.264 of frames (N, H, W, C) in [0, 1], each shown for `ms` milliseconds.

    Pixels are enlarged by a whole factor and stay squares; odd sides get a row or a column more, white.
    """
    import av  # a tenth of a second and 60 MB of libraries, so only for whoever asks for a film

    pixels = images.enlarge(images.to_uint8(np.asarray(frames)), scale)
    pixels = np.broadcast_to(pixels, (*pixels.shape[:3], 3))
    pixels = np.pad(pixels, ((0, 0), (0, pixels.shape[1] % 2), (0, pixels.shape[2] % 2), (0, 0)), constant_values=255)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as film:
        stream = film.add_stream(
            "libx264", rate=fractions.Fraction(1000, ms), options={"crf": "16", "preset": "medium"}
        )
        stream.height, stream.width = pixels.shape[1:3]
        stream.pix_fmt = "yuv420p"  # the only one that every player shows
        for picture in pixels:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode())
    return buffer.getvalue()
