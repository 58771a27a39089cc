"""A visitor without a browser: opens the app by its WebSocket and sends files, as a script of an attacker does."""

import asyncio
import concurrent.futures
import urllib.error
import urllib.request
import uuid

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


def put(base: str, session: str, size: int, cookie: str) -> int:
    """Send a file of so many bytes as the browser does; return the status."""
    body = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a.zip"\r\n\r\n' + bytes(size) + b"\r\n--x--\r\n"
    token = cookie.partition("=")[2]
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Cookie": cookie, "X-Xsrftoken": token}
    url = f"{base}/_stcore/upload_file/{session}/{uuid.uuid4()}"
    try:
        return urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PUT"), timeout=60).status
    except urllib.error.HTTPError as error:
        return error.code


async def visit(base: str, sizes: list[int]) -> list[int]:
    """Open the app as a browser does, wait until its page has run once, and send files; return the statuses."""
    with urllib.request.urlopen(f"{base}/_stcore/health", timeout=10) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    address = base.replace("http", "ws") + "/_stcore/stream"
    headers = {"Cookie": cookie}
    async with websockets.connect(
        address, subprotocols=["streamlit"], additional_headers=headers, max_size=None
    ) as socket:
        begin = BackMsg()
        begin.rerun_script.query_string = ""
        await socket.send(begin.SerializeToString())
        session = ""
        async for content in socket:
            message = ForwardMsg.FromString(content)
            session = message.new_session.initialize.session_id or session
            if message.WhichOneof("type") == "script_finished":
                break
        return await asyncio.to_thread(lambda: [put(base, session, size, cookie) for size in sizes])


def visited(base: str, sizes: list[int]) -> list[int]:
    """Return what `visit` does, also where the tests of the browser have an event loop of their own running."""
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        return threads.submit(lambda: asyncio.run(visit(base, sizes))).result()
