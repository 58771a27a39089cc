"""The columns of a dataset's table on a page: told, chosen, in the link; and those that a recipe names."""

import conftest
import pytest
import test_pictures as made
import tiny_entries as tiny
from conftest import isolate, sound, words

from zoo.data import datasets
from zoo.entries import entry

COLUMNS = {
    "mask": made.cells(made.shades()),
    "image": made.cells(made.shades("RGB")),
    "kind": ["ant", "bee"] * (made.COUNT // 2),
}
OWN = {"id": "some/things", "revision": None, "images": made.COUNT}


@pytest.fixture
def zoo(monkeypatch, tmp_path, quick_tables):
    """One entry of a dataset whose table has two columns of images and one that could be labels."""
    isolate(monkeypatch, tmp_path / "zoo", tmp_path / "hub")
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    for part in ("train", "test"):
        made.table(tmp_path / "some" / "things", COLUMNS, part=part)
    conftest.clear_caches()
    yield tmp_path / "zoo"
    conftest.clear_caches()


def test_the_choice_is_told_changed_and_kept_in_the_link(zoo):
    tiny.vae(zoo / "things-vae", dataset=OWN)
    app = conftest.opened("pages/measure/distributions.py", images="500")
    assert "from the column image (there is also mask)" in words(app)
    assert app.selectbox(key="real_image").value == "image"
    assert app.selectbox(key="real_label").value == "no labels"
    app.selectbox(key="real_image").set_value("mask").run()
    assert "mask" in sound(app).query_params["real_image"]
    assert "from the column mask (there is also image)" in words(app.run())
    linked = conftest.opened("pages/measure/distributions.py", images="500", real_image="mask", real_label="kind")
    assert "from the column mask" in words(linked.run())


def test_images_to_put_in_come_from_a_chosen_column_too(zoo):
    tiny.vae(zoo / "things-vae", dataset=OWN)
    app = conftest.opened("pages/explore/reconstruction.py", input_data="some/things")
    assert app.selectbox(key="input_image").value == "image" and not any(
        m.key == "input_class" for m in app.multiselect
    )
    app.selectbox(key="input_label").set_value("kind").run()
    assert sound(app.run()).multiselect(key="input_class").options == ["ant", "bee"]
    app.selectbox(key="input_label").set_value("no labels").run()
    assert not any(m.key == "input_class" for m in sound(app.run()).multiselect)


def test_a_recipe_names_columns_and_its_entry_brings_them(zoo):
    made_by = {"options": {"image_column": "mask", "label_column": "kind", "images": 5}}
    found = tiny.vae(
        zoo / "things-vae", dataset=OWN, provenance={"recipe": "things", "seed": 0, "seconds": 1.0} | made_by
    )
    assert entry.read(found.folder).columns == {"image_column": "mask", "label_column": "kind"}
    split = datasets.load("some/things", "test", **found.columns)
    assert split.images.shape[3] == 1 and split.classes == ("ant", "bee")
    app = conftest.opened("pages/measure/distributions.py", images="500")
    assert "from the column mask (there is also image)" in words(app)
    assert app.selectbox(key="real_image").value == "mask" and app.selectbox(key="real_label").value == "kind"
    assert "from the column mask" in words(app.run())
