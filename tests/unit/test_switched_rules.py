"""A site may switch a rule off or to silent; what could not be checked is said all the same (design, section 6)."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from cards import catalogue as catalogue_of
from cards.catalogue import Assessment, Catalogue
from cards.outcome import Finding
from cards.triage import DATA_CARDS, ORDER, triage
from cards.vignettes import Vignette, all_vignettes, facts_of

NONE: frozenset[str] = frozenset()
EVERY = frozenset(ORDER)


@cache
def catalogue() -> Catalogue:
    return Catalogue.load()


@cache
def site(off: frozenset[str] = NONE, silent: frozenset[str] = NONE) -> Catalogue:
    return catalogue().for_site(off, silent)


def assessed(vignette: Vignette, off: frozenset[str] = NONE, silent: frozenset[str] = NONE) -> Assessment:
    return site(off, silent).assess(facts_of(vignette.given))


def found(assessment: Assessment) -> set[str]:
    return {outcome.rule for _, outcome in assessment.outcomes if isinstance(outcome, Finding)}


def shown(assessment: Assessment) -> set[str]:
    cards = assessment.triaged.cards
    return {card.rule for card in cards} | {finding.rule for card in cards for finding in card.merged}


@pytest.mark.parametrize("vignette", all_vignettes(), ids=str)
def test_a_silent_rule_is_assessed_and_not_shown(vignette: Vignette) -> None:
    usual = assessed(vignette)
    for rule in found(usual):
        quiet = assessed(vignette, silent=frozenset({rule}))
        assert rule in found(quiet)
        assert rule not in shown(quiet)


@pytest.mark.parametrize("vignette", all_vignettes(), ids=str)
def test_a_rule_that_is_off_is_not_asked(vignette: Vignette) -> None:
    for rule in found(assessed(vignette)) - DATA_CARDS:
        without = assessed(vignette, off=frozenset({rule}))
        assert rule not in {outcome.rule for _, outcome in without.outcomes}
        assert rule not in shown(without)


@pytest.mark.parametrize("vignette", all_vignettes(), ids=str)
def test_all_silent_shows_nothing_and_finds_the_same(vignette: Vignette) -> None:
    usual, trial = assessed(vignette), assessed(vignette, silent=EVERY)
    assert trial.triaged.cards == ()
    assert found(trial) - DATA_CARDS == found(usual) - DATA_CARDS


def test_the_others_are_shown_as_ever() -> None:
    """What led a family gives way to the next of it."""
    vignette = next(one for one in all_vignettes() if len(one.expect["cards"]) and one.expect["cards"][0].get("merged"))
    first = vignette.expect["cards"][0]
    assert first["merged"][0] in shown(assessed(vignette, silent=frozenset({first["rule"]})))


def test_a_gap_of_a_rule_that_nobody_sees_is_not_said() -> None:
    """The data card names what a shown rule could not read; a rule that is off or silent asks for nothing."""
    with_gaps = [one for one in all_vignettes() if "data-unavailable" in found(assessed(one))]
    assert with_gaps
    others = EVERY - DATA_CARDS
    for vignette in with_gaps:
        assert not facts_of(vignette.given).orders_for_other_patients
        assert "data-unavailable" not in found(assessed(vignette, off=others))
        assert "data-unavailable" not in found(assessed(vignette, silent=others))


def test_without_switches_it_is_the_same_clinic() -> None:
    assert catalogue().for_site(NONE, NONE) is catalogue()
    switched = catalogue().for_site(NONE, frozenset({"renal-aki"}))
    assert switched.content_version == catalogue().content_version
    assert switched.reads == catalogue().reads, "discovery is the same for every client"


@pytest.mark.parametrize("vignette", all_vignettes(), ids=str)
def test_what_silence_holds_back_is_what_would_have_been_shown(vignette: Vignette) -> None:
    usual, trial = assessed(vignette), assessed(vignette, silent=EVERY)
    assert [(card.rule, card.indicator, card.proposals) for card in trial.silent] == [
        (card.rule, card.indicator, card.proposals) for card in usual.triaged.cards
    ]
    assert trial.silenced - DATA_CARDS == found(usual) - DATA_CARDS
    assert usual.silent == ()


@pytest.mark.parametrize("vignette", all_vignettes(), ids=str)
def test_one_silent_rule_holds_back_its_own_card(vignette: Vignette) -> None:
    for card in assessed(vignette).triaged.cards:
        trial = assessed(vignette, silent=frozenset({card.rule}))
        assert (card.rule in {held.rule for held in trial.silent}) is (card.rule in found(assessed(vignette)))
        assert not {held.rule for held in trial.silent} & {seen.rule for seen in trial.triaged.cards}


def test_a_fault_in_what_is_not_shown_costs_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second triage of a site with silent rules, for what is held back, is the one that fails."""
    vignette = next(one for one in all_vignettes() if len(assessed(one).triaged.cards) > 1)
    card, *_ = assessed(vignette).triaged.cards
    quiet = frozenset({card.rule})
    before = assessed(vignette, silent=quiet).triaged
    real, calls = triage, []

    def second_fails(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise ValueError
        return real(*given)

    monkeypatch.setattr(catalogue_of, "triage", second_fails)
    after = assessed(vignette, silent=quiet)
    assert (after.triaged, after.silent) == (before, ())
    assert [rule for rule, _ in after.broken] == ["silent rules"]
