"""What the pages offer to take is what the real server takes, and one visitor cannot fill its memory."""

import tomllib

import pytest
from conftest import ROOT, opened
from starlette.exceptions import HTTPException
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from visits import visited

from zoo.widgets import uploads

CONFIGURED = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["server"]["maxUploadSize"]


def test_the_server_takes_what_pages_offer_and_no_more_files_than_a_visit_may_hold(app):
    offered = max(uploads.PICTURES.megabytes, uploads.ARCHIVE.megabytes, uploads.MODEL.megabytes)
    assert offered == CONFIGURED
    sizes = [40 << 20, *[10] * uploads.SESSION.files]
    statuses = visited(app.url, sizes)
    assert statuses == [204] * uploads.SESSION.files + [413]
    assert visited(app.url, [10]) == [204]


@pytest.mark.parametrize(("configured", "offered"), [(CONFIGURED, uploads.MODEL.megabytes), (5, 5)])
def test_a_host_who_takes_less_has_pages_that_offer_less(configured, offered, monkeypatch, wall):
    monkeypatch.setattr(uploads.st, "get_option", {"server.maxUploadSize": configured}.get)
    (found,) = opened("pages/share/import.py").get("file_uploader")
    assert found.proto.max_upload_size_mb == offered


def test_the_sum_and_the_number_of_a_visitor_and_of_all_are_bounded(monkeypatch):
    monkeypatch.setattr(uploads, "SESSION", uploads.Limit(2, 3))
    monkeypatch.setattr(uploads, "EVERYBODY", uploads.Limit(3, 4))
    manager = MemoryUploadedFileManager("/upload")
    monkeypatch.setattr(uploads.runtime, "exists", lambda: True)
    monkeypatch.setattr(uploads.runtime, "get_instance", lambda: type("Runtime", (), {"uploaded_file_mgr": manager}))
    for _ in range(2):
        uploads.limit_uploads()

    def send(session: str, name: str, megabytes: float) -> bool:
        try:
            manager.add_file(
                session_id=session, file=UploadedFileRec(name, name, "text/plain", bytes(int(megabytes * 2**20)))
            )
        except HTTPException as error:
            assert error.status_code == 413 and "remove some" in error.detail
            return False
        return True

    assert send("ada", "a", 1) and send("ada", "a", 1.5) and not send("ada", "b", 1)
    assert send("ada", "b", 0.1) and send("ada", "c", 0.1) and not send("ada", "d", 0)
    assert send("eve", "a", 1) and not send("eve", "b", 0.1)
    manager.remove_file("ada", "a")
    assert send("eve", "b", 0.1) and not send("eve", "c", 0.1)
    manager.remove_session_files("ada")
    assert send("eve", "c", 0.1)
