"""FHIR Timing and Period → for how long an instruction runs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from math import ceil

from msgspec import Raw, UnsetType

from cards.facts import Unreadable
from cards.quantities import Days
from cards.values import frozen
from cds_service.gather.amounts import Frequency, over
from cds_service.gather.fhir_values import Precision, number, when
from cds_service.gather.lookup import Kept
from cds_service.gather.timing import days_in, positive
from cds_service.resources import Period, Quantity, Timing


@frozen
class Bounds:
    """When an instruction begins and ends, as far as it says so."""

    start: date | None = None
    end: date | None = None
    """Last day, included."""
    lasts: Days | None = None


def bounds(timing: Timing | None, often: Frequency | None) -> Bounds:
    repeat = timing.repeat if timing else None
    if repeat is None:
        return Bounds()
    if repeat.boundsPeriod is not None:
        return of_period(repeat.boundsPeriod)
    ranged = repeat.boundsRange
    # The shorter end of a range: the next step may come that early.
    length = duration(repeat.boundsDuration) or (duration(ranged.low or ranged.high) if ranged else None)
    if length is None and often is not None:
        count = positive(repeat.count, "count")
        if count is not None and not isinstance(count, Unreadable):
            length = Days.of(min(max(ceil(over(count, often.per_day)), 1), _LONGEST))
    return Bounds(lasts=length)


def of_period(period: Period) -> Bounds:
    """A FHIR Period includes its end, be it a month or a year; between points in time a begun day counts as a day."""
    start, end = when(period.start), when(period.end)
    first = start.earliest.date() if start else None
    last = end.latest.date() if end else None
    if first is None or last is None or start is None or end is None or end.latest < start.earliest:
        return Bounds(start=first, end=last)
    if Precision.TIME in (start.precision, end.precision):
        length = ceil((end.latest - start.earliest) / timedelta(days=1))
    else:
        length = (last - first).days + 1
    return Bounds(first, last, Days.of(max(length, 1)))


def duration(quantity: Quantity | None) -> Days | None:
    """Whole days, at least one; ``None`` when absent or not a length of time."""
    days = days_of(quantity)
    return None if days is None else Days.of(days)


def days_of(quantity: Quantity | None) -> int | None:
    if quantity is None:
        return None
    if isinstance(quantity.value, UnsetType):
        return None
    return _DAYS_OF[bytes(quantity.value), quantity.code, quantity.unit]


def _days_of(length: tuple[bytes, str | None, str | None]) -> int | None:
    """Of a value and its unit, as code and as text."""
    written, code, name = length
    value, unit = number(Raw(written)), days_in(code) or days_in(name)
    if not isinstance(value, Decimal) or unit is None or value <= 0:
        return None
    days = int(value * unit.numerator // unit.denominator)
    return max(days, 1) if days <= _LONGEST else None


_DAYS_OF = Kept(_days_of, 256)
_LONGEST = 36500
