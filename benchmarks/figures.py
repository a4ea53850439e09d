"""How long a report takes over a year of a large hospital, and how much of it is the database.

    python -m benchmarks.figures FILE.sqlite3 [CALLS]

Makes the file when it is not there: made-up rows of the shape that the service writes, half as many cards as calls, two
of three with feedback. A million calls are 2.6 GB and take a minute to make.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from cards.catalogue import Catalogue
from cards.triage import ORDER
from cds_service import store
from cds_service.course import Stage
from cds_service.insights.names import Names
from cds_service.insights.page import Surroundings, page
from cds_service.insights.publish import figures
from cds_service.insights.queries import tally
from cds_service.insights.selection import Selection
from cds_service.settings import load
from cds_service.store import Row, migrate

LAST = datetime(2026, 11, 24, tzinfo=UTC)
AT_ONCE = 20_000
REASONS = ("benefit-outweighs-risk", "will-monitor", "not-clinically-relevant", None)
OFFERED = [{"uuid": "s1", "label": "5 mg TID", "kind": "change-dose"}]


def rows(calls: int) -> Iterator[Row]:
    chance = Random(7)  # noqa: S311  # made up
    weights = [1 / (place + 1) for place in range(len(ORDER))]
    charts = [
        {"facts": {f"observations/kind-{n}": "2026-01-05" for n in range(14)}, "missing": missing}
        for missing in ({}, {}, {"medications": "not available"}, {"kidney_results": "not recorded"})
    ]
    for number in range(calls):
        at = LAST - timedelta(seconds=(calls - number) * 365 * 86_400 / calls)
        rules = chance.choices(ORDER, weights, k=chance.choice((1, 1, 2, 3))) if chance.random() < 0.3 else []
        fired = {rule: chance.choice(("info", "warning", "critical")) for rule in rules}
        stages = {stage.value: round(chance.expovariate(3), 3) for stage in Stage}
        detail = {**chance.choice(charts), "fired": fired, "not_indicated": ORDER[:20], "stages": stages}
        head = {"at": at, "client": chance.choice(("north", "south"))}
        call: dict[str, Any] = {"id": f"call-{number}", "hook": "order-sign", "content_version": "c", **head}
        call |= {"service_version": "s", "status": 200, "shown": len(fired), "milliseconds": sum(stages.values())}
        yield Row("hook_call", call | {"patient_hash": "p" * 64, "detail": json.dumps(detail)})
        for rule, indicator in fired.items():
            uuid = f"{rule}-{number}"
            card = {"uuid": uuid, "call_id": call["id"], "rule": rule, "indicator": indicator, "silent": False, **head}
            yield Row("card", card | {"merged": "[]", "suggestions": json.dumps(OFFERED)})
            if chance.random() < 0.67:
                yield _told(uuid, chance, head)


def _told(uuid: str, chance: Random, head: dict[str, Any]) -> Row:
    accepted = chance.random() < 0.35
    told = {"id": uuid, "received_at": head["at"], "client": head["client"], "card_uuid": uuid, "entry_hash": uuid}
    told |= {"outcome": "accepted" if accepted else "overridden"}
    told |= {"accepted_suggestions": '["s1"]' if accepted else "[]"}
    return Row("feedback", told | {"reason_code": None if accepted else chance.choice(REASONS)})


def make(file: Path, calls: int) -> None:
    migrate(load(mode="sandbox", database=f"sqlite:///{file}"))
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA synchronous=OFF")
        waiting: dict[str, list[tuple[Any, ...]]] = {}
        for number, row in enumerate(rows(calls), 1):
            waiting.setdefault(row.table, []).append(row.cells())
            if number % AT_ONCE == 0:
                _insert(database, waiting)
        _insert(database, waiting)


def _insert(database: sqlite3.Connection, waiting: dict[str, list[tuple[Any, ...]]]) -> None:
    for table, cells in waiting.items():
        marks = ", ".join("?" * len(cells[0]))
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", cells)  # noqa: S608  # names of our tables
    database.commit()
    waiting.clear()


def measure(file: Path) -> None:
    names = Names.of(Catalogue.load())
    engine = store.reading(load(mode="sandbox", database=f"sqlite:///{file}"))
    today = LAST.date()
    selection = Selection.of({"since": str(today - timedelta(days=365))}, today, timedelta(days=7))
    counted = timed("counted in the database", lambda: tally(engine, selection, names.reasons))
    found = timed("made fit to be shown", lambda: figures(counted, selection, 5))
    written = timed("written as a page with plots", lambda: page(found, names, Surroundings()))
    print(f"{found.signings.whole} signings, {found.all_cards.shown} cards, {len(written.body):,} bytes")


def timed(what: str, work: Any) -> Any:
    begun, cpu = time.perf_counter(), time.process_time()
    made = work()
    print(f"{time.perf_counter() - begun:7.2f} s, {time.process_time() - cpu:6.2f} s CPU: {what}")
    return made


if __name__ == "__main__":
    chosen = Path(sys.argv[1]).resolve()
    if not chosen.exists():
        make(chosen, int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
    measure(chosen)
