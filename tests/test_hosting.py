"""The example of README for a proxy, run by the real nginx before the real app: what it lets through and what not."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import time
import tomllib
import urllib.error
import urllib.request

import pytest
from conftest import ROOT, complaints, settle
from visits import visited

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
EXAMPLE = (ROOT / "hosting" / "nginx.conf").read_text()
MAIN = """
daemon off;
pid {place}/pid;
error_log {place}/errors;
worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    include {place}/zoo.conf;
}}
"""


@pytest.fixture(scope="module")
def proxy(app, tmp_path_factory):
    """The address of an nginx with the example, before the app."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    place = tmp_path_factory.mktemp("nginx")
    place.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    changed = EXAMPLE.replace("listen 80;", f"listen 127.0.0.1:{port};").replace(":8501;", f":{app.port};")
    (place / "zoo.conf").write_text(changed)
    user = "user root;\n" if os.geteuid() == 0 else ""  # of the folder for temporary files
    (place / "nginx.conf").write_text(user + MAIN.format(place=place))
    process = subprocess.Popen([NGINX, "-p", place, "-c", place / "nginx.conf", "-e", place / "errors"])
    base = f"http://127.0.0.1:{port}"
    for _ in range(100):
        if process.poll() is not None:
            pytest.fail((place / "errors").read_text())
        if status(f"{base}/_stcore/health") == 200:
            break
        time.sleep(0.1)
    yield base
    process.terminate()
    process.wait(15)


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_metrics_are_hidden_and_the_rest_is_not(app, proxy):
    assert status(f"{app.url}/_stcore/metrics") == 200
    for path in (
        "/_stcore/metrics",
        "//_stcore//metrics",
        "/%5Fstcore/metrics",
        "/_stcore/./metrics",
        "/_stcore/metrics/",
    ):
        assert status(proxy + path) == 404, path
    for path in ("/", "/generation", "/_stcore/health", "/_stcore/host-config"):
        assert status(proxy + path) == 200, path


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/metrics"])
def test_frames_and_guesses_of_types_are_forbidden(proxy, path):
    host, port = proxy.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", path)
    headers = connection.getresponse().headers
    assert headers.get_all("X-Content-Type-Options") == ["nosniff"]
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Content-Security-Policy"] == "frame-ancestors 'self'"


def test_a_visit_and_its_uploads_pass_and_what_is_too_large_does_not(proxy):
    assert visited(proxy, [10, 25 << 20]) == [204, 204]
    allowed = int(re.search(r"client_max_body_size (\d+)m", EXAMPLE)[1])
    configured = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["server"]["maxUploadSize"]
    assert allowed == configured + 1
    host, port = proxy.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest("PUT", "/_stcore/upload_file/a/b")
    connection.putheader("Content-Length", str((allowed << 20) + 1))
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_a_browser_sees_the_app_through_it(proxy, tab):
    page = tab(proxy)
    page.goto(proxy)  # whoever is the first to ask a new server for another page is sent to it by a reload
    settle(page)
    page.goto(f"{proxy}/generation?entries=digits-vae")
    settle(page)
    assert page.locator("h1").inner_text() == "Generation" and complaints(page) == []
