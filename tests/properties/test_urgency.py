"""Worse kidneys, more baclofen, more sedatives: never a milder answer (rules.md 4, 5; issue 3, point 4)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from cards.case import Kind
from cards.facts import KidneyResults, Medication, MedicationList, OralDose, PatientFacts, Standing
from tests.properties import people
from tests.properties.clinic import Answer
from tests.properties.people import EGFRS, FRESH
from tests.properties.search import examples

DOSED = people.people(orders=st.tuples(people.DOSED_ORDERS))
TOXICITY_MAY_LOWER = {Kind.STOP, Kind.DECREASE}
"""Kidneys under 30 make it likelier that stopping is right: the withdrawal cards alone become milder (rules.md 5.3)."""


@examples(300)
@given(people.ANYONE, st.sets(st.sampled_from(EGFRS), min_size=2, max_size=2), st.sampled_from(FRESH))
def test_a_lower_egfr_is_never_milder_and_never_offers_more(facts: PatientFacts, values: set[int], days: int) -> None:
    better, worse = (
        Answer(replace(facts, kidney=KidneyResults(egfrs=(people.egfr(value, days),))))
        for value in sorted(values, reverse=True)
    )
    if any(case.kind in TOXICITY_MAY_LOWER for case in better.cases):
        assert worse.highest_but("withdrawal") >= better.highest_but("withdrawal")
    else:
        assert worse.highest >= better.highest
    # An order above the labelled maximum gets "no increase", where a kidney card may offer one renal step (rules.md 5).
    no_increase = any(better.highest_suggested == case.current.dose for case in better.cases)
    if worse.highest_suggested is not None and better.highest_suggested is not None and not no_increase:
        assert worse.highest_suggested <= better.highest_suggested


@examples(300)
@given(DOSED, st.data())
def test_a_higher_dose_is_never_milder(facts: PatientFacts, data: st.DataObject) -> None:
    (order,) = facts.orders
    assert isinstance(order.dose, OralDose)
    factor = data.draw(st.sampled_from(("1.05", "1.5", "2", "4", "10")), "times as much")
    more = replace(order, dose=people.times_as_much(order.dose, Decimal(factor)))
    lower, higher = Answer(facts), Answer(replace(facts, orders=(more,)))
    assume([case.kind for case in lower.cases] == [case.kind for case in higher.cases])
    # A dose that equals the one on the chart is its renewal, no second order (rules.md 3.3). A higher dose that still
    # lowers the current one is a smaller cut: withdrawal alone may become milder.
    cuts = {"withdrawal"} if any(case.kind is Kind.DECREASE for case in lower.cases) else set()
    if not cuts:
        assert higher.highest >= lower.highest
    before, after = lower.by_family(), higher.by_family()
    for family in before.keys() - cuts - {"data-unavailable", "duplicate-baclofen"}:
        assert after.get(family, 0) >= before[family], family


@examples(300)
@given(people.ANYONE, people.SEDATIVES)
def test_one_more_opioid_or_sedative_is_never_milder(facts: PatientFacts, added: Medication) -> None:
    assert isinstance(facts.medications, MedicationList)
    if added.standing is Standing.DRAFT:
        with_it = replace(facts, drafted=(*facts.drafted, added))
    else:
        with_it = replace(facts, medications=replace(facts.medications, others=(*facts.medications.others, added)))
    before, after = Answer(facts), Answer(with_it)
    assert after.highest >= before.highest
    # "Could not read" goes where what it left open is now answered.
    lowered = {rule for rule, indicator in before.found.items() if after.found.get(rule, 0) < indicator}
    assert not lowered - {"data-unavailable"}
