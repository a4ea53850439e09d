"""What it costs to write a record down, durably: ``python -m benchmarks.store``.

Ours, one writer thread whose commits are shared by all who wait, against the usual way: SQLAlchemy, and a commit for
each request, in the thread pool in which web frameworks run such code. One record is a call and a card, about 1 KB; 1
and 16 callers wait for theirs one after the other. Both sides in this process, in turns; medians of the rounds. CPU is
that of this process, so with PostgreSQL without the server's own. ``--seconds`` and ``--rounds`` for more of it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from uuid import uuid4

import uvloop
from sqlalchemy import Engine, create_engine, insert
from sqlalchemy.orm import Session

from cds_service.settings import load
from cds_service.store import Row, Store, migrate
from cds_service.store.schema import card, hook_call
from tests import postgresql

DETAIL = '{"facts": "' + "x" * 560 + '"}'

Write = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Figures:
    per_second: float
    p50: float
    """Milliseconds."""
    p99: float
    cpu: float
    """Microseconds of one write."""


def record() -> tuple[dict[str, object], dict[str, object]]:
    now, identity = datetime.now(UTC), str(uuid4())
    call: dict[str, object] = {
        "id": identity, "at": now, "client": "north", "tenant": None, "hook": "order-sign",
        "hook_instance": str(uuid4()), "patient_hash": "p" * 64, "user_hash": "u" * 64, "hash_key_id": "k" * 8,
        "content_version": "c" * 12, "service_version": "0.1.0", "status": 200, "order_kind": "start", "shown": 1,
        "milliseconds": 12.5, "detail": DETAIL,
    }  # fmt: skip
    shown: dict[str, object] = {
        "uuid": str(uuid4()), "call_id": identity, "at": now, "client": "north", "rule": "renal-dose-exceeds-limit",
        "indicator": "warning", "silent": False, "merged": "[]", "suggestions": "[]", "override_key": "o" * 64,
        "patient_hash": "p" * 64,
    }  # fmt: skip
    return call, shown


def ours(store: Store) -> Write:
    async def write() -> None:
        call, shown = record()
        await store.write(Row("hook_call", call), Row("card", shown))  # type: ignore[arg-type]  # made above

    return write


def usual(engine: Engine) -> Write:
    def commit() -> None:
        call, shown = record()
        with Session(engine) as session:
            session.execute(insert(hook_call), call)
            session.execute(insert(card), shown)
            session.commit()

    async def write() -> None:
        await asyncio.to_thread(commit)

    return write


async def measured(write: Write, callers: int, seconds: float) -> Figures:
    times: list[float] = []
    end = perf_counter() + seconds

    async def caller() -> None:
        while perf_counter() < end:
            begun = perf_counter()
            await write()
            times.append((perf_counter() - begun) * 1000)

    begun, cpu = perf_counter(), process_time()
    await asyncio.gather(*(caller() for _ in range(callers)))
    took, cpu = perf_counter() - begun, process_time() - cpu
    cut = quantiles(times, n=100)
    return Figures(len(times) / took, cut[49], cut[98], cpu / len(times) * 1e6)


def _usual_engine(url: str) -> Engine:
    """As it comes, but for the file being as durable as ours, and patience with a lock."""
    if url.startswith("sqlite"):
        return create_engine(url, connect_args={"timeout": 30})
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"), pool_size=16)


async def compare(name: str, url: str, folder: Path, seconds: float, rounds: int) -> None:
    settings = load(mode="sandbox", database=url, state_dir=folder)
    migrate(settings)
    store, engine = Store.open(settings), _usual_engine(url)
    sides = {"usual": usual(engine), "ours": ours(store)}
    for callers in (1, 16):
        for write in sides.values():
            await measured(write, callers, 0.3)
        found = {side: [await measured(write, callers, seconds) for _ in ()] for side, write in sides.items()}
        for _ in range(rounds):
            for side, write in sides.items():
                found[side].append(await measured(write, callers, seconds))
        for side, figures in found.items():
            print(
                f"{name:<11} {callers:>7} {side:<6} {median(one.per_second for one in figures):>9.0f}"
                f" {median(one.p50 for one in figures):>8.2f} {median(one.p99 for one in figures):>8.2f}"
                f" {median(one.cpu for one in figures):>8.0f}"
            )
        rate = median(mine.per_second / its.per_second for mine, its in zip(found["ours"], found["usual"], strict=True))
        cpu = median(its.cpu / mine.cpu for mine, its in zip(found["ours"], found["usual"], strict=True))
        print(f"{name:<11} {callers:>7} ratio  {rate:>8.1f}x {'':>17} {cpu:>7.1f}x")
    assert store.healthy()
    assert not store.spooling
    await store.close()
    engine.dispose()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured (a temporary folder)")
    given = parser.parse_args(arguments)
    print(f"{'database':<11} {'callers':>7} {'':<6} {'writes/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs':>8}")
    with ExitStack() as stack:
        folder = given.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgresql.running(fsync=True))
        for name, url in (("SQLite", f"sqlite:///{folder}/advice.db"), ("PostgreSQL", server.new_database())):
            uvloop.run(compare(name, url, folder, given.seconds, given.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
