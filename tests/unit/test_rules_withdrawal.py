"""rules.md 5.3: abrupt-discontinuation and large-dose-reduction."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from cards.case import Kind
from cards.content import HERE, Library
from cards.facts import Input, Problem, ProblemEntry, Route, Unreadable
from cards.kidney import AcuteInjury, Tier
from cards.outcome import CannotAssess, ChangeDose, Finding, Indicator, Outcome, Taper, WithdrawOrder
from cards.triage import ShownCard
from cards.withdrawal.rule import RULES, Limits, abrupt_discontinuation, large_dose_reduction
from cards.wording import Words
from tests.unit.cases import NOW, limits_of, make_case, not_available, problem

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL
AKI = AcuteInjury(None, None, "a diagnosis")


def limits() -> Limits:
    read: Limits = limits_of("withdrawal/card.toml", Limits)
    return read


def ago(days: int) -> date:
    return NOW.date() - timedelta(days=days)


def stop(current: float | None, exposure: int | None = 1000, **given: Any) -> Outcome:
    return abrupt_discontinuation(make_case(ordered=None, current=current, exposure=exposure, **given), limits())


def cut(current: float | None, ordered: float | str, **given: Any) -> Outcome:
    return large_dose_reduction(make_case(ordered=ordered, current=current, **given), limits())


def level(outcome: Outcome) -> Indicator | None:
    assert not isinstance(outcome, CannotAssess), outcome
    return outcome.indicator if isinstance(outcome, Finding) else None


def found(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Finding), outcome
    return outcome


ENCEPHALOPATHY = problem(Problem.ENCEPHALOPATHY, recorded=ago(30))
TOXICITY: list[dict[str, Any]] = [
    {"tier": Tier.K4},
    {"tier": Tier.K5},
    {"tier": Tier.DIALYSIS},
    {"acute": AKI},
    {"problems": [ENCEPHALOPATHY]},
    {"problems": [problem(Problem.HEPATIC_ENCEPHALOPATHY, recorded=ago(0))]},
]
NO_TOXICITY: list[dict[str, Any]] = [
    {},
    {"tier": Tier.K3B},
    {"tier": Tier.UNKNOWN},
    {"kidney": not_available(Input.KIDNEY_RESULTS)},
    {"problems": not_available(Input.PROBLEMS)},
    {"problems": [problem(Problem.ENCEPHALOPATHY, recorded=ago(31))]},
    {"problems": [problem(Problem.ENCEPHALOPATHY)]},
    {"problems": [problem(Problem.ENCEPHALOPATHY, recorded=ago(1), active=False)]},
    {"problems": [problem(Problem.DEMENTIA, recorded=ago(1))]},
]


# --------------------------------------------------------------------------------------------------------- stopping


@pytest.mark.parametrize(
    ("current", "exposure", "expected"),
    [
        (5, 1000, INFO),
        (15, 1000, INFO),
        (15.5, 1000, WARNING),
        (59.5, 1000, WARNING),
        (60, 1000, CRITICAL),
        (80, 1000, CRITICAL),
        (80, None, CRITICAL),
        (80, 14, CRITICAL),
        (80, 13, INFO),
        (30, 14, WARNING),
        (30, 13, INFO),
    ],
)
def test_stop_by_dose_and_exposure(current: float, exposure: int | None, expected: Indicator) -> None:
    assert level(stop(current, exposure)) is expected


@pytest.mark.parametrize("context", TOXICITY)
def test_possible_toxicity_lowers_by_one_level(context: dict[str, Any]) -> None:
    high, middle, low = found(stop(60, **context)), found(stop(30, **context)), found(stop(10, **context))
    assert [high.indicator, middle.indicator, low.indicator] == [WARNING, INFO, INFO]
    assert high.summary == "toxicity"
    assert "toxicity" in high.detail
    assert high.values["toxicity"]


@pytest.mark.parametrize("context", NO_TOXICITY)
def test_nothing_else_lowers_a_stop(context: dict[str, Any]) -> None:
    outcome = found(stop(60, **context))
    assert (outcome.indicator, outcome.summary) == (CRITICAL, "stop")


@pytest.mark.parametrize(
    ("current", "schedule"),
    [
        (80, [70, 60, 50, 40, 30, 25, 20, 15, 10, 5]),
        (60, [50, 40, 30, 25, 20, 15, 10, 5]),
        (15, [10, 5]),
    ],
)
def test_the_taper_goes_down_to_nothing_whatever_the_kidneys(current: float, schedule: list[int]) -> None:
    for tier in (Tier.K1, Tier.K3B, Tier.K4):
        outcome = found(stop(current, tier=tier))
        [taper] = outcome.proposals
        assert isinstance(taper, Taper)
        assert not taper.stays_at_last
        assert [step.regimen.daily.value for step in taper.steps] == schedule


def test_the_schedule_has_dates_from_today() -> None:
    assert found(stop(20)).values["schedule"] == (
        "15 mg/day from 2026-11-23, 10 from 2026-11-30, 5 from 2026-12-07, none from 2026-12-14"
    )
    assert found(stop(5)).values["schedule"] == "2.5 mg/day from 2026-11-23, none from 2026-11-30"


@pytest.mark.parametrize("context", [{"acute": AKI}, {"problems": [ENCEPHALOPATHY]}])
def test_no_taper_in_acute_injury_or_encephalopathy(context: dict[str, Any]) -> None:
    outcome = found(stop(60, **context))
    assert outcome.proposals == ()
    assert "schedule" not in outcome.detail


def test_a_stop_of_an_unread_dose_is_a_warning_and_says_so() -> None:
    outcome = found(stop(None))
    assert (outcome.indicator, outcome.summary, outcome.proposals) == (WARNING, "dose_unknown", ())
    assert [missing.what for missing in outcome.unchecked] == [Input.MEDICATIONS]


def test_a_stopped_pump_is_always_critical() -> None:
    for context in ({}, *TOXICITY):
        pump = {"kind": Kind.INTRATHECAL, "route": Route.INTRATHECAL, **context}
        outcome = found(stop(0, **pump))
        assert (outcome.indicator, outcome.summary) == (CRITICAL, "pump")
        assert outcome.proposals == (WithdrawOrder(),)
    running = make_case(kind=Kind.INTRATHECAL, route=Route.INTRATHECAL)
    assert level(abrupt_discontinuation(running, limits())) is None


def test_the_exposure_is_said_where_it_is_known() -> None:
    assert str(found(stop(60, 13)).values["exposure"]) == "13 days"
    assert "exposure" in found(stop(60, 13)).detail
    assert "exposure" not in found(stop(60, None)).detail


def test_what_goes_on_is_no_stop() -> None:
    for ordered in (5, 30, 90, Unreadable("free text")):
        assert level(abrupt_discontinuation(make_case(ordered=ordered, current=60), limits())) is None
    assert level(stop(0)) is None


# ---------------------------------------------------------------------------------------------------------- cutting


@pytest.mark.parametrize(
    ("current", "ordered", "expected"),
    [
        (45, 30, None),  # 15 mg
        (45, 29.5, WARNING),  # 15.5 mg, 34 %
        (66, 50, None),  # 16 mg, 24 %
        (64, 48, WARNING),  # 16 mg, 25 %
        (60, 30, WARNING),  # 50 %
        (60, 29.5, CRITICAL),
        (59.5, 20, WARNING),
        (80, 5, CRITICAL),
        (20, 5, None),  # 15 mg
        (60, "10 mg TID x7 d, then 5 mg TID", WARNING),  # the first step counts
        (30, 45, None),
        (30, 30, None),
    ],
)
def test_cut_by_size_and_share(current: float, ordered: float | str, expected: Indicator | None) -> None:
    assert level(cut(current, ordered)) is expected


@pytest.mark.parametrize("context", TOXICITY)
def test_possible_toxicity_lowers_a_cut(context: dict[str, Any]) -> None:
    critical, warning = found(cut(60, 20, **context)), found(cut(60, 40, **context))
    assert [critical.indicator, warning.indicator] == [WARNING, INFO]
    assert critical.summary == "toxicity"


@pytest.mark.parametrize(
    ("current", "ordered", "first", "step"),
    [(60, 20, "15/15/20 mg (50 mg/day)", "10 mg/day"), (35, 15, "10 mg TID (30 mg/day)", "5 mg/day")],
)
def test_the_first_step_instead(current: float, ordered: float, first: str, step: str) -> None:
    outcome = found(cut(current, ordered))
    [change] = outcome.proposals
    assert isinstance(change, ChangeDose)
    assert str(change.regimen) == first
    assert str(outcome.values["step"]) == step


@pytest.mark.parametrize("context", [{"acute": AKI}, {"problems": [ENCEPHALOPATHY]}])
def test_no_first_step_in_acute_injury_or_encephalopathy(context: dict[str, Any]) -> None:
    outcome = found(cut(60, 20, **context))
    assert outcome.proposals == ()
    assert "first" not in outcome.detail


def test_a_cut_from_an_unread_dose_cannot_be_assessed() -> None:
    assert isinstance(cut(None, 20), CannotAssess)
    assert level(cut(0, 20)) is None
    assert level(large_dose_reduction(make_case(ordered=Unreadable("free text"), current=60), limits())) is None
    assert level(large_dose_reduction(make_case(ordered=None, current=60), limits())) is None


# ------------------------------------------------------------------------------------------------------ properties


def test_a_higher_dose_never_lowers_a_stop() -> None:
    doses = [n / 2 for n in range(1, 401)]
    for context in ({}, *TOXICITY):
        levels = [level(stop(dose, **context)) or 0 for dose in doses]
        assert levels == sorted(levels)


@pytest.mark.parametrize("context", [*NO_TOXICITY, *TOXICITY])
@pytest.mark.parametrize("given", [{"ordered": None}, {"ordered": 20}, {"ordered": None, "current": None}])
def test_every_finding_can_be_written(given: dict[str, Any], context: dict[str, Any]) -> None:
    library = Library()
    question = library.load_question(HERE / "withdrawal", RULES, Limits)
    words = Words(question.cards, library.sentences, {}, "")
    case = make_case(**({"current": 80, "exposure": 20} | given), **context)
    for rule in RULES:
        outcome = rule.assess(case, limits())
        if isinstance(outcome, Finding):
            text = question.cards[outcome.rule]
            assert outcome.indicator in text.indicators
            assert len(words.of(ShownCard(case, outcome, outcome.indicator)).summary) < 140
            assert set(outcome.detail) <= text.detail.keys() | library.sentences.keys()


def test_entries_are_named_with_their_dates() -> None:
    entry: ProblemEntry = ENCEPHALOPATHY
    outcome = found(stop(60, tier=Tier.K4, problems=[entry]))
    assert outcome.values["toxicity"] == f"eGFR 22 mL/min/1.73 m²; encephalopathy ({ago(30)})"
