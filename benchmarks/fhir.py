"""What a request to a FHIR server costs, by transport: ``python -m benchmarks.fhir``.

A stub on this machine, in a process of its own, answers every search after 10 ms. One order is five searches at once;
1, 4 and 16 orders run side by side. CPU is that of this process for one search, times are those of the five together.
Then the same for the whole service: ``without_prefetch``.
"""

from __future__ import annotations

import asyncio
import gzip
import multiprocessing
import socket
import sys
from collections.abc import Awaitable, Callable
from statistics import quantiles
from time import perf_counter, process_time

import httpx

from benchmarks import without_prefetch
from cds_service.fhir_client import Base, FhirClient
from cds_service.fhir_client.connections import transports
from cds_service.fhir_client.networks import LOOPBACK

DELAY = 0.010
SEARCHES = 5
ORDERS = 400
"""In each measurement."""
BODIES = {"4 KB": b'{"resourceType":"Bundle","entry":[' + b" " * 4000 + b"]}", "52 KB gzip": b""}

Opens = Callable[[], httpx.AsyncBaseTransport]
Read = Callable[[str], Awaitable[object]]


def stub(listening: socket.socket) -> None:
    """Answers GET /small and GET /large after 10 ms, on kept connections."""
    small = BODIES["4 KB"]
    entry = b'{"resource":{"resourceType":"Observation","id":"o%d","valueQuantity":{"value":%d}}},'
    large = gzip.compress(b'{"entry":[' + b"".join(entry % (n, n * 7 % 911) for n in range(640)) + b"null]}", 6)
    heads = {
        b"small": b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(small) + small,
        b"large": b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(large) + large,
    }

    class Answers(asyncio.Protocol):
        transport: asyncio.Transport
        received = b""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.received += data
            while b"\r\n\r\n" in self.received:
                head, _, self.received = self.received.partition(b"\r\n\r\n")
                answer = heads[b"large" if b"/large" in head else b"small"]
                asyncio.get_running_loop().call_later(DELAY, self.transport.write, answer)

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Answers, sock=listening)
        await server.serve_forever()

    asyncio.run(serve())


async def measured(read: Read, path: str, at_once: int) -> tuple[float, float, float]:
    """CPU milliseconds of one search; median and 99th percentile of the five, in milliseconds."""
    times: list[float] = []

    async def orders(count: int) -> None:
        for _ in range(count):
            started = perf_counter()
            await asyncio.gather(*(read(f"{path}?patient=p{number}&_count=100") for number in range(SEARCHES)))
            times.append((perf_counter() - started) * 1000)

    await asyncio.gather(*(orders(5) for _ in range(at_once)))
    times.clear()
    cpu = process_time()
    await asyncio.gather(*(orders(ORDERS // at_once) for _ in range(at_once)))
    cpu = process_time() - cpu
    cut = quantiles(times, n=100)
    return cpu * 1000 / (len(times) * SEARCHES), cut[49], cut[98]


async def stock(base: str, path: str, at_once: int) -> tuple[float, float, float]:
    """httpx as it comes: the yardstick."""
    async with httpx.AsyncClient(base_url=base, headers={"authorization": "Bearer token"}, timeout=10) as client:
        return await measured(client.get, path, at_once)


async def ours(base: str, path: str, at_once: int, carrier: Opens) -> tuple[float, float, float]:
    # All the searches count as those of one call here.
    client = FhirClient(carrier, most_bytes=1 << 40)
    at = Base.of(base)
    assert at is not None
    with client.server(at, "token", asyncio.get_running_loop().time() + 600) as server:
        result = await measured(server.get, path, at_once)
        assert server.answered == server.asked, "every search was answered"
    await client.close()
    return result


CARRIERS: dict[str, Opens | None] = {
    "httpx.AsyncClient": None,
    "ours over httpx's transport": httpx.AsyncHTTPTransport,
    "ours over aiohttp's (kept)": transports(LOOPBACK),
}


async def compare(base: str) -> None:
    print(f"{'':<34} {'':>10} {'1 order at once':>26} {'4':>26} {'16':>26}")
    print(f"{'transport':<34} {'answer':>10}" + f" {'CPU ms':>8} {'p50 ms':>8} {'p99 ms':>8}" * 3)
    for size, path in (("4 KB", "small"), ("52 KB gzip", "large")):
        for name, carrier in CARRIERS.items():
            figures = [
                await (ours(base, path, at_once, carrier) if carrier else stock(base, path, at_once))
                for at_once in (1, 4, 16)
            ]
            line = "".join(f" {cpu:8.3f} {median:8.1f} {worst:8.1f}" for cpu, median, worst in figures)
            print(f"{name:<34} {size:>10}{line}", flush=True)


def main() -> int:
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = multiprocessing.get_context("fork").Process(target=stub, args=(listening,), daemon=True)
    server.start()
    try:
        asyncio.run(compare(f"http://127.0.0.1:{listening.getsockname()[1]}"))
    finally:
        server.kill()
    without_prefetch.compare()
    return 0


if __name__ == "__main__":
    sys.exit(main())
