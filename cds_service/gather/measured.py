"""What every measured Observation shares: its status, when it was taken, and its unit."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Generic, TypeVar

from cds_service.gather.codes import Codes, Recognition
from cds_service.gather.fhir_values import When, texts, when
from cds_service.records import NotAvailable, Records
from cds_service.resources import CodeableConcept, Observation, Quantity

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


class Lookup(Generic[T]):
    """What the concepts of one chart mean to one reader, worked out once per coding: charts repeat them."""

    def __init__(self, codes: Codes, meaning: Callable[[Recognition], T | None]) -> None:
        self._codes = codes
        self._meaning = meaning
        self._known: dict[tuple[str | None, str | int | float | None], T | None] = {}

    def __call__(self, concept: CodeableConcept | None) -> T | None:
        coding = concept.coding if concept else None
        if isinstance(coding, list) and len(coding) == 1 and coding[0] is not None:
            key = (coding[0].system, coding[0].code)
            try:
                return self._known[key]
            except KeyError:
                return self._known.setdefault(key, self._meaning(self._codes.observation(concept)))
        return self._meaning(self._codes.observation(concept)) if coding else None


def taken(observation: Observation) -> When | None:
    """When the specimen was taken or the patient measured; only without any such element, when it was reported.

    A date that stands there and cannot be read is not replaced by the report's: that may be much later.
    """
    period = observation.effectivePeriod
    start, end = (period.start, period.end) if period else (None, None)
    return when(
        next(texts(observation.effectiveDateTime, observation.effectiveInstant, end, start, observation.issued), None)
    )


def lacks_older_only(sent: Records, today: date, window: timedelta) -> bool:
    """Whether a list that was cut off, newest first, reaches back beyond ``window``: only older ones are missing."""
    if not sent.newest_first:
        return False
    days = [moment.day if (moment := taken(one)) else None for one in observations_in(sent)]
    reach = [day for day in days if day is not None]
    sorted_so = bool(reach) and len(reach) == len(days) and reach == sorted(reach, reverse=True)
    return sorted_so and today - reach[-1] > window


class UnitProblem(Enum):
    """Reads on after the name of the result."""

    MISSING = "has no unit"
    UNKNOWN = "has a unit that cannot be converted"
    CONTRADICTION = "has a unit and a unit code that contradict each other"


def units(quantity: Quantity, known: Mapping[str, T]) -> frozenset[T] | UnitProblem:
    """What ``code`` and ``unit`` mean among the ``known`` units (keys made by ``spelling``).

    Closed tables of the few units that these results come in, not a UCUM library: many spellings in use are not UCUM,
    and any unit outside the table is better said to be unknown than converted.
    """
    written = [text for text in texts(quantity.code, quantity.unit) if text not in ("1", "{}")]
    if not written:
        return UnitProblem.MISSING
    meanings = frozenset(known[name] for name in map(spelling, written) if name in known)
    if not meanings:
        return UnitProblem.UNKNOWN
    # A UCUM code of another dimension beside a known unit text is a contradiction; a local code is not.
    ucum = quantity.code if quantity.code in written and "unitsofmeasure" in (quantity.system or "") else None
    return UnitProblem.CONTRADICTION if ucum and spelling(ucum) not in known else meanings


_IGNORED = str.maketrans({**dict.fromkeys(" \t\u00a0{}[]_^*()", ""), ",": ".", "\u03bc": "u", "×": ""})


@lru_cache(maxsize=1024)
def spelling(unit: str) -> str:
    """One spelling for "mL/min/1.73 m²" and "mL/min/{1.73_m2}", for "µmol/L" and "umol/L"."""
    return unicodedata.normalize("NFKC", unit[:40]).casefold().translate(_IGNORED)


def table(of: Mapping[str, T]) -> Mapping[str, T]:
    return {spelling(unit): meaning for unit, meaning in of.items()}


def converted(quantity: Quantity, value: Decimal, factors: Mapping[str, Factor]) -> Decimal | UnitProblem:
    """``value`` in the one unit that the factors lead to."""
    found = units(quantity, factors)
    if isinstance(found, UnitProblem):
        return found
    if len(found) > 1:
        return UnitProblem.CONTRADICTION
    ((numerator, denominator),) = found
    return value * numerator / denominator
