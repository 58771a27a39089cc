"""The training replay: what it shows of a run, from a recording or from older files, and the page in a browser."""

import csv
import functools
import io
import json

import conftest
import numpy as np
import pytest
import tiny_entries as tiny
from conftest import complaints, component, settle, sound, words
from PIL import Image
from test_replay import GOOD, entry, written

from zoo.analysis import game, players, replay
from zoo.entries import catalog
from zoo.errors import EntryError

PAGE = "pages/play/replay.py"
opened = functools.partial(conftest.opened, PAGE)


def test_pairs_told_apart_are_the_area_under_the_roc_curve():
    apart, same = [[0, 0, 4], [2, 2, 0]], [[1, 2, 1], [1, 2, 1]]
    assert game.told_apart(np.array([apart[0]]), np.array([apart[1]])) == 1
    assert game.told_apart(np.array([apart[1]]), np.array([apart[0]])) == 0
    assert game.told_apart(np.array([same[0]]), np.array([same[1]])) == 0.5
    rng = np.random.default_rng(0)
    real, fake = rng.integers(0, 5, 200) + 2, rng.integers(0, 6, 300)
    by_hand = ((real[:, None] > fake) + (real[:, None] == fake) / 2).mean()
    counts = [np.bincount(scores, minlength=8)[None] for scores in (real, fake)]
    assert game.told_apart(*counts)[0] == pytest.approx(by_hand)
    assert game.told_apart(np.zeros((1, 3)), np.ones((1, 3))) == 0.5


def test_sheets_hold_the_samples_in_reading_order():
    samples = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3, 1, 1, 1) * np.ones((1, 1, 2, 2, 1), np.uint8)
    made = game.sheets(samples)
    assert made.shape == (2, 5, 5, 1)
    assert [made[1, 0, 0, 0], made[1, 0, 4, 0], made[1, 4, 0, 0], made[1, 4, 4, 0]] == [3, 4, 5, 128]
    large = np.zeros((200, 9, 64, 64, 1), np.uint8)
    assert game.sheets(large).size < 1.2 * game.MAX_PIXELS, "samples are left out where all would be too many"


def test_tiles_are_found_again():
    pictures = np.random.default_rng(0).integers(0, 256, (7, 3, 5, 1)).astype(np.uint8)
    made, across = game.tiled(pictures)
    for index, picture in enumerate(pictures):
        top, left = index // across * 3, index % across * 5
        assert (made[top : top + 3, left : left + 5] == picture).all()


def test_a_recording_is_shown_with_everything(tmp_path):
    found = game.load(entry(tmp_path / "tiny", written(GOOD)))
    assert found.seen.tolist() == [1, 5, 10] and found.pictures.shape == (3, 9, 9, 1) and not found.missing
    assert found.frechet.values.tolist() == [3, 2, 1] and found.losses[1].values.tolist() == GOOD.losses[:, 1].tolist()
    assert (found.real == GOOD.real).all() and found.sides == ("real images", "generated images")
    rows = list(csv.DictReader(io.StringIO(game.table({"tiny": found}))))
    assert len(rows) == 15 and {"run": "tiny", "figure": "coverage", "images_seen": "5", "value": "0.5"} in rows


def old_files(history: dict, frames: int) -> dict[str, bytes]:
    stream = io.BytesIO()
    pictures = [Image.new("L", (6, 4), 40 * index) for index in range(frames)]
    pictures[0].save(stream, "GIF", save_all=True, append_images=pictures[1:], duration=100)
    return {"history.json": json.dumps(history).encode(), "snapshots.gif": stream.getvalue()}


def old(folder, history: dict, frames: int = 3, **options):
    provenance = {"recipe": "old", "seed": 0, "images_seen": 40, "options": options}
    parts = tiny.decoder("generator"), tiny.discriminator()
    return tiny.write(folder, *parts, files=old_files(history, frames), family="dcgan", provenance=provenance)


LOSSES = {"epoch": [1, 2, 3, 4], "images": [10, 20, 30, 40], "discriminator": [4, 3, 2, 1], "generator": [1, 2, 3, 4]}


def test_an_older_run_shows_its_snapshots_in_step_with_what_is_stored(tmp_path):
    found = game.load(old(tmp_path / "a", LOSSES | {"frechet": [9, 8, None, 7]}))
    assert found.seen.tolist() == [10, 20, 40] and found.frechet.values.tolist() == [9, 8, 7]
    assert found.losses[0].values.tolist() == [4, 3, 2, 1] and found.real is None and found.told is None
    assert "histograms of the scores and coverage are not stored" in found.missing
    assert [int(frame.mean()) for frame in found.pictures] == [0, 40, 80]
    spaced = game.load(old(tmp_path / "b", LOSSES, epochs=4, snapshots=3))
    assert spaced.seen.tolist() == [10, 20, 40] and "Fréchet distance" in spaced.missing
    unknown = game.load(old(tmp_path / "c", LOSSES))
    assert unknown.losses is None and unknown.seen.tolist() == [1, 2, 3] and "how many images" in unknown.missing
    assert game.load(tiny.vae(tmp_path / "d")) is None


def test_which_runs_are_shown_and_which_two_first(tmp_path):
    content = written(GOOD)
    coverage = [{"metrics": {"coverage": {"value": v, "protocol": "p"}}} for v in (0.2, 0.9, 0.5)]
    some = [entry(tmp_path / name, content, **more) for name, more in zip("abc", coverage, strict=True)]
    silent, older = tiny.vae(tmp_path / "d"), old(tmp_path / "e", LOSSES)
    found = game.played([older, silent, *some])
    assert [each.name for each in found] == ["a", "b", "c", "e"]
    assert game.pair(found) == ["b", "a"] and game.pair([older]) == ["e"]


def test_every_family_of_two_players_says_what_they_want():
    from test_replay import ADVERSARIAL

    assert set(players.FAMILIES) == ADVERSARIAL
    recorded = [found for found in catalog.entries([catalog.EMBEDDED]) if found.has(replay.FILE)]
    assert recorded and all(players.wants(found) for found in recorded)


def test_every_recording_of_the_zoo_has_moments_enough_and_denser_ones_at_the_start():
    for found in catalog.entries([catalog.EMBEDDED]):
        if found.has(replay.FILE):
            seen = replay.load(found).seen
            assert len(seen) >= 24 and (seen < seen[-1] / 2).sum() > len(seen) / 2, found.name


def test_every_game_of_the_zoo_is_read_with_its_losses():
    found = game.played(catalog.entries([catalog.EMBEDDED]))
    assert len(found) >= 15
    for each in found:
        shown = game.load(each)
        assert shown.losses is not None and len(shown.seen) == len(shown.pictures) > 2, each.name


@pytest.mark.usefixtures("wall")
def test_the_page_shows_two_runs_and_says_what_is_not_stored(wall):
    entry(wall / "first", written(GOOD))
    old(wall / "second", LOSSES | {"frechet": [9, 8, None, 7]})
    app = opened(beside="second")
    runs = component(app, "replay")["runs"]
    assert [run["label"].partition(" · ")[2] for run in runs] == ["first", "second"]
    assert runs[1]["verdicts"] is None and "coverage are not stored" in words(app)
    scales = [[plot["low"], plot["high"]] for run in runs for plot in run["plots"] if plot["title"][0] == "F"]
    assert scales == [[1, 9], [1, 9]], "figures of one kind have one scale"
    assert [selected.value for selected in app.selectbox[:2]] == ["first", "second"]
    sound(app.selectbox(key="beside").set_value("none").run())
    assert len(component(app, "replay")["runs"]) == 1


@pytest.mark.usefixtures("wall")
def test_a_damaged_recording_is_named_and_the_other_run_stays(wall):
    entry(wall / "first", written(GOOD))
    entry(wall / "wrong", b"no zip")
    app = opened(entry="wrong", beside="first")
    assert "wrong is refused" in words(app) and len(component(app, "replay")["runs"]) == 1


def test_an_empty_game_is_refused_by_the_reader(tmp_path):
    with pytest.raises(EntryError, match="cannot be read"):
        game.load(entry(tmp_path / "tiny", b"no zip"))


def seen(page) -> list[str]:
    """What one sees of a replay: the first run's picture, the place of its marker, the number of images."""
    return [
        page.locator(".film canvas").first.evaluate("canvas => canvas.toDataURL()"),
        page.locator(".film .marker").first.get_attribute("d"),
        page.locator(".film .readout").inner_text(),
    ]


def test_every_recording_plays_in_the_browser_without_the_server(app, tab):
    page, sent = tab(app.url), []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    recorded = [found.name for found in catalog.entries([catalog.EMBEDDED]) if found.has(replay.FILE)]
    for name in recorded:
        page.goto(f"{app.url}/replay?entry={name}&beside=none")
        settle(page)
        page.complaints.clear()  # of the deep link into a cold server
        slider = page.get_by_role("slider", name="Moment of training")
        slider.focus()
        page.wait_for_timeout(500)
        sent.clear()
        page.keyboard.press("Home")
        start = seen(page)
        page.get_by_role("button", name="Play").click()
        page.get_by_text("moment 8 of").wait_for()
        page.get_by_role("button", name="Pause").click()
        later = seen(page)
        assert all(a != b for a, b in zip(start, later, strict=True)), "picture, marker and number move"
        assert sent == [], "the server was asked while it played"
        assert "moment=" in page.url
    page.goto(page.url)
    settle(page)
    page.get_by_text(later[2]).wait_for()
    assert complaints(page) == []
