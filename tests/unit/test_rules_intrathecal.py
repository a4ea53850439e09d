"""rules.md 5.9: intrathecal-baclofen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.case import Case, Kind
from cards.facts import (
    ChartBaclofen,
    ChartText,
    Dose,
    Input,
    MedicationList,
    Origin,
    PumpDose,
    Route,
    Standing,
    Unreadable,
)  # fmt: skip
from cards.intrathecal.rule import Limits, intrathecal_baclofen
from cards.kidney import AcuteInjury, Tier
from cards.outcome import Finding, Outcome, WithdrawOrder
from cards.quantities import IntrathecalDose
from tests.unit.cases import level, limits_of, make_case, not_available, oral, written

ORAL = ChartBaclofen(
    "MedicationRequest/oral", ChartText("Baclofen 10 MG Oral Tablet"), Route.ORAL, oral("10 mg TID"), Standing.ACTIVE,
    None, None, False, None, Origin("MedicationRequest/oral"),
)  # fmt: skip


def limits() -> Limits:
    read: Limits = limits_of("intrathecal/card.toml", Limits)
    return read


def micrograms(value: str, *, bolus: bool = False) -> PumpDose:
    return PumpDose(IntrathecalDose.of(value), bolus)


def pump_case(*doses: Dose, oral_drafts: int = 0, stops: bool = False, **given: Any) -> Case:
    case = make_case(kind=Kind.INTRATHECAL, route=Route.INTRATHECAL, ordered=Unreadable("replaced below"), **given)
    orders = tuple(replace(case.order, dose=dose, stops=stops) for dose in doses)
    drafted = tuple(replace(case.order, route=Route.ORAL, dose=oral("5 mg TID")) for _ in range(oral_drafts))
    return replace(case, orders=orders, dose=None, facts=replace(case.facts, orders=(*orders, *drafted)))


def judge(*doses: Dose, **given: Any) -> Outcome:
    return intrathecal_baclofen(pump_case(*doses, **given), limits())


def found(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Finding), outcome
    return outcome


def with_oral(**changes: Any) -> MedicationList:
    return MedicationList(baclofen=(replace(ORAL, **changes),))


@pytest.mark.parametrize(
    ("daily", "expected"),
    [("1000", "info"), ("1000.5", "warning"), ("4999.5", "warning"), ("5000", "critical"), ("50000", "critical")],
)
def test_by_daily_dose(daily: str, expected: str) -> None:
    assert level(judge(micrograms(daily))) == expected


@pytest.mark.parametrize(
    ("bolus", "expected"),
    [("50", "info"), ("100", "info"), ("100.5", "warning"), ("4999", "warning"), ("5000", "critical")],
)
def test_by_bolus(bolus: str, expected: str) -> None:
    assert level(judge(micrograms(bolus, bolus=True))) == expected


def test_daily_doses_add_up_and_boluses_do_not() -> None:
    assert level(judge(micrograms("600"), micrograms("400"))) == "info"
    assert level(judge(micrograms("600"), micrograms("401"))) == "warning"
    assert level(judge(micrograms("60", bolus=True), micrograms("60", bolus=True))) == "info"
    assert found(judge(micrograms("400"), micrograms("50", bolus=True))).values["dose"] == (
        "400 micrograms/day and a bolus of 50 micrograms"
    )


def test_only_a_slip_of_unit_or_route_is_to_be_removed() -> None:
    assert found(judge(micrograms("5000"))).proposals == (WithdrawOrder(),)
    assert found(judge(micrograms("4999"))).proposals == ()
    assert found(judge(micrograms("400"), medications=with_oral())).proposals == ()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "warning"),
        ({"standing": Standing.ON_HOLD}, "info"),
        ({"standing": Standing.RECENT, "ended": True}, "info"),
        ({"route": Route.INTRATHECAL}, "info"),
    ],
)
def test_active_oral_baclofen_beside_it(changes: dict[str, Any], expected: str) -> None:
    assert level(judge(micrograms("400"), medications=with_oral(**changes))) == expected


def test_oral_baclofen_that_this_session_orders_or_ends() -> None:
    assert level(judge(micrograms("400"), oral_drafts=1)) == "warning"
    case = pump_case(micrograms("400"), medications=with_oral())
    stop = replace(case.order, route=Route.ORAL, dose=oral("10 mg TID"), stops=True, prior=ORAL.reference)
    ended = replace(case, facts=replace(case.facts, orders=(*case.orders, stop)))
    assert level(intrathecal_baclofen(ended, limits())) == "info"
    assert level(intrathecal_baclofen(case, limits())) == "warning"


def test_a_critical_dose_stays_critical_beside_oral_baclofen() -> None:
    assert level(judge(micrograms("6000"), medications=with_oral())) == "critical"


def test_an_unread_medication_list_is_named_where_it_could_matter() -> None:
    missing = not_available(Input.MEDICATIONS)
    assert found(judge(micrograms("400"), medications=missing)).unchecked == (missing,)
    assert found(judge(micrograms("2000"), medications=missing)).unchecked == ()
    cut_short = MedicationList(incomplete="further pages were not read")
    assert [gap.what for gap in found(judge(micrograms("400"), medications=cut_short)).unchecked] == [Input.MEDICATIONS]


def test_an_unread_dose_is_said() -> None:
    outcome = found(judge(Unreadable("free text")))
    assert (str(outcome.indicator), outcome.summary) == ("info", "dose_unknown")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tier": Tier.K3B}, False), ({"tier": Tier.K4}, True), ({"tier": Tier.K5}, True),
        ({"tier": Tier.DIALYSIS}, True), ({"acute": AcuteInjury(None, None, "a diagnosis")}, True),
        ({"tier": Tier.UNKNOWN}, False), ({"kidney": not_available(Input.KIDNEY_RESULTS)}, False),
    ],
)  # fmt: skip
def test_poor_kidneys_are_named(given: dict[str, Any], said: bool) -> None:
    assert ("kidneys" in found(judge(micrograms("400"), **given)).detail) is said


@pytest.mark.parametrize(
    ("dose", "expected"),
    [(micrograms("400"), set()), (micrograms("1200"), {"high"}), (micrograms("6000"), {"slip"})],
)
def test_what_is_unusual_is_said(dose: PumpDose, expected: set[str]) -> None:
    assert {"high", "slip"} & set(found(judge(dose)).detail) == expected
    assert {"high", "slip"} & set(found(judge(dose, medications=with_oral())).detail) == expected


def test_a_bolus_alone_has_a_readable_dose() -> None:
    assert found(judge(micrograms("50", bolus=True))).summary == "default"
    assert found(judge(micrograms("400"))).summary == "default"


def test_other_orders_are_not_judged() -> None:
    assert level(intrathecal_baclofen(make_case(), limits())) == "silent"
    assert level(judge(micrograms("400"), stops=True)) == "silent"


@pytest.mark.parametrize(
    "dose", [micrograms("400"), micrograms("1200"), micrograms("6000", bolus=True), Unreadable("x")]
)
def test_every_card_can_be_written(dose: Dose) -> None:
    worst: dict[str, Any] = {"medications": with_oral(), "tier": Tier.DIALYSIS}
    for given in ({}, worst):
        case = pump_case(dose, **given)
        words = written(case, found(intrathecal_baclofen(case, limits())))
        assert "current baclofen not compared" in words.detail
