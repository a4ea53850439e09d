"""Cards that feedback names, and what goes when its time is over; on both engines."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from cds_service import retention
from cds_service.retention import ends, purge
from cds_service.store import Store
from cds_service.store.database import DELETED_AT_ONCE
from cds_service.store.rows import Row
from tests.store.places import NOW, Place, card, count, hook_call, kept, overridden, told


@pytest.fixture
def store(place: Place) -> Store:
    return place.open()


def write(store: Store, *rows: Row) -> None:
    asyncio.run(store.write(*rows))


def purged(store: Store, days: int = 30) -> dict[str, int]:
    return dict(asyncio.run(purge(store.delete_old, ends(NOW, days))))


def test_issued_cards_of_the_client_that_were_shown(store: Store) -> None:
    call = hook_call()
    write(
        store,
        call,
        card(call, uuid="a", patient_hash="p", override_key="k"),
        card(call, uuid="b", rule="renal-aki"),
        card(call, uuid="silent", silent=True),
        card(call, uuid="theirs", client="south"),
        card(call, uuid="c"),
    )
    found = asyncio.run(store.issued("north", ["a", "b", "silent", "theirs", "unknown"]))
    moment = "2026-11-24T12:00:00.000000Z"
    assert sorted(found) == [
        ("a", "renal-dose-exceeds-limit", moment, "p", "k"),
        ("b", "renal-aki", moment, None, None),
    ]
    assert asyncio.run(store.issued("north", [])) == []
    assert len(asyncio.run(store.issued("north", [str(n) for n in range(10_000)] + ["a"]))) == 1


def test_what_is_older_than_the_days_goes(store: Store) -> None:
    edge = NOW - timedelta(days=30)
    for name, at in {"older": edge - timedelta(microseconds=1), "at the edge": edge, "new": NOW}.items():
        call = hook_call(id=name, at=at)
        write(store, call, card(call, uuid=name, at=at), told(id=name, received_at=at, card_uuid=name))
    gone = purged(store)
    assert gone == {"hook_call": 1, "card": 1, "feedback": 1, "override_memory": 0}
    for table in ("hook_call", "card", "feedback"):
        assert kept(store, table) == {"at the edge", "new"}


def test_an_override_goes_when_it_counts_no_more(store: Store) -> None:
    day = timedelta(hours=24)
    write(store, overridden("at the edge", NOW - day), overridden("older", NOW - day - timedelta(microseconds=1)))
    assert purged(store)["override_memory"] == 1
    assert asyncio.run(store.overridden("north", "p1", NOW - 2 * day)) == {"at the edge"}


def test_many_go_a_little_at_a_time(store: Store) -> None:
    old = NOW - timedelta(days=31)
    write(store, *(hook_call(id=str(number), at=old) for number in range(2 * DELETED_AT_ONCE + 1)))
    assert asyncio.run(store.delete_old("hook_call", NOW - timedelta(days=30))) == DELETED_AT_ONCE
    assert purged(store)["hook_call"] == DELETED_AT_ONCE + 1
    assert count(store, "hook_call") == 0


def test_two_workers_at_once(place: Place) -> None:
    first, second = place.open(), place.open()
    write(first, *(hook_call(at=NOW - timedelta(days=31)) for _ in range(1000)))

    async def both() -> int:
        found = await asyncio.gather(*(purge(one.delete_old, ends(NOW, 30)) for one in (first, second)))
        return sum(one["hook_call"] for one in found)

    assert asyncio.run(both()) == 1000
    assert count(first, "hook_call") == 0


def test_a_comment_is_not_only_forgotten(place: Place) -> None:
    """Of a file of SQLite the bytes are gone too, once its journal is written back."""
    store = place.open()
    old = {"comment": "canary-comment " * 50, "received_at": NOW - timedelta(days=31)}
    write(store, *(told(id=str(number), card_uuid=str(number), **old) for number in range(50)))
    assert purged(store)["feedback"] == 50
    asyncio.run(store.close())
    if not place.server:
        assert b"canary-comment" not in place.file.read_bytes()


def test_daily_in_the_service(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(retention, "FIRST_AFTER", 0)
    monkeypatch.setattr(retention, "EVERY", 0.01)
    write(store, hook_call(id="old", at=NOW - timedelta(days=31)), hook_call(id="new"))

    async def a_while() -> None:
        task = asyncio.create_task(retention.daily(store, lambda: NOW, 30))
        for _ in range(100):
            await asyncio.sleep(0.02)
            if kept(store) == {"new"}:
                break
        await asyncio.sleep(0.1)
        task.cancel()

    asyncio.run(a_while())
    assert kept(store) == {"new"}
    assert '"event":"purged","calls":1,"cards":0,"entries":0' in capsys.readouterr().err
