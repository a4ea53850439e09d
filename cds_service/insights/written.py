"""The tables of a report as text, CSV and JSON."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from io import StringIO
from textwrap import wrap
from typing import Any

import msgspec

from cds_service.insights.count import Count, Rate, percent
from cds_service.insights.figures import Figures
from cds_service.insights.tables import Cell, Table, target_met

WIDTH = 110
FOR_MACHINES = frozenset({"rule", "id", "code", "kind", "begins"})
"""Columns that say what the words before them say."""


def heading(figures: Figures) -> str:
    chosen = figures.selection
    of = f"client {chosen.client}" if chosen.client else "all clients"
    return f"{chosen.since} to {chosen.until}, {chosen.hook.value}, {of}"


def hidden(figures: Figures) -> str:
    """How small numbers are shown."""
    if figures.limit == 1:
        return "Small numbers are shown as they are."
    return (
        f"Numbers from 1 to {figures.limit - 1} are shown as <{figures.limit}. Where one could be worked out from the "
        "others, another number is shown as a range."
    )


# ----------------------------------------------------------------------------------------------------------------- text


def as_text(figures: Figures, made: Mapping[str, Table]) -> str:
    return "\n\n".join(_paragraphs(figures, made)) + "\n"


def _paragraphs(figures: Figures, made: Mapping[str, Table]) -> Iterator[str]:
    yield f"Baclofen CDS: {heading(figures)}\n{hidden(figures)}"
    if figures.empty:
        yield "No call on a baclofen order is on record for this period."
    elif met := target_met(figures):
        yield f"Target of signings with a card: {met}."
    for table in made.values():
        if table.rows and not table.long:
            yield f"{table.title.upper()}\n{_drawn(table)}" + (f"\n{_wrapped(table.note)}" if table.note else "")


def _drawn(table: Table) -> str:
    """Columns under their headings; numbers to the right. Ids are for machines: the words before them say the same."""
    kept = [place for place, column in enumerate(table.columns) if column.key not in FOR_MACHINES]
    grid = [
        [table.columns[place].heading for place in kept],
        *([said(row[place]) for place in kept] for row in table.rows),
    ]
    widths = [max(len(line[place]) for line in grid) for place in range(len(kept))]
    left = [table.columns[place].label for place in kept]
    lines = (
        "  ".join(
            text.ljust(width) if is_left else text.rjust(width)
            for text, width, is_left in zip(line, widths, left, strict=True)
        )
        for line in grid
    )
    return "\n".join(f"  {line.rstrip()}" for line in lines)


def _wrapped(note: str) -> str:
    return "\n".join(f"  {line}" for line in wrap(note, WIDTH))


def said(cell: Cell) -> str:
    match cell:
        case None:
            return "–"
        case Rate():
            low, high = (percent(end).removesuffix(" %") for end in cell.interval)
            return f"{cell} ({low}–{high})"
        case float():
            return f"{cell:.1f}"
        case _:
            return str(cell)


# -------------------------------------------------------------------------------------------------------- CSV and JSON


def as_csv(made: Mapping[str, Table]) -> str:
    """One number a line, for pivot tables: the table, what the row and the column are about, and the value. Shares are
    fractions, with their lowest and highest value and 95 % interval."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(
        ("table", "title", "rule", "indicator", "week", "of", "figure", "value", "lowest", "highest", "from", "to")
    )
    for table in made.values():
        for row in table.rows:
            of = {column.key: said(cell) for column, cell in zip(table.columns, row, strict=True) if column.label}
            about = [of.pop(key, "") for key in ("title", "rule", "indicator", "week")]
            rest = " / ".join(of.values())
            for column, cell in zip(table.columns, row, strict=True):
                if not column.label:
                    writer.writerow((table.key, *about, rest, column.key, *_value(cell)))
    return out.getvalue()


def _value(cell: Cell) -> tuple[str | float, ...]:
    """value, lowest, highest, and the two ends of the interval."""
    match cell:
        case Count() if cell.under:
            return (str(cell), "", "", "", "")
        case Count():
            return (str(cell), cell.lowest, "" if cell.highest == float("inf") else int(cell.highest), "", "")
        case Rate():
            ends = [round(end, 4) for end in (cell.lowest, cell.highest, *cell.interval)]
            return (ends[0] if cell.exact else f"{ends[0]} to {ends[1]}", *ends)
        case _:
            return ("" if cell is None else said(cell), "", "", "", "")


def as_json(figures: Figures, made: Mapping[str, Table]) -> str:
    """Tables by their key, each a list of objects. A number is a number, or a text when it is "<5" or a range; a share
    is an object of fractions."""
    chosen = figures.selection
    whole = {
        "since": chosen.since,
        "until": chosen.until,
        "client": chosen.client or None,
        "hook": chosen.hook.value,
        "ignoredAfterDays": chosen.ignored_after.days,
        "smallNumber": figures.limit,
        "tables": {
            table.key: [
                {column.key: _plain(cell) for column, cell in zip(table.columns, row, strict=True)}
                for row in table.rows
            ]
            for table in made.values()
        },
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=1).decode() + "\n"


def _plain(cell: Cell) -> Any:
    match cell:
        case Count():
            return cell.lowest if cell.exact else str(cell)
        case Rate():
            low, high, begin, end = (round(end, 4) for end in (cell.lowest, cell.highest, *cell.interval))
            return {"lowest": low, "highest": high, "interval": [begin, end]}
        case date() | None | str() | float():
            return cell
