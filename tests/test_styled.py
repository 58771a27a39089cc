"""The style sheet comes with the page itself, whatever else is asked of the server."""

import gzip
import urllib.request

import pytest
from conftest import ROOT

SHEET = (ROOT / ".streamlit" / "style.css").read_bytes()


def asked(url: str, **headers: str):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer, answer.read()


@pytest.mark.parametrize("page", ["", "generation", "import?present"])
def test_a_page_brings_its_style_sheet(app, page):
    answer, body = asked(f"{app.url}/{page}", **{"Accept": "text/html,*/*", "Accept-Encoding": "gzip"})
    assert body.count(SHEET) == 1 and body.index(SHEET) < body.index(b"</body>")
    assert int(answer.headers["Content-Length"]) == len(body)
    assert answer.headers["Content-Encoding"] is None
    again, same = asked(f"{app.url}/{page}", Accept="text/html", **{"If-None-Match": answer.headers["ETag"] or "*"})
    assert again.status == 200 and same == body  # a page of before would keep a sheet of before


def test_what_is_no_page_comes_as_it_is(app):
    assert asked(f"{app.url}/_stcore/health", Accept="text/html")[1] == b"ok"
    script = asked(f"{app.url}/", Accept="text/html")[1].split(b'type="module"')[1].split(b'src="')[1].split(b'"')[0]
    answer, body = asked(f"{app.url}/{script.decode().removeprefix('./')}", **{"Accept-Encoding": "gzip"})
    assert SHEET not in (gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body)
    assert answer.headers["Content-Type"].startswith(("text/javascript", "application/javascript"))
