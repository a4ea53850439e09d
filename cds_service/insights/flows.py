"""The tables of a report as flows, from each total to its parts and on to the totals of the other direction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from math import inf
from typing import Any, NamedTuple

from cds_service.insights.count import ZERO, Count
from cds_service.insights.disclosure import Flow
from cds_service.insights.tally import Advice, Became, CardKey, Elsewhere, Fate, FindingKey

Key = Any
FIRED, SHOWN, JUDGED, SILENT, REST = "fired", "shown", "judged", "silent", "rest"
_SOURCE, _SINK = "source", "sink"


class Line(NamedTuple):
    rule: str
    indicator: str


CARDS = Line("", "")
"""All lines together."""


def signings(found: Mapping[tuple[date, Advice], int]) -> Iterator[Flow]:
    """Keys: (week, advice), (week, None) for the whole week, (None, advice) and (None, None) for the period."""
    weeks: Counter[date] = Counter()
    advice: Counter[Advice] = Counter()
    for (week, got), number in found.items():
        weeks[week] += number
        advice[got] += number
        yield Flow((week, got), week, got, number, _OF_ADVICE[got])
    for week, number in weeks.items():
        yield Flow((week, None), _SOURCE, week, number, weight=3)
    for got, number in advice.items():
        yield Flow((None, got), got, _SINK, number, 10 * _OF_ADVICE[got])
    yield Flow((None, None), _SINK, _SOURCE, sum(found.values()), weight=100)


_OF_ADVICE: Mapping[Advice, float] = {Advice.SHOWN: 3, Advice.SILENT: 1, Advice.NONE: 1}
"""Their share is what the target is about."""


def parts(found: Mapping[str, int], whole: int) -> Iterator[Flow]:
    """Parts of a whole that is shown, and what remains (``REST``)."""
    rest = whole - sum(found.values())
    for name, number in {**found, REST: rest}.items():
        yield Flow(name, _SOURCE, _SINK, number)
    yield Flow(None, _SINK, _SOURCE, whole, weight=inf)


def cards(found: Mapping[CardKey, int], findings: Mapping[FindingKey, int]) -> Iterator[Flow]:
    """What was found and what became of it. Keys: the line, or ``CARDS``; then FIRED, SHOWN, JUDGED, SILENT, what it
    became, or where else it went."""
    sums: Counter[Key] = Counter()
    for card, number in found.items():
        for line in (Line(card.rule, card.indicator), CARDS):
            for what in _PASSES[card.fate.became]:
                sums[line, what] += number
    for finding, number in findings.items():
        for line in (Line(finding.rule, finding.indicator), CARDS):
            sums[line, FIRED] += number
            sums[line, finding.where] += number
    for (line, what), number in sums.items():
        begin, end = _BETWEEN[what]
        if line == CARDS:  # from the particulars back to one number
            yield Flow((line, what), end, begin, number, 100 if what == FIRED else 20 * _WEIGHTS[what])
        else:
            out_of = _SOURCE if what == FIRED else (line, begin)
            into = what if end == what else (line, end)
            yield Flow((line, what), out_of, into, number, _WEIGHTS[what])


_PASSES: Mapping[Became, tuple[str, ...]] = {
    Became.SILENT: (FIRED, SILENT),
    Became.RECENT: (FIRED, SHOWN, Became.RECENT),
    **{became: (FIRED, SHOWN, JUDGED, became) for became in (Became.ACCEPTED, Became.OVERRIDDEN, Became.IGNORED)},
}
"""The numbers that a card is counted in."""
_WEIGHTS: Mapping[str, float] = {
    FIRED: 5, SHOWN: 6, SILENT: 6, JUDGED: 4, Became.ACCEPTED: 3, Became.OVERRIDDEN: 3, Became.IGNORED: 2,
    Became.RECENT: 1, Elsewhere.INSIDE: 1, Elsewhere.HELD: 1,
}  # fmt: skip
"""What a reader would miss most."""
_BETWEEN: Mapping[str, tuple[str, str]] = {
    FIRED: (_SINK, "findings"),
    SHOWN: ("findings", "shown cards"),
    JUDGED: ("shown cards", "judged cards"),
    **{became: ("judged cards", became) for became in (Became.ACCEPTED, Became.OVERRIDDEN, Became.IGNORED)},
    Became.RECENT: ("shown cards", Became.RECENT),
    **{last: ("findings", last) for last in (SILENT, *Elsewhere)},
}
"""The nodes of one line. A number that is divided no further flows into a node of its name, where all lines meet."""


def particulars(found: Mapping[CardKey, int], became: Became, known: Mapping[Key, Count]) -> Iterator[Flow]:
    """What was accepted, why it was overridden, where it was silent. ``known``: of ``cards``; a line whose number is
    not exact there is not divided, and the totals stand only where the number of all lines does. Keys: the line or
    ``CARDS``, and the fate."""
    every = known.get((CARDS, became), ZERO)
    lines: Counter[Line] = Counter()
    fates: Counter[Fate] = Counter()
    cells: Counter[tuple[Line, Fate]] = Counter()
    for card, number in found.items():
        if card.fate.became is became:
            cells[Line(card.rule, card.indicator), card.fate] += number
    for (line, fate), number in cells.items():
        seen = known[line, became].exact
        if not seen and not every.exact:
            continue
        lines[line] += number
        fates[fate] += number
        yield Flow((line, fate), line, fate if every.exact else _SINK, number, seen=seen)
    for line, number in lines.items():
        yield Flow((line, None), _SOURCE, line, number, weight=inf, seen=known[line, became].exact)
    if every.exact:
        for fate, number in fates.items():
            yield Flow((CARDS, fate), fate, _SINK, number, weight=10)
    yield Flow((CARDS, None), _SINK, _SOURCE, sum(lines.values()), weight=inf, seen=every.exact)


def by_week(found: Mapping[CardKey, int], stream: str, known: Mapping[Key, Count]) -> Iterator[Flow]:
    """Cards by week, of lines whose number is exact in ``known``. Keys: the line, SHOWN or SILENT, and the week."""
    weeks: Counter[tuple[Line, date]] = Counter()
    lines: Counter[Line] = Counter()
    for card, number in found.items():
        line = Line(card.rule, card.indicator)
        if (card.fate.became is Became.SILENT) == (stream == SILENT) and known[line, stream].exact:
            weeks[line, card.week] += number
            lines[line] += number
    for (line, week), number in weeks.items():
        yield Flow((line, stream, week), line, (line, stream), number)
    for line, number in lines.items():
        yield Flow((line, stream, None), (line, stream), line, number, weight=inf)
