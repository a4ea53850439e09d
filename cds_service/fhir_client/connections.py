"""One pool of connections for the process.

httpx is the interface, aiohttp carries it: at 16 orders at once httpx's own transport takes several times more CPU for
a request, since its pool walks all its connections (benchmarks/README.md has both). HTTP/1.1 only: five to seven short
searches over kept connections gain nothing from HTTP/2. Requests go to the transport as they are, so that there are no
redirects, cookies, proxies or credentials other than those written here.
"""

from __future__ import annotations

import heapq
import ssl
from asyncio import Future, get_running_loop
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from cds_service.fhir_client.networks import checked_sockets

CONNECTIONS = 64
"""Most connections to all servers together, of one worker."""
KEPT_SECONDS = 30
ERRORS = (httpx.TransportError, httpx.InvalidURL, aiohttp.ClientError, OSError)
"""What a transport raises when there is no answer. Its messages may quote what was sent: they are never repeated."""


def transports(networks: tuple[str, ...] = (), ca_file: Path | None = None) -> Callable[[], httpx.AsyncBaseTransport]:
    """To public addresses and to ``networks``; with TLS 1.2 at least, certificate and name checked against the public
    authorities and those of ``ca_file``. A transport belongs to the event loop of its first request. Raises ``OSError``
    for a file that holds no certificates."""
    trusted = ssl.create_default_context()
    if ca_file is not None:
        trusted.load_verify_locations(ca_file)

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=trusted,
            limit=CONNECTIONS,
            keepalive_timeout=KEPT_SECONDS,
            ttl_dns_cache=60,
            socket_factory=checked_sockets(networks),
        )
        opened = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, read_bufsize=1 << 16
        )
        # It would ask again by itself: then one retry of ours would make four requests.
        opened._retry_connection = False  # noqa: SLF001  # there is no public name; tests count the requests
        return opened

    return lambda: AiohttpTransport(verify=trusted, trust_env=False, client=session)


@dataclass(slots=True)
class Slots:
    """As many requests at once as there are connections. When they do not suffice, kidney results and medicines of
    every call go before the rest of any."""

    free: int = CONNECTIONS
    _waiting: list[tuple[int, int, Future[None]]] = field(default_factory=list)
    _number: int = 0

    @asynccontextmanager
    async def taken(self, rank: int) -> AsyncIterator[None]:
        """The lowest rank first; of the same rank who came first."""
        if self.free:
            self.free -= 1
        else:
            await self._wait(rank)
        try:
            yield
        finally:
            self._give_back()

    async def _wait(self, rank: int) -> None:
        turn: Future[None] = get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._waiting, (rank, self._number, turn))
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._give_back()
            raise

    def _give_back(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1
