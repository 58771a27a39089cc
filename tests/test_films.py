"""Films as MP4: what a player decodes is what was drawn, as long as it was asked for."""

import io

import numpy as np
import pytest

from zoo import films, images
from zoo.data import fruits

av = pytest.importorskip("av")


@pytest.mark.parametrize("side", [32, 31])
def test_a_film_shows_the_frames_one_after_the_other(side):
    frames = fruits.render(5, 0)[0][:, :side, :side]
    with av.open(io.BytesIO(films.mp4(frames, ms=100, scale=5))) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
        assert stream.frames == 5 and float(stream.duration * stream.time_base) == pytest.approx(0.5)
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    even = 5 * side + 5 * side % 2
    assert shown[0].shape == (even, even, 3)
    for picture, frame in zip(shown, frames, strict=True):
        wanted = images.enlarge(images.to_uint8(frame), 5).astype(int)
        assert np.abs(picture[: 5 * side, : 5 * side] - wanted).mean() < 8


def test_grey_frames_stay_grey():
    frames = np.linspace(0, 1, 4, dtype=np.float32)[:, None, None, None] * np.ones((1, 8, 8, 1), np.float32)
    with av.open(io.BytesIO(films.mp4(frames, scale=4))) as film:
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert [round(float(picture.mean()) / 85) for picture in shown] == [0, 1, 2, 3]
    assert max(int(np.ptp(picture, axis=2).max()) for picture in shown) < 8
