"""The load: kept connections that post one body over and over, each waiting for its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from benchmarks.served.servers import PATH, Server


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one server under one load."""

    cpu: float
    """Seconds of the server, for each request."""
    rate: float
    """Requests a second, on a machine that the load shares with the server."""
    times: list[float]
    """Seconds to the answer, sorted."""

    def at(self, share: float) -> float:
        """Percentile, in milliseconds."""
        return self.times[min(int(len(self.times) * share), len(self.times) - 1)] * 1000


def measure(server: Server, body: bytes, requests: int, connections: int = 1) -> Measured:
    return asyncio.run(_measure(server, body, requests, connections))


async def _measure(server: Server, body: bytes, requests: int, connections: int) -> Measured:
    times: list[float] = []
    left = iter(range(requests))
    before, began = server.cpu(), perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_post(server, body, left.__next__, times))
    seconds = perf_counter() - began
    return Measured((server.cpu() - before) / requests, requests / seconds, sorted(times))


async def _post(server: Server, body: bytes, another: Callable[[], int], times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 22)
    try:
        while True:
            try:
                another()
            except StopIteration:
                return
            head = (
                f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\n{server.head()}\r\n"
            )
            began = perf_counter()
            writer.write(head.encode() + body)
            await writer.drain()
            answer = await reader.readuntil(b"\r\n\r\n")
            status = answer[9:12]
            length = next(
                int(line.split(b":")[1]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length")
            )
            said = await reader.readexactly(length)
            times.append(perf_counter() - began)
            if status != b"200":
                raise RuntimeError(f"{server.name} answered {status.decode()}: {said[:300]!r}")
    finally:
        writer.close()
