"""rules.md 5.9: paediatric."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from cards.case import Indication, Kind
from cards.children.rule import Limits, paediatric
from cards.facts import BodyMeasurements, Bound, Input, Missing, Observations, Route, Unreadable, Why
from cards.kidney import AcuteInjury, KidneyFunction, Tier
from cards.outcome import CannotAssess, Finding, Outcome
from cards.quantities import Height, Weight
from tests.unit.cases import (
    NOW,
    kidney_function,
    level,
    limits_of,
    make_case,
    not_available,
    not_recorded,
    written,
)  # fmt: skip

AKI = AcuteInjury(None, None, "a diagnosis")


def limits() -> Limits:
    read: Limits = limits_of("children/card.toml", Limits)
    return read


def ago(days: int) -> date:
    return NOW.date() - timedelta(days=days)


def weighing(kilograms: str | None, days: int = 10) -> Observations:
    weight = None if kilograms is None else (Weight.of(kilograms), ago(days))
    return Observations(body=BodyMeasurements(weight, (Height.of(120), ago(days))))


def judge(**given: Any) -> Outcome:
    """A child of 10, 50 kg, with healthy kidneys."""
    child: dict[str, Any] = {"age": 10, "tier": Tier.CHILD, "observations": weighing("50")}
    return paediatric(make_case(**(child | given)), limits())


def found(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Finding), outcome
    return outcome


def renewal(daily: float, days: int) -> dict[str, Any]:
    return {"ordered": daily, "current": daily, "since_change": days}


@pytest.mark.parametrize(
    ("age", "expected"), [(0, "info"), (11, "info"), (12, "silent"), (17, "silent"), (18, "silent")]
)
def test_below_twelve_always_a_word(age: int, expected: str) -> None:
    assert level(judge(age=age)) == expected
    assert level(judge(age=age, ordered=100)) == ("silent" if age >= 18 else "critical")


@pytest.mark.parametrize(
    ("age", "daily", "expected"),
    [
        (7, 40, "info"), (7, 40.5, "warning"), (8, 40.5, "info"), (8, 60, "info"), (8, 60.5, "warning"),
        (17, 60, "silent"), (17, 60.5, "warning"), (17, 80, "warning"), (17, 80.5, "critical"), (7, 80.5, "critical"),
    ],
)  # fmt: skip
def test_by_daily_dose(age: int, daily: float, expected: str) -> None:
    assert level(judge(age=age, ordered=daily, current=daily - 1)) == expected


@pytest.mark.parametrize(
    ("kilograms", "daily", "expected"),
    [("20", 40, "info"), ("20", 40.5, "warning"), ("20.25", 40.5, "info"), ("22", 45, "warning")],
)
def test_two_milligrams_per_kilogram(kilograms: str, daily: float, expected: str) -> None:
    increase = {"ordered": daily, "current": daily - 1}
    assert level(judge(observations=weighing(kilograms), **increase)) == expected


@pytest.mark.parametrize(
    ("ordered", "current", "expected"),
    [
        ("5 mg TID", 0, "info"),  # 15 mg at 50 kg is 0.3 mg/kg
        ("5 mg TID", 10, "info"),
        (15.5, 0, "warning"),
        (15.5, 15, "info"),
        ("5 mg TID x7 d, then 10 mg TID", 0, "info"),
        ("5.5 mg TID x7 d, then 10 mg TID", 0, "warning"),
    ],
)
def test_a_start_above_a_third_of_a_milligram_per_kilogram(ordered: str | float, current: float, expected: str) -> None:
    assert level(judge(ordered=ordered, current=current)) == expected


@pytest.mark.parametrize(("days", "expected"), [(0, "warning"), (60, "warning"), (61, "info"), (-1, "info")])
def test_a_weight_of_the_last_sixty_days(days: int, expected: str) -> None:
    assert level(judge(ordered=60, current=50, observations=weighing("20", days))) == expected


@pytest.mark.parametrize(
    ("kidney", "expected"),
    [
        (kidney_function(Tier.CHILD, 60), "info"),
        (kidney_function(Tier.CHILD, 59), "warning"),
        (kidney_function(Tier.CHILD, 30), "warning"),
        (kidney_function(Tier.CHILD, 29), "critical"),
        (kidney_function(Tier.CHILD, 60, bound=Bound.BELOW), "warning"),
        (kidney_function(Tier.CHILD, 30, bound=Bound.BELOW), "critical"),
        (kidney_function(Tier.CHILD, 60, bound=Bound.ABOVE), "info"),
        (kidney_function(Tier.DIALYSIS), "critical"),
        (kidney_function(Tier.CHILD, 90, acute=AKI), "critical"),
    ],
)
def test_by_kidney_function(kidney: KidneyFunction, expected: str) -> None:
    assert level(judge(kidney=kidney)) == expected
    assert level(judge(kidney=kidney, age=15)) == ("silent" if expected == "info" else expected)


def test_alcohol_use_disorder() -> None:
    assert level(judge(age=16, indication=Indication.ALCOHOL_USE_DISORDER)) == "warning"


def test_stable_renewals_have_no_information_and_decreases_are_one_level_milder() -> None:
    assert level(judge(**renewal(15, 29))) == "info"
    assert level(judge(**renewal(15, 30))) == "silent"
    assert level(judge(**renewal(61, 300))) == "warning"
    assert level(judge(ordered=15, current=30)) == "silent"
    assert level(judge(ordered=70, current=80)) == "info"
    assert level(judge(ordered=90, current=100)) == "warning"


def test_stops_and_pump_orders_are_not_judged() -> None:
    assert level(judge(ordered=None, current=90)) == "silent"
    assert level(judge(kind=Kind.INTRATHECAL, route=Route.INTRATHECAL, ordered=90)) == "silent"


def test_an_unread_dose_is_judged_by_age_and_kidneys() -> None:
    unread = Unreadable("free text")
    assert level(judge(ordered=unread)) == "info"
    assert level(judge(ordered=unread, tier=Tier.DIALYSIS)) == "critical"
    assert level(judge(ordered=unread, age=15)) == "silent"


def test_an_unknown_age_cannot_be_assessed() -> None:
    age = not_recorded(Input.AGE)
    assert judge(age=age) == CannotAssess("paediatric", (age,))
    assert level(judge(age=age, ordered=None, current=30)) == "silent"


@pytest.mark.parametrize("unread", [not_available(Input.OBSERVATIONS), weighing(None), weighing("50", 61)])
def test_without_a_weight(unread: Observations | Missing) -> None:
    """Under 12 the card says so; from 12 on, where there would be no card, it cannot be assessed."""
    card = found(judge(observations=unread))
    assert "no_weight" in card.detail
    gone = isinstance(unread, Missing)
    assert card.unchecked == ((unread,) if gone else ())
    outcome = judge(age=15, observations=unread)
    assert isinstance(outcome, CannotAssess)
    assert [(gap.what, gap.why) for gap in outcome.missing] == [
        (Input.OBSERVATIONS, Why.NOT_AVAILABLE if gone else Why.NOT_RECORDED)
    ]
    assert found(judge(age=15, ordered=61, current=60, observations=unread)).unchecked == ()


NO_EGFR = KidneyFunction(
    Tier.CHILD, None, "", None, None, stale=False, creatinine_only=False, acute=None, dialysis=None, notes=()
)


@pytest.mark.parametrize("kidney", [not_available(Input.KIDNEY_RESULTS), NO_EGFR])
def test_without_kidney_function(kidney: KidneyFunction | Missing) -> None:
    outcome = judge(age=15, kidney=kidney)
    assert isinstance(outcome, CannotAssess)
    assert [gap.what for gap in outcome.missing] == [Input.KIDNEY_RESULTS]
    assert found(judge(kidney=kidney)).unchecked == ((kidney,) if isinstance(kidney, Missing) else ())
    assert found(judge(kidney=kidney, ordered=90)).unchecked == ()


def test_the_most_urgent_reason_leads_the_summary() -> None:
    case = make_case(age=7, tier=Tier.CHILD, egfr=25, observations=weighing("22"), ordered="15 mg TID", current=30)
    outcome = found(paediatric(case, limits()))
    words = written(case, outcome)
    assert words.summary == "Patient is 7 years old: paediatric dosing by weight; eGFR 25 mL/min/1.73 m²"
    assert "45 mg/day is above 40 mg/day; 2.05 mg/kg/day is above 2 mg/kg/day" in words.detail
    assert "45 mg/day at 22 kg is 2.05 mg/kg/day" in words.detail


def test_what_is_above_a_limit_is_never_written_as_the_limit() -> None:
    outcome = found(judge(observations=weighing("19.99"), ordered=40, current=39))
    assert outcome.values["reason"] == "2.01 mg/kg/day is above 2 mg/kg/day"


@pytest.mark.parametrize("age", [0, 7, 11, 17])
@pytest.mark.parametrize("ordered", [15, 45, 90, Unreadable("free text")])
def test_every_card_can_be_written(age: int, ordered: float | Unreadable) -> None:
    for observations in (weighing("20"), weighing(None), not_available(Input.OBSERVATIONS)):
        case = make_case(age=age, tier=Tier.CHILD, ordered=ordered, observations=observations)
        outcome = paediatric(case, limits())
        if isinstance(outcome, Finding):
            written(case, outcome)


def test_the_dose_by_weight_is_said_where_both_are_known() -> None:
    assert "by_weight" in found(judge()).detail
    assert "by_weight" not in found(judge(observations=weighing(None))).detail
    assert "by_weight" not in found(judge(ordered=Unreadable("free text"))).detail


def test_no_dose_is_suggested_for_a_child() -> None:
    assert found(judge(ordered=90)).proposals == ()
