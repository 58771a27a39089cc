"""The page Density, run by Streamlit's own runner on entries made from real digits and fruits, and in a browser."""

import functools
import re

import conftest
import linear_entries as linear
import pytest
import tiny_entries as tiny
from conftest import complaints, component, isolate, settle, sound, words

from zoo import charts
from zoo.analysis import anomalies
from zoo.errors import Cancelled

opened = functools.partial(conftest.opened, "pages/measure/density.py", images="100")
GAUSSIAN = {"provenance": {"options": {"likelihood": "gaussian", "sigma": 0.2}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("density")
    linear.autoencoder(place / "digits-vae", "digits", 6, **GAUSSIAN)
    linear.autoencoder(place / "digits-ae", "digits", 6)  # without a likelihood: its codes have a density
    tiny.vae(place / "mnist-vae", dataset={"id": "mnist", "revision": None, "images": 60000}, **GAUSSIAN)
    tiny.gan(place / "gan")
    return place


@pytest.fixture(autouse=True)
def only_these(request, monkeypatch, folder, tmp_path, empty_caches):
    if "app" not in request.fixturenames:  # the browser sees the whole zoo
        isolate(monkeypatch, folder, tmp_path)


def areas(app) -> dict[str, float]:
    return {m[1]: float(m[2]) for s in app.subheader if (m := re.match(r"(.*): AUROC ([\d.]+)", s.value))}


def rows(app, key) -> list[dict]:
    return component(app, f"{key}-matrix")["rows"]


def test_digits_are_told_from_fruits_by_every_score_of_a_vae():
    app = opened()
    assert app.selectbox(key="entry").value == "digits-vae" and app.selectbox(key="dataset").value == "fruits"
    found = areas(app)
    assert list(found) == [score.title for score in anomalies.SCORES.values()]
    assert found["log p(x)"] > 0.95 and found["Reconstruction error"] > 0.95
    said = words(app)
    assert "does not show here" in said and "16 latents" in said and "σ = 0.2" in said
    assert "reduced from 32×32 to 8×8" in said


def test_an_entry_without_likelihood_is_asked_for_that_of_its_codes():
    found = areas(opened(entry="digits-ae"))
    assert list(found) == ["log p(code)", "Reconstruction error", "Latent distance"]


def test_the_ends_are_ranked_by_the_score_of_the_link():
    app = opened(by="error")
    shown = rows(app, "ranked")
    assert [row["title"] for row in shown] == [
        f"{title}: {end}" for title in ("Digits 8×8", "Fruits") for end in ("smallest error", "largest error")
    ]
    for row, sign in zip(shown, (1, -1, 1, -1), strict=True):
        values = [sign * float(tile["caption"]) for tile in row["tiles"]]
        assert values == sorted(values) and len(values) == 8


def test_single_images_are_placed_among_those_of_the_dataset():
    app = opened(input_from="dataset", input_dataset="digits", input_count="3")
    captions = [tile["caption"].splitlines() for tile in rows(app, "single")[0]["tiles"]]
    assert len(captions) == 3 and all(len(lines) == len(areas(app)) for lines in captions)
    assert "Links hold no drawings" in words(opened(input_from="drawing"))


def test_what_is_not_here_or_cannot_be_asked_is_said():
    assert "Without its test images" in words(opened(entry="mnist-vae"))
    assert "Choose another dataset" in words(opened(dataset="mnist"))
    app = opened(entry="gan", dataset="nope", draws="1e9", images="-3", by="x<b>", seed="inf")
    assert areas(app) and "gan" in words(app)


def test_scores_are_computed_once_and_a_stop_is_said(monkeypatch):
    runs = []
    score = anomalies.score

    def counted(*args, **options):
        runs.append(args[0].name)
        return score(*args, **options)

    monkeypatch.setattr(anomalies, "score", counted)
    opened(seed="7")
    before = len(runs)
    assert before >= 2
    opened(seed="7")  # another visitor
    assert len(runs) == before

    def stopped(*args, **options):
        raise Cancelled("given up")

    monkeypatch.setattr(anomalies, "score", stopped)
    app = opened(seed="8")
    assert "given up" in words(app) and "Score them" in [button.label for button in app.button]
    monkeypatch.setattr(anomalies, "score", score)
    next(button for button in app.button if button.label == "Score them").click()
    assert areas(sound(app.run()))


def test_a_histogram_counts_what_lies_far_out_in_its_outermost_bar():
    figure, beyond = charts.score_histogram(("A", [0.0, 1.0, 2.0]), ("<b>", [1.0, 1e9]), "score", [-1e9], bins=10)
    assert beyond
    assert [trace.name for trace in figure.data] == ["A", "&lt;b&gt;", "single images"]
    assert sum(figure.data[1].y) == pytest.approx(100) and figure.data[1].y[-2] == pytest.approx(50)
    assert min(figure.data[2].x) == pytest.approx(-2)
    assert not charts.score_histogram(("A", [0.0, 1.0]), ("B", [0.5]), "score")[1]
    assert charts.score_histogram(("A", [1.0, 1.0]), ("B", [1.0]), "score")[0].data[0].y[1] == 100


def test_in_a_browser_nothing_is_cut_and_a_tap_ranks_anew(app, tab):
    page = tab(app.url, "phone")
    page.goto(f"{app.url}/density?entry=digits-vae&images=100")
    settle(page)
    page.wait_for_selector("text=/log p.x.: AUROC/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("radio", name="Reconstruction error").click()
    page.wait_for_selector("text=/smallest error/")
    assert "by=error" in page.url
    page.goto(f"{app.url}/probes?entry=digits-vae")
    settle(page)
    page.wait_for_selector("text=/Test images whose class is read/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints(page) == []
