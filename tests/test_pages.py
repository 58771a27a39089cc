"""Every page, run by Streamlit's own runner: through the frame, by deep link, and where things are missing or wrong."""

import pytest
import tiny_entries as tiny
from conftest import DEFAULT, PAGES, cards, clear_caches, opened, sound, texts, words
from streamlit.testing.v1 import AppTest

from zoo.analysis.history import history
from zoo.entries import catalog, entry
from zoo.errors import EntryError
from zoo.widgets import labels, loading
from zoo.widgets.card import card_text
from zoo.widgets.safety import plain

JUNK = {
    "entry": "../../etc/passwd", "entries": ["nope", "<script>"], "a": "", "b": "nope", "seed": "nan", "count": "1e9",
    "in_from": "elsewhere", "in_data": "/etc", "in_seed": "-1", "in_count": "99999999999",
    "in_pick": ["-1", "1e5", "x"],
    "dataset": "nope", "family": "nope", "can": "fly", "search": "$x$ **b** " * 60, "temperature": "inf", "steps": "-3",
    "source": "nope", "kind": "nope", "sampler": "nope", "class": "nope", "sigma": "nan", "tile": "99999",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("empty_caches")


@pytest.mark.parametrize("page", PAGES)
def test_through_the_frame(page):
    app = opened(DEFAULT)
    assert sound(app.switch_page(page).run()).title
    assert sound(app.switch_page(DEFAULT).run()).title[0].value == "Latent Zoo"
    assert sound(app.switch_page(page).run()).title


@pytest.mark.parametrize("page", PAGES)
def test_by_deep_link(page):
    assert opened(page).title


@pytest.fixture
def no_data(monkeypatch, tmp_path):
    """No dataset but the built-in ones, and none in the caches of the pages."""
    monkeypatch.delenv("ZOO_DATA", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    clear_caches()
    yield
    clear_caches()


@pytest.mark.parametrize("page", PAGES)
def test_without_any_data_on_this_machine(page, no_data):
    assert opened(page).title


@pytest.mark.parametrize("page", PAGES)
def test_junk_in_the_url_is_ignored(page):
    assert opened(page, **JUNK).title


@pytest.mark.parametrize("page", [page for page in PAGES if not page.endswith(("import.py", "lab.py"))])
def test_an_empty_zoo_says_how_to_fill_it(page, wall):
    assert "training train" in texts(opened(page))


@pytest.mark.parametrize("page", PAGES)
def test_a_zoo_of_one_classifier(page, wall):
    tiny.classifying(wall / "only")
    opened(page)


@pytest.mark.parametrize("page", PAGES)
def test_a_tampered_network_is_named_and_the_page_stays(page, wall):
    whole = tiny.vae(wall / "tampered")
    file = whole.path(next(iter(whole.manifest.networks.values())).file)
    file.write_bytes(bytes(reversed(file.read_bytes())))
    assert opened(page).title


@pytest.mark.parametrize("page", PAGES)
def test_a_torn_manifest_takes_nothing_down(page, wall):
    tiny.vae(wall / "good")
    (wall / "torn").mkdir()
    (wall / "torn" / "zoo.json").write_text('{"schema": 1')
    app = opened(page)
    if page == DEFAULT:
        assert "torn" in texts(app)
        assert "not valid JSON" in words(app)


def test_the_gallery_opens_and_closes_an_entry(wall):
    found = tiny.vae(wall / "some")
    app = opened(DEFAULT)
    assert cards(app) == [found.name]
    app.query_params["entry"] = found.name
    sound(app.run())
    assert app.title[0].value == plain(found.label)
    assert "Provenance" in [header.value for header in app.header]
    assert "InferenceSession" in texts(app), "it is not said how to use it"
    next(button for button in app.button if button.label == "All entries").click()
    assert sound(app.run()).title[0].value == "Latent Zoo"
    assert "entry" not in app.query_params


def test_a_link_opens_an_entry(wall):
    found = tiny.gan(wall / "some")
    assert opened(DEFAULT, entry=found.name).title[0].value == plain(found.label)


def test_search_and_filters_are_in_the_url(wall):
    found = tiny.vae(wall / "some")
    assert cards(opened(DEFAULT, search=found.title.upper())) == [found.name]
    assert "No entry passes" in texts(opened(DEFAULT, search="no such thing"))
    app = opened(DEFAULT)
    assert "Clear filters" not in [button.label for button in app.button]
    sound(app.text_input(key="search").input("no such thing").run())
    assert app.query_params["search"] == "no such thing"
    next(button for button in app.button if button.label == "Clear filters").click()
    assert cards(sound(app.run())) == [found.name]
    assert "search" not in app.query_params


def test_an_entry_has_one_name(wall):
    """Family and id; a family's id of at most four letters is its acronym."""
    assert tiny.vae(wall / "some").label == "VAE · some"
    assert tiny.vae(wall / "other", family="dcgan", family_title="DCGAN").label == "DCGAN · other"


def test_text_from_an_entry_is_shown_as_it_is(wall):
    tiny.vae(wall / "some", title="**bold** <b>$x$ :smile: [a](http://b)", description="![x](http://evil/x.png)")
    for app in (opened(DEFAULT), opened(DEFAULT, entry=catalog.entries()[0].name)):
        shown = texts(app)
        assert "](http" not in shown
        assert "**bold**" not in shown
        assert "<b>" not in shown


def test_a_card_is_stripped_of_front_matter_and_pictures(wall):
    card = "---\nlicense: mit\n---\n# Big\n![a](http://evil/a.png) ![b][r] ![[c]](x)\n\n[r]: http://evil/b.png\n"
    found = tiny.vae(wall / "some", files={"README.md": card.encode()})
    text = card_text(found)
    assert "license" not in text
    assert "![" not in text
    assert text.startswith("##### Big")


@pytest.mark.parametrize("content", ["[1]", "{", '{"a": [1], "b": [1, 2]}', '{"a": ["x"]}', '{"a": [[1]]}', '{"a": 1}'])
def test_a_wrong_history_is_refused_in_one_sentence(wall, content):
    found = tiny.vae(wall / "some", files={"history.json": content.encode()})
    with pytest.raises(EntryError, match="history of"):
        history(found)
    assert "history of" in texts(opened(DEFAULT, entry=found.name))


def test_a_wrong_sample_sheet_is_refused_in_one_sentence(wall):
    found = tiny.vae(wall / "some", files={"samples.png": b"not a picture"})
    assert cards(opened(DEFAULT)) == [found.name]
    assert "cannot be shown" in texts(opened(DEFAULT, entry=found.name))


def bound_script():
    import streamlit as st

    from zoo import widgets

    number = widgets.bound(st.slider, "Number", key="n", default=3, min_value=0, max_value=10)
    many = widgets.bound(st.multiselect, "Many", ["a", "b", "c"], key="m", default=["a"])
    on = widgets.bound(st.toggle, "On", key="on", default=False)
    st.text(f"{number} {many} {on}")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, "3 ['a'] False"),
        ({"n": "5", "m": ["c", "b"], "on": "True"}, "5 ['c', 'b'] True"),
        ({"n": "99", "m": ["z"], "on": "yes"}, "10 ['a'] False"),
        ({"n": ["1", "2"], "m": ["z", "b"]}, "3 ['b'] False"),
    ],
)
def test_a_bound_input_starts_from_the_url(query, shown):
    app = AppTest.from_function(bound_script, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    assert sound(app.run()).text[0].value == shown


def test_what_a_link_asks_for_in_vain_is_said_until_something_is_chosen():
    app = AppTest.from_function(bound_script, default_timeout=60)
    app.query_params["n"] = "99"
    app.query_params["m"] = ["z", "b"]
    for _ in range(2):
        said = [caption.value.replace("\\", "") for caption in sound(app.run()).caption]
        assert ["99" in said[0], "z, b" in said[1]] == [True, True] and len(said) == 2
    app.slider[0].set_value(4)
    (left,) = sound(app.run()).caption
    assert "z, b" in left.value


def test_a_bound_input_writes_the_url_and_follows_it():
    app = sound(AppTest.from_function(bound_script, default_timeout=60).run())
    assert dict(app.query_params) == {}
    app.slider[0].set_value(7).run()
    app.multiselect[0].set_value(["b", "c"]).run()
    assert app.query_params["n"] == "7"
    assert app.query_params["m"] == ["b", "c"]
    app.query_params["n"] = "4"
    assert app.run().text[0].value == "4 ['b', 'c'] False"
    app.slider[0].set_value(3).run()
    assert "n" not in app.query_params


def test_numbers_are_written_for_people():
    assert [labels.short(x) for x in (7, 999, 1000, 1234, 34_567, 3e6)] == [
        "7",
        "999",
        "1.0 k",
        "1.2 k",
        "35 k",
        "3.0 M",
    ]
    assert [labels.duration(x) for x in (40, 600, 7200)] == ["40 s", "10 min", "2.0 h"]


def test_samples_are_kept_by_revision(wall):
    """A model that was trained anew under its old name must not show the old model's samples."""
    first = tiny.gan(wall / "some")
    before = loading.samples(first, 2, 0).images
    second = entry.write(wall / "some", first.manifest.model_copy(update={"description": "Another one."}))
    assert first.revision != second.revision
    calls = []
    counted = loading.cached(lambda e: calls.append(e.revision))
    for item in (first, second, first):
        counted(item)
    assert calls == [first.revision, second.revision]
    assert (loading.samples(second, 2, 0).images == before).all()


def visiting_script():
    import streamlit as st

    from zoo import widgets

    at = st.session_state.get("at", "one")
    widgets.enter(at)
    if at == "one":
        st.text(widgets.bound(st.slider, "Number", key="n", default=3, min_value=0, max_value=10))


def test_a_bound_input_survives_another_page_but_not_the_way_back():
    app = sound(AppTest.from_function(visiting_script, default_timeout=60).run())
    app.slider[0].set_value(7).run()
    app.session_state["at"] = "two"
    app.query_params.clear()
    sound(app.run())
    app.session_state["at"] = "one"
    assert sound(app.run()).text[0].value == "7"
    assert app.query_params["n"] == "7"
    app.query_params.clear()
    assert sound(app.run()).text[0].value == "3"
