"""A card that was overridden with a reason stays away for a day from the same order (rules.md M6, resolutions.md 26).

The decision only: what was overridden is told to it. Criticals are always shown again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from cards.facts import OralDose
from cards.kidney import KidneyFunction
from cards.outcome import Indicator
from cards.triage import Dropped, ShownCard, Triaged

LASTS = timedelta(hours=24)
WHY = "overridden with a reason for this order within the last 24 hours"


@dataclass(frozen=True, slots=True)
class OverrideKey:
    """What has to be the same for an override to count again: another dose or kidney tier is another question."""

    rules: tuple[str, ...]
    """The card's rule and those merged into it."""
    order: str
    dose: str
    tier: str


def key_of(card: ShownCard) -> OverrideKey | None:
    """None when the order has no id: then nothing tells that the next call is about the same order."""
    if not card.case.orders or not card.case.order.reference:
        return None
    dose, kidney = card.case.dose, card.case.kidney
    return OverrideKey(
        rules=tuple(sorted({card.rule, *(finding.rule for finding in card.merged)})),
        order=card.case.order.reference,
        dose=" then ".join(str(step.daily) for step in dose.steps) if isinstance(dose, OralDose) else "",
        tier=kidney.tier.value if isinstance(kidney, KidneyFunction) else "",
    )


def may_stay_away(found: Triaged) -> bool:
    """Whether an override could matter at all."""
    return any(card.indicator is not Indicator.CRITICAL and key_of(card) for card in found.cards)


def without_overridden(found: Triaged, overridden: Callable[[OverrideKey], bool]) -> Triaged:
    """The cards that were not overridden, and every critical."""
    gone = [card for card in found.cards if _stays_away(card, overridden)]
    if not gone:
        return found
    return replace(
        found,
        cards=tuple(card for card in found.cards if card not in gone),
        dropped=(*found.dropped, *(Dropped(card.rule, WHY) for card in gone)),
    )


def _stays_away(card: ShownCard, overridden: Callable[[OverrideKey], bool]) -> bool:
    key = key_of(card)
    return card.indicator is not Indicator.CRITICAL and key is not None and overridden(key)
