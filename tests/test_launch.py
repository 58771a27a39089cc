"""What the server does before its first visitor: the zoo is read, the start page prepared, deep links found."""

import runpy
import sys
import threading
import urllib.request

import pytest
import streamlit as st
from conftest import ROOT, Server, complaints, settle
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web.server.app_discovery import discover_asgi_app

from zoo.analysis import manifold
from zoo.widgets import launch
from zoo.widgets.gallery import map as gallery_map


def test_streamlit_finds_the_server_beside_the_frame():
    found = discover_asgi_app(ROOT / "streamlit_app.py")
    assert found.import_string == "streamlit_app:app"
    assert isinstance(runpy.run_path(str(ROOT / "streamlit_app.py"), run_name="streamlit_app")["app"], st.App)


def test_the_first_visitor_finds_the_map_prepared(monkeypatch):
    monkeypatch.delenv("ZOO_PREPARE", raising=False)
    st.cache_data.clear()
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    launch.prepare()
    assert PagesManager.uses_pages_directory is False  # a link to a page is understood at once
    next(thread for thread in threading.enumerate() if thread.name == launch.THREAD).join()
    monkeypatch.setattr(manifold, "decoded", lambda entry: pytest.fail("decoded again"))
    gallery_map.prepare_map()


def test_a_host_may_leave_preparing_out(monkeypatch):
    monkeypatch.setenv("ZOO_PREPARE", "0")
    monkeypatch.setattr(launch, "_prepare", lambda: pytest.fail("prepared"))
    launch.prepare()
    assert all(thread.name != launch.THREAD for thread in threading.enumerate())


def test_what_cannot_be_prepared_is_logged_and_left_to_the_page(monkeypatch, caplog):
    monkeypatch.setattr(launch, "prepare_map", lambda: 1 / 0)
    launch._prepare()
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("module", [None, object()])
def test_a_streamlit_without_its_private_parts_starts(monkeypatch, module):
    monkeypatch.setitem(sys.modules, "streamlit.runtime.pages_manager", module)
    launch._one_kind_of_pages()


def test_a_deep_link_into_a_cold_server_opens_its_page(tab, tmp_path):
    log = tmp_path / "log"
    server = Server(log, ZOO_PREPARE="")
    try:
        page = tab(server.url)
        page.goto(f"{server.url}/generation?seed=7")
        page.get_by_role("heading", name="Generation", exact=True).wait_for()
        page.get_by_label("Seed").wait_for()
        assert page.get_by_label("Seed").input_value() == "7"
        assert page.get_by_role("dialog").count() == 0
        settle(page)
        assert complaints(page) == []
        with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=5) as answer:
            assert answer.status == 200
    finally:
        server.stop()
    assert "missing" not in log.read_text() and "No runtime" not in log.read_text()
