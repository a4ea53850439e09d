"""FHIR primitives that arrive in many shapes: numbers, dates of every precision, references, one-or-many elements."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple, TypeVar, overload

from msgspec import Raw, UnsetType

from cards.values import frozen
from cds_service.resources import Code, CodeableConcept, Coded, Coding

T = TypeVar("T")


@overload
def many(value: list[T] | None) -> tuple[T, ...]: ...
@overload
def many(value: list[T | None] | list[T] | T | None) -> tuple[T, ...]: ...
def many(value: list[T | None] | list[T] | T | None) -> tuple[T, ...]:
    """An element that should be a list and may be one object or absent; ``null`` members are dropped."""
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple([item for item in value if item is not None])
    return (value,)


@overload
def codings(concept: CodeableConcept | None) -> tuple[Coding, ...]: ...
@overload
def codings(concept: CodeableConcept | Coded | None) -> tuple[Code, ...]: ...
def codings(concept: CodeableConcept | Coded | None) -> tuple[Code, ...]:
    if concept is None or concept.coding is None:
        return ()
    if isinstance(concept.coding, tuple):
        return tuple([coding for coding in concept.coding if coding is not None])
    return (concept.coding,)


def first(*values: T | None) -> T | None:
    """The first that is there: R4 position first, then those of other FHIR versions."""
    return next((value for value in values if value is not None), None)


# -------------------------------------------------------------------------------------------------------- numbers


@frozen
class NotANumber:
    """A value that stands where FHIR has a number and is none. The reason reads on after the element's name."""

    reason: str


_LONGEST_NUMBER = 40


def number(raw: Raw | UnsetType) -> Decimal | NotANumber | None:
    """The exact decimal as written; ``None`` when absent or null. A JSON string is not a number."""
    if isinstance(raw, UnsetType):
        return None
    written = bytes(raw)
    # ``raw`` is JSON: what begins as a number is one.
    if written[0] not in b"-0123456789":
        if written == b"null":
            return None
        return NotANumber("is text, not a number" if written.startswith(b'"') else "is not a number")
    if len(written) > _LONGEST_NUMBER:
        return NotANumber("is out of range")
    value = Decimal(written.decode("ascii"))
    # A zero may carry any exponent; arithmetic on it must stay cheap and exact.
    if not value:
        return Decimal(0)
    return value if -15 <= value.adjusted() <= 15 else NotANumber("is out of range")


# ---------------------------------------------------------------------------------------------------------- dates


class Precision(IntEnum):
    YEAR = 1
    MONTH = 2
    DAY = 3
    TIME = 4


_DAY, _TIME = Precision.DAY, Precision.TIME


class When(NamedTuple):
    """A FHIR date, dateTime or instant: the span of UTC time that it may mean, both ends included."""

    earliest: datetime
    latest: datetime
    precision: Precision
    day: date | None
    """The UTC calendar day (resolutions.md 18); ``None`` when only a month or a year is known."""


_USUAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]{8,15}(?:Z|[+-][0-9]{2}:[0-9]{2}))?\Z")
"""What the faster reader of the standard library reads alike."""
_DATE_TIME = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|z|[+-]\d\d:?\d\d)?)?)?)?"
)


def exact_day(text: str | None) -> date | None:
    """The UTC day of a date or a time with zone; ``None`` for anything else, which ``when`` may read. Where only a day
    is wanted of many dates, in half the time."""
    if text is None or not _USUAL.match(text):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC).date() if len(text) > _A_DAY else date.fromisoformat(text)
    except (ValueError, OverflowError):
        return None


_A_DAY = len("2026-11-23")


def when(text: str | None) -> When | None:
    """``None`` when absent or not a date. A time without zone is taken as UTC; a date alone is that day in UTC.

    Kept for a while: the resources of a chart share their dates, and a chart comes several times while one order is
    written. For a birth date use ``read_when``, which keeps nothing.
    """
    if not text:
        return None
    return _kept_when(text) if len(text) <= _LONGEST_KEPT else read_when(text)


def read_when(text: str) -> When | None:
    if _USUAL.match(text):
        try:
            read = datetime.fromisoformat(text)
            return _moment(read) if read.tzinfo else _days(read.replace(tzinfo=UTC), _DAY)
        except (ValueError, OverflowError):
            pass
    try:
        return _read_unusual(text)
    except (ValueError, OverflowError):
        return None


def _read_unusual(text: str) -> When | None:
    match = _DATE_TIME.fullmatch(text.strip())
    if match is None or not text.isascii():
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if hour is not None:
        # A leap second counts as the last second of its minute.
        return _moment(datetime(
            int(year), int(month), int(day), int(hour), int(minute), min(int(second or 0), 59),
            int(((fraction or "") + "000000")[:6]), _zone(zone),
        ))  # fmt: skip
    start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
    if day is not None:
        return _days(start, _DAY)
    precision = Precision.MONTH if month is not None else Precision.YEAR
    last_month = start.month if month is not None else 12
    return _days(start, precision, start.replace(month=last_month, day=monthrange(start.year, last_month)[1]))


def _moment(read: datetime) -> When:
    taken = read.astimezone(UTC)
    return When(taken, taken, _TIME, taken.date())


_REST_OF_DAY = timedelta(days=1, microseconds=-1)


def _days(first: datetime, precision: Precision, last: datetime | None = None) -> When:
    return When(first, (last or first) + _REST_OF_DAY, precision, first.date() if last is None else None)


_LONGEST_KEPT = 48
_kept_when = lru_cache(maxsize=4096)(read_when)


def first_when(*texts: str | None) -> When | None:
    """The first that is a readable date."""
    return next((read for read in map(when, texts) if read is not None), None)


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)


# ----------------------------------------------------------------------------------------------------- references


@frozen
class Target:
    """What a ``Reference.reference`` points to. A version is dropped: the current resource is meant."""

    type: str
    """"Medication"; empty for a contained resource, a urn and a bare id."""
    id: str
    """The bare id; the whole text for a urn."""
    base: str = ""
    """FHIR base of an absolute reference, without trailing slash; empty for a relative one."""
    contained: bool = False

    @property
    def key(self) -> str:
        """ "Medication/m1", "urn:uuid:...", "#m1": comparable within one request."""
        if self.contained:
            return f"#{self.id}"
        return f"{self.type}/{self.id}" if self.type else self.id

    @property
    def url(self) -> str:
        """The key with the base of an absolute reference before it."""
        return f"{self.base}/{self.key}" if self.base else self.key


_LITERAL = re.compile(r"(?:(https?://[^\s?#]+?)/+)?([A-Z][A-Za-z]{1,63})/([^\s/?#|]{1,512})(?:/_history/[^\s/?#]*)?")
_BARE = re.compile(r"[A-Za-z0-9.\-_~]{1,512}")


def target(reference: str | None) -> Target | None:
    """``None`` when absent, or not a reference to one resource (a search, a path with ``..``)."""
    text = (reference or "").strip()
    if text.startswith("#"):
        return Target("", text[1:], contained=True)
    if text.lower().startswith(("urn:uuid:", "urn:oid:")):
        return Target("", text.lower())
    if found := _LITERAL.fullmatch(text):
        base, kind, identifier = found.groups()
        return None if identifier in (".", "..") else Target(kind, identifier, base or "")
    return Target("", text) if _BARE.fullmatch(text) and text not in (".", "..") else None


def same_resource(left: str | None, right: str | None) -> bool:
    """Whether two references name one resource of this EHR; a bare id is compared by id alone."""
    a, b = target(left), target(right)
    if a is None or b is None or a.contained or b.contained:
        return False
    return a.id == b.id and (a.type == b.type or not a.type or not b.type)


def is_patient(reference: str | None, patient_id: str) -> bool:
    """Whether the reference names the patient of the hook call: "p1", "Patient/p1", absolute, versioned, "urn:uuid:p1".
    A contained subject ("#p") tells nothing and counts as this patient."""
    named = target(reference)
    if named is None:
        return False
    if named.id.startswith("urn:"):
        return named.id.rpartition(":")[2] == patient_id.lower()
    return named.contained or (named.id == patient_id and named.type in ("Patient", ""))


def is_nameless(concept: CodeableConcept | None) -> bool:
    """Neither a code nor a word."""
    if concept is None:
        return True
    return not any(coding.code or coding.display for coding in codings(concept)) and not next(texts(concept.text), "")


def texts(*values: str | None) -> Iterator[str]:
    """Those that hold more than white space, trimmed."""
    return (value.strip() for value in values if value and value.strip())
