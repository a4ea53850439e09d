"""Writing down what happened changes nothing of it: the cards are those of the rules, whatever becomes of the record;
and the rows say of the cards what the client reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.override_memory import OverrideKey
from cds_service.app import wire
from cds_service.audit import Clerk, detail
from cds_service.completion import HungUp
from cds_service.course import Course
from cds_service.hooks import parse
from cds_service.overrides import nothing
from cds_service.pseudonyms import Pseudonyms
from cds_service.recorder import StoreRecorder
from cds_service.records import collect
from cds_service.respond import Deps, consult, respond
from cds_service.services import HOOKS
from cds_service.settings import load
from cds_service.store.rows import Row
from tests.conformance.calls import TODAY, Json
from tests.properties.requests import REQUESTS
from tests.properties.search import examples
from tests.properties.service import quiet, topic


async def _nobody_hangs_up() -> NoReturn:
    raise AssertionError


STAYS: HungUp = _nobody_hangs_up


@cache
def deps() -> Deps:
    return wire(load(mode="sandbox", today=date.fromisoformat(TODAY)))


class Store:
    """Keeps what it is given, or fails."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.rows: list[Row] = []
        self._error = error

    async def write(self, *rows: Row, **_: object) -> bool:
        if self._error:
            raise self._error
        self.rows += rows
        return True


class Memory:
    def __init__(self, answer: Callable[[OverrideKey], bool] = nothing) -> None:
        self._answer = answer

    async def of(self, *_: object) -> Callable[[OverrideKey], bool]:
        return self._answer


def answered(request: Json, store: Store, memory: Memory | None = None) -> list[Json]:
    clerk = Clerk(Pseudonyms.of("k" * 32), "content", "service")
    recorder = StoreRecorder(store, clerk, None)  # type: ignore[arg-type]
    its = replace(deps(), recorder=recorder, overrides=memory or Memory())
    call = parse(json.dumps(request).encode(), HOOKS)
    body = asyncio.run(respond(call, Course(client="north"), STAYS, its))
    shown: list[Json] = json.loads(body)["cards"]
    return shown


def of_the_rules(request: Json) -> list[Json]:
    """Nobody writes anything down."""
    call = parse(json.dumps(request).encode(), HOOKS)
    found = consult(call, collect(call, deps().aliases), deps())
    shown: list[Json] = json.loads(json.dumps(found.built.cards, default=float))
    return shown


@examples(150)
@given(REQUESTS)
def test_the_cards_are_those_of_the_rules_and_the_rows_say_the_same(request: Json) -> None:
    store = Store()
    shown = answered(request, store)
    assert quiet(shown) == quiet(of_the_rules(request))
    call, *rows = store.rows
    assert call.values["shown"] == len(shown)
    assert [row.values["uuid"] for row in rows] == [card["uuid"] for card in shown]
    assert [row.values["indicator"] for row in rows] == [card["indicator"] for card in shown]
    for row, card in zip(rows, shown, strict=True):
        offered = detail.suggestions(str(row.values["suggestions"]))
        assert [(one.uuid, one.label) for one in offered] == [
            (one["uuid"], one["label"]) for one in card.get("suggestions", [])
        ]


@examples(50)
@given(REQUESTS, st.sampled_from((OSError, ValueError, KeyError, RecursionError, MemoryError)))
def test_a_record_that_fails_changes_no_card(request: Json, error: type[Exception]) -> None:
    assert quiet(answered(request, Store(error("canary")))) == quiet(of_the_rules(request))


@examples(50)
@given(REQUESTS)
def test_whatever_is_said_to_be_overridden_no_critical_goes(request: Json) -> None:
    store = Store()
    shown = answered(request, store, Memory(lambda _: True))
    before = of_the_rules(request)
    assert _criticals(shown) == _criticals(before)
    assert len(store.rows) == 1 + len(shown)
    said: dict[str, Any] = detail.decode(str(store.rows[0].values["detail"])).dropped
    assert len(shown) == len(before) or "overridden" in " ".join(said.values())


def _criticals(cards: list[Json]) -> list[tuple[str, str]]:
    """Not their suggestions: a supply that a card limits, which has gone, is no longer written into those of others."""
    return [(topic(card), card["summary"]) for card in cards if card["indicator"] == "critical"]


@pytest.mark.parametrize("hook", ["order-sign", "order-select"])
def test_the_same_for_a_fixed_order(hook: str) -> None:
    """One that is known to get a card, so that the properties above cannot hold of nothing."""
    from tests.conformance.calls import severe

    request = severe() | {"hook": hook}
    if hook == "order-select":
        request["context"]["selections"] = ["MedicationRequest/d1"]
    store = Store()
    assert answered(request, store)
    assert len(store.rows) == 2
