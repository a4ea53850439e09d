"""What holds for every answer, errors included, in one pure ASGI layer; and the one busy address, beside the router."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from typing import NamedTuple

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cds_service import log
from cds_service.errors import HeadersTooLarge, InternalFault, ServiceError
from cds_service.routes import NO_STORE, HookCalls, error_response

Headers = Iterable[tuple[bytes, bytes]]

MOST_HEADERS = 100
MOST_HEADER_BYTES = 32 << 10
SANDBOX_MARK = (b"x-baclofen-cds-mode", b"sandbox")


class Edge:
    """The outside of the service. One layer and not one for each of its duties: each layer costs every call.

    Every request has a name, which the client reads in X-Request-Id, and the operator in the log and in the record.
    Browser pages that ``allows`` names may call, without credentials. Nothing leaves as a stack trace or as silence: an
    error that nobody handled is a 500 with an OperationOutcome.
    """

    def __init__(self, app: ASGIApp, marks: Headers = (), allows: Callable[[str], bool] | None = None) -> None:
        """``marks``: headers that every answer carries. ``allows``: None where no page may call."""
        self._app = app
        self._marks = tuple(marks)
        self._allows = allows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = _read(scope["headers"])
        name = asked.name or str(uuid.uuid4())
        log.request_id.set(name)
        added = [(b"x-request-id", name.encode()), *self._marks]
        allowed = False
        if self._allows is not None:
            allowed = self._allows(asked.origin)
            added += _permission(asked.origin) if allowed else [_VARY]
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *added]
            await send(message)

        try:
            if asked.too_large:
                await error_response(HeadersTooLarge(headers={"connection": "close"}))(scope, receive, with_headers)
            elif allowed and asked.preflight and scope["method"] == "OPTIONS":
                await _preflight(with_headers)
            else:
                await self._app(scope, receive, with_headers)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001  # the last place that can answer at all
            log.failed("request failed", error)
            if not started:
                await error_response(InternalFault())(scope, receive, with_headers)


class _Asked(NamedTuple):
    """What the head of a request says that matters here."""

    name: str
    """Its own X-Request-Id, taken when it is a UUID, which names nobody."""
    origin: str
    preflight: bool
    too_large: bool


_UUID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _read(headers: Headers) -> _Asked:
    name, origin, preflight, number, size = "", "", False, 0, 0
    for key, value in headers:
        number += 1
        size += len(key) + len(value)
        if key == b"x-request-id" and _UUID.fullmatch(value):
            name = name or str(value, "ascii").lower()
        elif key == b"origin":
            origin = value.decode("latin-1")
        elif key == b"access-control-request-method":
            preflight = True
    return _Asked(name, origin, preflight, number > MOST_HEADERS or size > MOST_HEADER_BYTES)


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
            answer = await self._calls.answer(scope["headers"], receive)
        except ServiceError as error:
            await error_response(error)(scope, receive, send)
            return
        headers = [
            *_ALWAYS,
            (b"content-length", b"%d" % len(answer)),
            (b"content-type", b"application/json"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


_ALWAYS = tuple((name.encode(), value.encode()) for name, value in NO_STORE.items())


class BasePath:
    """The service also answers under the path of its public base URL, for a proxy that does not take it off."""

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app = app
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "root_path": self._path}, receive, send)


# ---------------------------------------------------------------------------------------------------------------- CORS

_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?")
_VARY = (b"vary", b"Origin")


def on_this_machine(origin: str) -> bool:
    """Whose pages may call in sandbox mode (resolutions.md 29)."""
    return _LOOPBACK.fullmatch(origin) is not None


def _permission(origin: str) -> list[tuple[bytes, bytes]]:
    return [
        _VARY,
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-expose-headers", b"retry-after, x-request-id, x-baclofen-cds-mode"),
    ]


async def _preflight(send: Send) -> None:
    headers = [
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"authorization, content-type"),
        (b"access-control-max-age", b"600"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
