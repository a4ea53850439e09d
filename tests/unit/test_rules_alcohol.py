"""rules.md 5.5: aud-off-label and alcohol-interaction."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from cards.alcohol.rule import Limits, alcohol_interaction, aud_off_label
from cards.case import Indication, Kind
from cards.facts import (
    AlcoholFinding,
    AlcoholTest,
    ChartText,
    Input,
    Jurisdiction,
    Missing,
    Observations,
    Origin,
    Problem,
    ProblemEntry,
    ProblemList,
    Route,
    Unreadable,
    Why,
)  # fmt: skip
from cards.opioids_and_sedatives.limits import Limits as OpioidLimits
from cards.outcome import CannotAssess, Finding, Outcome
from tests.unit.cases import NOW, level, limits_of, make_case, not_available, problem, written

AUD = Indication.ALCOHOL_USE_DISORDER
CUT_SHORT = "further pages were not read"
AUDIT, PETH, ETHANOL = AlcoholTest.AUDIT_C, AlcoholTest.PETH, AlcoholTest.ETHANOL


def limits() -> Limits:
    read: Limits = limits_of("alcohol/card.toml", Limits)
    return read


def ago(days: int) -> date:
    return NOW.date() - timedelta(days=days)


def result(test: AlcoholTest, days: int, positive: bool | None = True) -> AlcoholFinding:
    return AlcoholFinding(test, positive, ChartText(f"{test} result"), ago(days), Origin("Observation/1"))


def seen(*findings: AlcoholFinding) -> Observations:
    return Observations(alcohol=findings)


def off_label(*findings: AlcoholFinding, **given: Any) -> Outcome:
    patient: dict[str, Any] = {"indication": AUD, "observations": seen(*findings)}
    return aud_off_label(make_case(**(patient | given)), limits())


def interaction(*findings: AlcoholFinding, **given: Any) -> Outcome:
    return alcohol_interaction(make_case(**({"observations": seen(*findings)} | given)), limits())


def found(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Finding), outcome
    return outcome


KINDS: dict[str, dict[str, Any]] = {
    "initiation": {},
    "unknown": {"ordered": Unreadable("free text")},
    "increase": {"ordered": 30, "current": 15},
    "unchanged": {"ordered": 30, "current": 30, "since_change": 29},
    "stable": {"ordered": 30, "current": 30, "since_change": 30},
    "decrease": {"ordered": 15, "current": 30},
    "pump": {"kind": Kind.INTRATHECAL, "route": Route.INTRATHECAL},
    "stop": {"ordered": None, "current": 30},
}
ENCEPHALOPATHY = problem(Problem.HEPATIC_ENCEPHALOPATHY)
DRUNK = problem(Problem.ALCOHOL_INTOXICATION, recorded=ago(3))


# ------------------------------------------------------------------------------------------------ as the indication


@pytest.mark.parametrize(
    ("kind", "plain", "worse"),
    [
        ("initiation", "info", "warning"), ("unknown", "info", "warning"), ("increase", "info", "warning"),
        ("unchanged", "info", "warning"), ("stable", "silent", "info"), ("decrease", "silent", "warning"),
        ("pump", "silent", "silent"), ("stop", "silent", "silent"),
    ],
)  # fmt: skip
def test_off_label_by_kind(kind: str, plain: str, worse: str) -> None:
    assert level(off_label(**KINDS[kind])) == plain
    assert level(off_label(result(ETHANOL, 1), **KINDS[kind])) == worse
    assert level(off_label(problems=[ENCEPHALOPATHY], **KINDS[kind])) == worse
    assert level(off_label(problems=[DRUNK], **KINDS[kind])) == worse


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (problem(Problem.ALCOHOL_INTOXICATION, recorded=ago(3)), "warning"),
        (problem(Problem.ALCOHOL_INTOXICATION, recorded=ago(3), active=False), "warning"),
        (problem(Problem.ALCOHOL_INTOXICATION, recorded=ago(4)), "info"),
        (problem(Problem.ALCOHOL_INTOXICATION), "info"),
        (problem(Problem.HEPATIC_ENCEPHALOPATHY, active=False), "info"),
        (problem(Problem.HEPATIC_IMPAIRMENT), "info"),
        (problem(Problem.ALCOHOL_USE_DISORDER), "info"),
    ],
)
def test_what_makes_it_a_warning(entry: ProblemEntry, expected: str) -> None:
    assert level(off_label(problems=[entry])) == expected


@pytest.mark.parametrize(("daily", "expected"), [(60, "info"), (60.5, "warning")])
@pytest.mark.parametrize("test", [AUDIT, PETH])
def test_drinking_with_a_dose_above_sixty(test: AlcoholTest, daily: float, expected: str) -> None:
    increase = {"ordered": daily, "current": 50}
    assert level(off_label(result(test, 10), **increase)) == expected
    assert level(off_label(result(test, 10, positive=False), **increase)) == "info"
    assert level(off_label(**increase)) == "info"


def test_alcohol_in_the_blood_is_a_warning_at_any_dose() -> None:
    assert level(off_label(result(ETHANOL, 3), ordered=5)) == "warning"
    assert level(off_label(result(ETHANOL, 4), ordered=90)) == "info"


def test_another_indication() -> None:
    assert level(off_label(indication=Indication.SPASTICITY)) == "silent"
    unread = not_available(Input.PROBLEMS)
    no_reason: dict[str, Any] = {"indication": Indication.SPASTICITY, "reason_given": False}
    assert off_label(**no_reason, problems=unread) == CannotAssess("aud-off-label", (unread,))
    assert level(off_label(indication=Indication.SPASTICITY, problems=unread)) == "silent"
    assert level(off_label(**no_reason)) == "silent"
    assert level(off_label(**no_reason, problems=ProblemList(incomplete=CUT_SHORT))) == "cannot assess"


def test_an_inferred_indication_is_called_so() -> None:
    outcome = found(off_label(indication=Indication.APPARENTLY_ALCOHOL_USE_DISORDER))
    assert outcome.values["aud"] == "apparently for alcohol use disorder"


def test_what_could_have_made_it_a_warning_is_named() -> None:
    tests, problems = not_available(Input.OBSERVATIONS), not_available(Input.PROBLEMS)
    assert found(off_label(observations=tests)).unchecked == (tests,)
    assert found(off_label(problems=problems)).unchecked == (problems,)
    assert found(off_label(observations=tests, problems=[ENCEPHALOPATHY])).unchecked == ()
    assert off_label(observations=tests, **KINDS["stable"]) == CannotAssess("aud-off-label", (tests,))
    assert off_label(observations=tests, **KINDS["decrease"]) == CannotAssess("aud-off-label", (tests,))
    assert level(off_label(observations=tests, **KINDS["stop"])) == "silent"


def test_liver_disease_has_its_sentence_and_muscle_mass_too() -> None:
    assert "liver" in found(off_label(problems=[Problem.HEPATIC_IMPAIRMENT])).detail
    assert "S-MUSC" in found(off_label(problems=[Problem.HEPATIC_IMPAIRMENT, Problem.LOW_MUSCLE_MASS])).detail
    assert not {"liver", "S-MUSC"} & set(found(off_label()).detail)


def test_the_words_of_the_us_and_of_france() -> None:
    case = make_case(indication=AUD)
    us = written(case, found(aud_off_label(case, limits())))
    assert us.summary == "Baclofen for alcohol use disorder is off-label in the US; usual studied dose 30-80 mg/day"
    case = make_case(indication=AUD, jurisdiction=Jurisdiction.FR)
    french = written(case, found(aud_off_label(case, limits())))
    assert "off-label" not in french.summary + french.detail
    assert "start 15-20 mg/day" in french.summary
    for words in ("Baclocur", "300 mg/day is the most", "specialist"):
        assert words in french.detail


# ------------------------------------------------------------------------------------------------- beside baclofen


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("initiation", "warning"), ("unknown", "warning"), ("increase", "warning"), ("unchanged", "warning"),
        ("pump", "warning"), ("stable", "info"), ("decrease", "silent"), ("stop", "silent"),
    ],
)  # fmt: skip
def test_interaction_by_kind(kind: str, expected: str) -> None:
    assert level(interaction(result(AUDIT, 10), **KINDS[kind])) == expected
    assert level(interaction(problems=[Problem.ALCOHOL_USE_DISORDER], **KINDS[kind])) == expected
    assert level(interaction(problems=[DRUNK], **KINDS[kind])) == expected
    assert level(interaction(**KINDS[kind])) == "silent"


@pytest.mark.parametrize(
    ("test", "days", "expected"),
    [
        (AUDIT, 365, "warning"), (AUDIT, 366, "silent"), (PETH, 90, "warning"), (PETH, 91, "silent"),
        (ETHANOL, 3, "warning"), (ETHANOL, 4, "silent"), (AUDIT, 0, "warning"), (AUDIT, -1, "silent"),
    ],
)  # fmt: skip
def test_each_test_in_its_time(test: AlcoholTest, days: int, expected: str) -> None:
    assert level(interaction(result(test, days))) == expected
    assert level(interaction(result(test, days, positive=False))) == "silent"
    unread = "cannot assess" if expected == "warning" else "silent"
    assert level(interaction(result(test, days, positive=None))) == unread


def test_the_newest_result_of_each_test_counts() -> None:
    older, newer = result(AUDIT, 100), result(AUDIT, 10, positive=False)
    assert level(interaction(older, newer)) == level(interaction(newer, older)) == "silent"
    assert level(interaction(older, newer, result(PETH, 20))) == "warning"
    assert level(interaction(newer, result(AUDIT, 10))) == "warning", "of one day the positive one"
    assert level(interaction(older, result(AUDIT, 10, positive=None))) == "cannot assess"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (problem(Problem.ALCOHOL_USE_DISORDER), "warning"),
        (problem(Problem.ALCOHOL_USE_DISORDER, active=False), "silent"),
        (problem(Problem.ALCOHOL_USE_DISORDER, flags=["history-or-remission", "remission"]), "silent"),
        (problem(Problem.HEPATIC_IMPAIRMENT), "silent"),
    ],
)
def test_alcohol_use_disorder_that_is_not_in_remission(entry: ProblemEntry, expected: str) -> None:
    assert level(interaction(problems=[entry])) == expected


def test_the_card_on_alcohol_use_disorder_speaks_of_drinking_itself() -> None:
    assert level(interaction(result(AUDIT, 10), indication=AUD)) == "silent"


@pytest.mark.parametrize(
    "unread",
    [
        {"observations": not_available(Input.OBSERVATIONS)}, {"observations": Observations(incomplete=CUT_SHORT)},
        {"problems": not_available(Input.PROBLEMS)}, {"problems": ProblemList(incomplete=CUT_SHORT)},
    ],
)  # fmt: skip
def test_absence_in_what_was_not_read_proves_nothing(unread: dict[str, Any]) -> None:
    for kind in ("initiation", "unchanged", "stable", "pump"):
        assert level(interaction(**unread, **KINDS[kind])) == "cannot assess"
    for kind in ("decrease", "stop"):
        assert level(interaction(**unread, **KINDS[kind])) == "silent"
    assert level(interaction(**({"problems": [Problem.ALCOHOL_USE_DISORDER]} | unread), indication=AUD)) == "silent"


def test_a_result_that_cannot_be_read_is_named() -> None:
    outcome = interaction(result(PETH, 5, positive=None))
    assert outcome == CannotAssess("alcohol-interaction", (Missing(Input.OBSERVATIONS, Why.UNREADABLE, "PEth result"),))


@pytest.mark.parametrize("jurisdiction", Jurisdiction)
@pytest.mark.parametrize("kind", KINDS)
def test_every_card_can_be_written(kind: str, jurisdiction: Jurisdiction) -> None:
    findings = seen(result(AUDIT, 10), result(ETHANOL, 1))
    many = [ENCEPHALOPATHY, problem(Problem.ALCOHOL_USE_DISORDER), problem(Problem.HEPATIC_IMPAIRMENT)]
    for indication in Indication:
        for problems in ([], many):
            for observations in (findings, seen()):
                case = make_case(
                    indication=indication, problems=problems, observations=observations, jurisdiction=jurisdiction,
                    **KINDS[kind],
                )  # fmt: skip
                for outcome in (aud_off_label(case, limits()), alcohol_interaction(case, limits())):
                    if isinstance(outcome, Finding):
                        written(case, outcome)


def test_drinking_means_the_same_beside_opioids() -> None:
    """The same windows, stated on both pages of the clinical document."""
    opioids: OpioidLimits = limits_of("opioids_and_sedatives/card.toml", OpioidLimits)
    for name in ("audit_c_max_age", "peth_max_age", "ethanol_max_age", "intoxication_max_age"):
        assert getattr(limits(), name) == getattr(opioids, name)
