"""What a replay leaves for people: the rows in a database, counts by month, the lines that could not be used."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from cards.catalogue import Catalogue
from cards.outcome import Indicator
from cds_service.audit import detail
from cds_service.insights.names import Names
from cds_service.insights.reports import Reports
from cds_service.insights.selection import LONGEST
from cds_service.replay.assessing import read_rows
from cds_service.replay.export import line_number
from cds_service.replay.found import BadLine
from cds_service.replay.work import Plan
from cds_service.settings import Settings
from cds_service.store import Store
from cds_service.store.rows import Row

NO_CARD = "no card"
REPLAYED = (
    "A replay of orders from an export: what would have been shown on the day of each order. Nobody saw these cards, "
    "so there is no feedback. Orders that have ended since are taken as running while their supply lasted, 90 days "
    "where it is not known."
)
_AT_ONCE = 2000
"""Rows that are written together."""


@dataclass(slots=True)
class ByMonth:
    """How often a rule would have been heard. Keys begin with the month, "2024-03"."""

    signings: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By the indicator of the most urgent card, or ``NO_CARD``."""
    fired: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By rule and indicator, before anything was merged or dropped."""
    shown: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Likewise, the cards that a rule led."""
    days: list[date] = field(default_factory=list)
    """The first and the last."""

    def add(self, call: Row, cards: Iterable[Row]) -> None:
        at = cast("datetime", call.values["at"])
        month, day = f"{at:%Y-%m}", at.date()
        self.days = [min(self.days[0], day), max(self.days[1], day)] if self.days else [day, day]
        said = detail.decode(str(call.values["detail"]))
        self.fired.update((month, rule, indicator) for rule, indicator in said.fired.items())
        led = [(str(card.values["rule"]), str(card.values["indicator"])) for card in cards if not card.values["silent"]]
        self.shown.update((month, rule, indicator) for rule, indicator in led)
        most = max((Indicator[indicator.upper()] for _, indicator in led), default=None)
        self.signings[month, NO_CARD if most is None else str(most)] += 1

    @property
    def total(self) -> int:
        return self.signings.total()

    @property
    def with_card(self) -> int:
        return self.total - sum(number for (_, what), number in self.signings.items() if what == NO_CARD)

    def lines(self) -> Iterator[tuple[Any, ...]]:
        yield "month", "rule", "indicator", "fired", "cards"
        for month, most in sorted(self.signings):
            yield month, "all signings, by their most urgent card", most, "", self.signings[month, most]
        for key in sorted(self.fired | self.shown):
            yield *key, self.fired[key], self.shown[key]


async def keep(plan: Plan, store: Store) -> ByMonth:
    """Writes all rows into ``store``; what is there already stays."""
    months = ByMonth()
    for shard in range(plan.shards):
        waiting: list[Row] = []
        for call, *cards in _calls(read_rows(plan.rows(shard))):
            months.add(call, cards)
            waiting += (call, *cards)
            if len(waiting) >= _AT_ONCE:
                await store.write(*waiting)
                waiting = []
        await store.write(*waiting)
    return months


def _calls(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Each call with its cards, which follow it."""
    together: list[Row] = []
    for row in rows:
        if row.table == "hook_call" and together:
            yield together
            together = []
        together.append(row)
    if together:
        yield together


def write_months(months: ByMonth, to: Path) -> None:
    _write(to, months.lines())


def write_report(store: Store, months: ByMonth, to: Path) -> None:
    """The page of the service's own figures."""
    first, last = months.days
    reports = Reports(
        engine=lambda: store.engine,
        names=Names.of(Catalogue.load()),
        today=lambda: last,
        small_number=Settings.model_fields["small_number"].default,
        ignored_after=timedelta(0),
        about=REPLAYED,
    )
    since = max(first, last - LONGEST)
    to.write_bytes(reports.written({"since": since.isoformat(), "until": last.isoformat()}, offered=False).body)


def write_bad_lines(bad: Iterable[BadLine], export: Path, to: Path) -> None:
    def lines() -> Iterator[tuple[Any, ...]]:
        yield "file", "line", "reason"
        for one in sorted(bad, key=lambda one: (one.file, one.at)):
            yield one.file, "" if one.at < 0 else line_number(export / one.file, one.at), one.reason

    _write(to, lines())


def _write(to: Path, lines: Iterable[tuple[Any, ...]]) -> None:
    with to.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)
