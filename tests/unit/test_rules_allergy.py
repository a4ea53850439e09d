"""rules.md 5.9: baclofen-hypersensitivity."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cards.allergy.rule import Limits, baclofen_hypersensitivity
from cards.case import Kind
from cards.facts import Allergy, ChartText, Input, Origin, Route, Unreadable
from cards.kidney import AcuteInjury
from cards.outcome import CannotAssess, Finding, Indicator, Outcome, WithdrawOrder
from tests.unit.cases import level, make_case, not_available, offers, written

AKI = AcuteInjury(None, None, "a diagnosis")


def entry(*reactions: str, intolerance: bool = False, recorder: str | None = None, **more: Any) -> Allergy:
    given: dict[str, Any] = {
        "label": ChartText("Baclofen"), "intolerance": intolerance, "reactions": tuple(map(ChartText, reactions)),
        "reaction_kinds": frozenset(), "recorded": date(2021, 3, 4), "origin": Origin("AllergyIntolerance/1"),
        "recorder": None if recorder is None else ChartText(recorder),
    }  # fmt: skip
    return Allergy(**(given | more))


def judge(*entries: Allergy, **given: Any) -> Outcome:
    return baclofen_hypersensitivity(make_case(**({"allergies": entries} | given)), Limits())


def found(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Finding), outcome
    return outcome


KINDS: dict[str, dict[str, Any]] = {
    "initiation": {},
    "unknown": {"ordered": Unreadable("free text")},
    "increase": {"ordered": 30, "current": 15},
    "unchanged": {"ordered": 30, "current": 30},
    "stable": {"ordered": 30, "current": 30, "since_change": 300},
    "decrease": {"ordered": 15, "current": 30},
    "pump": {"kind": Kind.INTRATHECAL, "route": Route.INTRATHECAL, "ordered": 30},
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_allergy_is_critical_and_an_intolerance_a_warning_whatever_the_order(kind: str) -> None:
    assert level(judge(entry(), **KINDS[kind])) == "critical"
    assert level(judge(entry(intolerance=True), **KINDS[kind])) == "warning"
    assert level(judge(entry(intolerance=True), entry(), **KINDS[kind])) == "critical"
    assert level(judge(**KINDS[kind])) == "silent"


def test_a_stop_is_what_an_allergy_asks_for() -> None:
    assert level(judge(entry(), ordered=None, current=30)) == "silent"
    assert level(judge(entry(), ordered=None, kind=Kind.INTRATHECAL, route=Route.INTRATHECAL)) == "silent"


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_first_oral_order_may_be_removed(kind: str) -> None:
    expected = (WithdrawOrder(),) if kind in ("initiation", "unknown") else ()
    assert found(judge(entry(), **KINDS[kind])).proposals == expected


def test_nothing_is_removed_where_baclofen_may_be_taken_already() -> None:
    outcome = found(judge(entry(), current=None))
    assert outcome.proposals == ()
    assert "S-CURRENT-UNKNOWN" in outcome.detail
    assert offers(judge(entry(), acute=AKI)) == ["withdraw"]


def test_established_and_pump_orders_are_not_to_be_ended_at_once() -> None:
    assert "taken_already" in found(judge(entry(), **KINDS["stable"])).detail
    assert "pump" in found(judge(entry(), **KINDS["pump"])).detail
    assert not {"taken_already", "pump"} & set(found(judge(entry())).detail)


def test_an_allergy_list_that_was_not_read_cannot_be_assessed() -> None:
    missing = not_available(Input.ALLERGIES)
    assert baclofen_hypersensitivity(make_case(allergies=missing), Limits()) == CannotAssess(
        "baclofen-hypersensitivity", (missing,)
    )
    assert (
        level(baclofen_hypersensitivity(make_case(ordered=None, current=30, allergies=missing), Limits())) == "silent"
    )


def test_the_card_names_reaction_date_and_recorder() -> None:
    case = make_case(allergies=(entry("urticaria", "angioedema", recorder="Dr Grey"),))
    words = written(case, found(baclofen_hypersensitivity(case, Limits())))
    assert words.summary == "Recorded baclofen allergy (angioedema; urticaria): clarify before it is given"
    assert "Baclofen: allergy, angioedema; urticaria, recorded 2021-03-04 by Dr Grey" in words.detail
    plain = make_case(allergies=(entry(intolerance=True, recorded=None),))
    words = written(plain, found(baclofen_hypersensitivity(plain, Limits())))
    assert words.summary == "Recorded baclofen intolerance: check the reaction before it is given"
    assert "intolerance, reaction not stated, no date" in words.detail


@pytest.mark.parametrize("kind", KINDS)
def test_every_card_can_be_written(kind: str) -> None:
    for one in (entry(), entry("x" * 80, "y" * 80), entry("rash", intolerance=True)):
        case = make_case(allergies=(one,), **KINDS[kind])
        written(case, found(baclofen_hypersensitivity(case, Limits())))


def test_the_reactions_of_the_allergy_lead_the_summary() -> None:
    outcome = found(judge(entry("nausea", intolerance=True), entry("anaphylaxis")))
    assert outcome.values["reaction"] == "anaphylaxis"
    assert outcome.indicator is Indicator.CRITICAL
