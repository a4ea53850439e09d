"""Row 45 of the faults, and X6: charts and orders of a size that nobody has cost no more than their size."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conformance.calls import (
    BACLOFEN_10,
    OXYCODONE,
    SERVICE,
    Client,
    Json,
    active,
    assert_refused,
    cards,
    chart,
    condition,
    dosage,
    egfr,
    has_kidney_card,
    order,
    order_select,
    order_sign,
    post,
    search,
    severe,
    text_of,
    topics,
)

MANY = 8000
SECONDS = 8.0
"""Each takes about one on a quiet machine. What grows with the square of the number takes minutes."""


def several(make: Callable[[int], Json]) -> Json:
    return search(*[make(number) for number in range(MANY)])


def day(number: int) -> str:
    return f"{2000 + number // 336}-{number // 28 % 12 + 1:02}-{number % 28 + 1:02}"


def without_id(resource: Json) -> Json:
    return {name: value for name, value in resource.items() if name != "id"}


LISTS: dict[str, dict[str, Json]] = {
    "kidney results": {"kidney": several(lambda n: egfr(20 + n % 9, day(n), identity=f"e{n}"))},
    "problems": {"conditions": several(lambda n: condition(f"F{n % 90:02}.{n % 10}", f"Condition {n}"))},
    "the same medicine": {"medications": several(lambda n: active(f"m{n}", OXYCODONE))},
    "the same medicine, day by day": {"medications": several(lambda n: active(f"m{n}", OXYCODONE, authoredOn=day(n)))},
    "medicines without an id": {"medications": several(lambda n: without_id(active("", {"text": f"drug {n} 5 mg"})))},
    "baclofen": {"medications": several(lambda n: active(f"m{n}", BACLOFEN_10))},
    "baclofen, day by day": {
        "medications": several(
            lambda n: active(f"m{n}", BACLOFEN_10, authoredOn=day(n), dosageInstruction=dosage(5 + n % 7))
        )
    },
    "stopped baclofen": {
        "medications": several(lambda n: active(f"m{n}", BACLOFEN_10, authoredOn=day(n)) | {"status": "stopped"})
    },
    "sigs": {
        "medications": several(
            lambda n: active(
                f"m{n}",
                {"text": f"baclofen {n} mg"},
                dosageInstruction=[{"text": f"take {n} tablets three times a day"}],
            )
        )
    },
}


@pytest.mark.parametrize("name", LISTS)
def test_row_45_a_list_of_thousands(client: Client, name: str) -> None:
    started = time.perf_counter()
    response = post(client, severe(**LISTS[name]))
    assert time.perf_counter() - started < SECONDS
    assert response.status_code == 200
    assert has_kidney_card(response.json()["cards"])


def test_row_45_more_baclofen_than_can_be_taken_is_not_added_up(client: Client) -> None:
    """50 orders at once are the most; a dose is then not suggested, since it could be a cut."""

    def running(number: int) -> Json:
        return search(*[active(f"m{n}", BACLOFEN_10) for n in range(number)])

    assert "run at once" not in text_of(cards(client, severe(medications=running(50))))
    shown = cards(client, severe(medications=running(51)))
    assert "more than 50 baclofen orders run at once" in text_of(shown)
    suggested = [action for card in shown for one in card.get("suggestions", []) for action in one["actions"]]
    assert "update" not in {action["type"] for action in suggested}


@pytest.mark.parametrize("sequence", [True, False])
def test_row_45_an_order_of_thousands_of_instructions(client: Client, *, sequence: bool) -> None:
    def lines(number: int) -> list[Json]:
        steps = [dosage(5, 1)[0] for _ in range(number)]
        return [step | ({"sequence": n} if sequence else {}) for n, step in enumerate(steps)]

    def asked(number: int) -> list[Json]:
        return cards(client, order_sign(order(dosageInstruction=lines(number))))

    assert "dosage instructions" not in text_of(asked(400)) or not sequence
    for number in (401, MANY):
        started = time.perf_counter()
        shown = asked(number)
        assert time.perf_counter() - started < SECONDS
        assert "orderDoseUnparseable" in topics(shown)
        assert "more than 400 dosage instructions" in text_of(shown)


def test_row_45_very_many_selections(client: Client) -> None:
    def selecting(number: int) -> Any:
        chosen = ["MedicationRequest/d1", *[f"MedicationRequest/x{n}" for n in range(number - 1)]]
        return post(client, order_select(order("d1"), selections=chosen))

    assert selecting(1000).status_code == 200
    assert assert_refused(selecting(1001), 413)["expression"] == ["context.selections"]


def test_row_45_very_many_prefetch_keys(client: Client) -> None:
    def keys(number: int) -> Any:
        return chart(**{f"x{n}": None for n in range(number - len(chart()))})

    assert post(client, order_sign(prefetch=keys(1000))).status_code == 200
    for indent in (None, 1):
        body = json.dumps(order_sign(prefetch=keys(1001)), indent=indent)
        assert assert_refused(post(client, body), 413)["expression"] == ["prefetch"]


@pytest.mark.parametrize("place", ["", "context", "context.draftOrders.entry.0.resource", "prefetch.patient"])
def test_row_45_very_many_members(client: Client, place: str) -> None:
    request = severe()
    inside: Any = request
    for name in filter(None, place.split(".")):
        inside = inside[int(name) if name.isdigit() else name]
    inside |= {f"x{n}": 1 for n in range(30 * MANY)}
    started = time.perf_counter()
    assert has_kidney_card(cards(client, request))
    assert time.perf_counter() - started < SECONDS


@pytest.mark.parametrize(
    "work", ["cds_service.routes.parse", "cds_service.gather.facts", "cds_service.respond.cards_for"]
)
def test_X6_health_is_answered_while_a_large_call_is_worked_on(
    client: Client, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    """The work waits here for the health check: side by side both end, one after the other neither does."""
    module, _, name = work.rpartition(".")
    real = getattr(importlib.import_module(module), name)
    begun, healthy = threading.Event(), threading.Event()

    def waits(*given: Any, **named: Any) -> Any:
        begun.set()
        assert healthy.wait(10)
        return real(*given, **named)

    monkeypatch.setattr(work, waits)

    async def both() -> list[int]:
        transport = httpx.ASGITransport(client._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://cds.example") as caller:
            body = json.dumps(severe(**LISTS["problems"]))
            large = asyncio.create_task(caller.post(SERVICE, content=body))
            await asyncio.to_thread(begun.wait, 10)
            health = await caller.get("/healthz")
            healthy.set()
            return [health.status_code, (await large).status_code]

    assert asyncio.run(both()) == [200, 200]


def test_a_usual_call_needs_no_thread(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio.to_thread", None)
    assert has_kidney_card(cards(client, severe()))
