"""Override memory (rules.md M6): same order, dose and tier, with a reason, within a day, never a critical."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cards.case import Case
from cards.facts import Hook
from cards.kidney import Tier
from cards.outcome import Finding, Indicator
from cards.override_memory import WHY, OverrideKey, key_of, may_stay_away, without_overridden
from cards.triage import Triaged, triage
from cds_service import overrides
from cds_service.audit.told import Issued, override_rows
from cds_service.feedback import Entry, Outcome
from cds_service.overrides import StoredOverrides
from cds_service.pseudonyms import Pseudonyms
from cds_service.settings import load
from cds_service.store import Store
from tests.unit.cases import make_case

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAMES = Pseudonyms.of("a key of thirty-two characters, or more")
CASE = make_case(ordered="5 mg TID")
OVERRIDDEN = Entry("u1", Outcome.OVERRIDDEN, with_reason=True)
CARD = "0b7e5f9c-64c1-4c9b-9e0b-6a0c3f3b6d11"


def triaged(case: Case, indicator: Indicator = Indicator.WARNING, rule: str = "opioid-coprescription") -> Triaged:
    return triage([(case, Finding(rule, indicator, "default", ()))], Hook.ORDER_SIGN)


def equal_to(found: Triaged) -> Callable[[OverrideKey], bool]:
    return key_of(found.cards[0]).__eq__


# ---------------------------------------------------------------------------------------------------- the decision


def test_an_overridden_card_stays_away_and_the_reason_is_kept() -> None:
    found = triaged(CASE)
    left = without_overridden(found, equal_to(found))
    assert left.cards == ()
    assert [(one.rule, one.why) for one in left.dropped] == [("opioid-coprescription", WHY)]


def test_criticals_are_always_shown_again() -> None:
    found = triaged(CASE, Indicator.CRITICAL)
    assert without_overridden(found, equal_to(found)) == found
    assert without_overridden(found, equal_to(triaged(CASE))) == found, "nor when it was a warning then"
    assert not may_stay_away(found)


@pytest.mark.parametrize(
    "other",
    [
        triaged(make_case(ordered="10 mg TID")),
        triaged(make_case(ordered="5 mg TID", tier=Tier.K3A)),
        triaged(replace(CASE, orders=(replace(CASE.order, reference="MedicationRequest/another"),))),
        triaged(CASE, rule="psychiatric-history"),
    ],
    ids=["dose", "tier", "order", "rule"],
)
def test_another_dose_tier_order_or_rule_is_another_question(other: Triaged) -> None:
    assert without_overridden(other, equal_to(triaged(CASE))) == other


def test_an_order_without_an_id_is_never_remembered() -> None:
    found = triaged(replace(CASE, orders=(replace(CASE.order, reference=""),)))
    assert key_of(found.cards[0]) is None
    assert without_overridden(found, lambda _: True) == found
    assert not may_stay_away(found)


def test_only_where_it_could_matter_is_anybody_asked() -> None:
    assert may_stay_away(triaged(CASE))
    assert not may_stay_away(triage([], Hook.ORDER_SIGN))


# ------------------------------------------------------------------------------------------------ what is remembered


def remembered(entry: Entry, *, age: timedelta = timedelta(0), **changes: Any) -> list[dict[str, Any]]:
    """Rows of the memory after ``entry`` about a card that left ``age`` ago."""
    card = replace(Issued("opioid-coprescription", NOW - age, "patient", "question"), **changes)
    twice = [replace(entry, card=CARD)] * 2
    return [dict(row.values) for row in override_rows(twice, "north", NOW, NAMES, {CARD: card})]


def test_a_reasoned_override_is_remembered_once() -> None:
    wanted = {"client": "north", "patient_hash": "patient", "override_key": "question", "since": NOW}
    assert remembered(OVERRIDDEN) == [wanted]


@pytest.mark.parametrize(
    "entry",
    [Entry("u1", Outcome.OVERRIDDEN), Entry("u1", Outcome.ACCEPTED), Entry("u1", Outcome.ACCEPTED, with_reason=True)],
)
def test_what_is_no_reasoned_override_changes_nothing(entry: Entry) -> None:
    assert remembered(entry) == []


@pytest.mark.parametrize(("hours", "rows"), [(24, 1), (24.01, 0)])
def test_a_card_of_an_earlier_day_is_another_question(hours: float, rows: int) -> None:
    assert len(remembered(OVERRIDDEN, age=timedelta(hours=hours))) == rows


def test_a_card_that_is_not_known_or_has_no_key_hides_nothing() -> None:
    assert remembered(OVERRIDDEN, override_key=None) == []
    assert list(override_rows([OVERRIDDEN], "north", NOW, NAMES, {})) == []


# ------------------------------------------------------------------------------------------------ across the workers


def asked(folder: Path, later: timedelta, client: str = "north", tenant: str = "", patient: str = "p1") -> bool:
    """Whether the card is still away, for a worker that has just started. It was overridden for p1 of north at NOW."""
    settings = load(mode="sandbox", state_dir=folder)
    key = key_of(triaged(CASE).cards[0])
    assert key

    async def told_and_asked() -> bool:
        told, fresh = Store.open(settings), Store.open(settings)
        hashes = {"patient_hash": NAMES.patient("north", "", "p1"), "override_key": NAMES.override("north", "", key)}
        card = Issued("opioid-coprescription", NOW, **hashes)
        await told.write(*override_rows([replace(OVERRIDDEN, card=CARD)], "north", NOW, NAMES, {CARD: card}))
        overridden = await StoredOverrides(NAMES, fresh).of(client, tenant, patient, NOW + later)
        await told.close()
        await fresh.close()
        return overridden(key)

    return asyncio.run(told_and_asked())


@pytest.mark.parametrize(("hours", "away"), [(0, True), (24, True), (24.01, False)])
def test_for_24_hours(tmp_path: Path, hours: float, *, away: bool) -> None:
    assert asked(tmp_path, timedelta(hours=hours)) is away


@pytest.mark.parametrize("other", [{"client": "south"}, {"tenant": "b"}, {"patient": "p2"}], ids=str)
def test_another_client_tenant_or_patient_is_another_question(tmp_path: Path, other: dict[str, str]) -> None:
    assert not asked(tmp_path, timedelta(0), **other)


# ------------------------------------------------------------------------------------------ whatever fails, it is shown


class Failing:
    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    async def overridden(self, *_: object) -> frozenset[str]:
        if self._error:
            raise self._error
        await asyncio.sleep(60)
        return frozenset()


@pytest.mark.parametrize("error", [OSError("canary"), ValueError("canary"), None], ids=["gone", "fault", "late"])
def test_a_memory_that_does_not_answer_hides_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception | None
) -> None:
    monkeypatch.setattr(overrides, "PATIENCE", 0.01)
    memory = StoredOverrides(NAMES, Failing(error))  # type: ignore[arg-type]
    found = triaged(CASE)
    assert without_overridden(found, asyncio.run(memory.of("north", "", "p1", NOW))) == found
    said = capsys.readouterr().err
    assert "overrides not read" in said
    assert "canary" not in said
