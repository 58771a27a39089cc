"""What the tests of the app share: its pages as found on disk, run by Streamlit's own runner, a server, a browser."""

import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent
# The Hub's client reads it when it is first imported: nothing in this process may ask the Hub.
os.environ["HF_HUB_OFFLINE"] = "1"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "pages").glob("*/*.py"))
DEFAULT = "pages/explore/gallery.py"
SIZES = {"wide": (1400, 950), "projector": (1024, 768), "phone": (390, 844)}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
REQUIRED = os.environ.get("ZOO_BROWSER") == "required"
MISSING = [] if importlib.util.find_spec("playwright") else ["playwright"]
MISSING += [] if CHROMIUM else ["a Chromium"]
# The files that take longest, first: else one worker is left with one of them while the other has nothing to do.
LONGEST = (
    "test_hostile", "test_browser", "test_families", "test_training", "test_export", "test_imports", "test_publish",
    "test_commands", "test_metrics_evaluate", "test_import_strangers", "test_hub_browser", "test_docs", "test_tour",
    "test_layout", "test_import_networks", "test_package", "test_lab", "test_latent_map_page", "test_live_browser",
    "test_wall",
)  # fmt: skip
# On a deep link Streamlit asks for its health under the page's own path first, and then finds the right one.
PROBING = re.compile(r"/_stcore/(health|host-config)$")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


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
    """The real app in a process of its own, on a free port, without a way to the Hub unless `settings` give one.

    It runs `script` in `cwd`, or another command, in which "{port}" stands for the port."""

    def __init__(
        self,
        log: Path,
        script: str = "streamlit_app.py",
        command: Sequence[str] = (),
        cwd: Path = ROOT,
        **settings: str,
    ) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = command or (sys.executable, "-m", "streamlit", "run", script, "--server.port", "{port}")
        local = {"STREAMLIT_SERVER_ADDRESS": "127.0.0.1", "STREAMLIT_SERVER_HEADLESS": "true", "ZOO_PREPARE": "0"}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [part.format(port=self.port) for part in command],
                cwd=cwd, stdout=output, stderr=subprocess.STDOUT,
                env=os.environ | local | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)} | settings,
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


def isolate(monkeypatch: pytest.MonkeyPatch, zoo: Path, home: Path) -> None:
    """Show the entries of one folder alone, without data but the built-in and without files of the Hub."""
    from zoo.entries import catalog

    monkeypatch.setattr(catalog, "EMBEDDED", zoo)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(home))
    for name in ("ZOO_SOURCES", "ZOO_DATA"):
        monkeypatch.delenv(name, raising=False)


def clear_caches() -> None:
    """Forget what pages have cached in this process."""
    import streamlit as st

    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="session", autouse=True)
def pools_apart(tmp_path_factory):
    """Keep decoded images apart from those of who runs the tests."""
    from zoo.data import pools

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("pools")
        patch.setattr(pools, "store", lambda: folder)
        yield


@pytest.fixture
def quick_tables(monkeypatch):
    """Read parquet files in this process, without limits: that of their own takes a second to start."""
    from zoo.data import apart, tables

    monkeypatch.setattr(tables, "_say", lambda answer: None)
    monkeypatch.setattr(apart, "_run", lambda task, report: (tables.run(task), 0))


@pytest.fixture(scope="module")
def empty_caches():
    """Begin a file of tests with nothing cached; within it, entries of the same folder share what they computed."""
    clear_caches()


@pytest.fixture
def wall(monkeypatch, tmp_path):
    """An empty zoo of its own, no data but the built-in, nothing cached before or after."""
    isolate(monkeypatch, tmp_path / "zoo", tmp_path / "hub")
    (tmp_path / "zoo").mkdir()
    clear_caches()
    yield tmp_path / "zoo"
    clear_caches()


def opened(page: str, **query: str | list[str]):
    """Return the app, run by Streamlit's own runner, after a link to this page was followed."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    if page != DEFAULT:
        app.switch_page(page)
    return sound(app.run())


def sound(app):
    """Return the app after a run without an exception or an error."""
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def texts(app) -> str:
    """Return the Markdown of a page: titles, paragraphs, captions and notices."""
    kinds = (app.title, app.markdown, app.caption, app.info, app.warning)
    return "\n".join(item.value for kind in kinds for item in kind)


def words(app) -> str:
    """Return what `texts` does as it is read: without the backslashes of `plain`."""
    return texts(app).replace("\\", "")


def component(app, key: str) -> dict:
    """Return the data of one of our components as the browser gets it."""
    return next(json.loads(e.proto.json) for e in app.get("bidi_component") if e.proto.id.endswith(key))


@pytest.fixture(scope="module")
def few_measured():
    """Measure the quality of runs on fewer samples: their numbers are not what is tested, and cost most of a run."""
    pytest.importorskip("tensorflow", reason="training needs TensorFlow: pip install -r requirements.txt")
    from training import replay, run

    with pytest.MonkeyPatch.context() as patch:
        for module in (run, replay):
            patch.setattr(module, "MEASURED", 64)
        yield


def cards(app) -> list[str]:
    """Return the ids of the entries that the gallery shows, in order."""
    found = [json.loads(e.proto.json) for e in app.get("bidi_component") if "-cards-" in e.proto.id]
    return [parse_qs(urlsplit(card["href"]).query)["entry"][0] for block in found for card in block["cards"]]


@pytest.fixture(scope="session")
def chromium():
    """A browser; skipped with a reason where there is none, unless ZOO_BROWSER=required insists."""
    if MISSING and not REQUIRED:
        pytest.skip(f"{' and '.join(MISSING)} is not installed (ZOO_BROWSER=required insists)")
    assert not MISSING, f"{' and '.join(MISSING)} is not installed, and ZOO_BROWSER=required insists."
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium):
    """Open tabs that collect what the browser complains about and what it asks of others than the app."""
    contexts = []

    def new(base: str, size: str = "wide", scheme: str = "light"):
        width, height = SIZES[size]
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda message: page.complaints.append(_complaint(message)))
        page.on("request", lambda request: page.complaints.append(_abroad(request.url, base)))
        return page

    yield new
    for context in contexts:
        context.close()


def _complaint(message) -> str | None:
    probing = PROBING.search(urlsplit(message.location.get("url", "")).path)
    return message.text if message.type == "error" and not probing else None


def _abroad(url: str, base: str) -> str | None:
    parts = urlsplit(url)
    return None if parts.scheme in ("data", "blob") or parts.netloc == urlsplit(base).netloc else f"asked for {url}"


def complaints(page) -> list[str]:
    """Return what the browser complained about on this page."""
    return [text for text in page.complaints if text]
