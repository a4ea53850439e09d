"""rules.md 5.9: other-interactions-and-cautions."""

from __future__ import annotations

from typing import Any

import pytest

from cards.case import Kind
from cards.facts import DrugClass, Input, Medication, MedicationList, Problem, ProblemList, Route, Unreadable
from cards.kidney import AcuteInjury, Tier
from cards.other_interactions.rule import ITEMS, Limits, other_interactions
from cards.outcome import CannotAssess, Finding, Outcome
from tests.unit.cases import level, limits_of, make_case, medication, not_available, not_recorded, problem, written

TRICYCLIC = medication(DrugClass.SEDATING_ANTIDEPRESSANT, flags=frozenset({"tricyclic"}))
TRAZODONE = medication(DrugClass.SEDATING_ANTIDEPRESSANT, flags=frozenset({"other-sedating"}))


def limits() -> Limits:
    read: Limits = limits_of("other_interactions/card.toml", Limits)
    return read


def judge(*medicines: DrugClass | Medication, **given: Any) -> Outcome:
    return other_interactions(make_case(**({"medications": medicines} | given)), limits())


def items(outcome: Outcome) -> list[str]:
    return [name for name in outcome.detail if name in ITEMS] if isinstance(outcome, Finding) else []


@pytest.mark.parametrize(
    ("medicine", "expected"),
    [
        (DrugClass.LITHIUM, ["lithium"]), (DrugClass.MAOI, ["maoi"]), (DrugClass.LEVODOPA, ["levodopa"]),
        (TRICYCLIC, ["tricyclic"]), (TRAZODONE, []), (DrugClass.NSAID, []), (DrugClass.NEPHROTOXIC, []),
        (DrugClass.ANTIHYPERTENSIVE, []), (DrugClass.BENZODIAZEPINE, []),
    ],
)  # fmt: skip
def test_medicines(medicine: DrugClass | Medication, expected: list[str]) -> None:
    assert items(judge(medicine)) == items(judge(drafted=[medicine])) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(Problem.PEPTIC_ULCER, ["ulcer"]), (Problem.PORPHYRIA, ["porphyria"]), (Problem.URINARY_RETENTION, ["retention"]),
     (Problem.NEUROGENIC_BLADDER, [])],
)  # fmt: skip
def test_conditions(kind: Problem, expected: list[str]) -> None:
    assert items(judge(problems=[kind])) == expected
    resolved = judge(problems=[problem(kind, active=False)])
    assert items(resolved) == (expected if kind is Problem.PORPHYRIA else [])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, False), ({"tier": Tier.K2}, False), ({"tier": Tier.K3A}, True), ({"tier": Tier.K5}, True),
        ({"tier": Tier.DIALYSIS}, True), ({"tier": Tier.UNKNOWN}, False), ({"age": 64}, False), ({"age": 65}, True),
        ({"acute": AcuteInjury(None, None, "a diagnosis")}, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("medicine", [DrugClass.NSAID, DrugClass.NEPHROTOXIC])
def test_drugs_that_harm_the_kidneys(medicine: DrugClass, given: dict[str, Any], said: bool) -> None:
    assert items(judge(medicine, **given)) == (["nephrotoxic"] if said else [])


def test_levodopa_in_parkinson_disease_is_told_by_the_neurological_card() -> None:
    assert items(judge(DrugClass.LEVODOPA, problems=[Problem.PARKINSONS])) == []
    assert items(judge(DrugClass.LEVODOPA, problems=not_available(Input.PROBLEMS))) == ["levodopa"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({}, "info"), ({"ordered": Unreadable("free text")}, "info"), ({"ordered": 30, "current": 15}, "info"),
        ({"ordered": 30, "current": 30}, "silent"), ({"ordered": 15, "current": 30}, "silent"),
        ({"ordered": None, "current": 30}, "silent"),
        ({"kind": Kind.INTRATHECAL, "route": Route.INTRATHECAL}, "silent"),
    ],
)  # fmt: skip
def test_by_kind(kind: dict[str, Any], expected: str) -> None:
    assert level(judge(DrugClass.LITHIUM, **kind)) == expected


def test_what_could_not_be_read() -> None:
    for unread in (not_available(Input.MEDICATIONS), MedicationList(incomplete="further pages were not read")):
        assert level(judge(medications=unread)) == "cannot assess"
        assert level(judge(medications=unread, problems=[Problem.PORPHYRIA])) == "info"
    assert level(judge(problems=not_available(Input.PROBLEMS))) == "cannot assess"
    assert level(judge(problems=ProblemList(incomplete="further pages were not read"))) == "cannot assess"


def test_unread_kidneys_and_age_matter_beside_a_drug_that_harms_them() -> None:
    kidney, age = not_available(Input.KIDNEY_RESULTS), not_recorded(Input.AGE)
    assert judge(DrugClass.NSAID, kidney=kidney) == CannotAssess("other-interactions-and-cautions", (kidney,))
    assert judge(DrugClass.NSAID, age=age) == CannotAssess("other-interactions-and-cautions", (age,))
    assert level(judge(kidney=kidney, age=age)) == "silent"
    assert items(judge(DrugClass.NSAID, kidney=kidney, age=70)) == ["nephrotoxic"]


def test_the_card_has_one_line_for_each_item() -> None:
    case = make_case(
        age=70,
        medications=[DrugClass.LITHIUM, DrugClass.MAOI, TRICYCLIC, DrugClass.LEVODOPA, DrugClass.NSAID],
        problems=[Problem.PEPTIC_ULCER, Problem.PORPHYRIA, Problem.URINARY_RETENTION],
    )
    outcome = other_interactions(case, limits())
    assert items(outcome) == list(ITEMS)
    assert isinstance(outcome, Finding)
    assert written(case, outcome).summary == "Check with baclofen: several other medicines or conditions"
    few = make_case(medications=[DrugClass.LITHIUM, DrugClass.MAOI])
    outcome = other_interactions(few, limits())
    assert isinstance(outcome, Finding)
    assert written(few, outcome).summary == "Check with baclofen: lithium, MAO inhibitor"
