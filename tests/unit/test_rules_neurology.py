"""rules.md 5.7: seizure-disorder and neurologic-comorbidity."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from cards.case import Kind
from cards.facts import DrugClass, Input, MedicationList, Missing, Problem, ProblemEntry, ProblemList, Route, Unreadable
from cards.neurology.comorbidity import neurologic_comorbidity
from cards.neurology.rule import Limits
from cards.neurology.seizures import seizure_disorder
from cards.outcome import CannotAssess, Finding, Outcome
from tests.unit.cases import NOW, level, limits_of, make_case, medication, not_available, problem, written

CUT_SHORT = "further pages were not read"


def limits() -> Limits:
    read: Limits = limits_of("neurology/card.toml", Limits)
    return read


def ago(days: int) -> date:
    return NOW.date() - timedelta(days=days)


def seizure(*entries: Problem | ProblemEntry, **given: Any) -> Outcome:
    return seizure_disorder(make_case(**({"problems": entries} | given)), limits())


def disease(*entries: Problem | ProblemEntry, **given: Any) -> Outcome:
    return neurologic_comorbidity(make_case(**({"problems": entries} | given)), limits())


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
LEVODOPA = {"medications": [DrugClass.LEVODOPA]}
EPILEPSY = problem(Problem.SEIZURE, recorded=ago(9000))


# ------------------------------------------------------------------------------------------------------- seizures


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("initiation", "warning"), ("unknown", "warning"), ("increase", "warning"), ("pump", "warning"),
        ("unchanged", "info"), ("stable", "silent"), ("decrease", "silent"), ("stop", "silent"),
    ],
)  # fmt: skip
def test_epilepsy_by_kind(kind: str, expected: str) -> None:
    assert level(seizure(EPILEPSY, **KINDS[kind])) == expected
    assert level(seizure(**KINDS[kind])) == "silent"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (problem(Problem.SEIZURE, active=False, recorded=ago(20000)), "warning"),
        (problem(Problem.SEIZURE, flags=["single-seizure"], recorded=ago(1825)), "warning"),
        (problem(Problem.SEIZURE, flags=["single-seizure"], recorded=ago(1826)), "silent"),
        (problem(Problem.SEIZURE, flags=["single-seizure"], recorded=ago(10), active=False), "warning"),
        (problem(Problem.SEIZURE, flags=["single-seizure"]), "warning"),
        (problem(Problem.SEIZURE, flags=["single-seizure"], active=False), "silent"),
        (problem(Problem.STROKE), "silent"),
    ],
)
def test_epilepsy_at_any_time_and_a_seizure_for_five_years(entry: ProblemEntry, expected: str) -> None:
    assert level(seizure(entry)) == expected


def test_anticonvulsants_are_named() -> None:
    assert "cover" in found(seizure(EPILEPSY, medications=[DrugClass.ANTIEPILEPTIC])).detail
    assert "cover" in found(seizure(EPILEPSY, drafted=[DrugClass.ANTIEPILEPTIC])).detail
    assert "no_cover" in found(seizure(EPILEPSY, medications=[DrugClass.NSAID])).detail
    assert "cover_not_known" in found(seizure(EPILEPSY, medications=not_available(Input.MEDICATIONS))).detail
    assert "cover_not_known" in found(seizure(EPILEPSY, medications=MedicationList(incomplete=CUT_SHORT))).detail


@pytest.mark.parametrize("unread", [not_available(Input.PROBLEMS), ProblemList(incomplete=CUT_SHORT)])
def test_a_problem_list_with_gaps_proves_nothing(unread: ProblemList | Missing) -> None:
    for outcome in (seizure(problems=unread), disease(problems=unread)):
        assert isinstance(outcome, CannotAssess)
        assert [gap.what for gap in outcome.missing] == [Input.PROBLEMS]
    for kind in ("stable", "decrease", "stop"):
        assert level(seizure(problems=unread, **KINDS[kind])) == "silent"
        assert level(disease(problems=unread, **KINDS[kind])) == "silent"
    assert level(seizure(problems=ProblemList((EPILEPSY,), CUT_SHORT))) == "warning"


# ------------------------------------------------------------------------------------------------------- diseases


@pytest.mark.parametrize(
    ("kind", "plain", "with_levodopa"),
    [
        ("initiation", "info", "warning"), ("unknown", "info", "warning"), ("increase", "info", "warning"),
        ("unchanged", "silent", "info"), ("stable", "silent", "silent"), ("decrease", "silent", "silent"),
        ("pump", "silent", "silent"), ("stop", "silent", "silent"),
    ],
)  # fmt: skip
def test_parkinson_disease_by_kind(kind: str, plain: str, with_levodopa: str) -> None:
    assert level(disease(Problem.PARKINSONS, **KINDS[kind])) == plain
    assert level(disease(Problem.PARKINSONS, **KINDS[kind], **LEVODOPA)) == with_levodopa
    assert level(disease(**KINDS[kind], **LEVODOPA)) == "silent"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        *((problem(kind), "info") for kind in (Problem.STROKE, Problem.DEMENTIA, Problem.BRAIN_INJURY)),
        (problem(Problem.AUTONOMIC_DYSREFLEXIA), "info"),
        (problem(Problem.STROKE, active=False), "info"),
        (problem(Problem.BRAIN_INJURY, active=False), "info"),
        (problem(Problem.DEMENTIA, active=False), "silent"),
        (problem(Problem.PARKINSONS, active=False), "silent"),
        (problem(Problem.AUTONOMIC_DYSREFLEXIA, active=False), "silent"),
        (problem(Problem.STROKE, flags=["tia"]), "silent"),
        (problem(Problem.SEIZURE), "silent"),
    ],
)
def test_which_diseases_count(entry: ProblemEntry, expected: str) -> None:
    assert level(disease(entry)) == expected


def test_each_disease_has_its_paragraph_in_one_order() -> None:
    entries = [Problem.DEMENTIA, Problem.STROKE, Problem.PARKINSONS]
    one, other = found(disease(*entries)), found(disease(*reversed(entries)))
    assert one == other
    assert one.values["dx"] == "Parkinson disease, stroke and dementia"
    assert [name for name in one.detail if name in set(Problem)] == [
        "parkinsons",
        "stroke",
        "dementia-cognitive-impairment",
    ]


def test_drafted_levodopa_counts() -> None:
    assert level(disease(Problem.PARKINSONS, drafted=[medication(DrugClass.LEVODOPA)])) == "warning"


def test_what_could_have_made_it_more_urgent_is_named() -> None:
    unread = not_available(Input.MEDICATIONS)
    assert found(disease(Problem.PARKINSONS, medications=unread)).unchecked == (unread,)
    assert found(disease(Problem.PARKINSONS, **LEVODOPA)).unchecked == ()
    assert found(disease(Problem.STROKE, medications=unread)).unchecked == ()
    some = ProblemList((problem(Problem.STROKE),), CUT_SHORT)
    assert found(disease(problems=some)).unchecked == ()
    assert [gap.what for gap in found(disease(problems=some, **LEVODOPA)).unchecked] == [Input.PROBLEMS]
    assert [gap.what for gap in found(disease(problems=some, medications=unread)).unchecked] == [Input.PROBLEMS]


def test_a_renewal_that_could_be_parkinson_disease_with_levodopa_cannot_be_assessed() -> None:
    renewal = KINDS["unchanged"]
    unread = {"medications": not_available(Input.MEDICATIONS)}
    assert level(disease(Problem.PARKINSONS, **renewal, **unread)) == "cannot assess"
    assert level(disease(problems=not_available(Input.PROBLEMS), **renewal, **LEVODOPA)) == "cannot assess"
    assert level(disease(problems=not_available(Input.PROBLEMS), **renewal)) == "silent"


@pytest.mark.parametrize("kind", ["initiation", "unknown", "increase", "unchanged", "pump"])
def test_every_card_can_be_written(kind: str) -> None:
    everything = [EPILEPSY, *(problem(p) for p in (Problem.PARKINSONS, Problem.STROKE, Problem.DEMENTIA,
                  Problem.BRAIN_INJURY, Problem.AUTONOMIC_DYSREFLEXIA))]  # fmt: skip
    for medicines in ([], [DrugClass.LEVODOPA, DrugClass.ANTIEPILEPTIC], not_available(Input.MEDICATIONS)):
        case = make_case(problems=everything, medications=medicines, **KINDS[kind])
        for outcome in (seizure_disorder(case, limits()), neurologic_comorbidity(case, limits())):
            if isinstance(outcome, Finding):
                written(case, outcome)
