"""Shown findings as CDS Hooks cards, in exactly the shape of CDS Hooks 2.0.1 (checklist 2.8).

A member without a value is left out; none is null or empty. What never changes between two cards of one rule is its
``Frame``, made once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import uuid4

import msgspec

from cards.catalogue import Assessment, Catalogue
from cards.content import OverrideReason, Source
from cards.logic import Offer
from cards.outcome import LimitSupply
from cards.quantities import Days
from cards.triage import SUMMARY_CARD, ShownCard
from cards.values import frozen
from cards.wording import Words
from cds_service.dialects import Dialect
from cds_service.hooks import HookCall
from cds_service.suggestions import NotOffered, OrderedProduct, Session, Suggestions, suggestions_for

Card = dict[str, Any]

SOURCE_LABEL = "Baclofen safety service"
RULE_SYSTEM = "https://baclofen-cds.example/fhir/CodeSystem/rule"
REASON_SYSTEM = "https://baclofen-cds.example/fhir/CodeSystem/override-reason"
MOST_LINKS = 3
_encode = msgspec.json.Encoder(decimal_format="number").encode


def encode(cards: Sequence[Card]) -> bytes:
    """The body of the response. Decimals of the echoed drafts are written digit for digit."""
    return _encode({"cards": cards})


@frozen
class Frame:
    """The constant members of one rule's card. Shared between responses: never changed."""

    source: Mapping[str, Any]
    override_reasons: Sequence[Mapping[str, str]]
    links: Sequence[Mapping[str, str]]

    @classmethod
    def of(
        cls,
        rule: str,
        title: str,
        reasons: Sequence[OverrideReason],
        sources: Sequence[Source],
        content_url: str = "",
    ) -> Frame:
        cited = {source.link: source.citation for source in sources if source.link.startswith("https://")}
        links = [{"label": citation, "url": link, "type": "absolute"} for link, citation in cited.items()]
        return cls(
            source={
                "label": SOURCE_LABEL,
                **({"url": f"{content_url}#{rule}"} if content_url else {}),
                "topic": {"system": RULE_SYSTEM, "code": topic_code(rule), "display": title},
            },
            override_reasons=[
                {"code": reason.code, "system": REASON_SYSTEM, "display": reason.display} for reason in reasons
            ],
            links=links[:MOST_LINKS],
        )


@frozen
class Built:
    cards: list[Card]
    kinds: tuple[tuple[Offer, ...], ...]
    """Of each card: what its suggestions offer."""
    not_offered: tuple[tuple[str, NotOffered], ...]
    """Rule and proposal that became no suggestion: for explain; to be logged as an error where it is ``invalid``."""


def topic_code(rule: str) -> str:
    """``renal-dose-exceeds-limit`` as ``renalDoseExceedsLimit``: EHRs remember overrides by it, for ever."""
    first, *others = rule.split("-")
    return first + "".join(word.capitalize() for word in others)


def cards_for(
    assessment: Assessment,
    catalogue: Catalogue,
    call: HookCall,
    products: Mapping[str, OrderedProduct],
    content_url: str = "",
    *,
    dialect: Dialect = Dialect.GENERIC,
) -> Built:
    """``products``: the recognised baclofen product of each draft, by the draft's reference."""
    shown = assessment.triaged.cards
    if not shown:
        return Built([], (), ())
    return build(shown, catalogue.words, frames(catalogue, content_url), Session.of(call, products, dialect))


@lru_cache(maxsize=128)  # one for each client
def frames(catalogue: Catalogue, content_url: str = "") -> Mapping[str, Frame]:
    """One frame per rule, and one for the summary card. ``content_url``: the page that explains each rule."""
    words, groups = catalogue.words, catalogue.library.override_groups
    made = {
        rule: Frame.of(
            rule,
            words.title(rule),
            groups[text.overrides],
            [words.evidence[key] for key in text.sources if key in words.evidence],
            content_url,
        )
        for rule, text in words.texts.items()
    }
    return made | {SUMMARY_CARD: Frame.of(SUMMARY_CARD, words.title(SUMMARY_CARD), groups["All"], (), content_url)}


def build(shown: Sequence[ShownCard], words: Words, by_rule: Mapping[str, Frame], session: Session) -> Built:
    """The cards in the order given."""
    limits = [one.supply for card in shown for one in card.proposals if isinstance(one, LimitSupply)]
    limit = min(limits, default=None)
    cards = []
    kinds = []
    not_offered: list[tuple[str, NotOffered]] = []
    for one in shown:
        card, made = _card(one, words, by_rule[one.rule], session, limit)
        cards.append(card)
        kinds.append(made.kinds)
        not_offered += [(one.rule, proposal) for proposal in made.not_offered]
    return Built(cards, tuple(kinds), tuple(not_offered))


def _card(
    shown: ShownCard, words: Words, frame: Frame, session: Session, limit: Days | None
) -> tuple[Card, Suggestions]:
    said = words.of(shown)
    made = suggestions_for(shown.proposals, shown.case, session, limit)
    card: Card = {"uuid": str(uuid4()), "summary": said.summary}
    if said.detail:
        card["detail"] = said.detail
    card["indicator"] = str(shown.indicator)
    card["source"] = frame.source
    if made.offered:
        card["suggestions"] = made.offered
        alternatives = session.dialect is not Dialect.EPIC and _exclude_each_other(made.offered)
        card["selectionBehavior"] = "at-most-one" if alternatives else "any"
    if frame.override_reasons:
        card["overrideReasons"] = frame.override_reasons
    if frame.links:
        card["links"] = frame.links
    return card, made


def _exclude_each_other(offered: Sequence[Mapping[str, Any]]) -> bool:
    """Suggestions that change an order of this session are alternatives; a test or naloxone goes with any of them."""
    changing = (one for one in offered if any(action["type"] != "create" for action in one["actions"]))
    return sum(1 for _ in changing) > 1
