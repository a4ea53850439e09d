"""The dose question, table by table (rules.md 5.2): each threshold at its edge and one step inside."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cards.case import Case, Indication
from cards.dose.rule import RULES, Limits
from cards.facts import (
    ChartBaclofen,
    ChartText,
    DoseStep,
    DrugClass,
    Hook,
    Input,
    MedicationList,
    OralDose,
    Origin,
    Problem,
    Route,
    Standing,
    Unreadable,
)
from cards.kidney import AcuteInjury, Tier
from cards.outcome import CannotAssess, Finding, NotIndicated, Outcome, Taper, WithdrawOrder
from cards.quantities import Days, SingleDose
from tests.unit.cases import (
    dosing,
    level,
    limits_of,
    make_case,
    mg,
    not_available,
    not_recorded,
    offers,
    oral,
    written,
)

AUD, APPARENTLY = Indication.ALCOHOL_USE_DISORDER, Indication.APPARENTLY_ALCOHOL_USE_DISORDER
NOT_READABLE = Unreadable("free text")
NO_DOSE_YET = Unreadable("no dose yet", given=False)


def limits() -> Limits:
    found: Limits = limits_of("dose/card.toml", Limits)
    return found


def ask(rule: str, case: Case) -> Outcome:
    outcome = next(r for r in RULES if r.id == rule).assess(case, limits())
    assert outcome.rule == rule
    if isinstance(outcome, Finding):
        written(case, outcome)
    return outcome


def finding(rule: str, case: Case) -> Finding:
    outcome = ask(rule, case)
    assert isinstance(outcome, Finding)
    return outcome


# ----------------------------------------------------------------------------------------- dose-above-labelled-max


@pytest.mark.parametrize(
    ("ordered", "new", "stable", "changed", "lowered"),
    [
        (80, "silent", "silent", "silent", "silent"),
        (82.5, "warning", "info", "warning", "info"),
        (100, "warning", "info", "warning", "info"),
        (102.5, "critical", "warning", "warning", "info"),
        (175, "critical", "warning", "warning", "info"),
        (180, "critical", "critical", "critical", "warning"),
        (300, "critical", "critical", "critical", "warning"),
        (305, "critical", "critical", "critical", "warning"),
    ],
)
def test_maximum(ordered: float, new: str, stable: str, changed: str, lowered: str) -> None:
    def at(current: float, since: int) -> str:
        return level(ask("dose-above-labelled-max", make_case(ordered=ordered, current=current, since_change=since)))

    assert at(0, 0) == new
    assert at(ordered - 10, 10) == new
    assert at(ordered, 30) == stable
    assert at(ordered, 29) == changed
    assert at(ordered + 20, 30) == lowered


def test_the_highest_step_counts() -> None:
    assert level(ask("dose-above-labelled-max", make_case(ordered="5 mg TID x3 d, then 30 mg TID"))) == "warning"


@pytest.mark.parametrize(
    ("current", "ordered", "since", "indication", "expected"),
    [
        # V56, V36: already at or above the maximum
        (80, "25/20/20/25 mg", 365, None, ["20 mg QID (80 mg/day), no increase"]),
        (150, "45 mg QID", 14, AUD, ["40/35/35/40 mg (150 mg/day), no increase"]),
        # one allowed step reaches 80, and no more than that
        (65, 90, 10, None, ["20 mg QID (80 mg/day)"]),
        (62.5, 90, 10, None, ["20 mg TID (60 mg/day), no increase"]),
        (70, 90, 10, AUD, ["20 mg QID (80 mg/day)"]),
        (65, 90, 10, AUD, ["15/15/15/20 mg (65 mg/day), no increase"]),
        # but not so soon after the last change
        (70, 90, 3, None, ["20 mg QID (80 mg/day)"]),
        (70, 90, 2, None, ["20/15/15/20 mg (70 mg/day), no increase"]),
        # a first order, a renewal, a lower dose: no suggestion here
        (0, 90, None, None, []),
        (90, 90, 700, None, []),
        (120, 90, 700, None, []),
    ],
)
def test_maximum_suggests(
    current: float, ordered: Any, since: int | None, indication: Indication | None, expected: list[str]
) -> None:
    case = make_case(
        ordered=ordered, current=current, since_change=since, indication=indication or Indication.SPASTICITY
    )
    assert offers(ask("dose-above-labelled-max", case)) == expected


def test_maximum_in_alcohol_use_disorder_says_so() -> None:
    def summary(indication: Indication) -> str:
        case = make_case(ordered=90, current=80, since_change=10, indication=indication)
        return written(case, finding("dose-above-labelled-max", case)).summary

    assert summary(Indication.SPASTICITY) == "Baclofen 90 mg/day is above the labelled maximum of 80 mg/day"
    assert summary(AUD) == ("Baclofen 90 mg/day for alcohol use disorder is above the labelled maximum of 80 mg/day")
    assert "apparently for alcohol use disorder" in summary(APPARENTLY)


@pytest.mark.parametrize(("ordered", "beyond"), [(300, False), (302.5, True)])
def test_above_300_the_card_says_that_no_authority_allows_it(ordered: float, beyond: bool) -> None:
    found = finding("dose-above-labelled-max", make_case(ordered=ordered, current=290, since_change=10))
    assert ("beyond_french_maximum" in found.detail) is beyond


@pytest.mark.parametrize(("current", "paragraph"), [(75, "act_increase"), (80, "act_no_increase")])
def test_an_increase_from_above_the_maximum_is_not_told_to_go_below_it_at_once(current: float, paragraph: str) -> None:
    found = finding("dose-above-labelled-max", make_case(ordered=100, current=current, since_change=10))
    assert paragraph in found.detail


# ---------------------------------------------------------------------------------------------- titration-too-fast


@pytest.mark.parametrize(
    ("tier", "indication", "ordered", "since", "expected"),
    [
        # current 30 mg/day; a step of 15, then more, then above 45
        (Tier.K1, None, 45, 10, "silent"), (Tier.K1, None, 45.5, 10, "warning"),
        (Tier.K1, None, 75, 10, "warning"), (Tier.K1, None, 75.5, 10, "critical"),
        # too soon
        (Tier.K1, None, 35, 3, "silent"), (Tier.K1, None, 35, 2, "warning"),
        # alcohol use disorder: info above 10, warning above 15, never milder when too soon
        (Tier.K2, AUD, 40, 10, "silent"), (Tier.K2, AUD, 40.5, 10, "info"), (Tier.K2, AUD, 45, 10, "info"),
        (Tier.K2, AUD, 45.5, 10, "warning"), (Tier.K2, APPARENTLY, 45, 10, "info"), (Tier.K2, AUD, 45, 2, "warning"),
        # reduced kidney function: 7.5 mg in 7 days
        (Tier.K3A, None, 37.5, 7, "silent"), (Tier.K3A, None, 38, 7, "warning"), (Tier.K3B, None, 37.5, 6, "warning"),
        (Tier.K3A, AUD, 40, 10, "warning"), (Tier.UNKNOWN, None, 45, 3, "silent"),
    ],
)  # fmt: skip
def test_titration(tier: Tier, indication: Indication | None, ordered: float, since: int, expected: str) -> None:
    case = make_case(
        tier=tier, ordered=ordered, current=30, since_change=since, indication=indication or Indication.SPASTICITY
    )
    assert level(ask("titration-too-fast", case)) == expected


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        # V58: too soon; V35: too large in alcohol use disorder; V36: already above the maximum
        ({"current": 15, "ordered": "10 mg TID", "since_change": 1}, ["5 mg TID (15 mg/day), no increase until day 3"]),
        ({"current": 60, "ordered": "20 mg QID", "since_change": 10, "indication": AUD},
         ["20/15/15/20 mg (70 mg/day)"]),
        ({"current": 150, "ordered": "45 mg QID", "since_change": 14, "indication": AUD},
         ["40/35/35/40 mg (150 mg/day), no increase"]),
        # one allowed step, never above 80
        ({"current": 30, "ordered": "20 mg TID", "since_change": 10}, ["15 mg TID (45 mg/day)"]),
        ({"current": 70, "ordered": 90, "since_change": 10}, ["20 mg QID (80 mg/day)"]),
        ({"current": 80, "ordered": 100, "since_change": 10}, ["20 mg QID (80 mg/day), no increase"]),
        ({"current": 30, "ordered": 45, "since_change": 10, "indication": AUD}, ["10 mg QID (40 mg/day)"]),
        ({"current": 5, "ordered": "5 mg TID", "since_change": 10, "tier": Tier.K3A}, ["5/2.5/5 mg (12.5 mg/day)"]),
        ({"current": 7.5, "ordered": "5 mg TID", "since_change": 6, "tier": Tier.K3A},
         ["2.5 mg TID (7.5 mg/day), no increase until day 7"]),
        # too large and long enough ago; too large and too soon: wait
        ({"current": 30, "ordered": "20 mg TID", "since_change": 3}, ["15 mg TID (45 mg/day)"]),
        ({"current": 30, "ordered": "20 mg TID", "since_change": 1},
         ["10 mg TID (30 mg/day), no increase until day 3"]),
    ],
)  # fmt: skip
def test_titration_suggests(what: dict[str, Any], expected: list[str]) -> None:
    assert offers(ask("titration-too-fast", make_case(**what))) == expected


LABEL = "5 mg TID x3 d, then 10 mg TID x3 d, then 15 mg TID x3 d, then 20 mg TID"


@pytest.mark.parametrize(
    ("tier", "ordered", "current", "expected", "suggestions"),
    [
        (Tier.K1, LABEL, 0, "silent", []),
        (Tier.K3A, LABEL, 0, "warning", ["5 mg TID (15 mg/day), first step only"]),
        (Tier.K3A, "2.5 mg TID x7 d, then 5 mg TID x7 d, then 7.5 mg TID", 0, "silent", []),  # V05
        (Tier.K3A, "2.5 mg TID x6 d, then 5 mg TID", 0, "warning", ["2.5 mg TID (7.5 mg/day), first step only"]),
        (Tier.K1, "5 mg TID x2 d, then 10 mg TID", 0, "warning", ["5 mg TID (15 mg/day), first step only"]),
        (Tier.K1, "5 mg TID x3 d, then 35 mg", 0, "warning", ["5 mg TID (15 mg/day), first step only"]),
        (Tier.K1, "5 mg TID x3 d, then 20 mg TID", 0, "warning", ["5 mg TID (15 mg/day), first step only"]),
        (Tier.K1, "5 mg TID x3 d, then 15/15/15/16 mg", 0, "critical", ["5 mg TID (15 mg/day), first step only"]),
        # a start that is itself too high is not offered again
        (Tier.K1, "10 mg TID x2 d, then 15 mg TID", 0, "warning", ["5 mg TID (15 mg/day), first step only"]),
        (Tier.K2, "10 mg TID x2 d, then 15 mg TID", 0, "warning", ["5 mg BID (10 mg/day), first step only"]),
        # inside an increase, a renewal and a decrease
        (Tier.K1, "10 mg TID x2 d, then 15 mg TID", 15, "warning", ["10 mg TID (30 mg/day), first step only"]),
        (Tier.K1, "10 mg TID x3 d, then 15 mg TID", 15, "silent", []),
        (Tier.K1, "10/5/10 mg x2 d, then 10 mg TID", 30, "warning", []),
        (Tier.K1, "10 mg TID x7 d, then 5 mg TID", 60, "silent", []),
        # the same dose again is no step
        (Tier.K1, "5 mg TID x1 d, then 5 mg TID", 0, "silent", []),
    ],
)  # fmt: skip
def test_steps_inside_a_sequence(
    tier: Tier, ordered: str, current: float, expected: str, suggestions: list[str]
) -> None:
    outcome = ask("titration-too-fast", make_case(tier=tier, ordered=ordered, current=current, since_change=10))
    assert level(outcome) == expected
    if isinstance(outcome, Finding):
        assert offers(outcome) == suggestions


def test_an_order_that_first_keeps_the_current_dose_is_judged_by_its_own_steps() -> None:
    """The last change was yesterday, but the next comes after a week."""
    case = make_case(ordered="5 mg TID x7 d, then 10 mg TID", current=15, since_change=1)
    assert level(ask("titration-too-fast", case)) == "silent"


def test_the_worst_step_is_told() -> None:
    case = make_case(ordered="10 mg TID x3 d, then 20 mg QID x3 d, then 85 mg", current=10, since_change=10)
    found = finding("titration-too-fast", case)
    assert found.values["before"] == mg(30)
    assert found.values["inc"] == mg(50)
    assert found.values["gap"] == Days.of(3)


def test_the_words_of_v35() -> None:
    case = make_case(ordered="20 mg QID", current=60, since_change=10, indication=AUD)
    found = finding("titration-too-fast", case)
    said = "Baclofen step of 20 mg/day after 10 days; usual steps are at most 15 mg/day, 3 days apart"
    assert written(case, found).summary == said


def test_a_change_without_a_date_is_judged_by_its_size_and_said() -> None:
    small = ask("titration-too-fast", make_case(ordered=45, current=30))
    assert isinstance(small, CannotAssess)
    assert [missing.what for missing in small.missing] == [Input.MEDICATIONS]
    case = make_case(ordered=60, current=30)
    large = finding("titration-too-fast", case)
    assert level(large) == "warning"
    assert large.unchecked == ()
    assert written(case, large).summary == "Baclofen step of 30 mg/day; usual steps are at most 15 mg/day, 3 days apart"


def test_a_sequence_that_does_not_say_how_long_is_said() -> None:
    outcome = ask("titration-too-fast", make_case(ordered="5 mg TID, then 10 mg TID"))
    assert isinstance(outcome, CannotAssess)
    assert [missing.what for missing in outcome.missing] == [Input.ORDER]


def test_without_kidney_results_a_step_that_reduced_kidneys_would_forbid_is_not_called_right() -> None:
    gap = not_available(Input.KIDNEY_RESULTS)
    allowed = ask("titration-too-fast", make_case(kidney=gap, ordered=37.5, current=30, since_change=7))
    assert isinstance(allowed, NotIndicated)
    unclear = ask("titration-too-fast", make_case(kidney=gap, ordered=38, current=30, since_change=7))
    assert unclear == CannotAssess("titration-too-fast", (gap,))
    wrong = finding("titration-too-fast", make_case(kidney=gap, ordered=60, current=30, since_change=7))
    assert wrong.unchecked == ()


# --------------------------------------------------------------------------------------------- start-dose-too-high


@pytest.mark.parametrize(
    ("indication", "ordered", "expected"),
    [
        (None, 15, "silent"), (None, 15.5, "warning"), (None, 59.5, "warning"), (None, 60, "critical"),
        (AUD, 20, "silent"), (AUD, 20.5, "warning"), (APPARENTLY, 20, "silent"), (APPARENTLY, 30, "warning"),
        (AUD, 60, "critical"), (None, "5 mg TID x3 d, then 20 mg TID", "silent"),
    ],
)  # fmt: skip
def test_start(indication: Indication | None, ordered: Any, expected: str) -> None:
    case = make_case(ordered=ordered, indication=indication or Indication.SPASTICITY)
    assert level(ask("start-dose-too-high", case)) == expected


@pytest.mark.parametrize("current", [15, 60, 90])
def test_only_a_first_order_is_a_start(current: float) -> None:
    assert level(ask("start-dose-too-high", make_case(ordered=60, current=current))) == "silent"


@pytest.mark.parametrize(
    ("tier", "age", "expected"),
    [
        (Tier.K1, 55, ["5 mg TID (15 mg/day)"]),  # V02
        (Tier.K1, 64, ["5 mg TID (15 mg/day)"]),
        (Tier.K1, 65, ["5 mg BID (10 mg/day)"]),
        (Tier.K1, not_recorded(Input.AGE), ["5 mg TID (15 mg/day)"]),
        (Tier.K2, 55, ["5 mg BID (10 mg/day)"]),  # resolutions.md 11
        (Tier.UNKNOWN, 55, ["5 mg BID (10 mg/day)"]),
        (Tier.K3A, 55, ["2.5 mg TID (7.5 mg/day)"]),
        (Tier.K4, 55, ["2.5 mg BID (5 mg/day)"]),
        (Tier.K5, 55, []),
        (Tier.DIALYSIS, 55, ["2.5 mg once daily (2.5 mg/day)"]),
    ],
)
def test_start_suggests(tier: Tier, age: Any, expected: list[str]) -> None:
    assert offers(ask("start-dose-too-high", make_case(tier=tier, age=age, ordered="10 mg TID"))) == expected


def test_start_with_unread_kidney_results_suggests_the_start_of_unknown_kidneys() -> None:
    case = make_case(kidney=not_available(Input.KIDNEY_RESULTS), ordered="10 mg TID")
    assert offers(ask("start-dose-too-high", case)) == ["5 mg BID (10 mg/day)"]


def test_start_in_acute_injury_names_no_dose() -> None:
    case = make_case(tier=Tier.K2, ordered="10 mg TID", acute=AcuteInjury(None, None, "on the problem list"))
    found = finding("start-dose-too-high", case)
    assert found.proposals == ()
    assert "usual start" not in written(case, found).summary


def test_the_words_of_v02_and_of_an_unread_current_dose() -> None:
    case = make_case(ordered="10 mg TID")
    assert written(case, finding("start-dose-too-high", case)).summary == (
        "Baclofen start of 30 mg/day is high; usual start is 15 mg/day"
    )
    unread = make_case(ordered="20 mg TID", current=None)
    assert "current dose not readable" in written(unread, finding("start-dose-too-high", unread)).summary


# ------------------------------------------------------------------------------------------------- dosing-interval


def doses(singles: str, times: int) -> OralDose:
    single = SingleDose.of(singles)
    return OralDose((DoseStep(mg(str(single.value * times)), single, times, None),))


@pytest.mark.parametrize(
    ("ordered", "expected", "suggestions"),
    [
        (doses("17.5", 1), "silent", []),
        (doses("20", 1), "info", ["5 mg QID (20 mg/day)"]),  # V59
        (doses("10", 2), "silent", []),
        (doses("20", 2), "silent", []),
        (doses("20.5", 2), "info", []),
        (doses("25", 2), "info", ["15/15/20 mg (50 mg/day)"]),
        (doses("40", 2), "info", ["20 mg QID (80 mg/day)"]),
        (doses("20", 4), "silent", []),
        (doses("45", 2), "silent", []),
        (doses("90", 1), "info", ["25/20/20/25 mg (90 mg/day)"]),
        (oral("5 mg TID x3 d, then 30 mg daily"), "info", []),
    ],
)
@pytest.mark.parametrize("current", [0, 5])
def test_interval(ordered: OralDose, expected: str, suggestions: list[str], current: float) -> None:
    outcome = ask("dosing-interval", make_case(ordered=ordered, current=current))
    assert level(outcome) == expected
    if isinstance(outcome, Finding):
        assert offers(outcome) == suggestions


@pytest.mark.parametrize("current", [20, 60])
def test_a_renewal_or_a_lower_dose_keeps_its_interval(current: float) -> None:
    assert level(ask("dosing-interval", make_case(ordered="20 mg daily", current=current))) == "silent"


def test_the_words_of_v59() -> None:
    case = make_case(ordered="20 mg daily", current=15, since_change=30)
    found = finding("dosing-interval", case)
    assert written(case, found).summary == ("Baclofen 20 mg/day as 1 dose(s): short half-life, divide into 3-4 doses")
    assert "S-HALF" in found.detail


# -------------------------------------------------------------------------------------------- tolerance-escalation


def earlier(day: date, ordered: str) -> MedicationList:
    order = ChartBaclofen(
        reference="MedicationRequest/1", label=ChartText("baclofen"), route=Route.ORAL, dose=oral(ordered),
        standing=Standing.ACTIVE, since=day, supply_ends=None, ended=True, prescriber=None, origin=Origin(""),
    )  # fmt: skip
    return MedicationList(baclofen=(order,))


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ({"earlier_increases": 2}, "info"),
        ({"earlier_increases": 3}, "info"),  # V70
        ({"earlier_increases": 1}, "silent"),
        ({"earlier_increases": 3, "ordered": 60}, "silent"),
        ({"earlier_increases": 3, "ordered": 50}, "silent"),
        ({"earlier_increases": 3, "current": 0}, "silent"),
        # 180 days before 2026-11-23 is 2026-05-27; 70 mg/day is half as much again as 46.6
        ({"medications": earlier(date(2026, 5, 27), "15 mg TID")}, "info"),
        ({"medications": earlier(date(2026, 5, 28), "15 mg TID")}, "silent"),
        ({"medications": earlier(date(2026, 5, 27), "15/15/17 mg")}, "silent"),
        ({"medications": earlier(date(2026, 5, 27), "15 mg TID"), "ordered": 67.5}, "info"),
        ({"medications": earlier(date(2026, 5, 27), "15 mg TID"), "ordered": 67}, "silent"),
    ],
)
def test_tolerance(what: dict[str, Any], expected: str) -> None:
    given: dict[str, Any] = {"ordered": 70, "current": 60, "since_change": 14}
    outcome = ask("tolerance-escalation", make_case(**(given | what)))
    assert level(outcome) == expected
    if isinstance(outcome, Finding):
        assert outcome.proposals == ()
        assert outcome.summary == ("often" if "earlier_increases" in what else "grown")


# ------------------------------------------------------------------------------------- what every dose rule obeys


EVERY_RULE = [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", EVERY_RULE)
@pytest.mark.parametrize(
    "what",
    [
        {"ordered": None, "current": 90},
        {"age": 17},
        {"ordered": NOT_READABLE},
        {"ordered": NO_DOSE_YET, "hook": Hook.ORDER_SELECT},
    ],
)
def test_stops_children_and_unread_doses_are_not_judged(rule: str, what: dict[str, Any]) -> None:
    given: dict[str, Any] = {"ordered": doses("200", 1), "current": 20, "since_change": 1, "earlier_increases": 5}
    assert level(ask(rule, make_case(**(given | what)))) == "silent"
    assert level(ask(rule, make_case(**(given | {"age": 18, "current": 0 if "start" in rule else 20})))) != "silent"


@pytest.mark.parametrize("rule", EVERY_RULE)
@pytest.mark.parametrize("tier", [Tier.K1, Tier.K3A, Tier.K5])
def test_an_unread_current_dose_is_never_lowered(rule: str, tier: Tier) -> None:
    """resolutions.md 2."""
    case = make_case(tier=tier, ordered=doses("90", 1), current=None)
    outcome = ask(rule, case)
    match outcome:
        case Finding():
            assert outcome.proposals == ()
            assert "S-CURRENT-UNKNOWN" in outcome.detail
        case CannotAssess(missing=missing):
            assert missing == (case.current.dose,)
            assert rule in ("titration-too-fast", "tolerance-escalation")
        case _:
            pytest.fail("silent")


def test_no_dose_rule_withdraws_or_tapers() -> None:
    for current in (0, 30, 90, 200):
        case = make_case(ordered=doses("90", 1), current=current, since_change=1, earlier_increases=4)
        for rule in EVERY_RULE:
            outcome = ask(rule, case)
            if isinstance(outcome, Finding):
                assert not any(isinstance(p, Taper | WithdrawOrder) for p in outcome.proposals)


def test_low_muscle_mass_is_said_on_dose_cards_too() -> None:
    case = make_case(ordered="10 mg TID", problems=[Problem.LOW_MUSCLE_MASS], medications=[DrugClass.LITHIUM])
    assert "S-MUSC" in finding("start-dose-too-high", case).detail


def test_numbers_that_stand_in_two_places_agree() -> None:
    assert limits().maximum_above == dosing().labelled_maximum
    assert limits().divided_at_most == dosing().labelled_maximum
    assert limits().start_above == dosing().start_k1
