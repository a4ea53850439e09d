"""The yardstick: a bare ASGI application that reads the whole body as JSON and answers one card."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

Message = dict[str, Any]


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] != "http":
        return
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    call = orjson.loads(b"".join(parts) or b"{}")
    card = {"uuid": call.get("hookInstance"), "summary": "echo", "indicator": "info", "source": {"label": "echo"}}
    body = orjson.dumps({"cards": [card]})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
