"""The web application: the two pages, their files, and the websocket with state and commands.

Imported only by `server.py`, because it needs the extra `view`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.datastructures import Headers, QueryParams
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from rehab_pose.errors import InputError
from rehab_pose.view.access import SECURITY_HEADERS
from rehab_pose.view.commands import command_of, message_of
from rehab_pose.view.hub import Part
from rehab_pose.view.wire import encode_message

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rehab_pose.view.access import Access
    from rehab_pose.view.commands import Commands
    from rehab_pose.view.hub import Hub, Page

__all__ = ["make_app"]

STATIC = Path(__file__).parent / "static"
"""Files of the page."""
UNACKNOWLEDGED = 2
"""Messages that may be on their way to a page. With more, old states would wait in the network's buffers."""
EARLY = 0.8
"""A message may follow after this fraction of the period, so that a source with the page's rate loses no frame."""
POLICY_VIOLATION = 1008
"""Code of a closed websocket (RFC 6455)."""
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="#1d4e6b"/>'
    '<g stroke="#fff" stroke-width="2.6" stroke-linecap="round" fill="none"><circle cx="16" cy="7.5" r="3"/>'
    '<path d="M16 11v8M7 9l9 5 9-5M16 19l-5 9M16 19l5 9"/></g></svg>'
)
"""A standing figure."""
REFUSED = (
    "This page needs the address with its token, which the program that shows it has printed "
    "(http://.../?token=...). Copy that address into this browser.\n"
)
WRONG_HOST = "This server is not known under this name; use the address that it has printed.\n"


class _Guard:
    """Refuses requests without the token, of other names and of other pages, and adds the security headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        given = QueryParams(scope.get("query_string", b"")).get("token", "")
        refusal = self._refusal(scope, given)
        if scope["type"] == "websocket":
            if refusal:
                await WebSocket(scope, receive, send).close(POLICY_VIOLATION)
            else:
                await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *added]
            await send(message)

        if refusal:
            await PlainTextResponse(refusal, 403)(scope, receive, send_with_headers)
        elif given:
            await self._with_cookie(scope["path"])(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope, given: str) -> str:
        """Return why a request is refused; '' = it is not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._access.is_own_host(host):
            return WRONG_HOST
        if not self._access.has_token(headers, given):
            return REFUSED
        foreign = scope["type"] == "websocket" and not self._access.is_own_origin(headers.get("origin", ""), host)
        return WRONG_HOST if foreign else ""

    def _with_cookie(self, path: str) -> Response:
        """Return a redirection to the address without the token, which then is in a cookie and not in the history."""
        # A path of two slashes would be the name of another server.
        response = RedirectResponse("/" + path.lstrip("/"), 303)
        response.set_cookie(self._access.cookie, self._access.token, httponly=True, samesite="strict")
        return response


def make_app(hub: Hub, access: Access, commands: Commands, rate_hz: float) -> ASGIApp:
    """Return the application.

    Args:
        hub: The state.
        access: Decides who may read it.
        commands: Receives the commands of the pages.
        rate_hz: Each page is sent a state at most this often [Hz].
    """

    async def stream(websocket: WebSocket) -> None:
        await websocket.accept()
        await _Connection(websocket, hub, commands, rate_hz).run()

    routes = [
        Route("/", _page("index.html")),
        Route("/patient", _page("patient.html")),
        Route("/icon.svg", _icon),
        WebSocketRoute("/state", stream),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return _Guard(Starlette(routes=routes), access)


def _page(name: str) -> Any:  # noqa: ANN401  (Starlette's type of an endpoint)
    async def page(_request: Request) -> Response:
        return FileResponse(STATIC / name)

    return page


async def _icon(_request: Request) -> Response:
    return Response(ICON, media_type="image/svg+xml")


class _Connection:
    """One page: sends the newest state, and passes its commands on."""

    def __init__(self, websocket: WebSocket, hub: Hub, commands: Commands, rate_hz: float) -> None:
        self._websocket, self._hub, self._commands = websocket, hub, commands
        self._period_s = EARLY / rate_hz
        self._changed = asyncio.Event()
        self._number = self._acknowledged = 0
        self._refusal = ""

    async def run(self) -> None:
        """Serve until the page is closed."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the server's loop has ended
                loop.call_soon_threadsafe(self._changed.set)

        page = self._hub.connect(wake)
        sender = asyncio.create_task(self._send(page))
        self._changed.set()
        try:
            while True:
                self._take(page, await self._websocket.receive_text())
        except (WebSocketDisconnect, KeyError):  # KeyError: Starlette was sent bytes instead of text
            pass
        finally:
            self._hub.disconnect(page)
            sender.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await sender

    async def _send(self, page: Page) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._number - self._acknowledged >= UNACKNOWLEDGED:
                continue  # the next acknowledgement wakes this task
            parts = self._hub.take(page)
            if self._refusal:
                parts["refusal"], self._refusal = Part({"words": self._refusal}), ""
            if not parts:
                continue
            if "joints" in parts:
                parts["sent"] = Part({"frames": page.sent_frames, "skipped": page.skipped_frames})
            self._number += 1
            await self._websocket.send_bytes(await asyncio.to_thread(encode_message, self._number, parts))
            await asyncio.sleep(self._period_s)

    def _take(self, page: Page, text: str) -> None:
        """Take a message: an acknowledgement, the list of parts that the page shows, or a command."""
        try:
            message = message_of(text)
            if "acknowledge" in message:
                acknowledged = message["acknowledge"]
                self._acknowledged = acknowledged if isinstance(acknowledged, int) else self._acknowledged
                self._changed.set()
            elif "show" in message:
                names = message["show"] if isinstance(message["show"], list) else []
                self._hub.want(page, frozenset(name for name in names if isinstance(name, str)))
            else:
                self._commands.command(command_of(message))
        except InputError as error:
            self._refusal = str(error)
            self._changed.set()
