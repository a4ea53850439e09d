"""Calls and cards, counted: all that the figures are made of, wherever it was counted. Exact, so not to be shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class Advice(StrEnum):
    """What a signing got."""

    SHOWN = "a card was shown"
    SILENT = "silent cards only"
    NONE = "no card"


class Became(StrEnum):
    """What became of a card. A later acceptance stands above an override: the suggestion was applied."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"
    IGNORED = "ignored"
    RECENT = "too recent to judge"
    SILENT = "silent"


class Elsewhere(StrEnum):
    """Where a finding went that got no card of its own."""

    INSIDE = "said on another card"
    HELD = "held back"


class Fate(NamedTuple):
    became: Became
    what: str = ""
    """ACCEPTED: what was offered, as "change-dose", or several joined by " + ". OVERRIDDEN: the code of the reason.
    SILENT: ``ALONE`` or ``BESIDE``."""


ALONE = "on a signing that showed no card"
BESIDE = "beside a card that was shown"
NO_REASON = "no-reason-given"
OTHER_LIST = "reason-of-another-list"
NOT_SAID = "not-said-which"


class CardKey(NamedTuple):
    rule: str
    indicator: str
    week: date
    fate: Fate


class FindingKey(NamedTuple):
    rule: str
    indicator: str
    """Of the finding by itself."""
    where: Elsewhere


class Gap(NamedTuple):
    what: str
    """An input, as "kidney_results"."""
    why: str
    """ "not recorded", "not available", "unreadable", "incomplete"."""


@dataclass(frozen=True, slots=True)
class Version:
    content: str
    first: date
    last: date
    signings: int


TENTHS = 10
"""Times are counted in tenths of a millisecond."""

Times = Mapping[int, int]
"""Tenths of a millisecond → how many calls took so long."""


@dataclass(frozen=True, slots=True)
class Tally:
    signings: Mapping[tuple[date, Advice], int] = field(default_factory=Counter)
    """By week (its Monday) → calls that were answered."""
    cards: Mapping[CardKey, int] = field(default_factory=Counter)
    findings: Mapping[FindingKey, int] = field(default_factory=Counter)
    """Those that got no card of their own."""
    gaps: Mapping[Gap, int] = field(default_factory=Counter)
    """Signings that lacked it."""
    versions: tuple[Version, ...] = ()
    whole: Times = field(default_factory=Counter)
    """Of whole calls."""
    stages: Mapping[str, Times] = field(default_factory=dict)
    """In the order of a call; of the latest ``sampled`` calls."""
    sampled: int = 0
    failed: int = 0
    """Calls without an answer: those orders were not checked."""
    unlinked: int = 0
    """Entries of feedback on cards that are not on record."""
