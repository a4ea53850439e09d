"""What may be offered with one click (rules.md 5.12, 6; resolutions.md 2, 3, 6; issue 3, point 4)."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given

from cards.case import Case, Kind
from cards.facts import OralDose, PatientFacts, Route
from cards.kidney import KidneyFunction, Tier
from cards.outcome import ChangeDose, StopExisting, Taper, WithdrawOrder
from cards.quantities import DailyDose
from tests.properties import people
from tests.properties.clinic import Answer, regimens
from tests.properties.search import examples

HALF_TABLET = Decimal("2.5")
NO_PRODUCT_GIVES = Decimal("17.5")
TAPERED = (Kind.STOP, Kind.DECREASE)
"""Their suggestion is slower than the order: above what was ordered, never above what is taken."""
ESTABLISHED = (Kind.INCREASE, Kind.UNCHANGED, Kind.DECREASE, Kind.STOP)


@examples(300)
@given(people.ANYONE_EITHER_HOOK)
def test_no_suggestion_goes_above_what_was_ordered(facts: PatientFacts) -> None:
    for case, proposal in Answer(facts).dose_proposals:
        for regimen in regimens(proposal):
            assert regimen.daily <= _most(case), (case.kind, proposal)
        if case.kind in (Kind.INITIATION, Kind.INCREASE) and isinstance(case.dose, OralDose):
            assert isinstance(case.current.dose, DailyDose)
            begun = max(case.dose.start, case.current.dose)
            assert all(regimen.daily <= begun for regimen in regimens(proposal)[:1]), "not from a higher first step"


def _most(case: Case) -> DailyDose:
    taken = case.current.dose
    ordered = case.dose.highest if isinstance(case.dose, OralDose) else None
    if case.kind in TAPERED:
        assert isinstance(taken, DailyDose)
        return taken if ordered is None else max(taken, ordered)
    if ordered is None:
        # A draft without a dose yet: the recommended start is all that may be offered.
        start = case.dosing.recommended_start(_tier(case), case.age)
        assert taken == DailyDose.of(0)
        assert start is not None
        return start
    return ordered


@examples(300)
@given(people.ANYONE_EITHER_HOOK)
def test_no_suggestion_raises_anyone_above_the_ceiling(facts: PatientFacts) -> None:
    for case, proposal in Answer(facts).dose_proposals:
        ceiling = case.dosing.ceiling(_tier(case), case.age, established=case.kind in (Kind.UNCHANGED, *TAPERED))
        # Children have no ceiling: they are offered a taper, never a dose to go up to (resolutions.md 23).
        for regimen in regimens(proposal):
            down = isinstance(case.current.dose, DailyDose) and regimen.daily <= case.current.dose
            assert down or (ceiling is not None and regimen.daily <= ceiling), (case.kind, proposal)


@examples(400)
@given(people.ANYONE_EITHER_HOOK)
def test_no_suggestion_cuts_an_established_dose_by_more_than_a_taper_step(facts: PatientFacts) -> None:
    for case, proposal in Answer(facts).dose_proposals:
        if case.kind not in ESTABLISHED or not isinstance(case.current.dose, DailyDose):
            continue
        if isinstance(proposal, WithdrawOrder):
            goes_on = case.kind in (Kind.INCREASE, Kind.STOP) or case.current.beside
            assert goes_on, "removing a renewal or a decrease may leave nothing"
        before = case.current.dose
        for regimen in regimens(proposal):
            step = case.dosing.taper_large_cut if before >= DailyDose.of(40) else case.dosing.taper_small_cut
            assert before - regimen.daily <= step, (case.kind, before, proposal)
            before = regimen.daily
        if isinstance(proposal, Taper) and not proposal.stays_at_last:
            assert before <= DailyDose.of(5), "a taper may only end from a small dose"


@examples(300)
@given(people.ANYONE_EITHER_HOOK)
def test_what_is_taken_and_not_known_is_neither_lowered_nor_removed(facts: PatientFacts) -> None:
    for case, proposal in Answer(facts).dose_proposals:
        if not case.current.known:
            assert not isinstance(proposal, ChangeDose | Taper | StopExisting | WithdrawOrder), proposal


@examples(300)
@given(people.ANYONE_EITHER_HOOK)
def test_every_suggested_dose_can_be_given(facts: PatientFacts) -> None:
    for case, proposal in Answer(facts).dose_proposals:
        assert case.route is Route.ORAL or not regimens(proposal)
        for regimen in regimens(proposal):
            assert 1 <= len(regimen.doses) <= 4
            for single in regimen.doses:
                assert single.value > 0
                assert single.value % HALF_TABLET == 0 or _is_taken_or_ordered(case, regimen.daily), str(regimen)
                assert single.value != NO_PRODUCT_GIVES, str(regimen)


@examples(200)
@given(people.ANYONE_EITHER_HOOK)
def test_one_card_at_most_changes_the_dose(facts: PatientFacts) -> None:
    changing = [
        card
        for card in Answer(facts).assessment.triaged.cards
        if any(isinstance(p, ChangeDose | Taper | WithdrawOrder | StopExisting) for p in card.proposals)
    ]
    assert len(changing) <= 1


def _is_taken_or_ordered(case: Case, daily: DailyDose) -> bool:
    """A measured liquid dose of 1 or 2 mg that is taken or ordered already, kept as it is."""
    ordered = case.dose.start if isinstance(case.dose, OralDose) else None
    return daily < DailyDose(HALF_TABLET) and daily in (case.current.dose, ordered)


def _tier(case: Case) -> Tier:
    return case.kidney.tier if isinstance(case.kidney, KidneyFunction) else Tier.UNKNOWN
