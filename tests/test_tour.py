"""Tours: their data files, what stops show, the page in all its stops, the notebook, a walk by keys in a browser."""

import functools
import json
import subprocess
import sys

import conftest
import numpy as np
import pytest
import tiny_entries as tiny
from conftest import PAGES, ROOT, complaints, component, settle, sound, texts, words

from zoo import models
from zoo.analysis.tour import Setting, Tour, Wrong, facts, filled, listed, notebook, read, shows, tours
from zoo.analysis.tour.facts import PLACE
from zoo.analysis.tour.reading import EMBEDDED, checked_formula
from zoo.data import datasets
from zoo.errors import EntryError, TourError
from zoo.widgets import lab
from zoo.widgets.urls import MEMORY

PAGE = "pages/learn/tour.py"
opened = functools.partial(conftest.opened, PAGE)
LECTURE = read(EMBEDDED / "lecture")
STOPS = list(LECTURE.stops)
SMALL = """
title = "One"
text = "Text."
notes = "Notes."
[formula]
tex = 'x^2'
symbols = [{ tex = 'x', meaning = "a number" }]
[view]
kind = "integer"
caption = "What one sees."
[prediction]
question = "Which?"
choices = ["a", "b"]
answer = 2
reason = "Because."
[link]
page = "play/lab"
label = "Live lab"
"""


@pytest.fixture(scope="module")
def setting():
    return Setting.here()


def written(folder, *stops, heading='title = "Mine"\ndescription = "A tour."'):
    """Write a tour and return its folder."""
    folder.mkdir(parents=True)
    (folder / "tour.toml").write_text(heading)
    for index, text in enumerate(stops, 1):
        (folder / f"{index:02d}.toml").write_text(text)
    return folder


def all_texts(stop):
    asked = stop.prediction
    symbols = [symbol.meaning for symbol in stop.formula.symbols]
    return [stop.text, stop.notes, stop.view.caption, asked.question, asked.reason, *asked.choices, *symbols]


def test_the_lecture_is_whole():
    """Reading refuses a stop without text, formula, view, prediction, link or notes; here is what it cannot know."""
    assert 20 <= len(STOPS) <= 26
    assert [name[:2] for name in STOPS] == [f"{number:02d}" for number in range(1, len(STOPS) + 1)]
    assert [tour.name for tour in tours()] == ["lecture"]
    for name, stop in LECTURE.stops.items():
        assert stop.code, name
        assert 2 <= stop.text.count(". ") + stop.text.count("? ") + 1 <= 4, (name, "two or three sentences")
        if stop.view.kind == "lab":
            assert stop.view.parameters["preset"] in {preset["key"] for preset in lab.contents()["presets"]}


def test_every_number_in_the_lecture_comes_from_an_entry(setting):
    for name, stop in LECTURE.stops.items():
        for text in all_texts(stop):
            found = filled(text, setting.entries)
            assert "—" not in found, (name, text)
            assert not PLACE.search(found), (name, text)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "One"', "", "key title"),
        ('title = "One"', 'title = " "', "key title"),
        ('text = "Text."', f'text = "{"x" * 2000}"', "key text"),
        ('text = "Text."', 'text = "Text."\nsubtitle = "x"', "key subtitle"),
        ("answer = 2", "answer = 3", "none of the 2 choices"),
        ('"b"]', '"a"]', "the same"),
        ("'x^2'", r"'\frac{1}{x'", "open"),
        ("'x^2'", r"'\left( x'", "open"),
        ("'x^2'", r"'\href{https://evil}{x}'", r"\href"),
        ("'x^2'", r"'x$ $ y'", "may not hold $"),
        ('kind = "integer"', 'kind = "os.system"', "there is no view"),
        ('kind = "integer"', 'kind = "integer"\nimage = "three"', "image of the view integer has to be int"),
        ('kind = "integer"', 'kind = "integer"\nimages = 3', "the view integer has no images"),
        ('kind = "integer"', 'kind = "draws"', "needs entries"),
        ('page = "play/lab"', 'page = "../etc/passwd"', "key link.page"),
        ("[link]", '[[references]]\ntitle = "x"\nurl = "javascript:alert(1)"\n[link]', "key references.0.url"),
        ("[link]", "[link", "no valid TOML"),
        ("[link]", "# " + "x" * 40_000 + "\n[link]", "more than 32,000 bytes"),
    ],
)
def test_a_wrong_stop_is_refused_in_one_sentence_that_names_file_and_key(tmp_path, old, new, said):
    assert old in SMALL
    folder = written(tmp_path / "mine", SMALL.replace(old, new, 1))
    with pytest.raises(TourError) as refused:
        read(folder)
    assert "mine/01.toml" in str(refused.value) and said in str(refused.value)
    assert "\n" not in str(refused.value) and str(refused.value).count(". ") == 0


def test_a_tour_is_a_folder_of_stops_in_the_order_of_their_names(tmp_path):
    written(tmp_path / "b", SMALL.replace("One", "First"), SMALL.replace("One", "Second"))
    written(tmp_path / "a")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "1.toml").symlink_to("/etc/passwd")
    empty, whole, linked = listed(tmp_path)
    assert isinstance(whole, Tour) and [stop.title for stop in whole.stops.values()] == ["First", "Second"]
    assert isinstance(empty, Wrong) and "has no stops" in empty.reason
    assert isinstance(linked, Wrong)
    assert isinstance(listed(tmp_path / "nowhere")[0], Wrong)


@pytest.mark.parametrize(
    "tex", [r"\{x\} \left( \frac{a}{b} \right)", r"\begin{cases} a \\ b \end{cases}", r"\leftarrow"]
)
def test_formulas_whose_brackets_pair(tex):
    assert checked_formula(tex) == tex


def test_facts_are_read_from_entries_and_escaped(wall):
    entry = tiny.vae(wall / "some", family_title="**bold**", metrics={"mse": {"value": 0.0123}})
    known = {"some": entry}
    size = int(np.prod(entry.latent_shape))
    assert filled("{some: latent size} of {some: mse}", known) == f"{size} of 0.0123"
    assert filled("{some: family}", known, lambda text: text.replace("*", r"\*")) == r"\*\*bold\*\*"
    assert filled("{other: mse} {some: fame} {some: integers}", known) == "— — —"
    assert filled(r"\frac{a}{b} {x}", known) == r"\frac{a}{b} {x}"
    assert set(facts.FACTS) >= {"latent size", "parameters", "year"}


def test_an_image_is_an_integer_and_back():
    picture = datasets.load("digits", "test", 1).images[0]
    number = shows.to_integer(picture)
    assert np.abs(shows.from_integer(number, picture.shape) - picture).max() <= 0.5 / 255 + 1e-6
    assert shows.to_integer(np.array([[[0]], [[1 / 255]], [[1.0]]], np.float32)) == 256 + 255
    after = shows.from_integer(number + 1, picture.shape) - shows.from_integer(number, picture.shape)
    assert np.count_nonzero(after) == 1 and after.flat[-1] == pytest.approx(1 / 255)


def test_a_written_number_is_read_back(setting):
    (row,) = shows.written(setting, "mnist-cgan", 721041).rows
    seen, _ = models.classify(setting.entry("mnist-classifier"), row.pictures)
    assert seen.argmax(1).tolist() == [7, 2, 1, 0, 4, 1]


def test_what_is_missing_is_said(setting):
    for kind, given in (
        ("outputs", {"entry": "nope"}), ("written", {"entry": "fruits-cvae"}), ("integers", {"entry": "mnist-vae"}),
        ("figures", {"figure": "nope", "entries": ["mnist-vae"]}), ("replay", {"entry": "digits-classifier"}),
        ("conditions", {"entry": "mnist-cgan", "classes": ["apple"]}),
        ("interpolation", {"entry": "fruits-vae", "classes": ["apple", "7"]}),
    ):  # fmt: skip
        with pytest.raises(EntryError):
            shows.SHOWS[kind](setting, **given)


def links():
    """Return one link for each page and largest set of parameters, and check that all pages exist."""
    found = {}
    for stop in LECTURE.stops.values():
        page = f"pages/{stop.link.page}.py"
        assert page in PAGES
        found.setdefault((page, *sorted(stop.link.parameters)), stop.link.parameters)
    larger = [key for key in found if not any(key[0] == other[0] and set(key) < set(other) for other in found)]
    return [(key[0], found[key]) for key in larger]


@pytest.mark.parametrize(("page", "parameters"), links())
def test_links_open_pages_that_take_their_parameters(page, parameters):
    if page.endswith("lab.py"):  # its browser reads the link
        assert parameters["preset"] in {preset["key"] for preset in lab.contents()["presets"]}
        return
    app = conftest.opened(page, **parameters)
    assert "The link asks for" not in texts(app)
    assert "no entry" not in texts(app)
    for name, value in parameters.items():
        if (page, name) != (conftest.DEFAULT, "entry"):  # the gallery reads it as it is
            assert f"{name}{MEMORY}" in app.session_state, f"{page} knows no {name}"
            shown = app.session_state[name]
            assert list(map(str, shown if isinstance(shown, list) else [shown])) == (
                value if isinstance(value, list) else [value]
            )


def button(app, key):
    return next(found for found in app.button if found.key == key)


def test_through_all_stops():
    app = opened()
    for number, stop in enumerate(LECTURE.stops.values(), 1):
        assert app.title[0].value.replace("\\", "") == stop.title
        assert not app.warning, (stop.title, [warning.value for warning in app.warning])
        assert app.latex[0].value.strip("$\n ") == stop.formula.tex
        assert app.get("progress")[0].proto.text == f"Stop {number} of {len(STOPS)}"
        assert stop.notes[:30] not in words(app)
        ahead = button(app, "next")
        assert ahead.disabled == (number == len(STOPS))
        if not ahead.disabled:
            ahead.click()
            sound(app.run())
            assert app.query_params["stop"] == STOPS[number]
    button(app, "previous").click()
    assert sound(app.run()).query_params["stop"] == STOPS[-2]


def test_a_prediction_is_made_before_the_answer_and_forgotten_at_the_next_stop():
    name, stop = next((n, s) for n, s in LECTURE.stops.items() if s.prediction.answer == 3)
    app = opened(stop=name)
    reason = stop.prediction.reason[:40]
    assert reason not in words(app)
    app.radio(key="guess").set_value("1")
    assert reason in words(sound(app.run())) and "It is:" in words(app)
    app.radio(key="guess").set_value("3")
    assert "Right." in words(sound(app.run()))
    assert app.query_params["guess"] == "3"
    button(app, "next").click()
    assert "guess" not in sound(app.run()).query_params
    assert app.radio(key="guess").value == ""


def test_views_have_inputs_which_the_link_keeps_until_the_next_stop():
    app = opened(stop=next(name for name, stop in LECTURE.stops.items() if stop.view.kind == "written"))
    drawn = [tile["alt"] for tile in component(app, "tour-written-rows-matrix")["rows"][0]["tiles"]]
    app.number_input(key="number").set_value(42)
    after = [tile["alt"] for tile in component(sound(app.run()), "tour-written-rows-matrix")["rows"][0]["tiles"]]
    assert (len(drawn), len(after)) == (6, 2)
    assert app.query_params["number"] == "42"
    button(app, "next").click()
    assert "number" not in sound(app.run()).query_params


def test_notes_and_links_to_stops():
    app = opened(stop=STOPS[6], notes="True")
    assert LECTURE.stops[STOPS[6]].notes[:30] in words(app)
    assert "nope" in words(opened(stop="nope"))


def test_the_handout_shows_all_stops(setting):
    app = opened(handout="1")
    assert [header.value.replace("\\", "") for header in app.header] == [
        f"{number}. {stop.title}" for number, stop in enumerate(LECTURE.stops.values(), 1)
    ]
    shown = words(app)
    for stop in LECTURE.stops.values():
        assert filled(stop.prediction.reason, setting.entries)[:60] in shown
        assert stop.notes[:40] in shown
    assert not app.radio and not app.selectbox
    assert len(app.get("image")) >= 12 and len(app.get("plotly_chart")) >= 6
    assert "which is not in this zoo" not in shown


def test_a_tour_of_ones_own_stands_beside_and_its_text_stays_text(tmp_path, monkeypatch):
    hostile = SMALL.replace("One", "# <b>[x](http://evil)").replace(
        '"Text."', '"![a](http://evil/a.png) [b](javascript:x)"'
    )
    written(tmp_path / "mine", hostile)
    written(tmp_path / "torn", "title =")
    monkeypatch.setenv("ZOO_TOURS", str(tmp_path))
    app = opened(tour="mine")
    shown = texts(app)
    assert "![" not in shown and "](javascript" not in shown
    assert app.title[0].value == r"\# \<b\>\[x\]\(http\:\/\/evil\)".replace(r"\/", "/")
    assert "torn/01.toml" in words(app)
    assert app.latex[0].value.strip("$\n ") == "x^2"


def test_the_notebook_is_the_one_that_the_stops_make():
    assert notebook.place(LECTURE).read_text("utf-8") == notebook.notebook(LECTURE), (
        "make it anew: python -m zoo.analysis.tour.notebook"
    )


EXECUTE = """
import json, sys
shown = []
space = {"display": shown.append}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), space)
print(len(shown), min(min(picture.size) for picture in shown))
"""


def test_the_notebook_runs_from_its_first_cell_to_its_last(tmp_path):
    """Outside the repository, without a dataset or a network."""
    content = json.loads(notebook.place(LECTURE).read_text("utf-8"))
    assert sum(cell["cell_type"] == "code" for cell in content["cells"]) == len(STOPS) + 1
    assert len({cell["id"] for cell in content["cells"]}) == len(content["cells"])
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", EXECUTE, str(notebook.place(LECTURE))],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-2000:]
    pictures, smallest = map(int, result.stdout.splitlines()[-1].split())
    assert pictures >= 12 and smallest > 100


def test_a_walk_by_keys_before_an_audience_and_on_paper(app, tab):
    page = tab(app.url)
    page.goto(f"{app.url}/tour?present=1")
    settle(page)
    page.complaints.clear()  # of the deep link into a cold server
    titles = [stop.title for stop in LECTURE.stops.values()]
    for index, title in enumerate(titles[1:], 1):
        page.keyboard.press("PageDown" if index % 2 else "ArrowRight")
        page.locator("h1", has_text=title).wait_for()
        page.locator(".katex-display").first.wait_for()
    assert f"stop={STOPS[-1]}" in page.url and "present=1" in page.url
    page.keyboard.press("ArrowRight")  # there is none after the last
    page.keyboard.press("PageUp")
    page.locator("h1", has_text=titles[-2]).wait_for()
    page.keyboard.press("n")
    page.locator(".st-key-speaker-notes").wait_for()
    page.keyboard.press("n")
    page.locator(".st-key-speaker-notes").wait_for(state="detached")
    settle(page)
    assert page.locator("[data-testid=stSidebar]").is_hidden()
    page.emulate_media(media="print")
    for hidden in (".st-key-steps", "[data-testid=stHeader]"):
        assert page.locator(hidden).is_hidden()
    shown, whole = page.evaluate(
        """() => {
          const main = document.querySelector("[data-testid=stMain]");
          return [main.clientHeight, main.scrollHeight];
        }"""
    )
    assert shown == whole, "paper has no place to scroll"
    assert complaints(page) == []


def test_keys_stay_with_who_writes_and_wait_for_an_audience(app, tab):
    page = tab(app.url)
    written_at = next(name for name, stop in LECTURE.stops.items() if stop.view.kind == "written")
    page.goto(f"{app.url}/tour?stop={written_at}")
    settle(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(600)
    assert f"stop={written_at}" in page.url
    page.goto(f"{app.url}/tour?stop={written_at}&present=1")
    settle(page)
    page.get_by_role("spinbutton", name="Integer").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(600)
    assert f"stop={written_at}" in page.url
