"""The tables of a report as flows, from each total to its parts and on to the totals of the other direction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from cds_service.insights.disclosure import Flow
from cds_service.insights.tally import Advice, Became, CardKey, Fate, FindingKey

Key = Any
FIRED, SHOWN, SILENT, REST = "fired", "shown", "silent", "rest"
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
        yield Flow((week, got), week, got, number)
    for week, number in weeks.items():
        yield Flow((week, None), _SOURCE, week, number, weight=3)
    for got, number in advice.items():
        yield Flow((None, got), got, _SINK, number, weight=10)
    yield Flow((None, None), _SINK, _SOURCE, sum(found.values()), weight=100)


def parts(found: Mapping[str, int], whole: int) -> Iterator[Flow]:
    """Parts of a whole that is shown, and what remains (``REST``)."""
    rest = whole - sum(found.values())
    for name, number in {**found, REST: rest}.items():
        yield Flow(name, _SOURCE, _SINK, number)
    yield Flow(None, _SINK, _SOURCE, whole, weight=1e9)


def cards(found: Mapping[CardKey, int], findings: Mapping[FindingKey, int]) -> Iterator[Flow]:
    """Keys begin with the line, or with ``CARDS``; then FIRED, SHOWN or SILENT, one of those and a week, what it
    became, its fate, or where else it went."""
    sums: Counter[Key] = Counter()
    for card, number in found.items():
        line, fate = Line(card.rule, card.indicator), card.fate
        stream = SILENT if fate.became is Became.SILENT else SHOWN
        sums[line, stream, card.week] += number
        for one in (line, CARDS):
            sums[one, FIRED] += number
            sums[one, stream] += number
            sums[one, fate] += number
            if stream is SHOWN:
                sums[one, fate.became] += number
    for finding, number in findings.items():
        for one in (Line(finding.rule, finding.indicator), CARDS):
            sums[one, FIRED] += number
            sums[one, finding.where] += number
    for key, number in sums.items():
        out_of, into, weight = _of_all(key[1]) if key[0] == CARDS else _of_line(*key)
        yield Flow(key, out_of, into, number, weight)


_Place = tuple[Key, Key, float]
"""Between which nodes a number flows, and its weight."""


def _of_line(line: Line, what: Key, *week: date) -> _Place:
    """A line comes from the source and divides by stream, by week, by what became of it, by the particulars."""
    if week:
        return (line, what, "weeks"), (line, what), 1
    match what:
        case "fired":
            return _SOURCE, line, 10
        case "shown" | "silent":
            return line, (line, what, "weeks"), 8
        case Became():
            return (line, SHOWN), (line, what), 3
        case Fate(became=became):
            return (line, SILENT if became is Became.SILENT else became), what, 1
        case _:  # said elsewhere
            return line, what, 2


def _of_all(what: Key) -> _Place:
    """From the particulars all lines flow together, back to one number."""
    match what:
        case "fired":
            return _SINK, _SOURCE, 100
        case "shown" | "silent":
            return what, _SINK, 50
        case Became():
            return what, SHOWN, 20
        case Fate(became=became):
            return what, SILENT if became is Became.SILENT else became, 10
        case _:  # said elsewhere
            return what, _SINK, 20
