"""What a large request costs beside time: memory, and how long other calls wait for it. ``python -m benchmarks.large``.

Memory: the most that a fresh server holds while it works on one request, above what it held before and without the body
itself, as a share of the body. Waiting: /healthz is asked all the while, and the slowest answer in the course of one
large request counts; of several requests the median. The machine should be quiet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import payload
from benchmarks.served import servers
from benchmarks.served.goals import Result
from benchmarks.served.load import measure
from benchmarks.served.servers import Server

CALLS = 15


def memory() -> Iterator[Result]:
    body = payload.request(5_000_000)
    for side, goal in ((servers.echo, None), (servers.sandbox, 1.0)):
        with side() as server:
            measure(server, payload.request(100_000), 20)
            Path(f"/proc/{server.pid}/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
            before = server.memory()
            measure(server, body, 1)
            extra = (server.memory("VmHWM") - before) * 1024 / len(body) - 1
        yield Result("G2", f"memory for 5 MB beside the body, {server.name}", extra, "×", at_most=goal)


def waiting() -> Iterator[Result]:
    for name, size, goal in (("1 MB", 1_000_000, 15), ("5 MB", 5_000_000, 50)):
        for side, wanted in ((servers.echo, None), (servers.sandbox, goal)):
            with side() as server:
                measure(server, payload.request(size), 3)
                slowest = [asyncio.run(_beside(server, payload.request(size))) for _ in range(CALLS)]
            yield Result("G13", f"wait of others for {name}, {server.name}", median(slowest) * 1000, "ms", at_most=wanted)


async def _beside(server: Server, body: bytes) -> float:
    """Seconds of the slowest /healthz while one large request is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    posted = asyncio.create_task(asyncio.to_thread(measure, server, body, 1))
    times = [0.0]
    while not posted.done():
        began = perf_counter()
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
        times.append(perf_counter() - began)
        await asyncio.sleep(0.0005)
    writer.close()
    return max(times)


if __name__ == "__main__":
    for results in (memory(), waiting()):
        for result in results:
            print(result.line(), flush=True)
