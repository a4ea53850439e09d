"""The kidney resolver: every rule R1-R11 of rules.md section 4 at its edge and one step inside."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.content import HERE, Library
from cards.facts import (
    BodyMeasurements,
    Bound,
    ChartText,
    CreatinineResult,
    CystatinResult,
    EgfrMethod,
    EgfrResult,
    Hook,
    Input,
    Jurisdiction,
    KidneyResults,
    Missing,
    Observations,
    Origin,
    PatientFacts,
    Problem,
    ProblemEntry,
    ProblemList,
    Setting,
    Sex,
    Why,
)
from cards.kidney import KidneyFunction, KidneyLimits, Tier, resolve
from cards.quantities import Age, CystatinC, Days, Egfr, Height, SerumCreatinine

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOW.date()
LIMITS = Library().load_parameters(HERE / "kidney.toml", KidneyLimits)
SOMEWHERE = Origin("Observation/1")
NOT_SENT = "the EHR did not send it"


def not_available(what: Input) -> Missing:
    return Missing(what, Why.NOT_AVAILABLE, NOT_SENT)


def ago(days: float = 0, hours: float = 0) -> datetime:
    return NOW - timedelta(days=days, hours=hours)


def egfr(
    value: str | float, days: float = 10, method: EgfrMethod = EgfrMethod.CKD_EPI_2021_CR, **more: Any
) -> EgfrResult:
    given: dict[str, Any] = {"bound": Bound.EXACT, "taken": ago(days), "indexed": True, "origin": SOMEWHERE} | more
    return EgfrResult(value=Egfr.of(str(value)), method=method, **given)


def creatinine(
    value: str | Decimal, days: float = 10, hours: float = 0, bound: Bound = Bound.EXACT
) -> CreatinineResult:
    return CreatinineResult(SerumCreatinine.of(value), ago(days, hours), SOMEWHERE, bound)


def micromoles(value: str, days: float = 10) -> CreatinineResult:
    return creatinine(Decimal(value) / Decimal("88.4"), days)


def cystatin(value: str, days: float = 10, hours: float = 0) -> CystatinResult:
    return CystatinResult(CystatinC.of(value), ago(days, hours), SOMEWHERE)


def results(*given: EgfrResult | CreatinineResult | CystatinResult, **more: Any) -> KidneyResults:
    return KidneyResults(
        tuple(one for one in given if isinstance(one, EgfrResult)),
        tuple(one for one in given if isinstance(one, CreatinineResult)),
        tuple(one for one in given if isinstance(one, CystatinResult)),
        **more,
    )


def entry(kind: Problem, days: int | None = 30, *, active: bool = True, flags: tuple[str, ...] = ()) -> ProblemEntry:
    recorded = None if days is None else TODAY - timedelta(days=days)
    return ProblemEntry(frozenset({kind}), ChartText(kind), active, recorded, frozenset(flags), Origin("Condition/1"))


def facts(kidney: KidneyResults | Missing, **more: Any) -> PatientFacts:
    """A man of 60 with empty lists, unless said otherwise. ``problems`` and ``procedures`` may be entries."""
    given: dict[str, Any] = {
        "now": NOW, "hook": Hook.ORDER_SIGN, "orders": (), "drafted": (), "drafted_unrecognised": (),
        "orders_for_other_patients": 0, "age": Age.of(60), "sex": Sex.MALE, "deceased": False,
        "setting": Setting.UNKNOWN, "kidney": kidney, "problems": (), "procedures": (),
        "medications": not_available(Input.MEDICATIONS), "allergies": (), "observations": Observations(),
        "jurisdiction": Jurisdiction.US,
    } | more  # fmt: skip
    for name in ("problems", "procedures"):
        if isinstance(given[name], tuple):
            given[name] = ProblemList(given[name])
    if not isinstance(given["age"], Missing):
        given["age"] = Age.of(given["age"].value if isinstance(given["age"], Age) else given["age"])
    return PatientFacts(**given)


def found(*given: EgfrResult | CreatinineResult | CystatinResult, **more: Any) -> KidneyFunction:
    function = resolve(facts(results(*given), **more), LIMITS)
    assert isinstance(function, KidneyFunction)
    return function


def said(function: KidneyFunction) -> str:
    return " | ".join(function.notes)


# --------------------------------------------------------------------------------------------------------- tiers


@pytest.mark.parametrize(
    ("value", "tier"),
    [
        (90, Tier.K1), (89, Tier.K2), (60, Tier.K2), (59, Tier.K3A), (45, Tier.K3A), (44, Tier.K3B), (30, Tier.K3B),
        (29, Tier.K4), (15, Tier.K4), (14, Tier.K5), (1, Tier.K5), ("89.5", Tier.K1), ("89.49", Tier.K2),
        ("59.5", Tier.K2), ("59.49", Tier.K3A), ("29.5", Tier.K3B), ("14.5", Tier.K4), ("14.49", Tier.K5),
    ],
)  # fmt: skip
def test_tiers_have_an_inclusive_lower_bound_on_the_whole_number(value: str | int, tier: Tier) -> None:
    assert found(egfr(value)).tier is tier


def test_nothing_on_record_is_unknown() -> None:
    function = found()
    assert (function.tier, function.egfr, function.last_known) == (Tier.UNKNOWN, None, None)


def test_not_recorded_is_unknown_too() -> None:
    function = resolve(facts(Missing(Input.KIDNEY_RESULTS, Why.NOT_RECORDED, "none")), LIMITS)
    assert isinstance(function, KidneyFunction)
    assert function.tier is Tier.UNKNOWN


# ------------------------------------------------------------------------------------------------- R1: the method


ORDER = (
    EgfrMethod.CKD_EPI_2021_CR_CYS,
    EgfrMethod.CKD_EPI_2012_CR_CYS,
    EgfrMethod.CYSTATIN_C,
    EgfrMethod.CKD_EPI_2021_CR,
    EgfrMethod.CKD_EPI_2009,
    EgfrMethod.MDRD,
    EgfrMethod.UNSTATED,
)


@pytest.mark.parametrize(("better", "worse"), list(pairwise(ORDER)))
def test_r1_better_method_of_one_collection_wins_though_older_and_higher(better: EgfrMethod, worse: EgfrMethod) -> None:
    function = found(egfr(70, 1.9, better), egfr(40, 1, worse))
    assert function.egfr == Egfr.of(70)
    assert f"{worse.value}, as reported: 40" in said(function)


def test_r1_a_reported_value_beats_our_computation_and_a_different_tier_is_named() -> None:
    # CKD-EPI 2021 for 1.5 mg/dL at 60 (male) is 53.
    function = found(egfr(70, 10, EgfrMethod.MDRD), creatinine("1.5"))
    assert function.egfr == Egfr.of(70)
    assert "computed from creatinine 1.5 mg/dL: 53" in said(function)


def test_r1_our_computation_in_the_same_tier_is_not_worth_a_word() -> None:
    assert found(egfr(55, 10, EgfrMethod.MDRD), creatinine("1.5")).notes == ()


@pytest.mark.parametrize(
    ("used", "other", "contradicts"),
    [
        ("80", "60", False), ("80", "59.9", False), ("80", "59.4", True), ("60", "45", False), ("60", "44.9", True),
        ("120", "89.4", True), ("42", "30", False), ("45", "60", False),
    ],
)  # fmt: skip
def test_r1_a_result_below_three_quarters_in_a_worse_tier_is_a_contradiction(
    used: str, other: str, contradicts: bool
) -> None:
    function = found(egfr(used, 10), egfr(other, 10, EgfrMethod.MDRD))
    assert function.egfr == egfr(used).value
    gaps = [(gap.why, gap.reason) for gap in function.unchecked]
    words = f"results of 2026-11-13 contradict each other: CKD-EPI 2021 creatinine, as reported: {used}; MDRD"
    assert (gaps and gaps[0][0] is Why.UNREADABLE and gaps[0][1].startswith(words)) if contradicts else gaps == []


@pytest.mark.parametrize(("hours", "value"), [(24, 70), (24.1, 40)])
def test_r1_a_collection_is_24_hours_both_ends_included(hours: float, value: int) -> None:
    function = found(egfr(70, taken=ago(10, hours)), egfr(40, taken=ago(10), method=EgfrMethod.MDRD))
    assert function.egfr == Egfr.of(value)


def test_r1_ties_take_the_lower_value_and_name_both() -> None:
    function = found(egfr(62, 10), egfr(58, 10.5))
    assert function.egfr == Egfr.of(58)
    assert "62" in said(function)


# ------------------------------------------------------------------------------------------------- R2: computing


@pytest.mark.parametrize(
    ("value", "age", "sex", "whole", "tier"),
    [
        ("0.9", 55, Sex.FEMALE, 75, Tier.K2), ("1.0", 50, Sex.MALE, 92, Tier.K1), ("1.34", 63, Sex.MALE, 60, Tier.K2),
        ("1.2", 72, Sex.FEMALE, 48, Tier.K3A), ("2.5", 60, Sex.MALE, 29, Tier.K4), ("4.5", 66, Sex.FEMALE, 10, Tier.K5),
        ("1.0", 18, Sex.MALE, 112, Tier.K1),
    ],
)  # fmt: skip
def test_r2_computes_from_creatinine(value: str, age: int, sex: Sex, whole: int, tier: Tier) -> None:
    function = found(creatinine(value), age=age, sex=sex)
    assert (function.egfr, function.tier) == (Egfr.of(whole), tier)
    assert function.method.startswith("CKD-EPI 2021, computed from creatinine")
    assert function.creatinine_only


def test_r2_converted_creatinine_is_computed_unrounded() -> None:
    assert found(micromoles("141"), age=69, sex=Sex.FEMALE).egfr == Egfr.of(35)


def test_r2_with_cystatin_c_of_the_same_collection_both_are_used() -> None:
    function = found(creatinine("1.5"), cystatin("1.5"), age=70)
    assert (function.egfr, function.creatinine_only) == (Egfr.of(48), False)
    assert "creatinine 1.5 mg/dL and cystatin C 1.5 mg/L" in function.method


@pytest.mark.parametrize(("hours", "both"), [(24, True), (25, False)])
def test_r2_cystatin_c_counts_only_within_24_hours_of_a_creatinine(hours: float, both: bool) -> None:
    assert found(creatinine("1.5"), cystatin("1.5", hours=hours), age=70).creatinine_only is not both


@pytest.mark.parametrize(("days", "both"), [(90, True), (91, False)])
def test_r2_cystatin_c_counts_for_90_days(days: int, both: bool) -> None:
    assert found(creatinine("1.5", days), cystatin("1.5", days)).creatinine_only is not both


# ------------------------------------------------------------------------------------------------ R3: newest wins


def test_r3_newest_wins() -> None:
    assert found(egfr(80, 40), egfr(50, 20)).egfr == Egfr.of(50)
    assert found(egfr(50, 40), egfr(80, 20)).egfr == Egfr.of(80)


@pytest.mark.parametrize(("newer", "holds"), [("1.19", True), ("1.2", False), ("0.81", True), ("0.8", False)])
def test_r3_cystatin_holds_while_creatinine_changed_less_than_a_fifth(newer: str, holds: bool) -> None:
    function = found(creatinine("1.0", 40), cystatin("1.8", 40), creatinine(newer, 5))
    assert function.creatinine_only is not holds
    assert ("newer eGFR without cystatin C" in said(function)) is holds


def test_r3_a_fifth_is_a_fifth_in_micromoles_too() -> None:
    assert found(micromoles("100", 40), cystatin("1.8", 40), micromoles("120", 5)).creatinine_only


@pytest.mark.parametrize(("days", "holds"), [(90, True), (91, False)])
def test_r3_cystatin_holds_for_90_days(days: int, holds: bool) -> None:
    reported = egfr(50, days, EgfrMethod.CKD_EPI_2021_CR_CYS)
    function = found(reported, creatinine("1.0", days), creatinine("1.0", 5))
    assert function.egfr == Egfr.of(50) if holds else function.creatinine_only


@pytest.mark.parametrize("compared", [(), (creatinine("1.0", 40),), (creatinine("1.0", 5),)])
def test_r3_without_a_creatinine_of_both_times_the_newest_wins(compared: tuple[CreatinineResult, ...]) -> None:
    assert found(egfr(50, 40, EgfrMethod.CKD_EPI_2021_CR_CYS), egfr(70, 5), *compared).egfr == Egfr.of(70)


@pytest.mark.parametrize(("hours", "holds"), [(24, True), (25, False)])
def test_r3_creatinine_of_the_same_collection_is_compared(hours: float, holds: bool) -> None:
    reported = egfr(50, 40, EgfrMethod.CKD_EPI_2021_CR_CYS)
    function = found(reported, creatinine("1.0", 40, hours), creatinine("1.0", 5))
    assert function.creatinine_only is not holds


def test_r3_of_several_creatinines_the_highest_is_compared() -> None:
    reported = egfr(50, 40, EgfrMethod.CKD_EPI_2021_CR_CYS)
    newer = (creatinine("1.0", 5, 2), creatinine("1.5", 5))
    assert found(reported, creatinine("1.0", 40), *newer).creatinine_only


# ------------------------------------------------------------------------------------------------- R4: race-based


def test_r4_race_based_values_are_recomputed_from_creatinine() -> None:
    function = found(
        egfr(60, method=EgfrMethod.RACE_NON_BLACK), egfr(72, method=EgfrMethod.RACE_BLACK), creatinine("1.5")
    )
    assert function.egfr == Egfr.of(53)
    assert "computed" in function.method


def test_r4_without_creatinine_the_non_black_value_is_used_and_said() -> None:
    function = found(egfr(55, method=EgfrMethod.RACE_NON_BLACK), egfr(66, method=EgfrMethod.RACE_BLACK))
    assert function.egfr == Egfr.of(55)
    assert "the non-Black value is used" in said(function)


def test_r4_black_variant_alone_is_the_last_resort_and_said() -> None:
    function = found(egfr(66, method=EgfrMethod.RACE_BLACK))
    assert function.egfr == Egfr.of(66)
    assert "true function may be lower" in said(function)


def test_r4_black_variant_does_not_hide_an_older_usable_value() -> None:
    function = found(egfr(66, 5, EgfrMethod.RACE_BLACK), egfr(50, 300, EgfrMethod.MDRD))
    assert (function.egfr, function.stale) == (Egfr.of(50), False)


def test_r4_black_variant_is_better_than_unknown() -> None:
    assert found(egfr(66, 5, EgfrMethod.RACE_BLACK), egfr(80, 500)).egfr == Egfr.of(66)


# ------------------------------------------------------------------------------------------------ R5: comparators


@pytest.mark.parametrize(
    ("bound", "value", "tier"),
    [
        (Bound.ABOVE, 60, Tier.K2), (Bound.ABOVE, 90, Tier.K1), (Bound.BELOW, 15, Tier.K5), (Bound.BELOW, 30, Tier.K4),
        (Bound.BELOW, 60, Tier.K3A),
    ],
)  # fmt: skip
def test_r5_a_bound_gives_the_tier_beyond_it(bound: Bound, value: int, tier: Tier) -> None:
    function = found(egfr(value, bound=bound))
    assert (function.tier, function.egfr, function.bound) == (tier, Egfr.of(value), bound)
    assert f"reported only as {'above' if bound is Bound.ABOVE else 'below'} {value}" in said(function)


@pytest.mark.parametrize("hours", [0, 23])
def test_r5_with_a_creatinine_of_the_same_day_it_is_computed(hours: float) -> None:
    function = found(egfr(60, bound=Bound.ABOVE), creatinine("1.0", hours=hours))
    assert (function.bound, "computed" in function.method) == (Bound.EXACT, True)


def test_r5_an_earlier_creatinine_does_not_replace_the_bound() -> None:
    assert found(egfr(60, 10, bound=Bound.ABOVE), creatinine("1.5", 12)).tier is Tier.K2


def test_r5_our_computation_does_not_lift_the_laboratorys_upper_bound() -> None:
    # 1.5 mg/dL computes to 53, the laboratory says below 15.
    assert found(egfr(15, bound=Bound.BELOW), creatinine("1.5")).tier is Tier.K5


# --------------------------------------------------------------------------------------------------- R6: dialysis


def test_r6_dialysis_overrides_every_egfr() -> None:
    function = found(egfr(95), problems=(entry(Problem.DIALYSIS, 2000),))
    assert (function.tier, function.egfr, function.dialysis) == (Tier.DIALYSIS, None, "dialysis")


def test_r6_resolved_dialysis_is_history() -> None:
    assert found(egfr(95), problems=(entry(Problem.DIALYSIS, active=False),)).tier is Tier.K1


@pytest.mark.parametrize(("days", "tier"), [(0, Tier.DIALYSIS), (90, Tier.DIALYSIS), (91, Tier.K1)])
def test_r6_a_procedure_counts_for_90_days(days: int, tier: Tier) -> None:
    assert found(egfr(95), procedures=(entry(Problem.DIALYSIS, days, active=False),)).tier is tier


def test_r6_a_procedure_in_progress_counts() -> None:
    assert found(egfr(95), procedures=(entry(Problem.DIALYSIS, None, active=True),)).tier is Tier.DIALYSIS


def test_r6_a_procedure_without_a_date_is_named() -> None:
    function = found(egfr(95), procedures=(entry(Problem.DIALYSIS, None, active=False),))
    assert function.tier is Tier.K1
    assert "without a date" in said(function)


@pytest.mark.parametrize(
    ("transplant", "tier"), [(0, Tier.K2), (99, Tier.K2), (100, Tier.DIALYSIS), (101, Tier.DIALYSIS)]
)
@pytest.mark.parametrize("where", ["problems", "procedures"])
def test_r6_a_later_transplant_ends_dialysis(transplant: int, tier: Tier, where: str) -> None:
    given: dict[str, tuple[ProblemEntry, ...]] = {"problems": (entry(Problem.DIALYSIS, 100),), "procedures": ()}
    given[where] = (*given[where], entry(Problem.KIDNEY_TRANSPLANT, transplant))
    assert found(egfr(61), **given).tier is tier


@pytest.mark.parametrize(("procedure", "tier"), [(90, Tier.DIALYSIS), (91, Tier.K2)])
def test_r6_a_recent_dialysis_procedure_is_dialysis_also_after_a_transplant(procedure: int, tier: Tier) -> None:
    function = found(
        egfr(61),
        problems=(entry(Problem.DIALYSIS, 1800), entry(Problem.KIDNEY_TRANSPLANT, 50)),
        procedures=(entry(Problem.DIALYSIS, procedure, active=False),),
    )
    assert function.tier is tier


def test_r6_v18_dialysis_code_superseded_by_transplant() -> None:
    problems = (
        replace(entry(Problem.DIALYSIS), recorded=date(2021, 5, 1)),
        replace(entry(Problem.KIDNEY_TRANSPLANT), recorded=date(2023, 5, 1)),
    )
    function = found(creatinine("1.40", 30), age=50, problems=problems)
    assert (function.tier, function.egfr) == (Tier.K2, Egfr.of(61))
    assert "transplant of 2023-05-01" in said(function)


@pytest.mark.parametrize(
    "problems",
    [
        (entry(Problem.DIALYSIS, None), entry(Problem.KIDNEY_TRANSPLANT, 10)),
        (entry(Problem.DIALYSIS, 100), entry(Problem.KIDNEY_TRANSPLANT, None)),
        (entry(Problem.DIALYSIS, 100), entry(Problem.KIDNEY_TRANSPLANT, 10, active=False)),
        (entry(Problem.DIALYSIS, 100), entry(Problem.KIDNEY_TRANSPLANT, -1)),
        (entry(Problem.DIALYSIS, 100), entry(Problem.KIDNEY_TRANSPLANT, 10, flags=("graft-failure",))),
        (entry(Problem.DIALYSIS, 100), replace(entry(Problem.KIDNEY_TRANSPLANT, 10), origin=Origin("x", by_text=True))),
    ],
    ids=["undated dialysis", "undated transplant", "resolved", "in the future", "failed graft", "by text only"],
)
def test_r6_what_does_not_end_dialysis(problems: tuple[ProblemEntry, ...]) -> None:
    assert found(egfr(61), problems=problems).tier is Tier.DIALYSIS


def test_r6_known_dialysis_needs_no_laboratory() -> None:
    given = facts(not_available(Input.KIDNEY_RESULTS), problems=(entry(Problem.DIALYSIS),))
    function = resolve(given, LIMITS)
    assert isinstance(function, KidneyFunction)
    assert function.tier is Tier.DIALYSIS


def test_r6_a_child_on_dialysis_is_on_dialysis() -> None:
    assert found(age=12, problems=(entry(Problem.DIALYSIS),)).tier is Tier.DIALYSIS


# -------------------------------------------------------------------------------------------------- R7: sex


def test_r7_unknown_sex_takes_the_lower_of_both_and_says_so() -> None:
    # 1.0 mg/dL at 50: 92 for a man, 69 for a woman.
    function = found(creatinine("1.0"), age=50, sex=Sex.UNKNOWN)
    assert function.egfr == Egfr.of(69)
    assert "sex not known" in said(function)


def test_r7_a_reported_value_needs_no_sex() -> None:
    assert found(egfr(70), sex=Sex.UNKNOWN).notes == ()


# ------------------------------------------------------------------------------------- R8: acute kidney injury


@pytest.mark.parametrize(
    ("before", "hours", "acute"),
    [("1.0", 48, True), ("1.01", 48, False), ("1.0", 48.1, False), ("1.0", 1, True)],
)
def test_r8_a_rise_of_0_3_within_48_hours(before: str, hours: float, acute: bool) -> None:
    # 1.3 / 1.0 is less than 1.5, so only the rise can tell.
    function = found(creatinine(before, 0, hours), creatinine("1.3", 0))
    assert (function.acute is not None) is acute
    if function.acute:
        assert (function.acute.before, function.acute.now) == (SerumCreatinine.of("1.00"), SerumCreatinine.of("1.30"))
        assert function.acute.because == "creatinine up by 0.3 mg/dL within 48 hours"


@pytest.mark.parametrize(("now", "acute"), [("106.5", True), ("106.4", False)])
def test_r8_the_rise_is_26_5_in_micromoles(now: str, acute: bool) -> None:
    assert (found(micromoles("80", 1), micromoles(now, 0)).acute is not None) is acute


def test_r8_a_fall_is_no_injury() -> None:
    assert found(creatinine("2.0", 1), creatinine("1.0", 0)).acute is None


@pytest.mark.parametrize(("now", "acute"), [("1.5", True), ("1.49", False)])
@pytest.mark.parametrize("days", [3, 7])
def test_r8_one_and_a_half_times_the_lowest_of_7_days(now: str, days: int, acute: bool) -> None:
    # A higher value 20 days ago keeps the median of the year from telling.
    function = found(creatinine("3.0", 20), creatinine("1.2", 5), creatinine("1.0", days), creatinine(now, 0))
    assert (function.acute is not None) is acute


def test_r8_a_value_of_8_days_ago_is_not_the_lowest_of_7() -> None:
    assert found(creatinine("3.0", 20), creatinine("1.0", 8), creatinine("1.5", 0)).acute is None


@pytest.mark.parametrize(("now", "acute"), [("1.8", True), ("1.79", False)])
@pytest.mark.parametrize(("near", "far"), [(8, 365), (8, 100)])
def test_r8_one_and_a_half_times_the_median_of_8_to_365_days(near: int, far: int, now: str, acute: bool) -> None:
    function = found(creatinine("1.1", near), creatinine("1.2", 50), creatinine("1.9", far), creatinine(now, 0))
    assert (function.acute is not None) is acute
    if function.acute:
        assert function.acute.because == "creatinine 1.5 times its median of the year before"
        assert function.acute.before == SerumCreatinine.of("1.20")


def test_r8_values_of_7_days_are_not_part_of_the_median() -> None:
    assert found(creatinine("1.0", 8), creatinine("1.3", 7), creatinine("1.5", 0)).acute is not None


def test_r8_values_older_than_365_days_are_no_baseline() -> None:
    assert found(creatinine("1.0", 366), creatinine("3.0", 0)).acute is None


@pytest.mark.parametrize(("days", "acute"), [(7, True), (8, False)])
def test_r8_the_newest_creatinine_is_of_the_last_7_days(days: int, acute: bool) -> None:
    assert (found(creatinine("1.0", 60), creatinine("2.0", days)).acute is not None) is acute


@pytest.mark.parametrize(("days", "acute"), [(0, True), (7, True), (8, False), (-1, False)])
def test_r8_a_diagnosis_recorded_within_7_days(days: int, acute: bool) -> None:
    function = found(egfr(80), problems=(entry(Problem.ACUTE_KIDNEY_INJURY, days),))
    assert (function.acute is not None) is acute
    if function.acute:
        assert (function.acute.before, function.acute.now) == (None, None)


def test_r8_the_newest_diagnosis_is_named() -> None:
    problems = (entry(Problem.ACUTE_KIDNEY_INJURY, 5), entry(Problem.ACUTE_KIDNEY_INJURY, 2))
    function = found(egfr(80), problems=problems)
    assert function.acute is not None
    assert function.acute.because == "acute kidney injury recorded on 2026-11-21"


def test_r8_a_resolved_diagnosis_does_not_count() -> None:
    assert found(egfr(80), problems=(entry(Problem.ACUTE_KIDNEY_INJURY, 1, active=False),)).acute is None


def test_r8_a_diagnosis_without_a_date_is_named() -> None:
    function = found(egfr(80), problems=(entry(Problem.ACUTE_KIDNEY_INJURY, None),))
    assert function.acute is None
    assert "without a date" in said(function)


def test_r8_not_asked_in_dialysis() -> None:
    given = (creatinine("1.0", 1), creatinine("6.0", 0))
    assert found(*given, problems=(entry(Problem.DIALYSIS),)).acute is None


def test_r8_v23() -> None:
    function = found(creatinine("1.00", 5), creatinine("1.60", 0), age=57)
    assert (function.tier, function.egfr) == (Tier.K3A, Egfr.of(50))
    assert function.acute is not None
    assert function.acute.because == "creatinine 1.6 times its lowest value of the last 7 days"


def test_r8_a_diagnosis_counts_though_no_results_could_be_read() -> None:
    given = facts(not_available(Input.KIDNEY_RESULTS), problems=(entry(Problem.ACUTE_KIDNEY_INJURY, 1),))
    function = resolve(given, LIMITS)
    assert isinstance(function, KidneyFunction)
    assert (function.tier, function.acute is not None) == (Tier.UNKNOWN, True)
    assert not_available(Input.KIDNEY_RESULTS) in function.unchecked


# ----------------------------------------------------------------------------------------------- R9: freshness


@pytest.mark.parametrize(("days", "tier"), [(365, Tier.K2), (366, Tier.UNKNOWN)])
def test_r9_usable_for_365_days(days: int, tier: Tier) -> None:
    function = found(egfr(60, days))
    assert (function.tier, function.stale) == (tier, False)
    assert function.last_known == (Egfr.of(60), TODAY - timedelta(days=days))


@pytest.mark.parametrize(
    ("value", "days", "tier", "stale"),
    [
        ("59.4", 365, Tier.K3A, False), ("59.4", 366, Tier.K3A, True), ("59.4", 1826, Tier.K3A, True),
        ("59.4", 1827, Tier.UNKNOWN, False), ("59.5", 366, Tier.UNKNOWN, False),
    ],
)  # fmt: skip
def test_r9_a_reduced_value_is_used_for_5_years_and_marked(value: str, days: int, tier: Tier, stale: bool) -> None:
    function = found(egfr(value, days))
    assert (function.tier, function.stale) == (tier, stale)


def test_r9_v20_last_egfr_82_500_days_ago() -> None:
    function = found(egfr(82, 500), age=71)
    assert (function.tier, function.egfr) == (Tier.UNKNOWN, None)
    assert function.last_known == (Egfr.of(82), TODAY - timedelta(days=500))


def test_r9_v21_last_egfr_41_400_days_ago() -> None:
    function = found(egfr(41, 400), age=68, sex=Sex.FEMALE)
    assert (function.tier, function.stale, function.age) == (Tier.K3B, True, Days.of(400))


def test_r9_a_newer_normal_value_does_not_bring_back_an_older_reduced_one() -> None:
    assert found(egfr(82, 500), egfr(41, 900)).tier is Tier.UNKNOWN


# ------------------------------------------------------------------------------------------------- R10: children


def tall(centimetres: int, days: int = 30) -> Observations:
    return Observations(BodyMeasurements(height=(Height.of(centimetres), TODAY - timedelta(days=days))))


def test_r10_v72_bedside_schwartz() -> None:
    function = found(creatinine("1.30"), age=15, observations=tall(165))
    assert (function.tier, function.egfr) == (Tier.CHILD, Egfr.of(52))
    assert function.method == "bedside Schwartz, computed from creatinine 1.3 mg/dL and height 165 cm"


@pytest.mark.parametrize(("age", "tier"), [(17, Tier.CHILD), (18, Tier.K2)])
def test_r10_adults_begin_at_18(age: int, tier: Tier) -> None:
    assert found(creatinine("1.3"), age=age, observations=tall(165)).tier is tier


@pytest.mark.parametrize(("days", "computed"), [(0, True), (365, True), (366, False), (-1, False)])
def test_r10_height_is_of_the_last_year(days: int, computed: bool) -> None:
    function = found(creatinine("1.3"), age=15, observations=tall(165, days))
    assert (function.tier, function.egfr is not None) == (Tier.CHILD, computed)
    assert ("no height" in said(function)) is not computed


def test_r10_creatinine_is_of_the_last_year_also_when_reduced() -> None:
    assert found(creatinine("1.3", 365), age=15, observations=tall(165)).egfr == Egfr.of(52)
    old = found(creatinine("1.3", 366), age=15, observations=tall(165))
    assert (old.egfr, old.last_known) == (None, (Egfr.of(52), TODAY - timedelta(days=366)))


def test_r10_adult_equations_are_not_used() -> None:
    assert found(egfr(50), age=15, observations=tall(165)).egfr is None


def test_r10_a_reported_schwartz_value_is_used_without_a_height_and_never_in_adults() -> None:
    assert found(egfr(70, method=EgfrMethod.SCHWARTZ), age=15).egfr == Egfr.of(70)
    assert found(egfr(70, method=EgfrMethod.SCHWARTZ), age=18).tier is Tier.UNKNOWN


def test_r10_a_usable_value_needs_no_word_about_height() -> None:
    assert found(egfr(70, method=EgfrMethod.SCHWARTZ), creatinine("1.3"), age=15).notes == ()


def test_r10_an_unread_height_is_named() -> None:
    function = found(creatinine("1.3"), age=15, observations=not_available(Input.OBSERVATIONS))
    assert not_available(Input.OBSERVATIONS) in function.unchecked


# ------------------------------------------------------------------------------------------ R11, gaps and doubts


@pytest.mark.parametrize(
    ("method", "only"),
    [(method, method not in ORDER[:3]) for method in (*ORDER, EgfrMethod.RACE_NON_BLACK)],
)
def test_r11_creatinine_only(method: EgfrMethod, only: bool) -> None:
    assert found(egfr(70, method=method)).creatinine_only is only


def test_unknown_age_leaves_only_reported_values() -> None:
    age = Missing(Input.AGE, Why.UNREADABLE, "the birth date is in the future")
    function = found(egfr(70, 40), creatinine("2.5", 5), age=age)
    assert function.egfr == Egfr.of(70)
    assert age in function.unchecked
    assert "age not known: no eGFR can be computed" in said(function)
    assert found(creatinine("2.5", 5), age=age).tier is Tier.UNKNOWN


def test_unindexed_values_are_used_and_marked() -> None:
    function = found(egfr(40, indexed=False))
    assert function.tier is Tier.K3B
    assert "not indexed" in said(function)


@pytest.mark.parametrize(("value", "shown"), [(66, 53), (40, 40)])
def test_of_an_unindexed_value_and_our_computation_the_lower_is_used(value: int, shown: int) -> None:
    # 1.5 mg/dL computes to 53.
    assert found(egfr(value, method=EgfrMethod.MDRD, indexed=False), creatinine("1.5")).egfr == Egfr.of(shown)


def test_a_creatinine_given_only_as_a_limit_is_used_and_marked() -> None:
    function = found(creatinine("10", bound=Bound.ABOVE))
    assert function.tier is Tier.K5
    assert "creatinine reported only as above 10 mg/dL" in said(function)


@pytest.mark.parametrize(("hours_ahead", "tier"), [(11.9, Tier.K5), (12, Tier.K1)])
def test_the_future_is_judged_by_day(hours_ahead: float, tier: Tier) -> None:
    function = found(egfr(95, 5), egfr(10, taken=ago(hours=-hours_ahead)))
    assert function.tier is tier
    assert ("dated after today are not used" in said(function)) is (tier is Tier.K1)


def test_unread_problems_and_procedures_leave_a_tier_and_are_named() -> None:
    missing = (not_available(Input.PROBLEMS), not_available(Input.PROCEDURES))
    function = found(egfr(70), problems=missing[0], procedures=missing[1])
    assert (function.tier, function.unchecked) == (Tier.K2, missing)


def test_an_incomplete_problem_list_is_named() -> None:
    function = found(egfr(70), problems=ProblemList(incomplete="further pages were not read"))
    assert function.unchecked == (Missing(Input.PROBLEMS, Why.NOT_AVAILABLE, "further pages were not read"),)


def test_unread_results_are_missing() -> None:
    missing = not_available(Input.KIDNEY_RESULTS)
    assert resolve(facts(missing), LIMITS) == missing


def test_incomplete_results_without_a_usable_value_are_missing_not_unknown() -> None:
    gap = Missing(Input.KIDNEY_RESULTS, Why.NOT_AVAILABLE, "further pages were not read")
    assert resolve(facts(results(incomplete=gap.reason)), LIMITS) == gap
    assert resolve(facts(results(egfr(82, 500), incomplete=gap.reason)), LIMITS) == gap
    function = resolve(facts(results(egfr(70), incomplete=gap.reason)), LIMITS)
    assert isinstance(function, KidneyFunction)
    assert (function.tier, function.unchecked) == (Tier.K2, (gap,))


def test_unreadable_results_are_named_beside_the_value_that_is_used() -> None:
    clause = "creatinine of 2026-11-20 has no unit"
    function = resolve(facts(results(egfr(70), unreadable=(clause,))), LIMITS)
    assert isinstance(function, KidneyFunction)
    assert function.tier is Tier.K2
    assert clause in function.notes
    assert function.unchecked == (Missing(Input.KIDNEY_RESULTS, Why.UNREADABLE, clause),)


@pytest.mark.parametrize(("many", "words"), [(3, "r0; r1; r2"), (4, "r0; r1; r2; and more")])
def test_three_unreadable_results_are_named(many: int, words: str) -> None:
    function = resolve(facts(results(unreadable=tuple(f"r{i}" for i in range(many)))), LIMITS)
    assert isinstance(function, KidneyFunction)
    assert function.notes == (words,)


# ---------------------------------------------------------------------------------------------------- properties

moments = st.integers(0, 800).map(float) | st.floats(0, 3)
any_egfr = st.builds(
    lambda value, days, method, bound: egfr(value, days, method, bound=bound),
    st.integers(5, 130), moments, st.sampled_from(EgfrMethod), st.sampled_from(Bound),
)  # fmt: skip
any_creatinine = st.builds(creatinine, st.decimals("0.4", "9", places=2), moments)
any_cystatin = st.builds(lambda value, days: cystatin(str(value), days), st.decimals("0.5", "4", places=2), moments)
any_result = any_egfr | any_creatinine | any_cystatin
sexes = st.sampled_from(Sex)


@given(st.lists(any_result, max_size=7), st.randoms(use_true_random=False), sexes)
def test_the_order_of_results_never_matters(given_results: list[Any], random: Any, sex: Sex) -> None:
    shuffled = given_results[:]
    random.shuffle(shuffled)
    assert resolve(facts(results(*given_results), sex=sex), LIMITS) == resolve(
        facts(results(*shuffled), sex=sex), LIMITS
    )


SPECIAL = (EgfrMethod.RACE_BLACK, EgfrMethod.SCHWARTZ, *ORDER[:3])
plain = any_creatinine | st.builds(
    lambda value, days, method, bound: egfr(value, days, method, bound=bound),
    st.integers(5, 130), moments, st.sampled_from([m for m in EgfrMethod if m not in SPECIAL]), st.sampled_from(Bound),
)  # fmt: skip


@given(st.lists(plain, min_size=1, max_size=5), plain, st.floats(0.001, 9000), sexes)
def test_an_older_result_never_changes_the_tier(given_results: list[Any], other: Any, hours: float, sex: Sex) -> None:
    """Apart from R1 (one collection), R3 (no cystatin here), the last resort of R4, and the note of R8."""
    newest = max(one.taken for one in given_results)
    older = replace(other, taken=newest - timedelta(hours=24 + hours))
    without, with_it = found(*given_results, sex=sex), found(*given_results, older, sex=sex)
    assert (without.tier, without.egfr, without.taken) == (with_it.tier, with_it.egfr, with_it.taken)


WORST_FIRST = (Tier.K5, Tier.K4, Tier.K3B, Tier.K3A, Tier.K2, Tier.K1)


@given(
    st.lists(any_creatinine.filter(lambda one: one.taken >= ago(365)), min_size=1, max_size=5),
    st.data(),
    st.decimals("0.1", "1", places=2),
    sexes,
)
def test_a_lower_creatinine_never_gives_a_worse_tier(
    given_results: list[CreatinineResult], data: Any, factor: Decimal, sex: Sex
) -> None:
    which = data.draw(st.integers(0, len(given_results) - 1))
    lower = given_results[:]
    lower[which] = replace(lower[which], value=SerumCreatinine(lower[which].value.value * factor))
    before, after = found(*given_results, sex=sex), found(*lower, sex=sex)
    assert WORST_FIRST.index(after.tier) >= WORST_FIRST.index(before.tier)
