"""Which inputs may hold something that nobody sees (rules.md 9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cards.facts import Input, KidneyResults, MedicationList, Observations, PatientFacts, ProblemList, Why
from cards.gaps import unread
from tests.unit.cases import make_case, not_available, not_recorded

FACTS = make_case().facts


def with_(**members: Any) -> PatientFacts:
    return replace(FACTS, **members)


MEMBERS = {
    Input.PROBLEMS: ("problems", ProblemList(incomplete="cut")),
    Input.PROCEDURES: ("procedures", ProblemList(incomplete="cut")),
    Input.MEDICATIONS: ("medications", MedicationList(incomplete="cut")),
    Input.OBSERVATIONS: ("observations", Observations(incomplete="cut")),
    Input.KIDNEY_RESULTS: ("kidney", KidneyResults(incomplete="cut")),
}


def test_what_was_read_whole_has_no_gap() -> None:
    assert unread(FACTS, *Input) == ()


@pytest.mark.parametrize("what", MEMBERS)
def test_a_list(what: Input) -> None:
    name, cut = MEMBERS[what]
    gone = not_available(what)
    assert unread(with_(**{name: gone}), what) == (gone,)
    assert unread(with_(**{name: not_recorded(what)}), what) == ()
    [gap] = unread(with_(**{name: cut}), what)
    assert (gap.what, gap.why, gap.reason) == (what, Why.NOT_AVAILABLE, "cut")


def test_allergies_and_age() -> None:
    gone, young = not_available(Input.ALLERGIES), not_recorded(Input.AGE)
    assert unread(replace(FACTS, allergies=gone), Input.ALLERGIES) == (gone,)
    assert unread(replace(FACTS, allergies=not_recorded(Input.ALLERGIES)), Input.ALLERGIES) == ()
    assert unread(replace(FACTS, age=young), Input.AGE) == (young,), "nobody has no age"


def test_gaps_keep_the_order_in_which_they_are_asked() -> None:
    facts = replace(FACTS, problems=not_available(Input.PROBLEMS), medications=not_available(Input.MEDICATIONS))
    asked = (Input.MEDICATIONS, Input.AGE, Input.PROBLEMS)
    assert [gap.what for gap in unread(facts, *asked)] == [Input.MEDICATIONS, Input.PROBLEMS]
