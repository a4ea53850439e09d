"""A FHIR server of ours that misbehaves as told, over real sockets, and counts what reaches it."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.calls import Json


@dataclass
class Request:
    method: str
    path: str
    """With its query, below the base."""
    headers: dict[str, str]


Behaviour = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]
"""Writes the answer. The connection is kept unless it closes the writer."""


def head(status: int = 200, **headers: Any) -> bytes:
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode()


def says(body: Json | bytes, status: int = 200, **headers: Any) -> Behaviour:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(_: Request, writer: asyncio.StreamWriter) -> None:
        kind = {"content_type": "application/fhir+json"} | headers
        writer.write(head(status, content_length=len(content), **kind) + content)

    return answer


def results(kidney: Behaviour) -> Behaviour:
    """Of the two searches for Observations that for kidney results; the other one finds nothing."""

    async def answer(asked: Request, writer: asyncio.StreamWriter) -> None:
        await (kidney if "98979-8" in asked.path else says({"resourceType": "Bundle", "total": 0}))(asked, writer)

    return answer


def packed(body: bytes) -> Behaviour:
    return says(gzip.compress(body, 9), content_encoding="gzip")


def raw(content: bytes) -> Behaviour:
    """These bytes, then the connection ends."""

    async def answer(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        writer.close()

    return answer


async def silence(_: Request, __: asyncio.StreamWriter) -> None:
    """Nothing, and the connection stays open."""
    await asyncio.sleep(3600)


def drip(start: bytes, piece: bytes = b" ", seconds: float = 0.02) -> Behaviour:
    """A byte now and then, without an end."""

    async def answer(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(seconds)

    return answer


def late(seconds: float, then: Behaviour) -> Behaviour:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await then(request, writer)

    return answer


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first request gets the first, and so on; the last stays."""
    left = list(behaviours)

    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request, writer)

    return answer


@dataclass
class Broken:
    """By the start of a path; "" stands for every other one."""

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 0
    scheme: str = "http"
    connections: int = 0
    open_now: int = 0
    requests: list[Request] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/fhir"

    def asked(self, start: str) -> list[Request]:
        return [one for one in self.requests if one.path.startswith(start)]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_now += 1
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                name = next((one for one in self.behaviours if one and request.path.startswith(one)), "")
                answering = asyncio.ensure_future(self.behaviours[name](request, writer))
                gone = asyncio.ensure_future(reader.read(1))
                await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not answering.done():
                    answering.cancel()
                    break
                gone.cancel()
                await asyncio.gather(gone, return_exceptions=True)
                answering.result()
                if writer.is_closing():
                    break
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open_now -= 1
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = text.strip().split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, path.removeprefix("/fhir").lstrip("/"), headers)


@contextmanager
def running(
    behaviours: dict[str, Behaviour] | None = None, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[Broken]:
    broken = Broken(behaviours or {"": says({"resourceType": "Bundle", "total": 0})}, host)
    loop = asyncio.new_event_loop()
    # A handshake that fails is what some tests want, not news.
    loop.set_exception_handler(lambda *_: None)

    async def start() -> asyncio.Server:
        return await asyncio.start_server(broken.serve, host, 0, ssl=tls, backlog=1024)

    server = loop.run_until_complete(start())
    broken.port = server.sockets[0].getsockname()[1]
    broken.scheme = "https" if tls else "http"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def stop() -> None:
        server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    try:
        yield broken
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
