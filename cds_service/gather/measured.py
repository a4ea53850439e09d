"""What every measured Observation shares: its status, when it was taken, and its unit."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Generic, TypeVar

from cds_service.gather.fhir_values import When, exact_day, texts, when
from cds_service.records import NotAvailable, Records
from cds_service.resources import Observation, Quantity

T = TypeVar("T")

USABLE = frozenset({"final", "amended", "corrected"})
"""Observation status that counts as a result (rules.md 2)."""

NO_RESULT = frozenset({"entered-in-error", "cancelled", "registered"})
"""Observation status with which there is no result, or there never was one."""

Factor = tuple[Decimal, Decimal]
"""Numerator and denominator, so that a whole conversion stays exact."""


def observations_in(*sources: Records | NotAvailable) -> list[Observation]:
    found: list[Observation] = []
    for source in sources:
        if isinstance(source, Records):
            found += [one for one in source.resources if isinstance(one, Observation)]
    return found


def date_of(observation: Observation) -> str | None:
    """When the specimen was taken or the patient measured, as written; only without any such element, when it was
    reported.

    A date that stands there and cannot be read is not replaced by the report's: that may be much later.
    """
    text = observation.effectiveDateTime
    if text and not text.isspace():
        return text
    period = observation.effectivePeriod
    start, end = (period.start, period.end) if period else (None, None)
    dates = (observation.effectiveInstant, end, start, observation.issued)
    return next((text for text in dates if text and not text.isspace()), None)


def taken(observation: Observation) -> When | None:
    return when(date_of(observation))


def day_taken(observation: Observation) -> date | None:
    """The exact day, in half the time."""
    text = date_of(observation)
    day = exact_day(text)
    if day is None and (moment := when(text)) is not None:
        return moment.day
    return day


def written_day(observation: Observation) -> str:
    """The day as written: to put many results in order, and to leave out old ones, without reading their dates. What is
    written otherwise comes after every day. The UTC day may be the one before or after."""
    text = date_of(observation)
    return text[:10] if text and len(text) >= _DAY and text[4] == "-" and text[:4].isdigit() else _NO_DAY


def days_before(day: date, days: int) -> str:
    """To compare with ``written_day``."""
    return (day - timedelta(min(days, day.toordinal() - 1))).isoformat()


_DAY, _NO_DAY = len("2026-11-23"), "~"


def lacks_older_only(sent: Records, today: date, window: timedelta) -> bool:
    """Whether a list that was cut off, newest first, reaches back beyond ``window``: only older ones are missing."""
    if not sent.newest_first:
        return False
    days = [moment.day if (moment := taken(one)) else None for one in observations_in(sent)]
    reach = [day for day in days if day is not None]
    sorted_so = bool(reach) and len(reach) == len(days) and reach == sorted(reach, reverse=True)
    return sorted_so and today - reach[-1] > window


_MOST_KEPT, _LONGEST_KEPT = 256, 200
_Written = tuple[str | None, str | None, str | None]
"""``code``, ``unit`` and ``system`` of a Quantity."""


class UnitProblem(Enum):
    """Reads on after the name of the result."""

    MISSING = "has no unit"
    UNKNOWN = "has a unit that cannot be converted"
    CONTRADICTION = "has a unit and a unit code that contradict each other"


class Units(Generic[T]):
    """A closed table of the few units that one kind of result comes in, not a UCUM library: many spellings in use are
    not UCUM, and any unit outside the table is better said to be unknown than converted."""

    def __init__(self, table: Mapping[str, T]) -> None:
        self._table = {spelling(unit): meaning for unit, meaning in table.items()}
        self._kept: dict[_Written, frozenset[T] | UnitProblem] = {}

    def of(self, quantity: Quantity) -> frozenset[T] | UnitProblem:
        """What ``code`` and ``unit`` mean."""
        written = (quantity.code, quantity.unit, quantity.system)
        found = self._kept.get(written)
        if found is None:
            found = self._meanings(*written)
            if len(self._kept) < _MOST_KEPT and sum(len(one or "") for one in written) <= _LONGEST_KEPT:
                self._kept[written] = found
        return found

    def _meanings(self, code: str | None, unit: str | None, system: str | None) -> frozenset[T] | UnitProblem:
        written = [text for text in texts(code, unit) if text not in ("1", "{}")]
        if not written:
            return UnitProblem.MISSING
        meanings = frozenset(self._table[name] for name in map(spelling, written) if name in self._table)
        if not meanings:
            return UnitProblem.UNKNOWN
        # A UCUM code of another dimension beside a known unit text is a contradiction; a local code is not.
        ucum = code if code in written and "unitsofmeasure" in (system or "") else None
        return UnitProblem.CONTRADICTION if ucum and spelling(ucum) not in self._table else meanings


_IGNORED = str.maketrans({**dict.fromkeys(" \t\u00a0{}[]_^*()", ""), ",": ".", "\u03bc": "u", "×": ""})


def spelling(unit: str) -> str:
    """One spelling for "mL/min/1.73 m²" and "mL/min/{1.73_m2}", for "µmol/L" and "umol/L"."""
    return unicodedata.normalize("NFKC", unit[:40]).casefold().translate(_IGNORED)


def converted(quantity: Quantity, value: Decimal, factors: Units[Factor]) -> Decimal | UnitProblem:
    """``value`` in the one unit that the factors lead to."""
    found = factors.of(quantity)
    if isinstance(found, UnitProblem):
        return found
    if len(found) > 1:
        return UnitProblem.CONTRADICTION
    ((numerator, denominator),) = found
    return value if numerator == denominator else value * numerator / denominator
