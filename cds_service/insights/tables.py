"""The figures as tables: text, CSV, JSON and the page all show these, so none says more than another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from cds_service.insights.count import ZERO, Count, Rate, percent
from cds_service.insights.figures import RETIREMENT, TARGET, Cards, Figures, Signings
from cds_service.insights.names import Names
from cds_service.insights.selection import iso_week

Cell = str | Count | Rate | float | date | None


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    """For machines; stable."""
    heading: str
    label: bool = False
    """Says what the row is about."""


@dataclass(frozen=True, slots=True)
class Table:
    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    long: bool = False
    """Too long to be read: for machines only."""


def tables(figures: Figures, names: Names) -> Mapping[str, Table]:
    made = (
        _signings(figures),
        _weeks(figures),
        _rules(figures, names),
        _became(figures, names),
        _reasons(figures, names),
        _offers(figures, names),
        _by_week(figures, names),
        _silent(figures, names),
        _over_the_line(figures, names),
        _gaps(figures, names),
        _latency(figures, names),
        _versions(figures),
        _aside(figures),
    )
    return {table.key: table for table in made}


def _of(*columns: tuple[str, str], labels: int = 1) -> tuple[Column, ...]:
    return tuple(Column(key, heading, place < labels) for place, (key, heading) in enumerate(columns))


# ---------------------------------------------------------------------------------------------------------------- calls


def _signings(figures: Figures) -> Table:
    of = figures.signings
    rows = (
        ("All", of.whole, None),
        ("A card was shown", of.shown, of.share),
        ("Silent cards only", of.silent, of.share_silent),
        ("No card", of.none, of.share_none),
    )
    columns = _of(("got", "What it got"), ("signings", "Signings"), ("share", "Share"))
    note = f"A signing is a call that was answered. At most {percent(TARGET)} of them should show any card (M9)."
    return Table("signings", "Signings", columns, rows, note)


def _weeks(figures: Figures) -> Table:
    columns = _of(
        ("week", "Week"),
        ("begins", "Begins"),
        ("signings", "Signings"),
        ("with_card", "With a card"),
        ("share", "Share"),
        ("days", "Days"),
        labels=2,
    )
    return Table("weeks", "Signings with a card, by week", columns, tuple(_of_weeks(figures)))


def _of_weeks(figures: Figures) -> Iterator[tuple[Cell, ...]]:
    for week, of in figures.weeks.items():
        whole = "" if figures.selection.whole(week) else "part of it"
        yield iso_week(week), week, of.whole, of.shown, of.share, whole


# ---------------------------------------------------------------------------------------------------------------- cards


def _lines(figures: Figures, names: Names) -> Iterator[tuple[tuple[Cell, ...], Cards]]:
    """All together, and each rule and indicator, with the cells that name it."""
    if figures.rules:
        yield (ALL_RULES, "", ""), figures.all_cards
    for one in figures.rules:
        yield (names.rule(one.rule), one.rule, one.indicator), one.cards


ALL_RULES = "All rules"
_LINE = (("title", "Rule"), ("rule", "Id"), ("indicator", "Urgency"))
LINE = frozenset(key for key, _ in _LINE)
"""Columns that say which rule a row is about."""


def _rules(figures: Figures, names: Names) -> Table:
    columns = _of(
        *_LINE,
        ("fired", "Fired"),
        ("shown", "Shown"),
        ("inside", "On another card"),
        ("held", "Held back"),
        ("silent", "Silent"),
        labels=3,
    )
    rows = ((*line, of.fired, of.shown, of.inside, of.held, of.silent) for line, of in _lines(figures, names))
    note = (
        "Fired is the sum of the others. On another card: said there in a line. Held back: overridden with a reason "
        "for the same order within a day (M6), or information that waits for order-sign."
    )
    return Table("rules", "What fired", columns, tuple(rows), note)


def _became(figures: Figures, names: Names) -> Table:
    columns = _of(
        *_LINE,
        ("judged", "Judged"),
        ("accepted", "Accepted"),
        ("acceptance", "Share"),
        ("overridden", "Overridden"),
        ("overriding", "Share"),
        ("ignored", "Ignored"),
        ("ignoring", "Share"),
        ("recent", "Too recent"),
        labels=3,
    )
    rows = (
        (*line, of.judged, of.accepted, of.acceptance, of.overridden, of.overriding, of.ignored, of.ignoring, of.recent)
        for line, of in _lines(figures, names)
        if of.shown != ZERO
    )
    days = figures.selection.ignored_after.days
    note = (
        f"Cards that were shown at least {days} days ago are judged. Ignored: without feedback until now. A card that "
        "was overridden and accepted counts as accepted."
    )
    return Table("became", "What became of each card", columns, tuple(rows), note)


def _reasons(figures: Figures, names: Names) -> Table:
    columns = _of(
        *_LINE,
        ("reason", "Reason"),
        ("code", "Code"),
        ("overridden", "Overridden"),
        ("share", "Share of the overridden"),
        labels=5,
    )
    rows = (
        (*line, names.reason(code), code, part.count, part.share)
        for line, of in _lines(figures, names)
        for code, part in of.reasons.items()
    )
    return Table("reasons", "Reasons of overrides", columns, tuple(rows), "A rule with few overrides is not divided.")


def _offers(figures: Figures, names: Names) -> Table:
    columns = _of(
        *_LINE, ("offer", "Suggestion"), ("kind", "Kind"), ("accepted", "Accepted"), ("share", "Share"), labels=5
    )
    rows = (
        (*line, names.offer(kind), kind, part.count, part.share)
        for line, of in _lines(figures, names)
        for kind, part in of.offers.items()
    )
    return Table(
        "suggestions",
        "Accepted suggestions",
        columns,
        tuple(rows),
        "Share of the cards that were accepted. A rule with few of them is not divided.",
    )


def _by_week(figures: Figures, names: Names) -> Table:
    columns = _of(*_LINE, ("week", "Week"), ("begins", "Begins"), ("shown", "Shown"), ("silent", "Silent"), labels=5)
    rows = (
        (names.rule(one.rule), one.rule, one.indicator, iso_week(week), week, shown, one.silent_weeks[week])
        for one in figures.rules
        for week, shown in one.weeks.items()
        if one.cards.shown != ZERO or one.cards.silent != ZERO
    )
    return Table("rules_by_week", "What fired, by week", columns, tuple(rows), long=True)


def _silent(figures: Figures, names: Names) -> Table:
    columns = _of(
        *_LINE,
        ("silent", "Silent"),
        ("alone", "On a signing that showed no card"),
        ("beside", "Beside a card"),
        ("shown", "Shown"),
        ("acceptance", "Accepted, share of the shown"),
        labels=3,
    )
    rows = tuple(
        (
            *(names.rule(one.rule), one.rule, one.indicator),
            *(one.cards.silent, one.cards.alone, one.cards.beside, one.cards.shown, one.cards.acceptance),
        )
        for one in figures.silent_rules
    )
    return Table("silent", "Silent compared with shown", columns, rows, _if_heard(figures.signings) if rows else "")


def _if_heard(of: Signings) -> str:
    """What showing the silent rules would cost."""
    if not of.share or not of.share_if_heard:
        return ""
    now, then = of.share, of.share_if_heard
    verdict = _against(then, TARGET, "within", "over", "near")
    return f"Signings with a card: {now}. If the silent cards were shown too: {then}, {verdict} the target."


def _against(rate: Rate, line: float, at_most: str, over: str, unsure: str) -> str:
    if rate.highest <= line:
        return at_most
    return over if rate.lowest > line else unsure


def target_met(figures: Figures) -> str:
    """In one word, of the share of signings with a card: "met", "missed", or that it cannot be said."""
    share = figures.signings.share
    return _against(share, TARGET, "met", "missed", "not decided by the numbers that can be shown") if share else ""


def _over_the_line(figures: Figures, names: Names) -> Table:
    columns = _of(("title", "Rule"), ("rule", "Id"), ("why", "Overridden"), ("share", "Share"), labels=3)
    whys = {True: "as not clinically relevant, of the answered", False: "for whatever reason, of the judged"}
    rows = tuple(
        (names.rule(one.rule), one.rule, whys[one.not_relevant], one.rate or f"more than {percent(RETIREMENT)}")
        for one in figures.over_the_line
    )
    note = (
        f"A rule of which more than {percent(RETIREMENT)} of the answered cards are overridden as not clinically "
        "relevant is reworked or retired (M9). Answered: accepted or overridden. One of which as large a share of the "
        "judged cards is overridden for whatever reason is looked at."
    )
    return Table("over_the_line", "Rules over the retirement line", columns, rows, note)


# ----------------------------------------------------------------------------------------------- data, time and content

_WHYS = ("not recorded", "not available", "unreadable", "incomplete")


def _gaps(figures: Figures, names: Names) -> Table:
    columns = _of(
        ("input", "Input"),
        ("id", "Id"),
        *((why.replace(" ", "_"), why.capitalize()) for why in _WHYS),
        ("share", "Share of signings"),
        labels=2,
    )
    rows = tuple(
        (names.input(gap.what), gap.what, *(gap.whys.get(why, ZERO) for why in _WHYS), gap.share)
        for gap in figures.gaps
    )
    note = (
        "Signings that lacked it. Not recorded: the chart was read and holds none. Not available: it was not sent, or "
        "could not be had. Incomplete: more may be there than was seen."
    )
    return Table("gaps", "Data gaps", columns, rows, note)


def _latency(figures: Figures, names: Names) -> Table:
    columns = _of(("stage", "Stage"), ("p50", "Half within"), ("p90", "90 % within"), ("p99", "99 % within"))
    whole = [figures.whole] if figures.whole else []
    rows = tuple((names.stage(one.stage), one.p50, one.p90, one.p99) for one in (*whole, *figures.stages))
    note = (
        f"Milliseconds inside the service. The stages are those of the latest {figures.sampled} calls." if rows else ""
    )
    return Table("latency", "Time to answer", columns, rows, note)


def _versions(figures: Figures) -> Table:
    columns = _of(("version", "Content version"), ("first", "First"), ("last", "Last"), ("signings", "Signings"))
    rows = tuple((one.content, one.first, one.last, one.signings) for one in figures.versions)
    return Table("versions", "Clinical content in use", columns, rows)


def _aside(figures: Figures) -> Table:
    rows: Iterable[tuple[Cell, ...]] = (
        ("Calls without an answer (errors; the client hung up): these orders were not checked", figures.failed),
        ("Feedback on cards that are not on record", figures.unlinked),
    )
    return Table("aside", "Besides", _of(("what", "What"), ("number", "Number")), tuple(rows))


def said_rate(rate: Rate | None) -> str:
    return str(rate) if rate else "not known"
