"""What the tests of the app share: its pages as found on disk, and a running server."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*/*.py"))
DEFAULT = "pages/explore/gallery.py"
SIZES = {"wide": (1400, 950), "phone": (390, 844)}


def url_path(page: str) -> str:
    """Return the path under which Streamlit serves a page."""
    return "" if page == DEFAULT else Path(page).stem


def settle(page) -> None:
    """Wait until the page has a heading and Streamlit has stopped working on it."""
    page.wait_for_selector("h1")
    page.wait_for_function("document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'")
    page.wait_for_function("!document.querySelector('[data-testid=stSkeleton], [data-testid=stSpinner]')")
    page.wait_for_timeout(400)


class Server:
    """The real app in a process of its own, on a free port, without a way to the Hub."""

    def __init__(self, log: Path, script: str = "streamlit_app.py") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        options = ["--server.port", str(self.port), "--server.address", "127.0.0.1", "--server.headless", "true"]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", script, *options],
                cwd=ROOT, stdout=output, stderr=subprocess.STDOUT,
                env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)},
            )  # fmt: skip
        self._wait(log)

    def _wait(self, log: Path) -> None:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.2)
        self.stop()
        pytest.fail(f"The app did not start:\n{log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """The running app; what it logs is checked by nobody but shown when it does not start."""
    server = Server(tmp_path_factory.mktemp("app") / "log")
    yield server
    server.stop()


@pytest.fixture
def wall(monkeypatch, tmp_path):
    """A zoo of its own, no data but the built-in, nothing cached."""
    import streamlit as st

    from zoo import catalog

    monkeypatch.setattr(catalog, "EMBEDDED", tmp_path / "zoo")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    for name in ("ZOO_ENTRIES", "ZOO_DATA"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "zoo").mkdir()
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "zoo"
