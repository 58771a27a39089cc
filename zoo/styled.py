"""The style sheet inside the page that a browser loads first: there before anything is drawn, so that nothing moves."""

from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

END = b"</body>"  # behind what Streamlit will put into the head: of equal rules the last one counts
# What would let the browser keep a page with a style sheet of before, or let the page come compressed.
CONDITIONS = (b"if-none-match", b"if-modified-since", b"accept-encoding")


class Styled:
    """Middleware that writes a style sheet at the end of every HTML page."""

    def __init__(self, app: ASGIApp, sheet: Path) -> None:
        self.app = app
        self.style = b"<style>" + sheet.read_bytes() + b"</style>"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in CONDITIONS]
        begun: list[Message] = []
        body = bytearray()

        async def styled(message: Message) -> None:
            if message["type"] == "http.response.start":
                if not Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                    await send(message)
                    return
                begun.append(message)
            elif not begun:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await self._send(begun[0], bytes(body), send)

        await self.app({**scope, "headers": headers}, receive, styled)

    async def _send(self, start: Message, body: bytes, send: Send) -> None:
        body = body.replace(END, self.style + END, 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-length"] = str(len(body))
        for name in ("etag", "last-modified"):
            if name in headers:
                del headers[name]
        await send({**start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": body})
