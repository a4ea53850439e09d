"""Override memory (rules.md M6): same order, dose and tier, with a reason, within a day, never a critical."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cards.case import Case
from cards.facts import Hook
from cards.kidney import Tier
from cards.outcome import Finding, Indicator
from cards.override_memory import WHY, key_of, without_overridden
from cards.triage import Triaged, triage
from cds_service.errors import BadRequest
from cds_service.feedback import Overridden, read_feedback
from cds_service.overrides import InProcess
from tests.unit.cases import make_case

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REASON = {"reason": {"code": "will-monitor", "system": "https://baclofen-cds.example/fhir/CodeSystem/override-reason"}}


def triaged(case: Case, indicator: Indicator = Indicator.WARNING, rule: str = "opioid-coprescription") -> Triaged:
    return triage([(case, Finding(rule, indicator, "default", ()))], Hook.ORDER_SIGN)


def feedback(*entries: dict[str, Any]) -> bytes:
    return json.dumps({"feedback": entries}).encode()


def overridden_at(shown: Triaged, now: datetime, patient: str = "p1") -> InProcess:
    memory = InProcess()
    memory.shown(patient, [("u1", shown.cards[0])], now)
    memory.told(read_feedback(feedback({"card": "u1", "outcome": "overridden", "overrideReason": REASON})), now)
    return memory


CASE = make_case(ordered="5 mg TID")


def cards_after(memory: InProcess, found: Triaged, now: datetime, patient: str = "p1") -> int:
    return len(without_overridden(found, memory.overridden(patient, now)).cards)


def test_an_overridden_card_stays_away_and_the_reason_is_kept() -> None:
    found = triaged(CASE)
    left = without_overridden(found, overridden_at(found, NOW).overridden("p1", NOW))
    assert left.cards == ()
    assert [(one.rule, one.why) for one in left.dropped] == [("opioid-coprescription", WHY)]


@pytest.mark.parametrize(("hours", "shown"), [(24, 0), (24.01, 1)])
def test_for_24_hours(hours: float, shown: int) -> None:
    found = triaged(CASE)
    assert cards_after(overridden_at(found, NOW), found, NOW + timedelta(hours=hours)) == shown


def test_criticals_are_always_shown_again() -> None:
    found = triaged(CASE, Indicator.CRITICAL)
    assert cards_after(overridden_at(found, NOW), found, NOW) == 1


def test_a_card_that_became_critical_is_shown() -> None:
    memory = overridden_at(triaged(CASE), NOW)
    assert cards_after(memory, triaged(CASE, Indicator.CRITICAL), NOW) == 1


@pytest.mark.parametrize(
    "other",
    [
        make_case(ordered="10 mg TID"),
        make_case(ordered="5 mg TID", tier=Tier.K3A),
        replace(CASE, orders=(replace(CASE.order, reference="MedicationRequest/another"),)),
    ],
    ids=["dose", "tier", "order"],
)
def test_another_dose_tier_or_order_is_another_question(other: Case) -> None:
    assert cards_after(overridden_at(triaged(CASE), NOW), triaged(other), NOW) == 1


def test_another_rule_or_patient_is_another_question() -> None:
    memory = overridden_at(triaged(CASE), NOW)
    assert cards_after(memory, triaged(CASE, rule="psychiatric-history"), NOW) == 1
    assert cards_after(memory, triaged(CASE), NOW, patient="p2") == 1


def test_an_order_without_an_id_is_never_remembered() -> None:
    nameless = replace(CASE, orders=(replace(CASE.order, reference=""),))
    found = triaged(nameless)
    assert key_of(found.cards[0]) is None
    assert cards_after(overridden_at(found, NOW), found, NOW) == 1


def test_a_dismissal_without_a_reason_changes_nothing() -> None:
    found = triaged(CASE)
    memory = InProcess()
    memory.shown("p1", [("u1", found.cards[0])], NOW)
    memory.told(read_feedback(feedback({"card": "u1", "outcome": "overridden"})), NOW)
    assert cards_after(memory, found, NOW) == 1


@pytest.mark.parametrize(
    ("entry", "with_reason"),
    [
        ({"overrideReason": REASON}, True),
        ({"overrideReasons": [REASON]}, True),
        ({"overrideReasons": {"extension": [{"url": "x", "valueString": "y"}]}}, True),
        ({"overrideReason": {"userComment": "not now"}}, False),
        ({"overrideReason": {"reason": None}}, False),
        ({"overrideReason": {"reason": {}}}, False),
        ({}, False),
    ],
)
def test_reasons_as_ehrs_write_them(entry: dict[str, Any], with_reason: bool) -> None:
    body = feedback({"card": "123456", "outcome": "overridden", **entry})
    assert read_feedback(body).overridden == (Overridden("123456", with_reason),)


def test_a_bad_entry_does_not_cost_the_others() -> None:
    bad: list[dict[str, Any]] = [{"card": 7.5}, {"outcome": "overridden"}]
    body = feedback({"card": "a", "outcome": "accepted"}, *bad, {"card": "b", "outcome": "overridden"})
    read = read_feedback(body)
    assert (read.accepted, read.unreadable, read.overridden) == (1, 2, (Overridden("b", False),))


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b'{"feedback": {}}', b'{"feedback": null}', b'"x"', b"\xff"])
def test_a_body_without_a_list_of_feedback_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_feedback(body)
