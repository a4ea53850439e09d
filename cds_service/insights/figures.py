"""A tally → the figures, as they may be shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import inf

from cards.triage import ORDER, SUMMARY_CARD
from cds_service.insights import flows
from cds_service.insights.count import ZERO, Count, Rate, total
from cds_service.insights.disclosure import published
from cds_service.insights.flows import CARDS, Line
from cds_service.insights.selection import Selection
from cds_service.insights.tally import (
    ALONE,
    BESIDE,
    TENTHS,
    Advice,
    Became,
    Elsewhere,
    Fate,
    Tally,
    Times,
)

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

    @property
    def share(self) -> Rate | None:
        """With a card, of all."""
        return Rate.of(self.shown, self.silent + self.none)

    @property
    def share_if_heard(self) -> Rate | None:
        """The same, if the silent cards were shown too."""
        return Rate.of(self.shown + self.silent, self.none)


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
    offers: Mapping[str, Count]
    """Accepted, by what was offered: "change-dose"."""
    reasons: Mapping[str, Count]
    """Overridden, by the code of the reason."""

    @property
    def judged(self) -> Count:
        return total((self.accepted, self.overridden, self.ignored))

    @property
    def acceptance(self) -> Rate | None:
        return Rate.of(self.accepted, self.overridden + self.ignored)

    @property
    def overriding(self) -> Rate | None:
        return Rate.of(self.overridden, self.accepted + self.ignored)

    @property
    def ignoring(self) -> Rate | None:
        return Rate.of(self.ignored, self.accepted + self.overridden)


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
    """A rule over the retirement line, by its cards that were answered (accepted or overridden)."""

    rule: str
    rate: Rate
    not_relevant: bool
    """Overridden as "not clinically relevant"; else for whatever reason."""

    @property
    def certain(self) -> bool:
        """Not if hidden numbers could bring it below."""
        return self.rate.lowest > RETIREMENT


@dataclass(frozen=True, slots=True)
class DataGap:
    what: str
    whys: Mapping[str, Count]
    had: Count
    """Signings that did not lack it."""

    @property
    def share(self) -> Rate | None:
        return Rate.of(total(self.whys.values()), self.had)


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


def figures(tally: Tally, selection: Selection, limit: int) -> Figures:
    shown = published(flows.signings(tally.signings), limit)
    signings = _signings(shown, None)
    rules, all_cards = _of_rules(tally, selection, limit)
    calls = sum(tally.signings.values())
    enough = calls >= limit
    return Figures(
        selection=selection,
        limit=limit,
        signings=signings,
        weeks={week: _signings(shown, week) for week in selection.weeks()},
        all_cards=all_cards,
        rules=rules,
        over_the_line=tuple(_over_the_line(rules, limit)),
        gaps=tuple(_gaps(tally, calls, limit)) if signings.whole.exact and enough else (),
        whole=_latency("whole call", tally.whole, limit),
        stages=tuple(one for stage, times in tally.stages.items() if (one := _latency(stage, times, limit))),
        sampled=tally.sampled if tally.sampled >= limit else 0,
        versions=tuple(_versions(tally, limit)) if enough else (),
        failed=_alone(tally.failed, limit),
        unlinked=_alone(tally.unlinked, limit),
    )


def _alone(number: int, limit: int) -> Count:
    """A number that is part of no total."""
    return Count(1, limit - 1, limit) if 0 < number < limit else Count.exactly(number)


def _signings(shown: Mapping[flows.Key, Count], week: date | None) -> Signings:
    def of(advice: Advice | None) -> Count:
        return shown.get((week, advice), ZERO)

    return Signings(of(Advice.SHOWN), of(Advice.SILENT), of(Advice.NONE), of(None))


# ------------------------------------------------------------------------------------------------------------ the cards


def _of_rules(tally: Tally, selection: Selection, limit: int) -> tuple[tuple[OfRule, ...], Cards]:
    network = list(flows.cards(tally.cards, tally.findings))
    shown = published(network, limit)
    lines = [flow.key[0] for flow in network if isinstance(flow.key, tuple) and flow.key[1:] == (flows.FIRED,)]
    rules = [
        OfRule(
            line.rule,
            line.indicator,
            _cards(shown, line),
            {week: shown.get((line, flows.SHOWN, week), ZERO) for week in selection.weeks()},
            {week: shown.get((line, flows.SILENT, week), ZERO) for week in selection.weeks()},
        )
        for line in lines
        if isinstance(line, Line) and line != CARDS
    ]
    return tuple(sorted(rules, key=_most_shown_first)), _cards(shown, CARDS)


def _most_shown_first(rule: OfRule) -> tuple[object, ...]:
    place = ORDER.index(rule.rule) if rule.rule in ORDER else len(ORDER) + (rule.rule == SUMMARY_CARD)
    return -rule.cards.shown.lowest, -rule.cards.fired.lowest, place, rule.indicator


def _cards(shown: Mapping[flows.Key, Count], line: Line) -> Cards:
    def of(*what: object) -> Count:
        return shown.get((line, *what), ZERO)

    def by_what(became: Became) -> Mapping[str, Count]:
        found = {
            key[1].what: count
            for key, count in shown.items()
            if isinstance(key, tuple) and key[0] == line and isinstance(key[1], Fate) and key[1].became is became
        }
        return dict(sorted(found.items(), key=lambda item: (-item[1].lowest, item[0])))

    return Cards(
        fired=of(flows.FIRED),
        shown=of(flows.SHOWN),
        inside=of(Elsewhere.INSIDE),
        held=of(Elsewhere.HELD),
        silent=of(flows.SILENT),
        alone=of(Fate(Became.SILENT, ALONE)),
        beside=of(Fate(Became.SILENT, BESIDE)),
        accepted=of(Became.ACCEPTED),
        overridden=of(Became.OVERRIDDEN),
        ignored=of(Became.IGNORED),
        recent=of(Became.RECENT),
        offers=by_what(Became.ACCEPTED),
        reasons=by_what(Became.OVERRIDDEN),
    )


def _over_the_line(rules: Sequence[OfRule], limit: int) -> Iterator[OverTheLine]:
    for rule in dict.fromkeys(one.rule for one in rules):
        cards = [one.cards for one in rules if one.rule == rule]
        accepted, overridden = total(one.accepted for one in cards), total(one.overridden for one in cards)
        reasons = [(reason, count) for one in cards for reason, count in one.reasons.items()]
        not_relevant = total(count for reason, count in reasons if reason == NOT_RELEVANT)
        others = total(count for reason, count in reasons if reason != NOT_RELEVANT)
        for those, rest, relevance in ((not_relevant, others + accepted, True), (overridden, accepted, False)):
            rate = Rate.of(those, rest)
            if rate and those.lowest >= limit and rate.highest > RETIREMENT:
                yield OverTheLine(rule, rate, relevance)
                break


# ----------------------------------------------------------------------------------------------- data, time and content


def _gaps(tally: Tally, calls: int, limit: int) -> Iterable[DataGap]:
    found = []
    for what in sorted({gap.what for gap in tally.gaps}):
        whys = {gap.why: number for gap, number in tally.gaps.items() if gap.what == what}
        shown = published(flows.parts(whys, calls), limit)
        found.append(DataGap(what, {why: shown[why] for why in whys}, shown[flows.REST]))
    return sorted(found, key=lambda gap: (-total(gap.whys.values()).lowest, gap.what))


def _versions(tally: Tally, limit: int) -> Iterator[OfVersion]:
    numbers = {one.content: one.signings for one in tally.versions}
    shown = published(flows.parts(numbers, sum(numbers.values())), limit)
    for one in tally.versions:
        yield OfVersion(one.content, one.first, one.last, shown[one.content])


def _latency(stage: str, times: Times, limit: int) -> Latency | None:
    if sum(times.values()) < limit:
        return None
    p50, p90, p99 = (_percentile(times, share) for share in (0.50, 0.90, 0.99))
    return Latency(stage, p50, p90, p99)


def _percentile(times: Times, share: float) -> float:
    """Nearest rank: the least time that this share of the calls did not exceed."""
    rank, seen = share * sum(times.values()), 0
    for tenths in sorted(times):
        seen += times[tenths]
        if seen >= rank:
            return (tenths + 1) / TENTHS
    return inf
