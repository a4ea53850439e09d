"""rules.md 5.9: pregnancy and breast-feeding."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from cards.case import Kind
from cards.facts import Input, Missing, Observations, Problem, ProblemEntry, ProblemList, Route, Sex, Unreadable
from cards.outcome import CannotAssess, Finding, Outcome
from cards.pregnancy.rule import Limits, breast_feeding, pregnancy
from tests.unit.cases import NOW, level, limits_of, make_case, not_available, not_recorded, problem, written


def limits() -> Limits:
    read: Limits = limits_of("pregnancy/card.toml", Limits)
    return read


def ago(days: int) -> date:
    return NOW.date() - timedelta(days=days)


def pregnant(days: int | None = 100, **more: Any) -> ProblemEntry:
    return problem(Problem.PREGNANCY, recorded=None if days is None else ago(days), **more)


def feeding(days: int | None = 100, **more: Any) -> ProblemEntry:
    return problem(Problem.LACTATION, recorded=None if days is None else ago(days), **more)


def status(says: bool | None, days: int = 20) -> Observations:
    return Observations(pregnant=(says, ago(days)))


def judge(*entries: ProblemEntry, **given: Any) -> Outcome:
    patient: dict[str, Any] = {"age": 30, "sex": Sex.FEMALE, "problems": entries}
    return pregnancy(make_case(**(patient | given)), limits())


def judge_feeding(*entries: ProblemEntry, **given: Any) -> Outcome:
    patient: dict[str, Any] = {"age": 30, "sex": Sex.FEMALE, "problems": entries}
    return breast_feeding(make_case(**(patient | given)), limits())


KINDS: dict[str, dict[str, Any]] = {
    "initiation": {},
    "unknown": {"ordered": Unreadable("free text")},
    "increase": {"ordered": 30, "current": 15},
    "unchanged": {"ordered": 30, "current": 30, "since_change": 10},
    "stable": {"ordered": 30, "current": 30, "since_change": 300},
    "decrease": {"ordered": 15, "current": 30},
    "pump": {"kind": Kind.INTRATHECAL, "route": Route.INTRATHECAL},
    "stop": {"ordered": None, "current": 30},
}


@pytest.mark.parametrize(
    ("kind", "when_pregnant", "when_feeding"),
    [
        ("initiation", "warning", "info"), ("unknown", "warning", "info"), ("increase", "warning", "info"),
        ("unchanged", "info", "silent"), ("stable", "info", "silent"), ("decrease", "info", "silent"),
        ("pump", "info", "silent"), ("stop", "silent", "silent"),
    ],
)  # fmt: skip
def test_by_kind(kind: str, when_pregnant: str, when_feeding: str) -> None:
    assert level(judge(pregnant(), **KINDS[kind])) == when_pregnant
    assert level(judge_feeding(feeding(), **KINDS[kind])) == when_feeding
    assert level(judge(**KINDS[kind])) == level(judge_feeding(**KINDS[kind])) == "silent"


@pytest.mark.parametrize(
    ("age", "sex", "expected"),
    [
        (11, Sex.FEMALE, "silent"), (12, Sex.FEMALE, "warning"), (55, Sex.FEMALE, "warning"),
        (56, Sex.FEMALE, "silent"), (30, Sex.MALE, "silent"), (30, Sex.UNKNOWN, "warning"),
        (not_recorded(Input.AGE), Sex.FEMALE, "warning"), (not_recorded(Input.AGE), Sex.MALE, "silent"),
    ],
)  # fmt: skip
def test_who_may_be_pregnant(age: int | Missing, sex: Sex, expected: str) -> None:
    assert level(judge(pregnant(), age=age, sex=sex)) == expected
    assert level(judge_feeding(feeding(), age=age, sex=sex)) == ("info" if expected == "warning" else "silent")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (pregnant(300), "warning"), (pregnant(301), "silent"), (pregnant(None), "warning"),
        (pregnant(10, active=False), "silent"), (pregnant(10, flags=["puerperium"]), "silent"),
        (pregnant(10, flags=["history-or-remission"]), "silent"), (feeding(10), "silent"),
    ],
)  # fmt: skip
def test_which_entry_says_pregnant(entry: ProblemEntry, expected: str) -> None:
    assert level(judge(entry)) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (feeding(365), "info"), (feeding(366), "silent"), (feeding(None), "info"),
        (feeding(10, active=False), "silent"),
        (feeding(10, flags=["observable-read-the-value"]), "silent"), (pregnant(10), "silent"),
    ],
)  # fmt: skip
def test_which_entry_says_breast_feeding(entry: ProblemEntry, expected: str) -> None:
    assert level(judge_feeding(entry)) == expected


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        (status(True, 300), "warning"), (status(True, 301), "silent"), (status(False), "silent"),
        (status(None), "cannot assess"), (status(None, 301), "silent"), (Observations(), "silent"),
    ],
)  # fmt: skip
def test_the_measured_status(observed: Observations, expected: str) -> None:
    assert level(judge(observations=observed)) == expected


@pytest.mark.parametrize(
    ("entry_days", "status_days", "expected"),
    [(20, 20, "silent"), (21, 20, "silent"), (19, 20, "warning"), (None, 20, "warning"), (299, 301, "warning")],
)
def test_a_later_not_pregnant_takes_a_dated_entry_back(entry_days: int | None, status_days: int, expected: str) -> None:
    assert level(judge(pregnant(entry_days), observations=status(False, status_days))) == expected


def test_what_could_not_be_read_is_named_only_where_pregnancy_is_possible() -> None:
    unread = not_available(Input.OBSERVATIONS)
    assert judge(observations=unread) == CannotAssess("pregnancy", (unread,))
    assert level(judge(observations=unread, age=56)) == "silent"
    assert level(judge(observations=unread, sex=Sex.MALE)) == "silent"
    assert level(judge(pregnant(), observations=unread)) == "warning"
    assert level(judge(observations=not_recorded(Input.OBSERVATIONS))) == "silent"


@pytest.mark.parametrize(
    "list_", [not_available(Input.PROBLEMS), ProblemList(incomplete="further pages were not read")]
)
def test_a_problem_list_with_gaps_proves_nothing(list_: ProblemList | Missing) -> None:
    for outcome in (judge(problems=list_), judge_feeding(problems=list_)):
        assert isinstance(outcome, CannotAssess)
        assert [gap.what for gap in outcome.missing] == [Input.PROBLEMS]
    assert level(judge(problems=list_, observations=status(True))) == "warning"
    assert level(judge_feeding(problems=list_, sex=Sex.MALE)) == "silent"


def test_every_card_can_be_written() -> None:
    for given in ({"problems": [pregnant(), feeding(None)]}, {"observations": status(True)}):
        case = make_case(age=30, **given)
        outcome = pregnancy(case, limits())
        assert isinstance(outcome, Finding)
        written(case, outcome)
    case = make_case(age=30, problems=[feeding()])
    outcome = breast_feeding(case, limits())
    assert isinstance(outcome, Finding)
    assert f"lactation ({ago(100)})" in written(case, outcome).detail


def test_the_signs_are_named() -> None:
    outcome = judge(pregnant(40), observations=status(True, 20))
    assert isinstance(outcome, Finding)
    assert outcome.values["recorded"] == f"pregnancy ({ago(40)}); pregnancy status or due date of {ago(20)}"
