"""How fast the service is against its yardsticks: ``make bench``.

Both sides of a comparison run in this process, in turns, many rounds; a round gives one ratio of CPU times, and the
median of the ratios counts. Absolute times depend on the machine and on its neighbours; ratios hardly do.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from time import process_time
from typing import Any

import orjson
from fastapi import FastAPI

from benchmarks import payload
from cds_service import first_order, gather, hooks, records, settings
from cds_service.app import application, wire
from cds_service.auth import Authenticator
from cds_service.gate import Gate
from cds_service.gather import fhir_values
from cds_service.gather.orders import read_orders
from cds_service.respond import Deps, respond
from cds_service.services import HOOKS, baclofen_safety
from cds_service.settings import Settings

ROUNDS = 31
ROUND_SECONDS = 0.04
"""CPU seconds that one side takes in one round."""

Work = Callable[[], object]


@dataclass(frozen=True)
class Comparison:
    name: str
    ours: Work
    yardstick: Work
    goal: float
    """The ratio that is not to be exceeded."""

    def run(self) -> str:
        ours: list[float] = []
        theirs: list[float] = []
        often = {work: _repeats(work) for work in (self.ours, self.yardstick)}
        for number in range(ROUNDS):
            for work, times in [(self.ours, ours), (self.yardstick, theirs)][:: 1 if number % 2 else -1]:
                times.append(_timed(work, often[work]))
        ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
        low, _, high = quantiles(ratios, n=4)
        ratio = median(ratios)
        verdict = "met" if ratio <= self.goal else "MISSED"
        medians = f"{median(ours) * 1e6:9.1f} {median(theirs) * 1e6:9.1f}"
        return f"{self.name:<58} {medians}   {ratio:5.2f} ({low:.2f}–{high:.2f})   ≤ {self.goal:.2f} {verdict}"


def _repeats(work: Work) -> int:
    """How often in a round; also the warm-up."""
    for _ in range(20):
        work()
    return max(1, round(ROUND_SECONDS / _timed(work, 5)))


def _timed(work: Work, often: int) -> float:
    """CPU seconds of one piece of work."""
    started = process_time()
    for _ in range(often):
        work()
    return (process_time() - started) / often


# ------------------------------------------------------------------------------------------------------- the works


def forget() -> None:
    """Dates and numbers, which another patient would not share; codes and units stay known, as in service."""
    for kept in [fhir_values._kept_when]:  # noqa: SLF001  # no other way to forget
        kept.cache_clear()


def facts(body: bytes, deps: Deps) -> Work:
    """From the bytes of a request to everything that the rules may read."""

    def work() -> object:
        forget()
        now = deps.clock()
        call = hooks.parse(body, HOOKS)
        found = records.collect(call, deps.aliases)
        orders = read_orders(call, found, deps.codes, now)
        return gather.facts(call, orders, found, deps.codes, now, jurisdiction=deps.jurisdiction)

    return work


def posted(app: Callable[..., Any], body: bytes, loop: asyncio.AbstractEventLoop, expect: bytes) -> Work:
    """One POST of ``body`` through the ASGI application, without sockets."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/cds-services/baclofen-safety",
        "raw_path": b"/cds-services/baclofen-safety",
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1:8080"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8080),
    }
    whole = {"type": "http.request", "body": body, "more_body": False}
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return whole

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    def work() -> object:
        forget()
        sent.clear()
        loop.run_until_complete(app(dict(scope), receive, send))
        return sent

    work()
    assert sent[0]["status"] == 200, sent
    assert expect in sent[1]["body"], sent[1]["body"]
    return work


async def echo(_: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """The yardstick: a bare ASGI application that reads the body as JSON and answers one card."""
    message = await receive()
    call = orjson.loads(message["body"])
    card = {"uuid": call["hookInstance"], "summary": "echo", "indicator": "info", "source": {"label": "echo"}}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": orjson.dumps({"cards": [card]})})


def service(sandbox: Settings, loop: asyncio.AbstractEventLoop) -> FastAPI:
    """The service where nothing is written down: ``benchmarks.store`` says what that costs."""
    deps = wire(sandbox)
    first_order.warm(deps)
    answer = partial(respond, deps=deps)
    offered = baclofen_safety(deps.catalogue.reads)
    app = application(sandbox, offered, lambda _: answer, {}, Gate(Authenticator(sandbox, ())))
    loop.run_until_complete(app.router.lifespan_context(app).__aenter__())  # the garbage collector is set as in service
    return app


SMALL: Mapping[str, tuple[bytes, bytes]] = {
    "without a card": (payload.request(10_000), b'"cards":[]'),
    "with a suggestion": (payload.request(10_000, tablets=4), b'"suggestions"'),
    "of another medicine": (
        payload.request(10_000).replace(b"430902", b"314076").replace(b"baclofen 5 MG", b"lisinopril 10 MG"),
        b'"cards":[]',
    ),
}
"""An order, and what its answer holds."""


def comparisons(loop: asyncio.AbstractEventLoop) -> Iterator[Comparison]:
    sandbox = settings.load(mode="sandbox", today=payload.NOW.date())
    deps, app = wire(sandbox), service(sandbox, loop)
    large, largest = payload.request(1_000_000), payload.request(5_000_000)
    malformed = large.replace(b'"status":"final"', b'"status":5', 1)
    for what, body, goal in (("", large, 0.7), (", one resource malformed", malformed, 1.3), ("", largest, 0.5)):
        yield Comparison(
            f"facts from {len(body) / 1e6:.2f} MB{what}, against orjson.loads",
            facts(body, deps), partial(orjson.loads, body), goal,
        )  # fmt: skip
    for name, (body, expected) in SMALL.items():
        yield Comparison(
            f"order-sign of {len(body) / 1e3:.1f} KB {name}, against an echo",
            posted(app, body, loop, expected), posted(echo, body, loop, b"echo"), 2.0,
        )  # fmt: skip


@contextmanager
def log_to_nowhere() -> Iterator[None]:
    """Log lines are written, as in service, but not shown."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stderr(nowhere):
        yield


def main() -> int:
    loop = asyncio.new_event_loop()
    print(f"{'CPU microseconds, medians':<58} {'ours':>9} {'yardstick':>9}   ratio (quartiles)    goal")
    lines = []
    with log_to_nowhere():
        for comparison in comparisons(loop):
            gc.collect()
            gc.freeze()
            lines.append(comparison.run())
            print(lines[-1], flush=True)
    loop.close()
    return int(any("MISSED" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
