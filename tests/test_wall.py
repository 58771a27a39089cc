"""The wall: what serves never imports what trains, only the widgets know Streamlit, and no import climbs the house."""

import subprocess
import sys

import pytest
from conftest import PAGES, ROOT
from imports import circle, climbing, graph, imports, modules

TRAINERS = {"keras", "tensorflow", "jax", "torch", "training"}
SERVING = sorted(path.relative_to(ROOT).as_posix() for part in ("zoo", "pages") for path in (ROOT / part).rglob("*.py"))
TRAINING = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "training").rglob("*.py"))

# From the ground up: a room imports rooms of lower floors only.
FLOORS = (
    ("zoo.errors", "zoo.settings", "zoo.atomic", "zoo.manifest", "zoo.images", "zoo.known", "zoo.metrics"),
    ("zoo.hub", "zoo.charts", "zoo.background", "zoo.limits", "zoo.films", "zoo.projector", "zoo.styled"),
    ("zoo.entries", "zoo.data"),
    ("zoo.networks", "zoo.latent"),
    ("zoo.samplers", "zoo.sharing"),
    ("zoo.models",),
    ("zoo.analysis",),
    ("zoo.widgets", "training"),
    ("zoo",),  # the package itself, a docstring
)

# Opens every page in one process by Streamlit's own runner, then asks that process what it has imported.
PROBE = """
import sys
from streamlit.testing.v1 import AppTest
for page in sys.argv[1:]:
    app = AppTest.from_file("streamlit_app.py", default_timeout=120)
    app.run() if page.endswith("gallery.py") else app.switch_page(page).run()
    assert not app.exception, app.exception
    assert app.title, page
print(sorted({name.partition(".")[0] for name in sys.modules} & {"keras", "tensorflow", "jax", "torch", "training"}))
"""


def roots(path: str) -> set[str]:
    return {name.partition(".")[0] for name in imports(ROOT / path)}


def test_the_reader_of_imports_sees_all_kinds(tmp_path):
    file = tmp_path / "x.py"
    file.write_text("import a.b\nfrom c import d\ndef f():\n    import keras.ops\n")
    assert set(imports(file)) == {"a.b", "c", "c.d", "keras.ops"}


@pytest.mark.parametrize("path", [*SERVING, "streamlit_app.py"])
def test_serving_never_imports_training(path):
    assert not roots(path) & TRAINERS


@pytest.mark.parametrize("path", [path for path in SERVING if path.startswith("zoo/")])
def test_only_the_widgets_import_streamlit(path):
    if not path.startswith("zoo/widgets/"):
        assert "streamlit" not in roots(path)
        assert not any(name.startswith("zoo.widgets") for name in imports(ROOT / path))


@pytest.fixture(scope="module")
def house():
    return graph(modules(ROOT, "zoo", "training"))


def test_no_files_import_each_other_in_a_circle(house):
    assert circle(house) is None


def test_no_import_climbs(house):
    assert climbing(house, FLOORS) == []
    assert len(FLOORS) <= 9


def test_a_planted_circle_and_a_planted_upward_import_are_refused(tmp_path):
    files = {
        "zoo/__init__.py": "",
        "zoo/errors.py": "def late():\n    from zoo import models\n",
        "zoo/models.py": "from zoo.entries.entry import Entry\n",
        "zoo/entries/__init__.py": "from zoo.entries.entry import Entry\n",
        "zoo/entries/entry.py": "import zoo.errors\n",
        "zoo/helpers.py": "",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    planted = graph(modules(tmp_path, "zoo"))
    assert set(circle(planted) or ()) == {"zoo.errors", "zoo.models", "zoo.entries.entry"}
    assert climbing(planted, FLOORS[:-1]) == ["zoo", "zoo.errors -> zoo.models", "zoo.helpers"]
    (tmp_path / "zoo/errors.py").write_text("")
    assert circle(graph(modules(tmp_path, "zoo"))) is None


@pytest.mark.parametrize("path", PAGES)
def test_pages_never_import_each_other(path):
    assert "pages" not in roots(path)


@pytest.mark.parametrize("path", TRAINING)
def test_training_stays_away_from_streamlit(path):
    assert not roots(path) & {"streamlit", "pages"}
    assert not any(name.startswith("zoo.widgets") for name in imports(ROOT / path))


def test_the_app_runs_without_the_training_libraries():
    result = subprocess.run(
        [sys.executable, "-c", PROBE, *PAGES], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.splitlines()[-1] == "[]"
