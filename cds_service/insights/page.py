"""The page of figures: HTML that loads nothing, with a table beside every plot."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from urllib.parse import urlencode

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from cds_service.insights.count import ZERO, Count, Rate, percent
from cds_service.insights.figures import TARGET, Figures
from cds_service.insights.names import Names
from cds_service.insights.plots import Plot, PlotsMissingError, plots
from cds_service.insights.selection import HOOKS, iso_week
from cds_service.insights.tables import ALL_RULES, LINE, Table, tables, target_met
from cds_service.insights.written import FOR_MACHINES, heading, hidden, said


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the page says beside the figures."""

    clients: Sequence[str] = ()
    """Those that can be chosen."""
    about: str = ""
    """A sentence about where the figures come from: "Sandbox mode ..."."""
    address: str = ""
    """Of the page itself, relative to it: choosing and downloading go there. Empty: neither is offered."""


@dataclass(frozen=True, slots=True)
class Written:
    body: bytes
    policy: str
    """Content-Security-Policy: this page's own style sheet, its own form, and nothing else."""


def page(figures: Figures, names: Names, around: Surroundings) -> Written:
    """Takes a second or two, most of it for the plots: call it where nobody waits."""
    drawn: Mapping[str, Sequence[Plot]] = {}
    cure = ""
    try:
        drawn = {} if figures.empty else plots(figures, names)
    except PlotsMissingError as missing:
        cure = missing.cure
    style, template = _style(), _template()
    html = template.render(
        style=style,
        figures=figures,
        tables=tables(figures, names),
        plots=drawn,
        plots_missing=cure,
        around=around,
        heading=heading(figures),
        hidden=hidden(figures),
        target=percent(TARGET),
        verdict=target_met(figures),
        by_week=_by_week(figures, names),
        hooks=HOOKS,
        query=_query(figures),
    )
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return Written(html.encode(), policy)


def _query(figures: Figures) -> str:
    chosen = figures.selection
    named = {"since": chosen.since, "until": chosen.until, "client": chosen.client, "hook": chosen.hook.value}
    return urlencode({name: value for name, value in named.items() if value})


@dataclass(frozen=True, slots=True)
class ByWeek:
    """Rules against weeks, to be read across."""

    weeks: tuple[str, ...]
    rows: tuple[tuple[str, str, tuple[Count, ...]], ...]


def _by_week(figures: Figures, names: Names) -> ByWeek:
    return ByWeek(
        tuple(iso_week(week) for week in figures.weeks),
        tuple(
            (names.rule(one.rule), one.indicator, tuple(one.weeks.values()))
            for one in figures.rules
            if one.cards.shown != ZERO
        ),
    )


@cache
def _style() -> str:
    return (files("cds_service.insights") / "page.css").read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"said": said, "numbers": _numbers, "columns": _columns, "svg": Markup}
    environment.filters |= {"overall": _overall, "by_rule": _by_rule}
    return environment.from_string((files("cds_service.insights") / "page.html").read_text(encoding="utf-8"))


def _numbers(table: Table, place: int) -> bool:
    """Whether a column stands to the right."""
    return all(row[place] is None or isinstance(row[place], Count | Rate | float) for row in table.rows)


def _overall(table: Table) -> Table:
    """What it says of all rules together."""
    places = [place for place, column in enumerate(table.columns) if column.key not in LINE]
    rows = tuple(tuple(row[place] for place in places) for row in table.rows if row[0] == ALL_RULES)
    return replace(table, columns=tuple(table.columns[place] for place in places), rows=rows)


def _by_rule(table: Table) -> Table:
    return replace(table, title=f"{table.title}, by rule", rows=tuple(row for row in table.rows if row[0] != ALL_RULES))


def _columns(table: Table) -> list[int]:
    """Places of the columns that people read: an id says what the words before it say."""
    return [place for place, column in enumerate(table.columns) if column.key not in FOR_MACHINES]
