"""Drafts and chart read as one intention: kind, current dose, stability, history, indication (rules.md 3.3, 3.4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from cards.case import Case, Indication, Kind
from cards.catalogue import Catalogue
from cards.facts import (
    ChartBaclofen,
    ChartText,
    Input,
    MedicationList,
    Missing,
    OralDose,
    PatientFacts,
    Problem,
    Route,
    Standing,
    Unreadable,
    Why,
)  # fmt: skip
from cards.intention import read_cases
from cards.kidney import resolve
from cards.quantities import DailyDose, Days
from cards.vignettes import NOWHERE, TODAY, facts_of, oral_dose

CATALOGUE = Catalogue.load()
BASE = {"age": 50, "sex": "female"}


def case_of(facts: PatientFacts) -> Case:
    kidney = resolve(facts, CATALOGUE.kidney)
    return read_cases(facts, kidney, CATALOGUE.reading, CATALOGUE.dosing)[0]


def signing(order: str, current: str | None = None, days: int = 60, **more: Any) -> PatientFacts:
    given: dict[str, Any] = {**BASE, "order": {"dose": order}, **more}
    if current:
        given["current"] = {"dose": current, "for_days": days}
    return facts_of(given)


def chart(
    dose: str, since: int, ends: date | None = None, reference: str = "MedicationRequest/x", **more: Any
) -> ChartBaclofen:
    entry = ChartBaclofen(
        reference, ChartText("baclofen"), Route.ORAL, oral_dose(dose), Standing.ACTIVE, TODAY - timedelta(days=since),
        ends, False, None, NOWHERE,
    )  # fmt: skip
    return replace(entry, **more)


def with_chart(facts: PatientFacts, *entries: ChartBaclofen, **more: Any) -> PatientFacts:
    return replace(facts, medications=MedicationList(baclofen=entries, **more))


@pytest.mark.parametrize(
    ("ordered", "current", "kind"),
    [
        ("5 mg TID", None, Kind.INITIATION),
        ("10.2 mg TID", "10 mg TID", Kind.INCREASE),  # 30.6 is more than 0.5 above 30
        ("7.625 mg QID", "10 mg TID", Kind.UNCHANGED),  # 30.5
        ("7.375 mg QID", "10 mg TID", Kind.UNCHANGED),  # 29.5
        ("7.35 mg QID", "10 mg TID", Kind.DECREASE),  # 29.4
        ("10 mg TID for 7 d, then 15 mg TID", "10 mg TID", Kind.INCREASE),
        ("5 mg TID for 7 d, then 10 mg TID", "10 mg TID", Kind.DECREASE),
    ],
)
def test_kind(ordered: str, current: str | None, kind: Kind) -> None:
    assert case_of(signing(ordered, current)).kind is kind


def test_a_dose_that_cannot_be_read_is_of_unknown_kind() -> None:
    facts = signing("5 mg TID")
    unreadable = replace(facts.orders[0], dose=Unreadable("free text only"))
    assert case_of(replace(facts, orders=(unreadable,))).kind is Kind.UNKNOWN


def test_two_running_drafts_are_added_up() -> None:
    facts = signing("10 mg TID")
    second = replace(facts.orders[0], reference="MedicationRequest/d2", dose=oral_dose("5 mg TID"))
    case = case_of(replace(facts, orders=(facts.orders[0], second)))
    assert isinstance(case.dose, OralDose)
    assert case.dose.highest == DailyDose.of(45)


def test_a_stop_beside_a_running_draft_is_one_replacement() -> None:
    facts = with_chart(signing("10 mg TID"), chart("5 mg TID", 60, reference="MedicationRequest/old"))
    stop = replace(facts.orders[0], reference="MedicationRequest/old", stops=True, dose=oral_dose("5 mg TID"))
    case = case_of(replace(facts, orders=(facts.orders[0], stop)))
    assert case.kind is Kind.INCREASE
    assert [entry.reference for entry in case.current.replaced] == ["MedicationRequest/old"]
    assert case.order.reference == facts.orders[0].reference


def test_what_a_stop_order_without_a_dose_stops_is_not_known() -> None:
    """Baclofen that is being stopped was taken, also when the list does not hold it."""
    facts = signing("5 mg TID")
    stop = replace(facts.orders[0], stops=True, dose=Unreadable("no dose"))
    case = case_of(replace(facts, orders=(stop,)))
    assert case.kind is Kind.STOP
    assert not case.current.known


def test_an_unreadable_medication_list_makes_the_current_dose_unknown_and_the_kind_initiation() -> None:
    missing = Missing(Input.MEDICATIONS, Why.NOT_AVAILABLE, "the EHR could not read it")
    case = case_of(replace(signing("20 mg TID"), medications=missing))
    assert case.current.dose == missing
    assert case.kind is Kind.INITIATION


def test_a_prior_order_that_cannot_be_found_makes_the_current_dose_unknown() -> None:
    facts = signing("20 mg TID", "10 mg TID")
    lost = replace(facts.orders[0], prior="MedicationRequest/gone", prior_found=False)
    assert not case_of(replace(facts, orders=(lost,))).current.known


def test_an_incomplete_list_without_baclofen_is_not_0_mg() -> None:
    facts = with_chart(signing("20 mg TID"), incomplete="further pages were not read")
    assert not case_of(facts).current.known


def test_a_chart_order_whose_dose_is_unreadable_makes_the_current_dose_unknown() -> None:
    facts = with_chart(signing("20 mg TID"), replace(chart("5 mg TID", 60), dose=Unreadable("free text only")))
    assert not case_of(facts).current.known


@pytest.mark.parametrize(("days", "renewed"), [(14, True), (15, False), (-14, True), (-15, False)])
def test_supply_that_ends_within_14_days_at_the_same_dose_is_a_renewal(days: int, renewed: bool) -> None:
    facts = with_chart(signing("10 mg TID"), chart("10 mg TID", 90, TODAY + timedelta(days=days)))
    current = case_of(facts).current
    assert bool(current.replaced) is renewed
    assert bool(current.beside) is not renewed
    assert current.dose == DailyDose.of(30)


def test_supply_that_ended_lately_still_counts_when_it_is_renewed() -> None:
    ended = chart("10 mg TID", 90, TODAY - timedelta(days=10), standing=Standing.RECENT, ended=True)
    assert case_of(with_chart(signing("10 mg TID"), ended)).kind is Kind.UNCHANGED
    assert case_of(with_chart(signing("5 mg TID"), ended)).kind is Kind.INITIATION


OVER: dict[str, Any] = {"reference": "MedicationRequest/old", "standing": Standing.RECENT, "ended": True}


def replacing_old(dose: str, old: ChartBaclofen) -> PatientFacts:
    facts = signing(dose)
    return with_chart(replace(facts, orders=(replace(facts.orders[0], prior=old.reference),)), old)


@pytest.mark.parametrize(("days", "kind"), [(60, Kind.INCREASE), (-14, Kind.INCREASE), (-15, Kind.INITIATION)])
def test_an_order_that_was_stopped_to_be_replaced_is_still_the_current_dose(days: int, kind: Kind) -> None:
    """Many EHRs stop the old order before the new one is signed: 60 mg/day is then no start."""
    old = chart("10 mg TID", 90, TODAY + timedelta(days=days), **OVER)
    assert case_of(replacing_old("20 mg TID", old)).kind is kind


@pytest.mark.parametrize(
    "changes",
    [
        {"supply_ends": None},
        {"withdrawn": True, "supply_ends": TODAY},
        {"standing": Standing.ON_HOLD, "ended": False, "supply_ends": TODAY},
    ],
    ids=["no end", "cancelled", "on hold"],
)
def test_a_replaced_order_that_ended_nobody_knows_when_leaves_the_current_dose_unknown(changes: dict[str, Any]) -> None:
    old = replace(chart("10 mg TID", 90, **OVER), **changes)
    case = case_of(replacing_old("20 mg TID", old))
    assert case.kind is Kind.INITIATION
    assert not case.current.known


@pytest.mark.parametrize(("days", "stable"), [(30, True), (29, False)])
def test_stable_from_30_days(days: int, stable: bool) -> None:
    assert case_of(signing("10 mg TID", "10 mg TID", days)).stable is stable


def test_an_unbroken_run_of_renewals_counts_from_its_first_order() -> None:
    old = chart(
        "10 mg TID", 100, TODAY - timedelta(days=40), "MedicationRequest/old", ended=True, standing=Standing.RECENT
    )
    facts = with_chart(signing("10 mg TID"), chart("10 mg TID", 35), old)
    assert case_of(facts).current.since_change == Days.of(100)


def test_another_dose_breaks_the_run_but_not_the_exposure() -> None:
    old = chart(
        "5 mg TID", 100, TODAY - timedelta(days=20), "MedicationRequest/old", ended=True, standing=Standing.RECENT
    )
    current = case_of(with_chart(signing("10 mg TID"), chart("10 mg TID", 20), old)).current
    assert current.since_change == Days.of(20)
    assert current.exposure == Days.of(100)


def test_a_gap_in_supply_breaks_the_exposure() -> None:
    old = chart(
        "10 mg TID", 200, TODAY - timedelta(days=100), "MedicationRequest/old", ended=True, standing=Standing.RECENT
    )
    assert case_of(with_chart(signing("10 mg TID"), chart("10 mg TID", 20), old)).current.exposure == Days.of(20)


def test_a_running_titration_is_at_the_step_of_today() -> None:
    running = chart("5 mg TID for 7 d, then 10 mg TID for 7 d, then 15 mg TID", 8)
    assert case_of(with_chart(signing("15 mg TID"), running)).current.dose == DailyDose.of(30)


def test_a_stop_order_carries_the_current_dose_when_the_list_cannot_be_read() -> None:
    facts = facts_of({**BASE, "order": {"dose": "20 mg QID", "stops": True}})
    missing = Missing(Input.MEDICATIONS, Why.NOT_AVAILABLE, "the EHR could not read it")
    case = case_of(replace(facts, medications=missing))
    assert (case.kind, case.current.dose) == (Kind.STOP, DailyDose.of(80))


@pytest.mark.parametrize(
    ("reason", "problems", "indication"),
    [
        ("alcohol use disorder", [], Indication.ALCOHOL_USE_DISORDER),
        ("", ["alcohol use disorder"], Indication.APPARENTLY_ALCOHOL_USE_DISORDER),
        ("", ["alcohol use disorder", "multiple sclerosis"], Indication.SPASTICITY),
        ("multiple sclerosis", ["alcohol use disorder"], Indication.SPASTICITY),
        ("", [], Indication.SPASTICITY),
    ],
)
def test_indication(reason: str, problems: list[str], indication: Indication) -> None:
    facts = facts_of({**BASE, "order": {"dose": "5 mg TID", "reason": reason}, "problems": problems})
    assert case_of(facts).indication is indication


def test_topical_baclofen_makes_no_case() -> None:
    facts = signing("5 mg TID")
    topical = replace(facts, orders=(replace(facts.orders[0], route=Route.TOPICAL),))
    assert read_cases(topical, resolve(topical, CATALOGUE.kidney), CATALOGUE.reading, CATALOGUE.dosing) == ()


def test_alcohol_word_counts_as_reason() -> None:
    facts = signing("5 mg TID")
    order = replace(facts.orders[0], reasons=frozenset[Problem](), reason_mentions_alcohol=True)
    assert case_of(replace(facts, orders=(order,))).indication is Indication.ALCOHOL_USE_DISORDER
