"""Pure ASGI middleware: what holds for every answer, errors included."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_service import log
from cds_service.errors import HeadersTooLarge, InternalFault, ServiceError
from cds_service.routes import HookCalls, error_response

Headers = Iterable[tuple[bytes, bytes]]

MOST_HEADERS = 100
MOST_HEADER_BYTES = 32 << 10


class RequestId:
    """Every request has a name: the client reads it in X-Request-Id, the operator in the log and in the record. It is
    ours; a client's own is taken when it is a UUID, which names nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = _given_name(scope["headers"]) or str(uuid.uuid4())
        log.request_id.set(name)
        header = (b"x-request-id", name.encode())

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], header]
            await send(message)

        await self._app(scope, receive, named)


_UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _given_name(headers: Headers) -> str:
    for name, value in headers:
        if name == b"x-request-id" and _UUID.fullmatch(value):
            return str(value, "ascii").lower()
    return ""


class SandboxMark:
    """Every answer says that it is one of sandbox mode."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-baclofen-cds-mode", b"sandbox")]
            await send(message)

        await self._app(scope, receive, marked)


class Guard:
    """Nothing leaves as a stack trace or as silence: an error that nobody handled is a 500 with an OperationOutcome."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        headers = scope["headers"]
        if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES:
            await error_response(HeadersTooLarge(headers={"connection": "close"}))(scope, receive, send)
            return
        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  # the last place that can answer at all
            log.failed("request failed", error)
            if not started:
                await error_response(InternalFault())(scope, receive, send)


class DirectCall:
    """The one busy address, answered before the router is asked: that halves the cost of the HTTP side."""

    def __init__(self, app: ASGIApp, path: str, calls: HookCalls) -> None:
        self._app = app
        self._path = path
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            response = await self._calls.call(Request(scope, receive))
        except ServiceError as error:
            response = error_response(error)
        await response(scope, receive, send)


class BasePath:
    """The service also answers under the path of its public base URL, for a proxy that does not take it off."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "root_path": self._path}, receive, send)


_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")


def on_this_machine(origin: str) -> bool:
    """Whose pages may call in sandbox mode (resolutions.md 29)."""
    return _LOOPBACK.fullmatch(origin) is not None


class Cors:
    """CORS for the browser pages that ``allows`` names; without credentials, and on errors too."""

    def __init__(self, app: ASGIApp, allows: Callable[[str], bool]) -> None:
        self._app = app
        self._allows = allows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = {name: value.decode("latin-1") for name, value in scope["headers"] if name in _CORS_HEADERS}
        origin = asked.get(b"origin", "")
        allowed = self._allows(origin)

        async def with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if allowed:
                    headers["access-control-allow-origin"] = origin
                    headers["access-control-expose-headers"] = "retry-after, x-request-id, x-baclofen-cds-mode"
            await send(message)

        if allowed and scope["method"] == "OPTIONS" and b"access-control-request-method" in asked:
            await _preflight(with_cors)
        else:
            await self._app(scope, receive, with_cors)


_CORS_HEADERS = (b"origin", b"access-control-request-method")


async def _preflight(send: Send) -> None:
    headers = [
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"authorization, content-type"),
        (b"access-control-max-age", b"600"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
