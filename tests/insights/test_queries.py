"""From the tables to a tally: the same rows on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cds_service.insights.queries import clients, tally
from cds_service.insights.selection import Selection
from cds_service.insights.tally import (
    ALONE,
    BESIDE,
    NO_REASON,
    NOT_SAID,
    OTHER_LIST,
    Advice,
    Became,
    CardKey,
    Elsewhere,
    Fate,
    FindingKey,
    Gap,
    Tally,
    Version,
)
from cds_service.store import Row
from tests.store.places import Place, card, hook_call, told

W45, W46 = date(2026, 11, 2), date(2026, 11, 9)
REASONS = ("will-monitor", "not-clinically-relevant")
OURS = "https://baclofen-cds.example/fhir/CodeSystem/override-reason"
OFFERED = json.dumps(
    [
        {"uuid": "s1", "label": "5 mg TID", "kind": "change-dose"},
        {"uuid": "s2", "label": "eGFR", "kind": "order-creatinine"},
    ]
)
DETAIL = {"missing": {"kidney_results": "not recorded"}, "stages": {"facts": 0.31, "rules": 1.26, "token": 0.2}}
RENAL = "renal-dose-exceeds-limit"


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def rows() -> Iterator[Row]:
    """Monday, 2 November to Sunday, 15 November; each call says what it is for."""
    first = hook_call(at=at(2, 0), shown=2, milliseconds=1.56, detail=json.dumps(DETAIL), content_version="a")
    yield first
    yield (overridden := card(first, uuid="c1", at=at(2, 0), suggestions=OFFERED))
    yield (accepted := card(first, uuid="c2", at=at(2, 0), rule="start-dose-too-high", suggestions=OFFERED))
    sooner = {"outcome": "overridden", "reason_code": "will-monitor"}
    yield told(card_uuid=name(overridden), entry_hash="1", received_at=at(2), **sooner)
    later = {"outcome": "overridden", "reason_code": "not-clinically-relevant", "reason_system": OURS}
    yield told(card_uuid=name(overridden), entry_hash="2", outcome_at=at(3), received_at=at(3), **later)
    # Accepted first, overridden afterwards: it was applied all the same.
    both = json.dumps(["s2", "s1", "unknown"])
    yield told(card_uuid=name(accepted), entry_hash="3", received_at=at(2), accepted_suggestions=both)
    yield told(card_uuid=name(accepted), entry_hash="4", received_at=at(4), **later)

    last_moment = at(15, 23) + timedelta(minutes=59, seconds=59)
    second = hook_call(at=last_moment, shown=1, milliseconds=2.01, content_version="b", client="south")
    yield second
    yield (foreign := card(second, uuid="c3", at=last_moment, client="south"))
    yield card(second, uuid="c4", at=last_moment, client="south", rule="older-adult-caution", silent=True)
    its_own = {"outcome": "overridden", "reason_system": "https://ehr.example/reasons", "reason_code": "will-monitor"}
    yield told(card_uuid=name(foreign), client="south", entry_hash="5", **its_own)
    not_its = {"client": "north", "accepted_suggestions": '["s1"]'}
    yield told(card_uuid=name(foreign), entry_hash="6", received_at=last_moment, **not_its)

    dropped = {"dropped": {"renal-recheck": f"merged into {RENAL}", "psychiatric-history": "overridden lately"}}
    fired = {"fired": {"renal-recheck": "info", "psychiatric-history": "warning", RENAL: "critical"}}
    alone = hook_call(at=at(9), shown=0, milliseconds=2.0, content_version="b", detail=json.dumps(dropped | fired))
    yield alone
    yield card(alone, uuid="c5", at=at(9), rule="older-adult-caution", indicator="info", silent=True)
    yield hook_call(at=at(9), shown=0, milliseconds=2.0, content_version="b")

    yield from (card(second, uuid=f"i{n}", at=last_moment, client="south", rule="dosing-interval") for n in range(3))
    yield told(card_uuid="i0", client="south", entry_hash="7", outcome="overridden")
    yield told(card_uuid="i1", client="south", entry_hash="8")

    yield hook_call(at=at(9), status=500, shown=0)
    yield hook_call(at=at(9), hook="order-select", shown=1)
    yield hook_call(at=at(1, 23), shown=1)
    yield hook_call(at=at(16, 0), shown=1)


def name(row: Row) -> str:
    return str(row.values["uuid"])


def counted(place: Place, today: date = date(2026, 11, 30), **given: str) -> Tally:
    async def written() -> Tally:
        store = place.open()
        await store.write(*rows())
        selection = Selection.of({"since": "2026-11-02", "until": "2026-11-15", **given}, today, timedelta(days=7))
        found = tally(store.engine, selection, REASONS)
        found_clients.extend(clients(store.engine))
        store.engine.dispose()
        await store.close()
        return found

    return asyncio.run(written())


found_clients: list[str] = []


@pytest.fixture
def whole(place: Place) -> Tally:
    found_clients.clear()
    return counted(place)


def test_signings_are_answered_calls_of_the_period(whole: Tally) -> None:
    assert whole.signings == {
        (W45, Advice.SHOWN): 1,
        (W46, Advice.SHOWN): 1,
        (W46, Advice.SILENT): 1,
        (W46, Advice.NONE): 1,
    }
    assert whole.failed == 1
    assert found_clients == ["north", "south"]


def test_cards_by_what_became_of_them(whole: Tally) -> None:
    assert whole.cards == {
        CardKey(RENAL, "warning", W45, Fate(Became.OVERRIDDEN, "not-clinically-relevant")): 1,
        CardKey("start-dose-too-high", "warning", W45, Fate(Became.ACCEPTED, "change-dose + order-creatinine")): 1,
        CardKey(RENAL, "warning", W46, Fate(Became.OVERRIDDEN, OTHER_LIST)): 1,
        CardKey("older-adult-caution", "warning", W46, Fate(Became.SILENT, BESIDE)): 1,
        CardKey("older-adult-caution", "info", W46, Fate(Became.SILENT, ALONE)): 1,
        CardKey("dosing-interval", "warning", W46, Fate(Became.OVERRIDDEN, NO_REASON)): 1,
        CardKey("dosing-interval", "warning", W46, Fate(Became.ACCEPTED, NOT_SAID)): 1,
        CardKey("dosing-interval", "warning", W46, Fate(Became.IGNORED)): 1,
    }
    assert whole.unlinked == 1  # of another client than the card


def test_details_of_the_calls(whole: Tally) -> None:
    assert whole.gaps == {Gap("kidney_results", "not recorded"): 1}
    assert whole.findings == {
        FindingKey("renal-recheck", "info", Elsewhere.INSIDE): 1,
        FindingKey("psychiatric-history", "warning", Elsewhere.HELD): 1,
    }
    assert whole.whole == {15: 1, 20: 3}
    assert whole.stages == {"token": {2: 1}, "facts": {3: 1}, "rules": {12: 1}}
    assert list(whole.stages) == ["token", "facts", "rules"]
    assert whole.sampled == 4


def test_versions_with_their_days(whole: Tally) -> None:
    assert whole.versions == (
        Version("a", date(2026, 11, 2), date(2026, 11, 2), 1),
        Version("b", date(2026, 11, 9), date(2026, 11, 15), 3),
    )


def test_one_client(place: Place) -> None:
    found = counted(place, client="south")
    assert sum(found.signings.values()) == 1
    assert {card.rule for card in found.cards} == {RENAL, "older-adult-caution", "dosing-interval"}
    assert found.unlinked == 0


def test_another_hook(place: Place) -> None:
    assert counted(place, hook="order-select").signings == {(W46, Advice.SHOWN): 1}


@pytest.mark.parametrize(("today", "recent"), [(date(2026, 11, 21), 4), (date(2026, 11, 22), 0)])
def test_a_card_is_judged_after_seven_days(place: Place, today: date, recent: int) -> None:
    found = counted(place, today)
    assert sum(n for card, n in found.cards.items() if card.fate.became is Became.RECENT) == recent


def test_nothing(place: Place) -> None:
    async def empty() -> Any:
        store = place.open()
        selection = Selection.of({}, date(2026, 11, 24), timedelta(days=7))
        found = tally(store.engine, selection, REASONS)
        store.engine.dispose()
        await store.close()
        return found

    found = asyncio.run(empty())
    assert not found.signings
    assert not found.cards
    assert not found.whole
