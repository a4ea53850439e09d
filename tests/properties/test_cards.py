"""Every response: few cards, short summaries, no markup of the chart, and nothing that was found is lost."""

from __future__ import annotations

import re

from hypothesis import given

from cards.content import LONGEST_SUMMARY
from cards.facts import PatientFacts
from cards.outcome import Indicator
from cards.triage import SUMMARY_CARD
from tests.properties import people
from tests.properties.clinic import Answer, catalogue
from tests.properties.search import examples


@examples(300)
@given(people.ANYONE_EITHER_HOOK)
def test_few_cards(facts: PatientFacts) -> None:
    cards = Answer(facts).assessment.triaged.cards
    criticals = sum(card.indicator is Indicator.CRITICAL for card in cards)
    shown = [card for card in cards if card.rule != SUMMARY_CARD]
    assert len(shown) <= max(3, criticals)
    assert len(cards) <= len(shown) + 1
    assert len({card.rule for card in cards}) == len(cards)


@examples(300)
@given(people.ANYONE_EITHER_HOOK)
def test_words(facts: PatientFacts) -> None:
    answer = Answer(facts)
    assert not answer.assessment.broken
    for rule, indicator, said in answer.words:
        assert 0 < len(said.summary) <= LONGEST_SUMMARY
        assert "<" not in said.summary
        assert not re.search(r"<[a-z/]", said.detail), "markup of the chart"
        assert not re.search(r"(?<!\\)\[b|(?<!\\)\]\(javascript", said.detail)
        assert not re.search(r"[{}]|None|Missing|Decimal|frozenset|\('", said.summary + said.detail)
        assert rule == SUMMARY_CARD or indicator in catalogue().texts[rule].indicators or indicator > 0


@examples(300)
@given(people.ANYONE)
def test_nothing_that_was_found_is_lost(facts: PatientFacts) -> None:
    """On a card of its own, as a line of the card that absorbed it, or as a line of the summary card."""
    answer = Answer(facts)
    shown = {f.rule for card in answer.assessment.triaged.cards for f in (card.finding, *card.merged)}
    assert set(answer.found) <= shown
    assert shown - {SUMMARY_CARD, "data-unavailable"} <= set(answer.found)
    assert answer.highest >= max(answer.found.values(), default=0)
