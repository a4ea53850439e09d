"""What the store promises, on both engines."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select

from cds_service.store import Row, Store, TokenUse, TokenUsedError
from cds_service.store.outlet import Outlet
from cds_service.store.schema import hook_call as hook_calls
from cds_service.store.uses import SeenHere
from tests.store.places import NOW, SOON, Place, card, count, hook_call, kept, overridden, told


@pytest.fixture
def store(place: Place) -> Store:
    return place.open()


def write(store: Store, *rows: Row, use: TokenUse | None = None) -> None:
    asyncio.run(store.write(*rows, use=use))


def test_what_was_written_is_read_as_it_was(store: Store) -> None:
    at = datetime(2026, 11, 24, 23, 30, tzinfo=timezone(timedelta(hours=-5)))
    call = hook_call(at=at, tenant="ward é 💊", milliseconds=0.25, detail='{"dose": "7.5 mg/day"}')
    write(store, call, card(call, silent=True))
    with store.engine.connect() as connection:
        row = connection.execute(select(hook_calls)).one()._asdict()
    optional = dict.fromkeys(("hook_instance", "patient_hash", "user_hash", "hash_key_id", "order_kind"))
    assert row == {**optional, **call.values, "at": datetime(2026, 11, 25, 4, 30, tzinfo=UTC)}
    assert row["at"].tzinfo == UTC


def test_moments_compare_as_time_does(store: Store) -> None:
    """Whole seconds and microseconds, before and after."""
    moments = [NOW, NOW + timedelta(microseconds=1), NOW + timedelta(seconds=1), NOW - timedelta(microseconds=1)]
    for number, at in enumerate(moments):
        write(store, hook_call(id=str(number), at=at))
    with store.engine.connect() as connection:
        later = connection.execute(select(hook_calls.c.id).where(hook_calls.c.at >= NOW).order_by(hook_calls.c.at))
        assert later.scalars().all() == ["0", "1", "2"]


def test_the_same_row_twice_is_one_row(store: Store) -> None:
    call = hook_call()
    its = card(call)
    for _ in range(2):
        write(store, call, its)
    write(store, told(outcome="accepted"))
    write(store, told(outcome="overridden"))
    write(store, told(entry_hash="e2"), told(client="south"), told(card_uuid="c2"))
    assert (count(store, "hook_call"), count(store, "card"), count(store, "feedback")) == (1, 1, 4)


def test_many_callers_at_once(store: Store) -> None:
    calls = [hook_call() for _ in range(300)]

    async def together() -> None:
        await asyncio.gather(*(store.write(call, card(call)) for call in calls))

    asyncio.run(together())
    assert kept(store) == {str(call.values["id"]) for call in calls}
    assert count(store, "card") == 300


def test_who_gives_up_waiting_does_not_hold_up_the_others(store: Store) -> None:
    async def one_hangs_up() -> None:
        waiting = [asyncio.create_task(store.write(hook_call())) for _ in range(5)]
        await asyncio.sleep(0)
        waiting[2].cancel()
        done = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in done] == [bool, bool, asyncio.CancelledError, bool, bool]

    asyncio.run(one_hangs_up())
    write(store, hook_call())


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "a\ud83d b"])
def test_text_that_an_engine_cannot_hold_costs_that_character_only(store: Store, text: str) -> None:
    write(store, hook_call(id="x", tenant=text), hook_call(id="y"))
    assert kept(store) == {"x", "y"}


def test_a_write_is_whole_or_not_at_all(store: Store) -> None:
    """An integer that the column cannot hold is found only by the database; of others nothing is lost for it."""
    bad = hook_call(id="bad", status=2**70)

    async def together() -> None:
        good = [hook_call(id=f"good {number}") for number in range(20)]
        pairs = [store.write(call, card(call)) for call in good]
        await asyncio.gather(*pairs[:10], store.write(hook_call(id="beside"), bad, card(bad)), *pairs[10:])

    asyncio.run(together())
    assert kept(store) == {f"good {number}" for number in range(20)}
    assert count(store, "card") == 20
    assert store.healthy()


def test_a_fault_of_ours_costs_the_group_and_not_the_writer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError

    async def both() -> tuple[bool, frozenset[str]]:
        return await asyncio.gather(store.write(hook_call()), store.overridden("north", "p1", NOW))

    write(store, overridden())
    with monkeypatch.context() as patched:
        patched.setattr(Outlet, "write", fails)
        kept_it, keys = asyncio.run(both())
        assert not kept_it
        assert keys in (frozenset(), {"k1"})
    write(store, hook_call(id="after"))
    assert kept(store) == {"after"}


def test_a_question_that_the_database_refuses_has_no_answer(store: Store) -> None:
    assert asyncio.run(store.issued("nor\0th", ["c1"])) in ((), [])
    write(store, hook_call(id="after"))
    assert kept(store) == {"after"}


# ------------------------------------------------------------------------------------------------- overrides, M6


def test_the_later_override_stands(store: Store) -> None:
    day = timedelta(days=1)
    write(store, overridden("k1", NOW - day), overridden("k2", NOW - 2 * day))
    write(store, overridden("k1", NOW - 2 * day), overridden("k2", NOW))
    write(store, overridden("k3", patient_hash="p2"), overridden("k4", client="south"))

    def since(moment: datetime) -> frozenset[str]:
        return asyncio.run(store.overridden("north", "p1", moment))

    assert since(NOW - day) == {"k1", "k2"}
    assert since(NOW - day + timedelta(microseconds=1)) == {"k2"}
    assert since(NOW + timedelta(microseconds=1)) == frozenset()


def test_one_card_overridden_twice_at_once(store: Store) -> None:
    async def together() -> None:
        times = [NOW - timedelta(hours=1), NOW, NOW - timedelta(hours=2)]
        await asyncio.gather(*(store.write(overridden("k1", at)) for at in times))

    asyncio.run(together())
    assert asyncio.run(store.overridden("north", "p1", NOW)) == {"k1"}
    assert not store.spooling


def test_an_override_is_seen_by_every_worker(place: Place) -> None:
    first, second = place.open(), place.open()
    write(first, overridden())
    assert asyncio.run(second.overridden("north", "p1", NOW)) == {"k1"}


# --------------------------------------------------------------------------------------------------- used tokens


def use(jti: str = "j", client: str = "north", at: datetime = NOW, expires: datetime = SOON) -> TokenUse:
    return TokenUse(client, jti, at, expires)


def used(store: Store, token: TokenUse) -> bool:
    return asyncio.run(store.first_use(token.client, token.jti_hash, token.expires, token.at))


def test_a_token_is_new_once(store: Store) -> None:
    assert used(store, use())
    assert not used(store, use())
    assert not used(store, use(at=SOON))
    assert used(store, use("j2"))
    assert used(store, use(client="south"))


def test_a_token_is_new_to_one_worker_only(place: Place) -> None:
    first, second = place.open(), place.open()
    assert used(first, use())
    assert not used(second, use())
    assert not used(place.open(), use()), "nor after a restart"


def test_a_name_may_come_back_when_its_token_has_expired(place: Place) -> None:
    first, second = place.open(), place.open()
    assert used(first, use())
    later = SOON + timedelta(microseconds=1)
    assert used(second, use(at=later, expires=later + timedelta(minutes=5)))
    assert not used(first, use(at=later, expires=later + timedelta(minutes=5)))


def test_nothing_is_written_for_a_token_that_was_used_elsewhere(place: Place) -> None:
    first, second = place.open(), place.open()
    write(first, hook_call(id="first"), use=use())

    async def together() -> Sequence[object]:
        return await asyncio.gather(
            second.write(hook_call(id="before"), use=use("j1")),
            second.write(hook_call(id="replayed"), use=use()),
            second.write(hook_call(id="after"), use=use("j3")),
            return_exceptions=True,
        )

    assert [type(one) for one in asyncio.run(together())] == [bool, TokenUsedError, bool]
    assert kept(first) == {"first", "before", "after"}


def test_two_workers_race_for_the_same_tokens(place: Place) -> None:
    """In opposite orders: neither waits for the other for ever, and each token has one winner."""
    stores = [place.open(), place.open()]
    tokens = [use(f"j{number}") for number in range(200)]

    async def race() -> list[bool]:
        claims = [
            store.first_use(one.client, one.jti_hash, one.expires, one.at)
            for store, its in zip(stores, (tokens, tokens[::-1]), strict=True)
            for one in its
        ]
        return await asyncio.gather(*claims)

    assert sum(asyncio.run(race())) == 200
    assert not any(store.spooling for store in stores)


WORKER = """
import asyncio, json, sys
from cds_service.settings import load
from cds_service.store import Store
from tests.store.places import NOW, SOON
store = Store.open(load(mode="sandbox", database=sys.argv[1], state_dir=sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
async def race():
    claims = (store.first_use("north", str(number), SOON, NOW) for number in range(500))
    return [number for number, first in enumerate(await asyncio.gather(*claims)) if first]
print(json.dumps(asyncio.run(race())))
asyncio.run(store.close())
"""


def test_of_several_processes_exactly_one_takes_each_token(place: Place) -> None:
    """Three workers race for the same 500 tokens."""
    place.open()
    workers = [
        subprocess.Popen(  # noqa: S603  # this interpreter, a script of ours
            [sys.executable, "-c", WORKER, place.url, place.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    taken = [number for worker in workers for number in json.loads(worker.communicate(timeout=60)[0])]
    assert sorted(taken) == list(range(500))


def test_a_process_remembers_no_longer_than_it_must() -> None:
    seen = SeenHere()
    for number in range(1000):
        assert seen.take(use(f"j{number}"))
    assert not seen.take(use("j999", at=SOON))
    later = SOON + timedelta(minutes=1)
    assert seen.take(use("later", at=later, expires=later))
    assert len(seen._until) == 1


def test_tokens_are_forgotten_some_time_after_they_expired(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.store.writer.TOKENS_FORGOTTEN_EVERY", 0)
    for number in range(10):
        assert used(store, use(f"j{number}"))
    minutes = timedelta(minutes=5)
    assert used(store, use("at the edge", at=SOON + minutes, expires=SOON + minutes))
    assert count(store, "used_token") == 11
    assert used(store, use("later", at=SOON + minutes + timedelta(seconds=1), expires=SOON + 2 * minutes))
    assert used(store, use("still later", at=SOON + minutes + timedelta(seconds=1), expires=SOON + 2 * minutes))
    assert count(store, "used_token") == 3
