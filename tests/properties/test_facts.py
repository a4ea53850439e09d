"""The order of facts, doubles and facts about other things do not matter; a missing one is never silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.facts import (
    ChartText,
    KidneyResults,
    Medication,
    MedicationList,
    PatientFacts,
    ProblemEntry,
    ProblemList,
    Standing,
)
from tests.properties import people
from tests.properties.clinic import Answer
from tests.properties.people import GONE, HERE, ago
from tests.properties.search import examples

OTHER_PROBLEM = ProblemEntry(frozenset(), ChartText("ingrown nail"), True, ago(10), frozenset(), HERE)
OTHER_DRUG = Medication(
    ChartText("folic acid"), frozenset(), frozenset(), Standing.ACTIVE, ago(10), None, False, (), HERE
)


def said(facts: PatientFacts) -> list[Any]:
    return Answer(facts).words


@examples(200)
@given(people.ANYONE, st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(facts: PatientFacts, random: Any) -> None:
    def mixed(listed: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(random.sample(listed, len(listed)))

    kidney, problems, procedures, chart = _read(facts)
    shuffled = replace(
        facts,
        kidney=replace(
            kidney,
            egfrs=mixed(kidney.egfrs),
            creatinines=mixed(kidney.creatinines),
            cystatins=mixed(kidney.cystatins),
        ),
        problems=replace(problems, entries=mixed(problems.entries)),
        procedures=replace(procedures, entries=mixed(procedures.entries)),
        medications=replace(chart, others=mixed(chart.others), baclofen=mixed(chart.baclofen)),
    )
    assert said(shuffled) == said(facts)


@examples(200)
@given(people.ANYONE)
def test_doubles_and_other_matters_change_nothing(facts: PatientFacts) -> None:
    kidney, problems, procedures, chart = _read(facts)
    more = replace(
        facts,
        kidney=replace(kidney, egfrs=kidney.egfrs * 2, creatinines=kidney.creatinines, cystatins=kidney.cystatins * 2),
        problems=replace(problems, entries=(OTHER_PROBLEM, *problems.entries * 2)),
        procedures=replace(procedures, entries=procedures.entries * 2),
        medications=replace(chart, others=(OTHER_DRUG, *chart.others)),
    )
    assert said(more) == said(facts)


@pytest.mark.parametrize("member", sorted(GONE))
@examples(150)
@given(facts=people.ANYONE)
def test_what_could_not_be_read_is_said(member: str, facts: PatientFacts) -> None:
    """A finding that was there, and is gone or milder without this input: the prescriber reads that it is missing."""
    before, after = Answer(facts), Answer(without(facts, member))
    was, now = before.by_family(), after.by_family()
    lost = {family for family in was.keys() - {"data-unavailable"} if now.get(family, 0) < was[family]}
    if not lost:
        return
    assert "data-unavailable" in after.found, lost
    assert any(str(GONE[member].what) in _gaps(finding) for finding in after.findings), lost
    assert "ould not read" in after.text or "could not be read: related baclofen checks" in after.text


def without(facts: PatientFacts, member: str) -> PatientFacts:
    changed: dict[str, Any] = {member: GONE[member]}
    return replace(facts, **changed)


def _gaps(finding: Any) -> str:
    return str(finding.values.get("gaps", ""))


def _read(facts: PatientFacts) -> tuple[KidneyResults, ProblemList, ProblemList, MedicationList]:
    assert isinstance(facts.kidney, KidneyResults)
    assert isinstance(facts.problems, ProblemList)
    assert isinstance(facts.procedures, ProblemList)
    assert isinstance(facts.medications, MedicationList)
    return facts.kidney, facts.problems, facts.procedures, facts.medications
