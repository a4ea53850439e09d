"""A tally → the figures, as they may be shown. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from math import inf

from cards.triage import ORDER, SUMMARY_CARD
from cds_service.insights import flows
from cds_service.insights.count import UNKNOWN, ZERO, Count, Rate, total
from cds_service.insights.disclosure import published
from cds_service.insights.figures import (
    NOT_RELEVANT,
    RETIREMENT,
    Cards,
    DataGap,
    Figures,
    Latency,
    OfRule,
    OfVersion,
    OverTheLine,
    Part,
    Signings,
)
from cds_service.insights.flows import CARDS, Line
from cds_service.insights.selection import Selection
from cds_service.insights.tally import ALONE, BESIDE, TENTHS, Advice, Became, Elsewhere, Fate, Tally, Times


def figures(tally: Tally, selection: Selection, limit: int) -> Figures:
    shown = published(flows.signings(tally.signings), limit)
    signings = _signings(shown, None, limit)
    rules, all_cards = _of_rules(tally, selection, limit)
    enough = signings.whole.exact and signings.whole.lowest >= limit
    return Figures(
        selection=selection,
        limit=limit,
        signings=signings,
        weeks={week: _signings(shown, week, limit) for week in selection.weeks()},
        all_cards=all_cards,
        rules=rules,
        over_the_line=tuple(_over_the_line(tally, rules, limit)),
        gaps=tuple(_gaps(tally, signings.whole, limit)) if enough else (),
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


def _signings(counts: Mapping[flows.Key, Count], week: date | None, limit: int) -> Signings:
    shown, silent, none, whole = (
        counts.get((week, advice), ZERO) for advice in (Advice.SHOWN, Advice.SILENT, Advice.NONE, None)
    )
    return Signings(
        shown,
        silent,
        none,
        whole,
        share=Rate.of(shown, silent + none, whole, limit),
        share_silent=Rate.of(silent, shown + none, whole, limit),
        share_none=Rate.of(none, shown + silent, whole, limit),
        share_if_heard=Rate.of(shown + silent, none, whole, limit),
    )


# ------------------------------------------------------------------------------------------------------------ the cards


def _of_rules(tally: Tally, selection: Selection, limit: int) -> tuple[tuple[OfRule, ...], Cards]:
    counts = published_cards(tally, limit)
    rules = [
        OfRule(
            line.rule,
            line.indicator,
            _cards(counts, line, limit),
            _weeks(counts, line, flows.SHOWN, selection),
            _weeks(counts, line, flows.SILENT, selection),
        )
        for line, *what in counts
        if what == [flows.FIRED] and line != CARDS
    ]
    return tuple(sorted(rules, key=_most_shown_first)), _cards(counts, CARDS, limit)


def published_cards(tally: Tally, limit: int) -> Mapping[flows.Key, Count]:
    """First what matters most: how many, and what became of them. Then the particulars and the weeks, as far as the
    numbers that they divide stand."""
    counts = dict(published(flows.cards(tally.cards, tally.findings), limit))
    further: dict[flows.Key, Count] = {}
    for became in (Became.ACCEPTED, Became.OVERRIDDEN, Became.SILENT):
        further |= published(flows.particulars(tally.cards, became, counts), limit)
    for stream in (flows.SHOWN, flows.SILENT):
        further |= published(flows.by_week(tally.cards, stream, counts), limit)
    return counts | further


def _weeks(counts: Mapping[flows.Key, Count], line: Line, stream: str, selection: Selection) -> Mapping[date, Count]:
    without = ZERO if counts.get((line, stream), ZERO).exact else UNKNOWN
    return {week: counts.get((line, stream, week), without) for week in selection.weeks()}


def _most_shown_first(rule: OfRule) -> tuple[object, ...]:
    place = ORDER.index(rule.rule) if rule.rule in ORDER else len(ORDER) + (rule.rule == SUMMARY_CARD)
    return -rule.cards.shown.lowest, -rule.cards.fired.lowest, place, rule.indicator


def _cards(counts: Mapping[flows.Key, Count], line: Line, limit: int) -> Cards:
    def of(what: object) -> Count:
        return counts.get((line, what), ZERO)

    def silent(where: str) -> Count:
        return counts.get((line, Fate(Became.SILENT, where)), ZERO if of(flows.SILENT).exact else UNKNOWN)

    accepted, overridden, ignored = (of(one) for one in (Became.ACCEPTED, Became.OVERRIDDEN, Became.IGNORED))
    judged = of(flows.JUDGED)
    return Cards(
        fired=of(flows.FIRED),
        shown=of(flows.SHOWN),
        inside=of(Elsewhere.INSIDE),
        held=of(Elsewhere.HELD),
        silent=of(flows.SILENT),
        alone=silent(ALONE),
        beside=silent(BESIDE),
        accepted=accepted,
        overridden=overridden,
        ignored=ignored,
        recent=of(Became.RECENT),
        judged=judged,
        acceptance=Rate.of(accepted, overridden + ignored, judged, limit),
        overriding=Rate.of(overridden, accepted + ignored, judged, limit),
        ignoring=Rate.of(ignored, accepted + overridden, judged, limit),
        offers=_parts(counts, line, Became.ACCEPTED, accepted, limit),
        reasons=_parts(counts, line, Became.OVERRIDDEN, overridden, limit),
    )


def _parts(
    counts: Mapping[flows.Key, Count], line: Line, became: Became, whole: Count, limit: int
) -> Mapping[str, Part]:
    found = {
        what[0].what: count
        for (of, *what), count in counts.items()
        if of == line and isinstance(what[0], Fate) and what[0].became is became
    }
    in_order = sorted(found.items(), key=lambda item: (-item[1].lowest, item[0]))
    others = {name: total(count for other, count in in_order if other != name) for name in found}
    return {
        name: Part(count, None if count.under else Rate.of(count, others[name], whole, limit))
        for name, count in in_order
    }


def _over_the_line(tally: Tally, rules: Sequence[OfRule], limit: int) -> Iterator[OverTheLine]:
    """By the exact numbers: that a rule is over the line has to be told. Where some of its numbers are not shown it
    takes so many cards that a hidden one alone could not bring the rule to either side, so that none is given away."""
    many = round((limit - 1) / (1 - RETIREMENT)) + 1
    for rule in dict.fromkeys(one.rule for one in rules):
        became = Counter[str]()
        for card, number in tally.cards.items():
            if card.rule == rule:
                became[card.fate.became] += number
                became[card.fate.what] += number * (card.fate.became is Became.OVERRIDDEN)
        not_relevant, overridden = became[NOT_RELEVANT], became[Became.OVERRIDDEN]
        answered = overridden + became[Became.ACCEPTED]
        cards = [one.cards for one in rules if one.rule == rule]
        all_shown = all(of.accepted.exact and of.overridden.exact and of.ignored.exact for of in cards)
        all_divided = all_shown and all(part.count.exact for of in cards for part in of.reasons.values())
        for those, whole, divided, is_not_relevant in (
            (not_relevant, answered, all_divided, True),
            (overridden, answered + became[Became.IGNORED], all_shown, False),
        ):
            if those > RETIREMENT * whole and whole >= (limit if divided else many):
                yield OverTheLine(rule, _exactly(those, whole) if divided else None, is_not_relevant)
                break


def _exactly(those: int, whole: int) -> Rate | None:
    return Rate.of(Count.exactly(those), Count.exactly(whole - those), Count.exactly(whole), 1)


# ----------------------------------------------------------------------------------------------- data, time and content


def _gaps(tally: Tally, whole: Count, limit: int) -> Iterable[DataGap]:
    found = []
    for what in sorted({gap.what for gap in tally.gaps}):
        whys = {gap.why: number for gap, number in tally.gaps.items() if gap.what == what}
        shown = published(flows.parts(whys, whole.lowest), limit)
        lacking = total(shown[why] for why in whys)
        share = Rate.of(lacking, shown[flows.REST], whole, limit)
        found.append(DataGap(what, {why: shown[why] for why in whys}, share))
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
