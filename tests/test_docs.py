"""The API reference can be built, covers every module of zoo, and its links lead somewhere."""

import shlex
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from conftest import ROOT

MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "zoo").rglob("*.py")}
MODULES = {name.removesuffix(".__init__") for name in MODULES if not name.endswith(".__main__")}


class Page(HTMLParser):
    """What one page links to, and the places in it that a link can name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        self.links |= {given["href"]} if tag == "a" and "href" in given else set()
        self.places |= {given["id"]} if "id" in given else set()


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> dict[Path, Page]:
    """The pages that `make docs` writes."""
    folder = tmp_path_factory.mktemp("reference")
    planned = subprocess.run(["make", "--dry-run", "docs"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    command = shlex.split(next(line for line in planned.splitlines() if "pdoc " in line).partition("pdoc ")[2])
    command[command.index("docs/api")] = str(folder)
    done = subprocess.run(
        [sys.executable, "-m", "pdoc", *command], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0 and "Warn" not in done.stderr, done.stderr[-2000:]
    return {path: Page(path.read_text("utf-8")) for path in folder.rglob("*.html")}


def test_every_module_that_can_be_imported_has_a_page(reference):
    root = next(path for path in reference if path.name == "zoo.html").parent
    told = {".".join(path.relative_to(root).with_suffix("").parts) for path in reference}
    assert told - {"index"} == MODULES


def test_links_lead_to_a_page_and_a_place_in_it(reference):
    broken, followed = set(), 0
    for path, page in reference.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            followed += 1
            if target not in reference or (parts.fragment and unquote(parts.fragment) not in reference[target].places):
                broken.add((path.name, link))
    assert followed > 500 and not broken
