"""What the whole service takes when everything has to be read: part of ``python -m benchmarks.fhir``.

The service runs as operators start it, a FHIR server of this machine answers every search after 10 ms, and 1, 4 or 16
orders without prefetch run side by side, each as soon as the one before it is answered. Then one search never answers.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

import aiohttp

from benchmarks import payload
from tests.conformance.calls import SERVICE
from tests.conformance.process import Service, serving

DELAY = 0.010
DEADLINE = 0.4
"""``fhir_seconds`` as it comes."""
CHART = 100_000
"""Bytes of the whole chart."""
ORDERS = 320
"""In each measurement."""
KINDS = {b"Patient/": "patient", b"MedicationRequest?": "medications", b"Condition?": "conditions",
         b"Procedure?": "procedures", b"AllergyIntolerance?": "allergies"}  # fmt: skip


def _answers() -> dict[str, bytes]:
    prefetch = json.loads(payload.request(CHART))["prefetch"]
    bodies = {key: json.dumps(value).encode() for key, value in prefetch.items()}
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ncontent-length: %d\r\n\r\n"
    return {key: head % len(body) + body for key, body in bodies.items()}


def _key(head: bytes) -> str:
    for start, key in KINDS.items():
        if start in head:
            return key
    return "kidney" if b"98979-8" in head else "observations"


def stub(listening: socket.socket) -> None:
    """Below /fhir every answer comes after 10 ms; below /hangs the problem list never comes."""
    answers = _answers()

    class Answering(asyncio.Protocol):
        transport: asyncio.Transport
        received = b""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.received += data
            while b"\r\n\r\n" in self.received:
                head, _, self.received = self.received.partition(b"\r\n\r\n")
                key = _key(head)
                if key != "conditions" or not head.startswith(b"GET /hangs"):
                    asyncio.get_running_loop().call_later(DELAY, self.transport.write, answers[key])

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, sock=listening)
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def answering() -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = multiprocessing.get_context("fork").Process(target=stub, args=(listening,), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.kill()
        server.join()


def call(server: str) -> bytes:
    request: dict[str, Any] = json.loads(payload.request(CHART))
    del request["prefetch"]
    authorization = {"access_token": "token", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs"}
    return json.dumps(request | {"fhirServer": server, "fhirAuthorization": authorization}).encode()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measured(service: Service, body: bytes, at_once: int, name: str) -> None:
    times: list[float] = []
    gaps = 0

    async def orders(count: int) -> None:
        nonlocal gaps
        for _ in range(count):
            started = perf_counter()
            async with session.post(service.url + SERVICE, data=body, headers=JSON) as response:
                answer = await response.read()
            times.append((perf_counter() - started) * 1000)
            assert response.status == 200, answer
            gaps += b"dataUnavailable" in answer

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(orders(3) for _ in range(at_once)))
        times.clear()
        gaps, cpu, started = 0, cpu_seconds(service.pid), perf_counter()
        await asyncio.gather(*(orders(ORDERS // at_once) for _ in range(at_once)))
        seconds, cpu = perf_counter() - started, cpu_seconds(service.pid) - cpu
    cut = quantiles(times, n=100)
    print(
        f"{name:<34} {at_once:>8} {cut[49]:>8.1f} {cut[98]:>8.1f} {max(times):>8.1f} {len(times) / seconds:>9.0f} "
        f"{cpu * 1000 / len(times):>12.2f} {gaps:>9}",
        flush=True,
    )


JSON = {"content-type": "application/json"}


def compare() -> None:
    print(f"\n{'whole service, 7 searches':<34} {'at once':>8} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} "
          f"{'orders/s':>9} {'CPU ms/order':>12} {'with gaps':>9}")  # fmt: skip
    with answering() as server, tempfile.TemporaryDirectory() as folder:
        environment = {"BACLOFEN_CDS_TODAY": payload.NOW.date().isoformat(), "BACLOFEN_CDS_FHIR_SECONDS": str(DEADLINE)}
        with serving(Path(folder), "--sandbox", **environment) as service:
            for name, path in (("no prefetch", "fhir"), ("no prefetch, one search hangs", "hangs")):
                for at_once in (1, 4, 16):
                    asyncio.run(measured(service, call(f"{server}/{path}"), at_once, name))
            for at_once in (1, 4, 16):
                asyncio.run(measured(service, payload.request(CHART), at_once, "whole prefetch"))
