"""The wall: what serves never imports what trains, and only the widgets know Streamlit."""

import ast
import subprocess
import sys

import pytest
from conftest import PAGES, ROOT

TRAINERS = {"keras", "tensorflow", "jax", "torch", "training"}
SERVING = sorted(path.relative_to(ROOT).as_posix() for part in ("zoo", "pages") for path in (ROOT / part).rglob("*.py"))
TRAINING = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "training").rglob("*.py"))

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


def imported(path: str) -> set[str]:
    """Return the dotted names that a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def roots(path: str) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def test_the_reader_of_imports_sees_all_kinds(tmp_path):
    file = tmp_path / "x.py"
    file.write_text("import a.b\nfrom c import d\ndef f():\n    import keras.ops\n")
    assert imported(str(file)) == {"a.b", "c", "c.d", "keras.ops"}


@pytest.mark.parametrize("path", [*SERVING, "streamlit_app.py"])
def test_serving_never_imports_training(path):
    assert not roots(path) & TRAINERS


@pytest.mark.parametrize("path", [path for path in SERVING if path.startswith("zoo/")])
def test_only_the_widgets_import_streamlit(path):
    if not path.startswith("zoo/widgets/"):
        assert "streamlit" not in roots(path)
        assert not any(name.startswith("zoo.widgets") for name in imported(path))


@pytest.mark.parametrize("path", PAGES)
def test_pages_never_import_each_other(path):
    assert "pages" not in roots(path)


@pytest.mark.parametrize("path", TRAINING)
def test_training_stays_away_from_streamlit(path):
    assert not roots(path) & {"streamlit", "pages"}
    assert not any(name.startswith("zoo.widgets") for name in imported(path))


def test_the_app_runs_without_the_training_libraries():
    result = subprocess.run(
        [sys.executable, "-c", PROBE, *PAGES], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stdout.splitlines()[-1] == "[]"
