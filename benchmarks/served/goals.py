"""The goals that are measured over HTTP: CPU of the server for a request, against the echo's in the same round."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks import payload
from benchmarks.served import servers
from benchmarks.served.load import Measured, measure
from benchmarks.served.servers import Server

ROUNDS = 9


@dataclass(frozen=True, slots=True)
class Result:
    goal: str
    """Its name in the table."""
    what: str
    figure: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def verdict(self) -> str:
        missed = (self.at_most is not None and self.figure > self.at_most) or (
            self.at_least is not None and self.figure < self.at_least
        )
        return "" if self.at_most is None and self.at_least is None else "missed" if missed else "met"

    def line(self) -> str:
        wanted = f"≤ {self.at_most:g}" if self.at_most is not None else ""
        wanted = f"≥ {self.at_least:g}" if self.at_least is not None else wanted
        return f"| {self.goal} | {self.what} | {self.figure:.3g} {self.unit} | {wanted} | {self.verdict} |"


def _in_turns(
    sides: list[Server], body: bytes, requests: int, connections: int = 1, rounds: int = ROUNDS
) -> dict[str, list[Measured]]:
    """Each round measures every side once, in another order."""
    found: dict[str, list[Measured]] = {side.name: [] for side in sides}
    for side in sides:
        measure(side, body, max(10, requests // 4), connections)
    for number in range(rounds):
        for side in sides if number % 2 else reversed(sides):
            found[side.name].append(measure(side, body, requests, connections))
    return found


def _ratio(ours: list[Measured], theirs: list[Measured]) -> float:
    return median(mine.cpu / other.cpu for mine, other in zip(ours, theirs, strict=True))


def against_the_echo() -> Iterator[Result]:
    sizes = {"10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000, "5 MB": 5_000_000}
    often = {"10 KB": 400, "100 KB": 120, "1 MB": 16, "5 MB": 4}
    wanted = {"10 KB": 4, "100 KB": 1.5, "1 MB": 0.6, "5 MB": 0.35}
    with ExitStack() as running:
        echo = running.enter_context(servers.echo())
        ours = running.enter_context(servers.sandbox())
        signed = running.enter_context(servers.production("RS384", tokens=8000))
        yield Result("", "memory of an idle worker", ours.memory() / 1024, "MiB", at_most=80)
        yield Result("", "ready after its start", ours.ready_after, "s", at_most=2)
        first = measure(ours, payload.request(10_000, tablets=4), 1).at(0)
        usual = measure(ours, payload.request(10_000, tablets=4), 200).at(0.5)
        yield Result("G15", "first order after start, against the median", first / usual, "×", at_most=3)
        for name, size in sizes.items():
            found = _in_turns([echo, ours, signed], payload.request(size), often[name])
            open_, closed = (_ratio(found[side.name], found[echo.name]) for side in (ours, signed))
            small = size == 10_000
            what = f"order-sign of {name}, against an echo"
            yield Result("G3" if small else "", f"{what}: no token", open_, "×", at_most=2 if small else None)
            yield Result("G4" if small else "G6", f"{what}: RS384, record kept", closed, "×", at_most=wanted[name])
        yield from _rates(echo, ours)


def _rates(echo: Server, ours: Server) -> Iterator[Result]:
    other = payload.request(8_000).replace(b"430902", b"314076").replace(b"baclofen 5 MG", b"lisinopril 10 MG")
    for what, body, requests, connections, goal in (
        ("order-sign of 8 KB, 1 connection", payload.request(8_000), 400, 1, 0.3),
        ("order-sign of 8 KB, 16 connections", payload.request(8_000), 800, 16, 0.3),
        ("order-sign of 1 MB, 1 connection", payload.request(1_000_000), 16, 1, 0.6),
        ("an order that is not baclofen, 8 KB", other, 800, 1, 0.6),
    ):
        found = _in_turns([echo, ours], body, requests, connections)
        share = 1 / _ratio(found[ours.name], found[echo.name])
        yield Result("", f"{what}: rate as a share of the echo's", share, "", at_least=goal)


def against_the_usual_way() -> Iterator[Result]:
    with ExitStack() as running:
        usual = running.enter_context(servers.usual())
        ours = running.enter_context(servers.sandbox())
        for name, size, requests, goal in (("10 KB", 10_000, 60, 10), ("1 MB", 1_000_000, 3, 30)):
            found = _in_turns([usual, ours], payload.request(size), requests, rounds=5)
            ratio = _ratio(found[usual.name], found[ours.name])
            yield Result("G7", f"{name}: CPU of the usual way, against ours", ratio, "×", at_least=goal)


def growth() -> Iterator[tuple[str, str, float, float]]:
    """Plot, line, x, y."""
    with ExitStack() as running:
        echo = running.enter_context(servers.echo())
        ours = running.enter_context(servers.sandbox())
        for size in (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 7_500_000):
            body = payload.request(size)
            for side in (echo, ours):
                measure(side, body, 3)
                found = measure(side, body, max(20, 20_000_000 // (len(body) + 50_000)))
                yield "size", side.name, len(body) / 1000, found.cpu * 1000
        for connections in (1, 2, 4, 8, 16, 32, 64):
            for side in (echo, ours):
                found = measure(side, payload.request(10_000), 600, connections)
                yield "connections", f"{side.name}, p50", connections, found.at(0.5)
                yield "connections", f"{side.name}, p99", connections, found.at(0.99)
        for number in (1, 10, 100, 1000, 10_000):
            body = payload.with_medications(number)
            measure(ours, body, 2)
            yield "medications", ours.name, number, measure(ours, body, max(2, 600 // number)).cpu * 1000
    for workers in (1, 2):
        with servers.sandbox(workers) as ours:
            measure(ours, payload.request(10_000), 200, 8)
            yield "workers", ours.name, workers, measure(ours, payload.request(10_000), 1200, 8).rate
    for clients in (1, 10, 100, 500):
        with servers.production("RS384", clients, tokens=600) as ours:
            measure(ours, payload.request(10_000), 100)
            yield "clients", ours.name, clients, measure(ours, payload.request(10_000), 400).cpu * 1000
