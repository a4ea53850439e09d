"""The kidney question, table by table (rules.md 5.1): each threshold at its edge and one step inside."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from cards.case import Case
from cards.facts import (
    ChartText,
    CystatinResult,
    DrugClass,
    Hook,
    Input,
    KidneyResults,
    MedicationList,
    Problem,
    ProblemList,
    Unreadable,
)
from cards.kidney import AcuteInjury, Tier
from cards.kidney_function.rule import RULES, Limits
from cards.outcome import (
    CannotAssess,
    ChangeDose,
    Finding,
    Indicator,
    OrderTest,
    Outcome,
    Taper,
    WithdrawOrder,
)
from cards.outcome import (
    Test as LabTest,
)
from cards.quantities import CystatinC, Days, Egfr, SerumCreatinine
from tests.unit.cases import (
    NOW,
    NOWHERE,
    dosing,
    kidney_function,
    level,
    limits_of,
    make_case,
    medication,
    mg,
    not_available,
    not_recorded,
    offers,
    problem,
    written,
)

AKI = AcuteInjury(SerumCreatinine.of("1.00"), SerumCreatinine.of("1.60"), "creatinine 1.6 times its lowest value")
DIAGNOSED = AcuteInjury(None, None, "acute kidney injury on the problem list since 2026-11-20")
NOT_READABLE = Unreadable("free text")
NO_DOSE_YET = Unreadable("no dose yet", given=False)
AFTER_DIALYSIS = "2.5 mg once daily (2.5 mg/day), if unavoidable, after dialysis"
CREATININE, URGENT = OrderTest(LabTest.CREATININE), OrderTest(LabTest.CREATININE, urgent=True)


def limits() -> Limits:
    found: Limits = limits_of("kidney_function/card.toml", Limits)
    return found


def ask(rule: str, case: Case) -> Outcome:
    outcome = next(r for r in RULES if r.id == rule).assess(case, limits())
    assert outcome.rule == rule
    if isinstance(outcome, Finding):
        written(case, outcome)
    return outcome


# -------------------------------------------------------------------------------------- renal-dose-exceeds-limit


@pytest.mark.parametrize(
    ("tier", "ordered", "current", "expected"),
    [
        # initiation: start above 7.5, highest from 20, highest above 40
        (Tier.K3A, 7.5, 0, "silent"), (Tier.K3A, 8, 0, "warning"), (Tier.K3A, 15, 0, "warning"),
        (Tier.K3A, 20, 0, "warning"), (Tier.K3A, 40, 0, "warning"), (Tier.K3A, 42.5, 0, "critical"),
        (Tier.K3A, "2.5 mg TID x7 d, then 5 mg TID", 0, "silent"),
        (Tier.K3A, "2.5 mg TID x7 d, then 5 mg QID", 0, "info"),
        (Tier.K3A, "2.5 mg TID x7 d, then 15/15/12.5 mg", 0, "critical"),
        (Tier.K3B, 7.5, 0, "silent"), (Tier.K3B, 15, 0, "warning"), (Tier.K3B, 17.5, 0, "warning"),
        (Tier.K3B, 20, 0, "critical"), (Tier.K3B, "2.5 mg TID x7 d, then 5 mg QID", 0, "critical"),
        # increase
        (Tier.K3A, 17.5, 10, "silent"), (Tier.K3A, 20, 15, "info"), (Tier.K3A, 40, 35, "info"),
        (Tier.K3A, 42.5, 35, "warning"), (Tier.K3A, 80, 70, "warning"), (Tier.K3A, 82.5, 70, "critical"),
        (Tier.K3B, 17.5, 10, "silent"), (Tier.K3B, 20, 15, "warning"), (Tier.K3B, 40, 35, "warning"),
        (Tier.K3B, 42.5, 35, "critical"), (Tier.K3B, 82.5, 70, "critical"),
        # unchanged
        (Tier.K3A, 40, 40, "silent"), (Tier.K3A, 42.5, 42.5, "warning"), (Tier.K3A, 80, 80, "warning"),
        (Tier.K3A, 82.5, 82.5, "critical"), (Tier.K3B, 40, 40, "silent"), (Tier.K3B, 42.5, 42.5, "warning"),
        # decrease
        (Tier.K3A, 40, 60, "silent"), (Tier.K3A, 42.5, 60, "info"), (Tier.K3B, 90, 120, "info"),
    ],
)  # fmt: skip
def test_k3_under_65(tier: Tier, ordered: Any, current: float, expected: str) -> None:
    case = make_case(tier=tier, ordered=ordered, current=current, age=64)
    assert level(ask("renal-dose-exceeds-limit", case)) == expected


@pytest.mark.parametrize("tier", [Tier.K3A, Tier.K3B])
@pytest.mark.parametrize(
    ("ordered", "current", "expected"),
    [
        (2.5, 0, "warning"), (17.5, 0, "warning"), (20, 0, "critical"),
        ("2.5 mg TID x7 d, then 5 mg QID", 0, "critical"),
        (17.5, 10, "warning"), (20, 15, "critical"), (90, 80, "critical"),
        (17.5, 17.5, "info"), (20, 20, "warning"), (40, 40, "warning"), (42.5, 42.5, "critical"),
        (17.5, 30, "silent"), (20, 30, "info"), (40, 60, "info"), (42.5, 60, "warning"),
    ],
)  # fmt: skip
def test_k3_from_65(tier: Tier, ordered: Any, current: float, expected: str) -> None:
    case = make_case(tier=tier, ordered=ordered, current=current, age=65)
    assert level(ask("renal-dose-exceeds-limit", case)) == expected


@pytest.mark.parametrize(
    ("ordered", "current", "expected"),
    [
        (50, 0, "silent"),
        (52.5, 0, "info"),
        (50, 40, "silent"),
        (52.5, 40, "info"),
        (90, 90, "silent"),
        (60, 90, "silent"),
    ],
)
def test_k2_is_a_note_on_new_doses(ordered: float, current: float, expected: str) -> None:
    outcome = ask("renal-dose-exceeds-limit", make_case(tier=Tier.K2, ordered=ordered, current=current))
    assert level(outcome) == expected
    if isinstance(outcome, Finding):
        assert outcome.proposals == ()


@pytest.mark.parametrize("tier", [Tier.K1, Tier.K4, Tier.K5, Tier.DIALYSIS, Tier.UNKNOWN])
def test_other_tiers_belong_to_other_rules(tier: Tier) -> None:
    assert level(ask("renal-dose-exceeds-limit", make_case(tier=tier, ordered=90))) == "silent"


@pytest.mark.parametrize(
    ("patient", "ordered", "current", "since", "expected"),
    [
        # V03, V08, V09: start lower; from 65 on, or not at all
        ((Tier.K3A, 58), "5 mg TID", 0, None, ["2.5 mg TID (7.5 mg/day)"]),
        ((Tier.K3A, 72), "5 mg TID", 0, None, ["2.5 mg TID (7.5 mg/day)", "withdraw"]),
        ((Tier.K3A, 72), "2.5 mg TID", 0, None, ["withdraw"]),
        ((Tier.K3B, 62), "2.5 mg TID x7 d, then 5 mg QID", 0, None, ["2.5 mg TID (7.5 mg/day)"]),
        # an info has no dose (V05, V11)
        ((Tier.K3A, 58), "2.5 mg TID x7 d, then 5 mg TID x7 d, then 7.5 mg TID", 0, None, []),
        ((Tier.K3A, 72), "5 mg TID", 15, 700, []),
        # increase: one renal step, within 40, or 15 in K3b and from 65 on; never above the order (V75, V76)
        ((Tier.K3A, 58), 60, 20, 10, ["10/7.5/10 mg (27.5 mg/day)"]),
        ((Tier.K3A, 58), 60, 35, 10, ["10 mg QID (40 mg/day)"]),
        ((Tier.K3A, 58), 60, 40, 10, ["10 mg QID (40 mg/day), no increase"]),
        ((Tier.K3B, 62), "7.5 mg TID", 15, 10, ["5 mg TID (15 mg/day), no increase"]),
        ((Tier.K3B, 62), 20, 5, 10, ["5/2.5/5 mg (12.5 mg/day)"]),
        ((Tier.K3B, 62), 20, 10, 10, ["5 mg TID (15 mg/day)"]),
        ((Tier.K3A, 70), "5 mg TID", 7.5, 21, ["2.5 mg TID (7.5 mg/day), no increase"]),
        ((Tier.K3A, 70), 20, 7.5, 21, ["5 mg TID (15 mg/day)"]),
        # the last change is too recent for any increase in reduced kidney function
        ((Tier.K3A, 58), 60, 20, 6, ["5 mg QID (20 mg/day), no increase until day 7"]),
        ((Tier.K3A, 58), 60, 20, 7, ["10/7.5/10 mg (27.5 mg/day)"]),
        # unchanged: the first step of a taper, never a cliff (V10)
        ((Tier.K3A, 72), "10 mg TID", 30, 700, ["taper from 10/5/10 mg (25 mg/day)"]),
        ((Tier.K3A, 58), 45, 45, 700, ["taper from 10 mg QID (40 mg/day)"]),
        # decrease: no suggestion
        ((Tier.K3A, 72), 45, 60, 700, []),
    ],
)  # fmt: skip
def test_k3_suggestions(
    patient: tuple[Tier, int], ordered: Any, current: float, since: int | None, expected: list[str]
) -> None:
    tier, age = patient
    case = make_case(tier=tier, age=age, ordered=ordered, current=current, since_change=since)
    assert offers(ask("renal-dose-exceeds-limit", case)) == expected


def test_the_taper_in_k3_ends_at_the_ceiling_and_stays() -> None:
    outcome = ask("renal-dose-exceeds-limit", make_case(tier=Tier.K3B, ordered=60, current=60, age=64))
    assert isinstance(outcome, Finding)
    (taper,) = outcome.proposals
    assert isinstance(taper, Taper)
    assert taper.stays_at_last
    assert taper.steps[-1].regimen.daily == mg(40)


def test_k3_with_a_dose_that_was_given_and_cannot_be_read() -> None:
    outcome = ask("renal-dose-exceeds-limit", make_case(tier=Tier.K3A, age=72, ordered=NOT_READABLE))
    assert level(outcome) == "warning"
    assert offers(outcome) == []


@pytest.mark.parametrize(
    ("age", "expected"), [(64, ["2.5 mg TID (7.5 mg/day)"]), (65, ["2.5 mg TID (7.5 mg/day)", "withdraw"])]
)
def test_k3_at_order_select_without_a_dose_says_what_to_order(age: int, expected: list[str]) -> None:
    case = make_case(tier=Tier.K3B, age=age, ordered=NO_DOSE_YET, hook=Hook.ORDER_SELECT)
    assert level(ask("renal-dose-exceeds-limit", case)) == "warning"
    assert offers(ask("renal-dose-exceeds-limit", case)) == expected


@pytest.mark.parametrize("current", [None, 60])
def test_without_a_dose_nothing_is_suggested_to_someone_who_may_take_baclofen(current: float | None) -> None:
    case = make_case(tier=Tier.K3B, ordered=NO_DOSE_YET, current=current, hook=Hook.ORDER_SELECT)
    assert offers(ask("renal-dose-exceeds-limit", case)) == []


@pytest.mark.parametrize(
    ("ordered", "current", "expected"),
    [(7.5, 0, "cannot assess"), (15, 0, "warning"), (20, 0, "warning"), (30, 30, "cannot assess"), (60, 60, "warning")],
)
def test_k3_without_an_age_is_judged_as_under_65_and_says_so(ordered: float, current: float, expected: str) -> None:
    no_age = not_recorded(Input.AGE)
    outcome = ask("renal-dose-exceeds-limit", make_case(tier=Tier.K3A, age=no_age, ordered=ordered, current=current))
    assert level(outcome) == expected
    match outcome:
        case CannotAssess(missing=missing):
            assert missing == (no_age,)
        case Finding(unchecked=unchecked):
            assert unchecked == ((no_age,) if ordered != 15 else ())
        case _:
            pytest.fail("an unknown age must not be silent here")


# ------------------------------------------------------------------------------------ renal-avoid-severe, dialysis


AVOID = [
    ("renal-avoid-severe", Tier.K4, 7.5),
    ("renal-avoid-severe", Tier.K5, 5),
    ("renal-dialysis", Tier.DIALYSIS, 2.5),
]


@pytest.mark.parametrize(("rule", "tier", "limit"), AVOID)
def test_severe_tiers(rule: str, tier: Tier, limit: float) -> None:
    def at(ordered: Any, current: float) -> str:
        return level(ask(rule, make_case(tier=tier, ordered=ordered, current=current)))

    over = limit + 0.5
    assert at(limit, 0) == "warning"
    assert at(over, 0) == "critical"
    assert at(limit, 1) == "critical"
    assert at(60, 40) == "critical"
    assert at(limit, limit) == "warning"
    assert at(over, over) == "critical"
    assert at(limit, 60) == "info"
    assert at(over, 60) == "warning"
    assert at(NOT_READABLE, 0) == "critical"


@pytest.mark.parametrize(("rule", "tier", "limit"), AVOID)
@pytest.mark.parametrize("other", [Tier.K1, Tier.K2, Tier.K3A, Tier.K3B, Tier.UNKNOWN])
def test_severe_rules_leave_other_tiers_alone(rule: str, tier: Tier, limit: float, other: Tier) -> None:
    assert level(ask(rule, make_case(tier=other, ordered=60))) == "silent"


@pytest.mark.parametrize(
    ("rule", "tier", "ordered", "current", "expected"),
    [
        # V12, V13, V15, V16, V17
        ("renal-avoid-severe", Tier.K4, "5 mg TID", 0, ["withdraw", "2.5 mg BID (5 mg/day), if unavoidable"]),
        ("renal-avoid-severe", Tier.K4, "2.5 mg TID", 0, ["withdraw", "2.5 mg BID (5 mg/day), if unavoidable"]),
        ("renal-avoid-severe", Tier.K4, "2.5 mg BID", 0, ["withdraw"]),
        ("renal-avoid-severe", Tier.K4, "2.5 mg daily", 0, ["withdraw"]),
        ("renal-avoid-severe", Tier.K5, "5 mg daily", 0, ["withdraw"]),
        ("renal-avoid-severe", Tier.K5, "5 mg TID", 0, ["withdraw", "2.5 mg BID (5 mg/day), if unavoidable"]),
        ("renal-dialysis", Tier.DIALYSIS, "5 mg TID", 0, ["withdraw", AFTER_DIALYSIS]),
        ("renal-dialysis", Tier.DIALYSIS, "2.5 mg daily", 0, ["withdraw"]),
        # increase: back to current where that is within the limit, else down
        ("renal-avoid-severe", Tier.K4, 15, 7.5, ["2.5 mg TID (7.5 mg/day), no increase"]),
        ("renal-avoid-severe", Tier.K4, 15, 8, ["taper from 2.5 mg BID (5 mg/day)"]),
        ("renal-avoid-severe", Tier.K5, 15, 10, ["taper from 2.5 mg BID (5 mg/day)"]),
        # unchanged over the limit: taper (V14, V78); at the limit nothing; a decrease nothing (V79)
        ("renal-avoid-severe", Tier.K4, "20 mg TID", 60, ["taper from 15/15/20 mg (50 mg/day)"]),
        ("renal-avoid-severe", Tier.K4, 7.5, 7.5, []),
        ("renal-dialysis", Tier.DIALYSIS, "5 mg QID", 20, ["taper from 5 mg TID (15 mg/day)"]),
        ("renal-avoid-severe", Tier.K4, "10 mg TID", 45, []),
        # not readable; no dose yet
        ("renal-avoid-severe", Tier.K4, NOT_READABLE, 0, []),
        ("renal-avoid-severe", Tier.K4, NO_DOSE_YET, 0, ["withdraw", "2.5 mg BID (5 mg/day), if unavoidable"]),
        ("renal-avoid-severe", Tier.K5, NO_DOSE_YET, 0, ["withdraw"]),
        ("renal-dialysis", Tier.DIALYSIS, NO_DOSE_YET, 0, ["withdraw", AFTER_DIALYSIS]),
        ("renal-dialysis", Tier.DIALYSIS, NO_DOSE_YET, 20, []),
    ],
)  # fmt: skip
def test_severe_suggestions(rule: str, tier: Tier, ordered: Any, current: float, expected: list[str]) -> None:
    assert offers(ask(rule, make_case(tier=tier, ordered=ordered, current=current))) == expected


def test_a_taper_in_severe_disease_ends_at_nothing() -> None:
    outcome = ask("renal-avoid-severe", make_case(tier=Tier.K4, ordered=60, current=60))
    assert isinstance(outcome, Finding)
    (taper,) = outcome.proposals
    assert isinstance(taper, Taper)
    assert not taper.stays_at_last


@pytest.mark.parametrize(("ordered", "current", "act"), [(60, 20, "act_step"), (60, 40, "act_no_increase")])
def test_the_words_of_an_increase_follow_its_suggestion(ordered: float, current: float, act: str) -> None:
    outcome = ask("renal-dose-exceeds-limit", make_case(tier=Tier.K3A, ordered=ordered, current=current))
    assert isinstance(outcome, Finding)
    assert {"act_step", "act_no_increase"} & set(outcome.detail) == {act}


def test_k5_asks_for_dialysis_and_k4_does_not() -> None:
    k5, k4 = (ask("renal-avoid-severe", make_case(tier=tier)) for tier in (Tier.K5, Tier.K4))
    assert isinstance(k5, Finding)
    assert isinstance(k4, Finding)
    assert "ask_dialysis" in k5.detail
    assert "ask_dialysis" not in k4.detail


# ------------------------------------------------------------------------------------------------------ renal-aki


@pytest.mark.parametrize(
    ("ordered", "current", "expected", "suggestions"),
    [
        ("5 mg TID", 0, "critical", ["withdraw", "urgent creatinine and eGFR"]),
        (20, 15, "critical", ["withdraw", "urgent creatinine and eGFR"]),
        (NOT_READABLE, 0, "critical", ["urgent creatinine and eGFR"]),
        (NO_DOSE_YET, 0, "critical", ["urgent creatinine and eGFR"]),
        (7.5, 7.5, "warning", ["urgent creatinine and eGFR"]),
        (8, 8, "critical", ["urgent creatinine and eGFR"]),
        (60, 60, "critical", ["urgent creatinine and eGFR"]),
        (30, 60, "info", ["urgent creatinine and eGFR"]),
    ],
)
@pytest.mark.parametrize("acute", [AKI, DIAGNOSED])
def test_acute_injury(ordered: Any, current: float, expected: str, suggestions: list[str], acute: AcuteInjury) -> None:
    outcome = ask("renal-aki", make_case(tier=Tier.K1, acute=acute, ordered=ordered, current=current))
    assert level(outcome) == expected
    assert offers(outcome) == suggestions


def test_acute_injury_takes_the_higher_urgency_of_the_tier() -> None:
    lowered = make_case(tier=Tier.K4, acute=AKI, ordered=10, current=20)
    assert level(ask("renal-avoid-severe", lowered)) == "warning"
    assert level(ask("renal-aki", lowered)) == "warning", "alone a decrease would be info"
    small = make_case(tier=Tier.K5, acute=AKI, ordered=7.5, current=7.5)
    assert level(ask("renal-aki", small)) == "critical", "alone 7.5 mg/day would be a warning"


def test_acute_injury_is_told_with_its_creatinine_values() -> None:
    case = make_case(tier=Tier.K3A, acute=AKI)
    outcome = ask("renal-aki", case)
    assert isinstance(outcome, Finding)
    assert "(creatinine 1 to 1.6 mg/dL)" in written(case, outcome).summary
    assert "act_continue" not in outcome.detail


@pytest.mark.parametrize("tier", [Tier.K3A, Tier.K3B, Tier.K4, Tier.K5])
@pytest.mark.parametrize(("ordered", "current"), [("5 mg TID", 0), (60, 60), (60, 40), (30, 60)])
def test_in_acute_injury_no_kidney_rule_offers_a_dose(tier: Tier, ordered: Any, current: float) -> None:
    case = make_case(tier=tier, acute=AKI, ordered=ordered, current=current, age=72)
    for rule in RULES:
        outcome = ask(rule.id, case)
        if isinstance(outcome, Finding):
            assert not any(isinstance(p, ChangeDose | Taper) for p in outcome.proposals)
            assert "suggest" not in written(case, outcome).summary


@pytest.mark.parametrize(
    ("ordered", "current", "expected"),
    [(15, 0, "do not start or raise"), (NOT_READABLE, 15, "do not start or raise"), (15, 15, "review baclofen today")],
)
@pytest.mark.parametrize("acute", [AKI, DIAGNOSED, AcuteInjury(None, SerumCreatinine.of("1.60"), "since 2026-11-20")])
def test_acute_injury_is_told_with_and_without_values(
    ordered: Any, current: float, expected: str, acute: AcuteInjury
) -> None:
    case = make_case(acute=acute, ordered=ordered, current=current)
    outcome = ask("renal-aki", case)
    assert isinstance(outcome, Finding)
    summary = written(case, outcome).summary
    assert expected in summary
    assert ("creatinine 1 to 1.6" in summary) is (acute is AKI)


def test_dialysis_is_not_acute_injury() -> None:
    case = make_case(tier=Tier.DIALYSIS, acute=AKI)
    assert level(ask("renal-aki", case)) == "silent"
    assert offers(ask("renal-dialysis", case)) == ["withdraw", AFTER_DIALYSIS]


def test_without_acute_injury_there_is_no_such_card() -> None:
    assert level(ask("renal-aki", make_case(tier=Tier.K5))) == "silent"


# ----------------------------------------------------------------------------------------- renal-function-unknown


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({}, "info"),
        ({"age": 64}, "info"),
        ({"age": 65}, "warning"),
        ({"problems": [Problem.CHRONIC_KIDNEY_DISEASE]}, "warning"),
        ({"problems": [problem(Problem.CHRONIC_KIDNEY_DISEASE, active=False)]}, "warning"),
        ({"problems": [problem(Problem.ACUTE_KIDNEY_INJURY, active=False)]}, "warning"),
        ({"problems": [problem(Problem.KIDNEY_TRANSPLANT, active=False)]}, "warning"),
        ({"problems": [Problem.DIABETES]}, "warning"),
        ({"problems": [problem(Problem.DIABETES, active=False)]}, "info"),
        ({"problems": [Problem.HEART_FAILURE]}, "warning"),
        ({"problems": [Problem.NEUROGENIC_BLADDER]}, "warning"),
        ({"problems": [Problem.SPASTICITY]}, "info"),
        ({"medications": [DrugClass.NSAID]}, "warning"),
        ({"medications": [DrugClass.NEPHROTOXIC]}, "warning"),
        ({"drafted": [DrugClass.NSAID]}, "warning"),
        ({"medications": [DrugClass.OPIOID]}, "info"),
        ({"ordered": 40}, "info"),
        ({"ordered": 42.5}, "warning"),
        ({"ordered": 20, "current": 15, "age": 65}, "warning"),
        ({"ordered": NOT_READABLE, "age": 65}, "warning"),
        ({"ordered": 20, "current": 20, "age": 80, "problems": [Problem.DIABETES]}, "info"),
        ({"ordered": 15, "current": 20, "age": 80}, "silent"),
    ],
)
def test_unknown_kidney_function(what: dict[str, Any], expected: str) -> None:
    assert level(ask("renal-function-unknown", make_case(tier=Tier.UNKNOWN, **what))) == expected


@pytest.mark.parametrize(
    ("age", "ordered", "current", "expected"),
    [
        (34, "5 mg TID", 0, ["creatinine and eGFR"]),  # V19
        (71, "5 mg TID", 0, ["creatinine and eGFR", "5 mg BID (10 mg/day)"]),  # V20
        (71, "5 mg BID", 0, ["creatinine and eGFR"]),
        (34, 17.5, 0, ["creatinine and eGFR"]),
        (34, "5 mg QID", 0, ["urgent creatinine and eGFR"]),
        (34, "5 mg TID x3 d, then 5 mg QID", 0, ["urgent creatinine and eGFR"]),
        (71, 20, 15, ["urgent creatinine and eGFR"]),
        (71, NO_DOSE_YET, 0, ["creatinine and eGFR", "5 mg BID (10 mg/day)"]),
        (34, NO_DOSE_YET, 0, ["creatinine and eGFR"]),
        (71, "5 mg TID", None, ["creatinine and eGFR"]),
    ],
)
def test_unknown_kidney_function_suggestions(
    age: int, ordered: Any, current: float | None, expected: list[str]
) -> None:
    case = make_case(tier=Tier.UNKNOWN, age=age, ordered=ordered, current=current)
    assert offers(ask("renal-function-unknown", case)) == expected


@pytest.mark.parametrize(
    ("ordered", "current", "expected"),
    [
        (15, 0, "before or soon after starting baclofen"),
        (30, 15, "before or soon after raising baclofen"),
        (15, 15, "with this baclofen renewal"),
        (15, None, "with this baclofen order"),
        (NOT_READABLE, 15, "with this baclofen order"),
    ],
)
def test_unknown_kidney_function_does_not_call_every_order_a_start(
    ordered: Any, current: float | None, expected: str
) -> None:
    case = make_case(tier=Tier.UNKNOWN, ordered=ordered, current=current)
    outcome = ask("renal-function-unknown", case)
    assert isinstance(outcome, Finding)
    assert written(case, outcome).summary.endswith(expected)


@pytest.mark.parametrize(("current", "told"), [(0, True), (None, False), (15, False)])
def test_a_start_dose_is_told_only_for_a_start(current: float | None, told: bool) -> None:
    outcome = ask("renal-function-unknown", make_case(tier=Tier.UNKNOWN, ordered=30, current=current))
    assert isinstance(outcome, Finding)
    assert ("act_start" in outcome.detail) is told


def test_unknown_kidney_function_names_the_risks() -> None:
    ibuprofen = medication(DrugClass.NSAID, label=ChartText("ibuprofen 400 mg"))
    case = make_case(tier=Tier.UNKNOWN, age=71, problems=[Problem.DIABETES], medications=[ibuprofen])
    outcome = ask("renal-function-unknown", case)
    assert isinstance(outcome, Finding)
    assert outcome.values["risks"] == ("age 71 years", "diabetes", "ibuprofen 400 mg")


NO_PROBLEMS, NO_MEDICINES, NO_AGE = (not_available(what) for what in (Input.PROBLEMS, Input.MEDICATIONS, Input.AGE))


@pytest.mark.parametrize(
    ("what", "unchecked"),
    [
        ({"problems": NO_PROBLEMS}, {Input.PROBLEMS}),
        ({"medications": NO_MEDICINES}, {Input.MEDICATIONS}),
        ({"age": NO_AGE}, {Input.AGE}),
        ({"problems": ProblemList(incomplete="further pages")}, {Input.PROBLEMS}),
        ({"medications": MedicationList(incomplete="further pages")}, {Input.MEDICATIONS}),
        ({"problems": NO_PROBLEMS, "ordered": 60}, set()),
        ({"problems": NO_PROBLEMS, "ordered": 60, "current": 60}, set()),
    ],
)
def test_an_info_that_could_have_been_a_warning_says_what_was_not_read(
    what: dict[str, Any], unchecked: set[Input]
) -> None:
    outcome = ask("renal-function-unknown", make_case(tier=Tier.UNKNOWN, **what))
    assert isinstance(outcome, Finding)
    assert {missing.what for missing in outcome.unchecked} == unchecked


# ------------------------------------------------------------------------------------------- renal-egfr-unreliable


def cystatin(days: int) -> KidneyResults:
    return KidneyResults(cystatins=(CystatinResult(CystatinC.of("1.1"), NOW - timedelta(days=days), NOWHERE),))


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({}, "info"),
        ({"ordered": 20, "current": 15}, "info"),
        ({"ordered": 20, "current": 20}, "silent"),
        ({"ordered": NOT_READABLE}, "silent"),
        ({"tier": Tier.K1}, "silent"),
        ({"tier": Tier.K3A}, "silent"),
        ({"problems": []}, "silent"),
        ({"problems": [problem(Problem.LOW_MUSCLE_MASS, active=False)]}, "silent"),
        ({"problems": NO_PROBLEMS}, "cannot assess"),
        ({"problems": ProblemList(incomplete="further pages")}, "cannot assess"),
        ({"results": cystatin(365)}, "silent"),
        ({"results": cystatin(366)}, "info"),
        ({"kidney": kidney_function(Tier.K2, creatinine_only=False)}, "silent"),
    ],
)
def test_unreliable_egfr(what: dict[str, Any], expected: str) -> None:
    given: dict[str, Any] = {"tier": Tier.K2, "problems": [Problem.LOW_MUSCLE_MASS], "ordered": "5 mg BID"}
    outcome = ask("renal-egfr-unreliable", make_case(**(given | what)))
    assert level(outcome) == expected
    if isinstance(outcome, Finding):
        assert offers(outcome) == ["cystatin C"]
        assert "S-MUSC" in outcome.detail


def test_a_long_condition_name_does_not_make_the_summary_too_long() -> None:
    long = ChartText("Traumatic injury of the cervical spinal cord at C5 level, ASIA A, with neurogenic bowel")
    entry = problem(Problem.LOW_MUSCLE_MASS)
    case = make_case(tier=Tier.K2, problems=[type(entry)(entry.kinds, long, True, None, frozenset(), NOWHERE)])
    outcome = ask("renal-egfr-unreliable", case)
    assert isinstance(outcome, Finding)
    assert "low muscle mass" in written(case, outcome).summary


# -------------------------------------------------------------------------------------------------- renal-recheck


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"days": 91}, "info"),
        ({"days": 90}, "silent"),
        ({"days": 91, "ordered": 15, "current": 7.5}, "info"),
        ({"days": 91, "ordered": 7.5, "current": 7.5}, "silent"),
        ({"days": 91, "ordered": 15}, "silent"),
        ({"days": 91, "age": 65}, "silent"),
        ({"days": 91, "tier": Tier.K2}, "silent"),
        ({"days": 91, "tier": Tier.K4}, "silent"),
        ({"days": 91, "acute": AKI}, "silent"),
    ],
)
def test_recheck_only_where_no_other_kidney_card_carries_it(what: dict[str, Any], expected: str) -> None:
    given: dict[str, Any] = {"tier": Tier.K3A, "ordered": "2.5 mg TID"}
    outcome = ask("renal-recheck", make_case(**(given | what)))
    assert level(outcome) == expected
    if isinstance(outcome, Finding):
        assert offers(outcome) == ["creatinine and eGFR"]


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("renal-dose-exceeds-limit", {"tier": Tier.K2, "ordered": 60}),
        ("renal-dose-exceeds-limit", {"tier": Tier.K3A, "ordered": "5 mg TID"}),
        ("renal-dose-exceeds-limit", {"tier": Tier.K3A, "ordered": 15, "current": 15, "age": 70}),
        ("renal-avoid-severe", {"tier": Tier.K4, "ordered": "5 mg TID"}),
        ("renal-avoid-severe", {"tier": Tier.K5, "ordered": 5, "current": 20}),
    ],
)
def test_every_kidney_card_with_a_value_over_90_days_old_asks_for_a_new_one(rule: str, what: dict[str, Any]) -> None:
    new, old = (ask(rule, make_case(days=days, **what)) for days in (90, 91))
    assert isinstance(new, Finding)
    assert isinstance(old, Finding)
    assert CREATININE not in new.proposals
    assert CREATININE in old.proposals
    assert "S-RECHECK" in old.detail


def test_a_stale_value_is_said_to_be_stale() -> None:
    stale = kidney_function(Tier.K3B, 41, days=400, stale=True)
    outcome = ask("renal-dose-exceeds-limit", make_case(kidney=stale, age=68))
    assert offers(outcome) == ["2.5 mg TID (7.5 mg/day)", "withdraw", "creatinine and eGFR"]  # V21
    assert isinstance(outcome, Finding)
    assert "S-STALE" in outcome.detail
    assert "S-RECHECK" not in outcome.detail


def test_a_creatinine_ordered_in_acute_injury_is_urgent_everywhere() -> None:
    outcome = ask("renal-dose-exceeds-limit", make_case(tier=Tier.K3A, days=91, acute=AKI))
    assert isinstance(outcome, Finding)
    assert URGENT in outcome.proposals
    assert CREATININE not in outcome.proposals


# ----------------------------------------------------------------------------------- what every kidney rule obeys


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
def test_no_kidney_data_is_said_not_silent(rule: str) -> None:
    missing = not_available(Input.KIDNEY_RESULTS)
    assert ask(rule, make_case(kidney=missing)) == CannotAssess(rule, (missing,))


@pytest.mark.parametrize("rule", [rule.id for rule in RULES])
@pytest.mark.parametrize("what", [{"ordered": None, "current": 60}, {"age": 17}])
def test_stops_and_children_are_not_judged(rule: str, what: dict[str, Any]) -> None:
    assert level(ask(rule, make_case(tier=Tier.K5, acute=AKI, **what))) == "silent"


def test_eighteen_is_an_adult() -> None:
    assert level(ask("renal-avoid-severe", make_case(tier=Tier.K4, age=18))) == "critical"


@pytest.mark.parametrize("rule", ["renal-dialysis", "renal-aki", "renal-dose-exceeds-limit", "renal-avoid-severe"])
def test_an_unread_problem_list_does_not_prove_that_there_is_no_dialysis(rule: str) -> None:
    gap = not_available(Input.PROBLEMS)
    outcome = ask(rule, make_case(kidney=kidney_function(Tier.K1, unchecked=(gap,))))
    assert outcome == CannotAssess(rule, (gap,))


def test_a_finding_names_what_the_kidney_resolver_could_not_read() -> None:
    gap = not_available(Input.PROCEDURES)
    outcome = ask("renal-avoid-severe", make_case(kidney=kidney_function(Tier.K4, unchecked=(gap,))))
    assert isinstance(outcome, Finding)
    assert outcome.unchecked == (gap,)


@pytest.mark.parametrize("tier", [Tier.K2, Tier.K3A, Tier.K3B, Tier.K4, Tier.K5, Tier.DIALYSIS, Tier.UNKNOWN])
@pytest.mark.parametrize("acute", [None, AKI])
@pytest.mark.parametrize("ordered", ["20 mg TID", NOT_READABLE, NO_DOSE_YET])
def test_an_unread_current_dose_is_never_lowered(tier: Tier, acute: AcuteInjury | None, ordered: Any) -> None:
    """resolutions.md 2: a renewal of 60 mg/day whose chart cannot be read must not become 2.5 mg TID, or nothing."""
    case = make_case(tier=tier, ordered=ordered, current=None, acute=acute, age=72)
    findings = [outcome for rule in RULES if isinstance(outcome := ask(rule.id, case), Finding)]
    assert findings or tier is Tier.K2, "K2 has nothing to say about a dose that it does not know"
    for finding in findings:
        assert not any(isinstance(p, ChangeDose | Taper | WithdrawOrder) for p in finding.proposals)
        assert "S-CURRENT-UNKNOWN" in finding.detail
        assert "suggest" not in written(case, finding).summary


@pytest.mark.parametrize(("ordered", "expected"), [(15, "warning"), (45, "critical")])
def test_an_unread_current_dose_is_judged_as_a_start(ordered: float, expected: str) -> None:
    case = make_case(tier=Tier.K3A, ordered=ordered, current=None)
    assert level(ask("renal-dose-exceeds-limit", case)) == expected


def test_low_muscle_mass_is_said_only_of_creatinine_values() -> None:
    injured: dict[str, Any] = {"tier": Tier.K4, "problems": [Problem.LOW_MUSCLE_MASS]}
    by_creatinine = ask("renal-avoid-severe", make_case(**injured))
    by_cystatin = kidney_function(Tier.K4, creatinine_only=False)
    assert isinstance(by_creatinine, Finding)
    assert "S-MUSC" in by_creatinine.detail  # V14
    other = ask("renal-avoid-severe", make_case(kidney=by_cystatin, problems=[Problem.LOW_MUSCLE_MASS]))
    assert isinstance(other, Finding)
    assert "S-MUSC" not in other.detail


def test_half_tablets_are_explained_where_they_are_suggested() -> None:
    lower, taper = (
        ask("renal-dose-exceeds-limit", make_case(tier=Tier.K3A, ordered=ordered, current=current))
        for ordered, current in ((15, 0), (60, 60))
    )
    assert isinstance(lower, Finding)
    assert isinstance(taper, Finding)
    assert "S-TABLET" in lower.detail
    assert "S-TABLET" not in taper.detail


def test_numbers_that_stand_in_two_places_agree() -> None:
    """The verdict limits of this question and the starts and ceilings that it suggests."""
    assert limits().low_start_above == dosing().start_k3
    assert limits().half_maximum_above == dosing().ceiling_k3
    assert limits().maximum_above == dosing().labelled_maximum
    assert limits().acute_unchanged_at_most == dosing().ceiling_k4
    assert dosing().ceiling_k3_strict < limits().harm_at_least


# ------------------------------------------------------------------------------------------------------- vignettes


def test_the_card_of_v03_in_words() -> None:
    case = make_case(tier=Tier.K3A, egfr=50, days=60, age=58)
    outcome = ask("renal-dose-exceeds-limit", case)
    assert isinstance(outcome, Finding)
    assert written(case, outcome).summary == (
        "Baclofen 15 mg/day with eGFR 50: suggest 7.5 mg/day; step 7.5 mg/day per 7+ days, limit 40 mg/day"
    )


def test_the_card_of_v08_in_words() -> None:
    case = make_case(tier=Tier.K3A, egfr=48, days=45, age=72)
    outcome = ask("renal-dose-exceeds-limit", case)
    assert isinstance(outcome, Finding)
    assert outcome.indicator is Indicator.WARNING
    assert written(case, outcome).summary == (
        "Baclofen 15 mg/day, age 72, eGFR 48: Beers avoid; if needed start 7.5 mg/day"
    )


def test_the_card_of_v16_in_words() -> None:
    case = make_case(tier=Tier.DIALYSIS)
    outcome = ask("renal-dialysis", case)
    assert isinstance(outcome, Finding)
    assert written(case, outcome).summary == (
        "Avoid baclofen in dialysis: ordered 15 mg/day; about 1 in 14 older dialysis patients had encephalopathy"
    )


def test_the_card_of_v62_in_words() -> None:
    case = make_case(tier=Tier.K3A, egfr=53, days=150, age=57, ordered="2.5 mg TID")
    outcome = ask("renal-recheck", case)
    assert isinstance(outcome, Finding)
    assert written(case, outcome).summary == (
        "Last eGFR 53 is 150 days old: recheck creatinine with this baclofen order"
    )


def test_the_value_shown_may_be_too_old_to_use() -> None:
    last = (Egfr.of(82), date(2025, 7, 11))
    case = make_case(kidney=kidney_function(Tier.UNKNOWN, last_known=last), age=71)  # V20
    outcome = ask("renal-function-unknown", case)
    assert isinstance(outcome, Finding)
    assert "82" in written(case, outcome).detail


def test_dates_count_in_calendar_days() -> None:
    late = datetime(2025, 11, 23, 0, 5, tzinfo=NOW.tzinfo)
    results = KidneyResults(cystatins=(CystatinResult(CystatinC.of("1.1"), late, NOWHERE),))
    case = make_case(tier=Tier.K2, problems=[Problem.LOW_MUSCLE_MASS], results=results)
    assert level(ask("renal-egfr-unreliable", case)) == "silent"
    assert Days.of(365) == limits().cystatin_max_age
