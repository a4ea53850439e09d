"""FHIR Timing → how often a day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from msgspec import Raw, UnsetType

from cards.facts import Unreadable
from cds_service.gather.amounts import Exact, Frequency, exactly, over
from cds_service.gather.fhir_values import NotANumber, codings, number, texts, when
from cds_service.gather.sig import read_clock_times, read_frequency
from cds_service.resources import CodeableConcept, Repeat, Timing

_MOST_A_DAY = 24
"""More than hourly is not a schedule of a medicine that is swallowed or counted."""
_MOST_DAYS_APART = 100

_DAYS: Mapping[str, Exact] = {
    "s": Fraction(1, 86400), "min": Fraction(1, 1440), "h": Fraction(1, 24), "d": 1, "wk": 7, "mo": 30,
    "a": 365,
}  # fmt: skip
_UNIT_NAMES = {
    **{unit: unit for unit in _DAYS},
    **dict.fromkeys(("sec", "second", "seconds"), "s"),
    **dict.fromkeys(("minute", "minutes"), "min"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks", "w"), "wk"),
    **dict.fromkeys(("month", "months"), "mo"),
    **dict.fromkeys(("year", "years"), "a"),
}
_DAYS_IN = {name: _DAYS[unit] for name, unit in _UNIT_NAMES.items()}
DAY = _DAYS["d"]
_EVENTS = {
    **dict.fromkeys(
        (
            "MORN", "MORN.early", "MORN.late", "NOON", "AFT", "AFT.early", "AFT.late", "EVE", "EVE.early", "EVE.late",
            "NIGHT", "PHS", "HS", "WAKE", "CM", "CD", "CV", "ACM", "ACD", "ACV", "PCM", "PCD", "PCV",
        ),
        1,
    ),
    # At, before and after "meals": three a day.
    **dict.fromkeys(("C", "AC", "PC"), 3),
}  # fmt: skip
_ABBREVIATIONS = {
    "BED": Frequency(1, day_parts=frozenset({"HS"})),
    "WK": Frequency(Fraction(1, 7)),
    "MO": Frequency(Fraction(1, 30)),
}
"""Codes of HL7 GTSAbbreviation that are no words of a sig; the others (TID, Q8H, AM ...) are."""


def days_in(unit: str | None) -> Exact | None:
    """Days in one UCUM or written-out unit of time; a month counts 30."""
    return _DAYS_IN.get(unit.strip().lower()) if unit else None


# ------------------------------------------------------------------------------------------------------ how often


def frequency(timing: Timing | None) -> Frequency | Unreadable | None:
    """``None`` when the timing does not say how often. The code and ``repeat`` must not contradict each other."""
    if timing is None:
        return None
    repeat = _of_repeat(timing.repeat) if timing.repeat else None
    coded, written = _of_code(timing.code)
    match repeat:
        case Unreadable():
            return repeat
        case Frequency():
            if any(code.per_day != repeat.per_day for code in coded):
                return Unreadable("timing.code and timing.repeat say different frequencies")
            return _checked(repeat)
        case None:
            pass
    stated = coded or written
    if stated:
        if len({one.per_day for one in (*coded, *written)}) > 1:
            return Unreadable("timing.code says different frequencies")
        return _checked(stated[0])
    return _of_events(timing.event)


def _checked(read: Frequency) -> Frequency | Unreadable:
    if read.per_day > _MOST_A_DAY:
        return Unreadable("timing says more than 24 times a day")
    if read.per_day * _MOST_DAYS_APART < 1:
        return Unreadable("timing says less than once in 100 days")
    return read


def _of_code(concept: CodeableConcept | None) -> tuple[list[Frequency], list[Frequency]]:
    """What the codes say, and what the displays and the text say: "every 8 hours", "Q4H PRN"."""
    if concept is None:
        return [], []
    coded = codings(concept)
    codes = [coding.code.strip() for coding in coded if isinstance(coding.code, str)]
    by_code = [_ABBREVIATIONS.get(code.upper()) or read_frequency(code) for code in codes]
    by_text = [read_frequency(text) for text in texts(*(coding.display for coding in coded), concept.text)]
    by_text.append(read_clock_times(concept.text))
    return [one for one in by_code if one], [one for one in by_text if one]


def _of_events(events: list[str] | None) -> Frequency | Unreadable | None:
    """Single points in time: the most of them on one day."""
    times = [when(event) for event in events or ()]
    if not times:
        return None
    days = [time.day for time in times if time is not None]
    if len(days) < len(times) or None in days:
        return Unreadable("timing.event is not a list of dates")
    return _checked(Frequency(max(map(days.count, days)), once=len(days) == 1))


def positive(raw: Raw | UnsetType, element: str) -> Exact | Unreadable | None:
    if isinstance(raw, UnsetType):
        return None
    match number(raw):
        case None:
            return None
        case NotANumber(reason=reason):
            return Unreadable(f"timing.repeat.{element} {reason}")
        case value if value <= 0:
            return Unreadable(f"timing.repeat.{element} is not above zero")
        case value:
            return exactly(value)


def _of_repeat(repeat: Repeat) -> Frequency | Unreadable | None:
    read = {
        "frequency": positive(repeat.frequency, "frequency"),
        "frequencyMax": positive(repeat.frequencyMax, "frequencyMax"),
        "period": positive(repeat.period, "period"),
        "periodMax": positive(repeat.periodMax, "periodMax"),
        "count": positive(repeat.count, "count"),
    }
    values: dict[str, Exact | None] = {}
    for element, value in read.items():
        if isinstance(value, Unreadable):
            return value
        values[element] = value
    events = _event_count(repeat)
    if isinstance(events, Unreadable):
        return events
    low, high, period = values["frequency"], values["frequencyMax"], values["period"]
    if low and high and high < low:
        return Unreadable("timing.repeat.frequencyMax is below frequency")
    if period and values["periodMax"] and values["periodMax"] < period:
        return Unreadable("timing.repeat.periodMax is below period")
    times = high or low
    per_day = _per_day(repeat, times, period, events)
    if isinstance(per_day, Unreadable):
        return per_day
    once = values["count"] == 1
    if per_day is None:
        return Frequency(1, once=True) if once and not times and not period else None
    ranged = high is not None or values["periodMax"] is not None
    return Frequency(1 if once else per_day, up_to=ranged, once=once, day_parts=_named_parts(repeat))


def _per_day(repeat: Repeat, times: Exact | None, period: Exact | None, events: int) -> Exact | Unreadable | None:
    weekdays = len(set(repeat.dayOfWeek or ()))
    unit = repeat.periodUnit or repeat.periodUnits
    if period is not None and unit:
        length = days_in(unit)
        if length is None:
            return Unreadable("timing.repeat.periodUnit is not a unit of time")
        days = period * length
        if not weekdays:
            often = over(times or 1, days)
            return max(often, over(events, max(days, 1))) if events else often
        if days == 1:
            return over(max(times or 1, events) * weekdays, 7)
        if days == 7:
            return over(max(times or 1, weekdays * max(events, 1)), 7)
        return Unreadable("timing.repeat.dayOfWeek does not fit its period")
    if period is not None:
        return None
    if times is not None and times != (events or 1):
        return Unreadable("timing.repeat.frequency has no period") if events or weekdays else None
    if not events and not weekdays:
        return None
    return over(max(events, 1) * (weekdays or 7), 7)


def _event_count(repeat: Repeat) -> int | Unreadable:
    """Administrations a day that ``when`` and ``timeOfDay`` name; the larger of the two."""
    named = _when(repeat)
    if not all(name in _EVENTS for name in named):
        return Unreadable("timing.repeat.when has an unknown code")
    clock = set(repeat.timeOfDay or ())
    if not all(re.fullmatch(r"(?:[01]\d|2[0-4]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?", time) for time in clock):
        return Unreadable("timing.repeat.timeOfDay is not a time")
    return max(sum(_EVENTS[name] for name in set(named)), len(clock))


def _named_parts(repeat: Repeat) -> frozenset[str]:
    return frozenset((*_when(repeat), *(repeat.timeOfDay or ())))


def _when(repeat: Repeat) -> list[str]:
    return [repeat.when] if isinstance(repeat.when, str) else repeat.when or []
