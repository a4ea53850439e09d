"""One GET from a FHIR server: everything about the answer is bounded, and every failure is a value."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import httpx

from cds_service import metrics
from cds_service.fhir_client.bases import Base
from cds_service.fhir_client.breaker import Breaker
from cds_service.fhir_client.connections import ERRORS, Slots
from cds_service.fhir_client.unread import Unread

MOST_BYTES = 8 << 20
"""Of one answer, inflated."""
TOGETHER = 2
"""As many times that for all answers of one call: pages could go on and on."""
PAUSE = 0.02
"""Seconds before the one retry."""
_RETRIED = frozenset({500, 502, 503, 504})
_MOST_SERVERS = 256
"""Whose breakers are remembered."""


class FhirClient:
    """The process's client; every call opens a server with it."""

    def __init__(self, opens: Callable[[], httpx.AsyncBaseTransport], *, most_bytes: int = MOST_BYTES) -> None:
        """``opens`` is called for the first request, and for the first one after ``close``."""
        self._opens = opens
        self._transport: httpx.AsyncBaseTransport | None = None
        self.most_bytes = most_bytes
        self._slots = Slots()
        self._breakers: dict[Base, Breaker] = {}

    @contextmanager
    def server(self, base: Base, token: str, deadline: float) -> Iterator[FhirServer]:
        """For one call. ``deadline`` in seconds of the event loop's clock; an empty token sends none."""
        breaker = self._breaker(base)
        admitted = breaker.admit()
        headers = {
            "accept": "application/fhir+json",
            "accept-encoding": "gzip",
            "user-agent": "baclofen-cds",
            **({"authorization": f"Bearer {token}"} if token else {}),
        }
        server = FhirServer(self, base, deadline, admitted, httpx.Headers(headers), self.most_bytes * TOGETHER)
        try:
            yield server
        except BaseException:
            if admitted:
                breaker.left()
            raise
        if admitted:
            if server.answered:
                breaker.answered()
            elif server.asked:
                breaker.silent()
            else:
                breaker.left()

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()
        self._transport = None

    def _breaker(self, base: Base) -> Breaker:
        breaker = self._breakers.get(base)
        if breaker is None:
            if len(self._breakers) >= _MOST_SERVERS:
                self._breakers.clear()
            breaker = self._breakers[base] = Breaker(asyncio.get_running_loop().time)
        return breaker

    async def get(self, url: str, headers: httpx.Headers, rank: int, most: int) -> tuple[bytes | Unread, bool]:
        """The body of a 200 or why there is none; and whether the server answered at all, if only with a refusal."""
        async with self._slots.taken(rank):
            result, again = await self._once(url, headers, most)
            if again:
                await asyncio.sleep(PAUSE)
                result, again = await self._once(url, headers, most)
            return result, not again and result is not Unread.BUSY

    async def _once(self, url: str, headers: httpx.Headers, most: int) -> tuple[bytes | Unread, bool]:
        """And whether a second attempt could go better."""
        if self._transport is None:
            self._transport = self._opens()
        try:
            response = await self._transport.handle_async_request(httpx.Request("GET", url, headers=headers))
        except ERRORS:
            return Unread.UNREACHABLE, True
        try:
            if response.status_code != 200:
                return Unread.of(response.status_code), response.status_code in _RETRIED
            stream = cast("AsyncIterable[bytes]", response.stream)
            return await _body(stream, response.headers.get("content-encoding", ""), most), False
        except ERRORS:
            return Unread.UNREACHABLE, True
        finally:
            await response.aclose()


@dataclass(slots=True)
class FhirServer:
    """A FHIR server during one call."""

    _client: FhirClient = field(repr=False)
    base: Base
    deadline: float
    admitted: bool
    _headers: httpx.Headers = field(repr=False)
    bytes_left: int
    """Of all answers of this call together; below 0 when several came at once."""
    asked: int = field(default=0, init=False)
    answered: int = field(default=0, init=False)
    read: int = field(default=0, init=False)

    async def get(self, url: str, rank: int = 0) -> bytes | Unread:
        """``url`` is relative to the base, or a link that ``base.join`` has let through. A low rank goes first."""
        if not self.admitted:
            return Unread.RESTING
        self.asked += 1
        result: bytes | Unread
        try:
            async with asyncio.timeout_at(self.deadline):
                absolute = url if "://" in url.partition("?")[0] else f"{self.base}/{url}"
                most = max(0, min(self._client.most_bytes, self.bytes_left))
                result, answered = await self._client.get(absolute, self._headers, rank, most)
                self.answered += answered
        except TimeoutError:
            result = Unread.LATE
        if isinstance(result, bytes):
            self.read += 1
            self.bytes_left -= len(result)
        metrics.fhir_read(result.name.lower() if isinstance(result, Unread) else "read")
        return result


async def _body(stream: AsyncIterable[bytes], encoding: str, most: int) -> bytes | Unread:
    if encoding not in ("", "identity", "gzip"):
        return Unread.GARBLED
    parts, size = [], 0
    try:
        async for part in _inflated(stream, most) if encoding == "gzip" else stream:
            size += len(part)
            if size > most:
                return Unread.TOO_LARGE
            parts.append(part)
    except zlib.error:
        return Unread.GARBLED
    return b"".join(parts)


async def _inflated(stream: AsyncIterable[bytes], most: int) -> AsyncIterator[bytes]:
    """gzip, never more than one byte beyond ``most`` at once. Raises ``zlib.error`` for what is damaged or cut off."""
    inflating = zlib.decompressobj(16 + zlib.MAX_WBITS)
    async for chunk in stream:
        yield inflating.decompress(chunk, most + 1)
    if not inflating.eof:
        raise zlib.error
