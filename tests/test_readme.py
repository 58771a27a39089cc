"""The README keeps its promises: what it shows and links to is in the repository."""

import re
import shutil
import subprocess

import pytest
from conftest import ROOT

LINKS = sorted(set(re.findall(r"\]\((?!https?://|#)([^)\s]+)\)", (ROOT / "README.md").read_text())))


def test_there_are_pictures():
    assert any(link.endswith(".png") for link in LINKS)


@pytest.mark.parametrize("link", LINKS)
def test_a_link_leads_to_something_that_is_kept(link):
    assert (ROOT / link).exists()
    if shutil.which("git") and (ROOT / ".git").exists():
        kept = subprocess.run(["git", "ls-files", "--", link], cwd=ROOT, capture_output=True, text=True).stdout
        assert kept, f"git does not know {link}"
