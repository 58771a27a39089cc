"""The README keeps its promises: what it shows and links to is in the repository."""

import re
import shutil
import subprocess

import pytest
from conftest import ROOT

from zoo import settings

README, CONTRIBUTING = ((ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md"))
LINKS = sorted(set(re.findall(r"\]\((?!https?://|#)([^)\s]+)\)", README)))
CODE = [path for folder in ("zoo", "pages", "training") for path in (ROOT / folder).rglob("*.py")]


def test_there_are_pictures():
    assert any(link.endswith(".png") for link in LINKS)


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_to_something_that_is_kept(link):
    assert (ROOT / link).exists()
    if shutil.which("git") and (ROOT / ".git").exists():
        kept = subprocess.run(["git", "ls-files", "--", link], cwd=ROOT, capture_output=True, text=True).stdout
        assert kept, f"git does not know {link}"


def test_every_variable_of_ours_has_its_row():
    named = {found for path in CODE for found in re.findall(r"\bZOO_[A-Z_]+\b", path.read_text("utf-8"))}
    assert named <= {row.name for row in settings.SETTINGS}
    assert f"<!-- settings -->\n{settings.readme_table()}\n<!-- /settings -->" in README


def test_the_library_does_what_the_example_says():
    example = next(code for code in re.findall(r"```python\n(.*?)```", README, re.S) if code.startswith("from zoo"))
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)
    images = names["samples"].images
    assert images.shape == (16, 28, 28, 1) and images.min() >= 0 and images.max() <= 1


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([a-z.]+/[\w./-]+)`", CONTRIBUTING))))
def test_what_contributing_says_to_touch_is_there(path):
    assert (ROOT / path).exists() or path == "docs/api"
