"""The whole service in this process, asked over HTTP without a network."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from cds_service.app import create_app
from cds_service.settings import load
from tests.conformance.calls import SERVICE, TODAY, Json


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    body: bytes
    log: str
    """What the service wrote to standard error meanwhile."""

    @property
    def cards(self) -> list[Json]:
        assert self.status == 200, self.body
        shown: list[Json] = json.loads(self.body)["cards"]
        return shown


@cache
def _app() -> tuple[Any, asyncio.AbstractEventLoop]:
    return create_app(load(mode="sandbox", today=date.fromisoformat(TODAY))), asyncio.new_event_loop()


def ask(request: Json | bytes) -> Answered:
    app, loop = _app()
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status, answer = loop.run_until_complete(_post(app, body))
    return Answered(status, answer, said.getvalue())


async def _post(app: Any, body: bytes) -> tuple[int, bytes]:
    status, parts = 0, []

    async def receive() -> Json:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Json) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": SERVICE, "raw_path": SERVICE.encode(), "root_path": "", "query_string": b"",
        "headers": [(b"host", b"cds.example"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1), "server": ("cds.example", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    return status, b"".join(parts)


# ------------------------------------------------------------------------------------------------- reading an answer


def topic(card: Json) -> str:
    code: str = card["source"]["topic"]["code"]
    return code


def urgent(cards: list[Json], *indicators: str) -> set[str]:
    return {topic(card) for card in cards if card["indicator"] in indicators}


def quiet(value: Any) -> Any:
    """Without ids that are new each time, and without the noise itself: a suggestion echoes the whole order."""
    match value:
        case dict():
            return {name: quiet(one) for name, one in value.items() if name not in ("uuid", "x-vendor", "extension")}
        case list():
            return [quiet(one) for one in value]
        case _:
            return value


def walk(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value inside a JSON value with the way to it, itself left out."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inside:
        yield (*path, name), one
        yield from walk(one, (*path, name))


def put(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy with another value at the end of the way."""
    if not path:
        return new
    name, *rest = path
    if isinstance(value, dict):
        return {key: put(inside, tuple(rest), new) if key == name else inside for key, inside in value.items()}
    return [put(inside, tuple(rest), new) if n == name else inside for n, inside in enumerate(value)]
