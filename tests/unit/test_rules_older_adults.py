"""rules.md 5.8: older-adult-caution."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.case import Kind
from cards.facts import Input, Problem, ProblemEntry, ProblemList, Route, Unreadable
from cards.kidney import AcuteInjury, Tier
from cards.older_adults.rule import Limits, older_adult_caution
from cards.outcome import CannotAssess, ChangeDose, Finding, Indicator, NotIndicated, Outcome
from tests.unit.cases import NOW, limits_of, make_case, not_available, not_recorded, problem, written

INFO, WARNING = Indicator.INFO, Indicator.WARNING
CUT_SHORT = "further pages were not read"
UNREAD = Unreadable("free text")
AKI = AcuteInjury(None, None, "a diagnosis")


def limits() -> Limits:
    read: Limits = limits_of("older_adults/card.toml", Limits)
    return read


def ago(days: int) -> date:
    return NOW.date() - timedelta(days=days)


def judge(**given: Any) -> Outcome:
    patient: dict[str, Any] = {"age": 76, "ordered": "5 mg BID"}
    return older_adult_caution(make_case(**(patient | given)), limits())


def level(outcome: Outcome) -> Indicator | None:
    assert not isinstance(outcome, CannotAssess), outcome
    return outcome.indicator if isinstance(outcome, Finding) else None


def found(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Finding), outcome
    return outcome


KINDS: dict[str, dict[str, Any]] = {
    "initiation": {},
    "unknown": {"ordered": UNREAD},
    "increase": {"ordered": 30, "current": 15},
    "unchanged": {"ordered": 30, "current": 30, "since_change": 10},
    "stable": {"ordered": 30, "current": 30, "since_change": 300},
    "decrease": {"ordered": 15, "current": 30},
    "stop": {"ordered": None, "current": 30},
    "pump": {"kind": Kind.INTRATHECAL, "route": Route.INTRATHECAL, "ordered": 30},
}
FALL = problem(Problem.FALLS_OR_FRACTURE, recorded=ago(120))


@pytest.mark.parametrize(
    ("kind", "plain", "with_falls"),
    [
        ("initiation", INFO, WARNING),
        ("unknown", INFO, WARNING),
        ("increase", None, WARNING),
        *((kind, None, None) for kind in ("unchanged", "stable", "decrease", "stop", "pump")),
    ],
)
def test_by_kind(kind: str, plain: Indicator | None, with_falls: Indicator | None) -> None:
    assert level(judge(**KINDS[kind])) is plain
    assert level(judge(**KINDS[kind], problems=[FALL])) is with_falls


@pytest.mark.parametrize(("age", "expected"), [(64, None), (65, INFO), (12, None)])
def test_from_65(age: int, expected: Indicator | None) -> None:
    assert level(judge(age=age)) is expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (problem(Problem.FALLS_OR_FRACTURE, recorded=ago(365)), WARNING),
        (problem(Problem.FALLS_OR_FRACTURE, recorded=ago(366)), INFO),
        (problem(Problem.FALLS_OR_FRACTURE, recorded=ago(100), active=False), WARNING),
        (problem(Problem.FALLS_OR_FRACTURE, active=False), INFO),
        (problem(Problem.FALLS_OR_FRACTURE), WARNING),
        (problem(Problem.DELIRIUM_HALLUCINATION, recorded=ago(365), active=False), WARNING),
        (problem(Problem.DELIRIUM_HALLUCINATION, recorded=ago(366)), INFO),
        (problem(Problem.DELIRIUM_HALLUCINATION, recorded=ago(5), flags=["hallucination"]), INFO),
        (problem(Problem.DELIRIUM_HALLUCINATION, recorded=ago(5), flags=["encephalopathy"]), INFO),
        (problem(Problem.DEMENTIA, recorded=ago(3000)), WARNING),
        (problem(Problem.DEMENTIA, recorded=ago(30), active=False), INFO),
        (problem(Problem.DEPRESSION), INFO),
    ],
)
def test_falls_fracture_delirium_and_dementia(entry: ProblemEntry, expected: Indicator) -> None:
    assert level(judge(problems=[entry])) is expected


@pytest.mark.parametrize(
    ("ordered", "current", "expected"),
    [
        (40, 0, INFO),
        (42.5, 0, WARNING),
        ("5 mg BID x7 d, then 45 mg daily", 0, WARNING),
        (40, 30, None),
        (42.5, 30, WARNING),
    ],
)
def test_above_40(ordered: float | str, current: float, expected: Indicator | None) -> None:
    assert level(judge(ordered=ordered, current=current)) is expected


def test_hospice_care_is_silent() -> None:
    assert level(judge(problems=[Problem.HOSPICE, FALL])) is None
    assert level(judge(problems=[problem(Problem.HOSPICE, active=False), FALL])) is WARNING


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"tier": Tier.K1, "ordered": "5 mg BID"}, None),
        ({"tier": Tier.K1, "ordered": 12.5}, "5 mg BID (10 mg/day)"),
        ({"tier": Tier.K2, "ordered": "5 mg TID"}, "5 mg BID (10 mg/day)"),
        ({"tier": Tier.UNKNOWN, "ordered": "5 mg TID"}, "5 mg BID (10 mg/day)"),
        ({"tier": Tier.K3A, "ordered": "5 mg TID"}, None),
        ({"tier": Tier.K4, "ordered": "5 mg TID"}, None),
        ({"tier": Tier.DIALYSIS, "ordered": "5 mg TID"}, None),
        ({"tier": Tier.K1, "ordered": "5 mg TID", "acute": AKI}, None),
        ({"tier": Tier.K1, "ordered": "5 mg TID", "current": None}, None),
        ({"kidney": not_available(Input.KIDNEY_RESULTS), "ordered": "5 mg TID"}, None),
        ({"ordered": 30, "current": 15, "problems": [FALL]}, None),
        ({"ordered": UNREAD}, None),
    ],
)
def test_the_lower_start(given: dict[str, Any], expected: str | None) -> None:
    outcome = found(judge(**given))
    assert [str(p.regimen) for p in outcome.proposals if isinstance(p, ChangeDose)] == ([expected] if expected else [])
    assert {"S-KIDNEY", "start"} & set(outcome.detail) == ({"S-KIDNEY", "start"} if expected else set())


def test_the_reasons_are_named() -> None:
    outcome = found(judge(ordered=45, problems=[FALL]))
    assert outcome.values["reasons"] == f"falls-or-fracture ({ago(120)}); 45 mg/day is above 40 mg/day"
    assert "reasons" in outcome.detail


def test_low_muscle_mass_is_said() -> None:
    assert "S-MUSC" in found(judge(problems=[Problem.LOW_MUSCLE_MASS])).detail
    assert "S-MUSC" not in found(judge()).detail


def test_what_was_not_read() -> None:
    age, problems = not_recorded(Input.AGE), not_available(Input.PROBLEMS)
    assert judge(age=age) == CannotAssess("older-adult-caution", (age,))
    assert isinstance(judge(age=age, **KINDS["stable"]), NotIndicated)
    start = found(judge(problems=problems))
    assert (start.indicator, start.unchecked) == (INFO, (problems,))
    assert found(judge(problems=problems, ordered=45)).unchecked == ()
    assert judge(problems=problems, **KINDS["increase"]) == CannotAssess("older-adult-caution", (problems,))
    cut_short = found(judge(problems=ProblemList(incomplete=CUT_SHORT)))
    assert [m.reason for m in cut_short.unchecked] == [CUT_SHORT]
    seen = ProblemList((FALL,), incomplete=CUT_SHORT)
    assert level(judge(problems=seen, **KINDS["increase"])) is WARNING


def test_no_start_dose_is_named_to_someone_who_may_be_on_baclofen() -> None:
    outcome = found(judge(current=None))
    assert (outcome.summary, outcome.proposals) == ("taken_already", ())
    assert "S-CURRENT-UNKNOWN" in outcome.detail
    assert found(judge(ordered=UNREAD, current=60)).summary == "taken_already"
    assert found(judge(ordered=UNREAD)).summary == "start_at"
    assert found(judge(tier=Tier.K4)).summary == "start"


@given(
    st.sampled_from(list(KINDS)),
    st.integers(65, 110),
    st.sampled_from(Tier),
    st.lists(st.sampled_from([FALL, problem(Problem.DEMENTIA), problem(Problem.BIPOLAR)]), max_size=3),
)
def test_every_finding_can_be_written(kind: str, age: int, tier: Tier, problems: list[ProblemEntry]) -> None:
    case = make_case(age=age, tier=tier, problems=problems, **KINDS[kind])
    outcome = older_adult_caution(case, limits())
    if isinstance(outcome, Finding):
        assert written(case, outcome).summary
