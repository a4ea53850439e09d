"""What a report says, in numbers that may be shown. ``publish`` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cds_service.insights.count import ZERO, Count, Rate
from cds_service.insights.selection import Selection

TARGET = 0.30
"""At most this share of signings should show any card (rules.md M9)."""
RETIREMENT = 0.90
"""A rule of which a larger share is overridden is reworked or retired (rules.md M9)."""
NOT_RELEVANT = "not-clinically-relevant"


@dataclass(frozen=True, slots=True)
class Signings:
    """Calls that were answered."""

    shown: Count
    """With a card."""
    silent: Count
    """With silent cards only: they would have shown one."""
    none: Count
    whole: Count
    share: Rate | None
    """With a card, of all. None where too few were counted, as with every share."""
    share_silent: Rate | None
    share_none: Rate | None
    share_if_heard: Rate | None
    """With a card, if the silent ones were shown too."""


@dataclass(frozen=True, slots=True)
class Cards:
    """What was found, shown, and became of it: of one rule and indicator, or of all together."""

    fired: Count
    shown: Count
    """As a card of its own."""
    inside: Count
    """Said on another rule's card."""
    held: Count
    """Not shown again after an override, or waiting for order-sign."""
    silent: Count
    alone: Count
    """Of the silent ones: on a signing that showed no card, so that they would have interrupted."""
    beside: Count
    accepted: Count
    overridden: Count
    ignored: Count
    recent: Count
    """Not judged yet."""
    judged: Count
    """Accepted, overridden and ignored."""
    acceptance: Rate | None
    overriding: Rate | None
    ignoring: Rate | None
    offers: Mapping[str, Part]
    """Accepted, by what was offered: "change-dose"."""
    reasons: Mapping[str, Part]
    """Overridden, by the code of the reason."""


@dataclass(frozen=True, slots=True)
class Part:
    count: Count
    share: Rate | None
    """Of the whole that it is a part of."""


@dataclass(frozen=True, slots=True)
class OfRule:
    rule: str
    indicator: str
    cards: Cards
    weeks: Mapping[date, Count]
    """Shown, by week; every week of the period."""
    silent_weeks: Mapping[date, Count]


@dataclass(frozen=True, slots=True)
class OverTheLine:
    """A rule over the retirement line."""

    rule: str
    rate: Rate | None
    """None where the numbers are not shown: more than the line, then."""
    not_relevant: bool
    """Of the cards that were answered (accepted or overridden), overridden as "not clinically relevant"; else of the
    judged ones, overridden for whatever reason: a card that offers nothing can only be overridden or ignored."""


@dataclass(frozen=True, slots=True)
class DataGap:
    what: str
    whys: Mapping[str, Count]
    share: Rate | None
    """Of the signings."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, each the upper end of a tenth of a millisecond."""

    stage: str
    p50: float
    p90: float
    p99: float


@dataclass(frozen=True, slots=True)
class OfVersion:
    content: str
    first: date
    last: date
    signings: Count


@dataclass(frozen=True, slots=True)
class Figures:
    selection: Selection
    limit: int
    """Numbers from 1 to below it are not shown."""
    signings: Signings
    weeks: Mapping[date, Signings]
    all_cards: Cards
    rules: tuple[OfRule, ...]
    """Those shown most come first."""
    over_the_line: tuple[OverTheLine, ...]
    gaps: tuple[DataGap, ...]
    whole: Latency | None
    """Of whole calls; None where too few were timed."""
    stages: tuple[Latency, ...]
    sampled: int
    versions: tuple[OfVersion, ...]
    failed: Count
    unlinked: Count

    @property
    def empty(self) -> bool:
        return self.signings.whole == ZERO

    @property
    def silent_rules(self) -> tuple[OfRule, ...]:
        return tuple(rule for rule in self.rules if rule.cards.silent != ZERO)
