"""The service is killed with SIGKILL while it answers: what was answered is on record, and nothing by halves."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import sys
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from cds_service.store import Store, migrate
from tests.conformance.calls import SERVICE, TODAY, Json, order_sign, severe
from tests.conformance.process import Service, serving
from tests.store.places import Place

# More of them: TEST_KILLS=50 pytest -s tests/store/test_killed.py
KILLS = int(os.environ.get("TEST_KILLS", "2"))
CALLERS = 16


@dataclass
class Told:
    """What the clients know."""

    cards: dict[str, int] = field(default_factory=dict)
    """Call that was answered with 200 → how many cards it got."""
    feedback: set[str] = field(default_factory=set)
    """Cards whose feedback was answered with 200."""
    cut_off: int = 0


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_answered_is_on_record(place: Place, workers: int) -> None:
    told = Told()
    migrate(place.settings)
    for _ in range(KILLS):
        with serve(place, workers) as service:
            load_and_kill(service, told)
    assert len(told.cards) > 10 * KILLS
    assert told.cut_off > 0, "no call was under way when it was killed"
    check(Store.open(place.settings), place, told)


def test_what_was_spooled_is_on_record(place: Place) -> None:
    """The database is away all the time, the service is killed, and the next start finds it again."""
    told = Told()
    migrate(place.settings)
    with place.taken_away():
        for _ in range(2):
            with serve(place, 1) as service:
                load_and_kill(service, told)
    assert len(told.cards) > 20
    assert list(place.folder.glob("spool-*"))
    store = Store.open(place.settings)
    for _ in range(600):
        if not list(place.folder.glob("spool-*"))[1:]:
            break
        time.sleep(0.1)
    check(store, place, told)


def test_a_database_that_is_killed_under_load(place: Place) -> None:
    """PostgreSQL crashes and comes back while the service answers: every call is answered, and on record."""
    if not place.server:
        pytest.skip("SQLite runs in the service: it is killed with it")
    told = Told()
    migrate(place.settings)
    with serve(place, 1) as service:

        async def crash() -> None:
            loading = asyncio.create_task(load(service, told, seconds=4))
            await asyncio.sleep(1)
            assert place.server
            place.server.stop(signal.SIGQUIT)
            await asyncio.sleep(0.7)
            await asyncio.to_thread(place.server.start)
            await loading

        asyncio.run(crash())
        assert told.cut_off == 0
        for _ in range(300):
            if httpx.get(f"{service.url}/readyz").json()["records"] == "database":
                break
            time.sleep(0.1)
        assert re.search(r'store_records_total\{kept="spool"\} [1-9]', httpx.get(f"{service.url}/metrics").text)
        assert 'store_records_total{kept="lost"} 0.0' in httpx.get(f"{service.url}/metrics").text
    check(Store.open(place.settings), place, told)


def test_what_is_under_way_when_the_service_is_asked_to_stop_is_answered(place: Place) -> None:
    told = Told()
    migrate(place.settings)
    with serve(place, 1) as service:

        async def stop() -> None:
            loading = asyncio.create_task(load(service, told, seconds=2))
            await asyncio.sleep(1)
            os.kill(service.pid, signal.SIGTERM)
            await loading

        asyncio.run(stop())
    assert '"event":"stopped"' in service.log()
    assert '"status":499' not in service.log()
    check(Store.open(place.settings), place, told)
    assert list(place.folder.glob("spool-*"))[1:] == [], "it left none behind; one is that of the store above"


# --------------------------------------------------------------------------------------------------------------------


def serve(place: Place, workers: int) -> AbstractContextManager[Service]:
    return serving(
        place.folder, "--sandbox", "--workers", str(workers),
        BACLOFEN_CDS_TODAY=TODAY, BACLOFEN_CDS_DATABASE=place.url, BACLOFEN_CDS_STATE_DIR=str(place.folder),
        BACLOFEN_CDS_SPOOL_BYTES=str(8 << 20),
    )  # fmt: skip


def load_and_kill(service: Service, told: Told) -> None:
    async def both() -> None:
        loading = asyncio.create_task(load(service, told, seconds=10))
        await asyncio.sleep(random.uniform(0.4, 1.4))  # noqa: S311  # when does not matter
        # The parent first: it would start new workers.
        for process in [service.pid, *descendants(service.pid)]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        await loading

    asyncio.run(both())


async def load(service: Service, told: Told, *, seconds: float) -> None:
    """Orders and feedback from several clients, until the service is gone or the time is over."""
    end = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=service.url, timeout=10) as http:
        await asyncio.gather(*(_calls(http, told, end) for _ in range(CALLERS)))


async def _calls(http: httpx.AsyncClient, told: Told, end: float) -> None:
    with suppress(httpx.ConnectError):
        while time.monotonic() < end:
            call = str(uuid4())
            request = random.choice((severe, order_sign))() | {"hookInstance": call}  # noqa: S311  # any mixture
            try:
                answer = await http.post(SERVICE, json=request)
                assert answer.status_code == 200, answer.text
                cards: list[Json] = answer.json()["cards"]
                told.cards[call] = len(cards)
                for card in cards[:1]:
                    entry = {"card": card["uuid"], "outcome": "accepted"}
                    answer = await http.post(f"{SERVICE}/feedback", json={"feedback": [entry]})
                    assert answer.status_code == 200, answer.text
                    told.feedback.add(card["uuid"])
            except (httpx.ReadError, httpx.RemoteProtocolError):
                told.cut_off += 1


def descendants(process: int) -> list[int]:
    found: list[int] = []
    with suppress(FileNotFoundError):
        for child in Path(f"/proc/{process}/task/{process}/children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def check(store: Store, place: Place, told: Told) -> None:
    place.opened.append(store)
    with store.engine.connect() as connection:
        calls = connection.execute(text("SELECT hook_instance, id, shown FROM hook_call")).all()
        cards = connection.execute(text("SELECT call_id, count(*) FROM card WHERE NOT silent GROUP BY call_id")).all()
        feedback = set(connection.execute(text("SELECT card_uuid FROM feedback")).scalars())
        lone = connection.execute(text("SELECT count(*) FROM card WHERE call_id NOT IN (SELECT id FROM hook_call)"))
        assert lone.scalar() == 0
    shown = {call: number for call, _, number in calls}
    assert len(shown) == len(calls), "a call is on record twice"
    assert {call: shown.get(call) for call in told.cards} == told.cards
    assert {identity: number for _, identity, number in calls if number} == dict(iter(cards))
    assert told.feedback <= feedback
    sys.stdout.write(
        f"{len(told.cards)} calls and {len(told.feedback)} feedbacks answered, {told.cut_off} cut off: all on record\n"
    )
