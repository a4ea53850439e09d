"""A report as somebody asks for it: on the command line or at an address, as text, CSV, JSON or a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cds_service.insights.figures import Figures
from cds_service.insights.names import Names
from cds_service.insights.publish import figures
from cds_service.insights.selection import Selection, SelectionError
from cds_service.insights.tables import tables
from cds_service.insights.written import as_csv, as_json, as_text

if TYPE_CHECKING:
    from sqlalchemy import Engine

T = TypeVar("T")
FORMATS = ("text", "csv", "json", "html")
SANDBOX = "Sandbox mode: synthetic patients."


class NotReadError(Exception):
    """The database could not be read. The message is a class of error, never what it said: that may quote a row."""


@dataclass(frozen=True, slots=True)
class Document:
    body: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reports:
    engine: Callable[[], Engine]
    """Asked for when the first report is written: SQLAlchemy is loaded then, not before."""
    names: Names
    today: Callable[[], date]
    small_number: int
    ignored_after: timedelta
    about: str = ""
    """What the page says of itself."""

    def figures(self, given: Mapping[str, str]) -> Figures:
        """``given``: since, until, client, hook; see ``Selection.of``. Takes seconds. Raises ``SelectionError`` and
        ``NotReadError``."""
        from cds_service.insights.queries import tally  # noqa: PLC0415

        selection = Selection.of(given, self.today(), self.ignored_after)
        counted = self._read(partial(tally, selection=selection, reasons=self.names.reasons))
        return figures(counted, selection, self.small_number)

    def _read(self, query: Callable[[Engine], T]) -> T:
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

        try:
            return query(self.engine())
        except SQLAlchemyError as error:
            raise NotReadError(type(error).__name__) from None

    def written(self, given: Mapping[str, str], *, offered: bool = True) -> Document:
        """``given`` may name a format too. ``offered``: the page offers to choose and to download."""
        form = given.get("format") or "html"
        if form not in FORMATS:
            raise SelectionError("format", f"name one of {', '.join(FORMATS)}")
        found = self.figures(given)
        made = tables(found, self.names)
        match form:
            case "text":
                return Document(as_text(found, made).encode(), "text/plain; charset=utf-8")
            case "csv":
                return Document(as_csv(made).encode(), "text/csv; charset=utf-8", _saved("csv"))
            case "json":
                return Document(as_json(found, made).encode(), "application/json", _saved("json"))
            case _:
                return self._page(found, offered=offered)

    def _page(self, found: Figures, *, offered: bool) -> Document:
        from cds_service.insights.page import Surroundings, page  # noqa: PLC0415
        from cds_service.insights.queries import clients  # noqa: PLC0415

        around = Surroundings(self._read(clients), self.about, "insights") if offered else Surroundings((), self.about)
        written = page(found, self.names, around)
        return Document(written.body, "text/html; charset=utf-8", {"content-security-policy": written.policy})


def _saved(extension: str) -> Mapping[str, str]:
    return {"content-disposition": f'attachment; filename="baclofen-cds-figures.{extension}"'}
