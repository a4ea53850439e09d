"""The chart of one patient as it was on the day of an order.

An export shows each resource as it is today. What was written later is left out, and what has ended since was running:

* A result, problem, procedure, allergy or order counts from the day that it tells (taken, recorded or begun, performed,
  authored). One without any date counts always: the rules then say that its date is not known.
* A problem that was resolved later was active. A person who died later was alive.
* An order that is completed or stopped today was running if its supply reached the day; where its supply is not known,
  for ``ASSUMED_SUPPLY`` after it was written; never beyond the next order for the same medicine, which took its place.
  These are assumptions, and the report says so.
* Corrections are not undone: a result that was amended since counts as amended, and one entered in error not at all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from cds_service.gather.fhir_values import Precision, When, first_when, target
from cds_service.resources import UNREADABLE

ASSUMED_SUPPLY = timedelta(days=90)
"""For how long an order of unknown supply was running, when it has ended since: the longest usual supply."""

Json = Mapping[str, Any]
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Line:
    """One resource of the patient."""

    type: str
    raw: bytes
    json: Json
    known: When | None
    """When it came to be known; None: nobody knows."""
    replaced: datetime | None = None
    """When the next order for the same medicine was written."""

    def products(self) -> Iterator[str]:
        """Ids of the Medication resources that it refers to."""
        reference = self.json.get("medicationReference")
        pointed = target(reference.get("reference")) if isinstance(reference, dict) else None
        if pointed is not None and not pointed.contained:
            yield pointed.id


def read_line(kind: str, raw: bytes) -> Line:
    """Raises ``ValueError``."""
    try:
        resource = _decode(raw)
    except UNREADABLE:
        raise ValueError("is not JSON") from None
    return Line(kind, raw, resource, first_when(*_dates(resource, _KNOWN.get(kind, ()))))


_KNOWN: Mapping[str, tuple[str, ...]] = {
    "Observation": ("effectiveDateTime", "effectivePeriod.start", "effectiveInstant", "issued"),
    "Condition": ("recordedDate", "assertedDate", "dateRecorded", "onsetDateTime", "onsetPeriod.start"),
    "Procedure": ("performedDateTime", "performedPeriod.start", "occurrenceDateTime", "occurrencePeriod.start"),
    "AllergyIntolerance": ("recordedDate", "assertedDate", "onsetDateTime"),
    "MedicationRequest": ("authoredOn", "dateWritten"),
    "MedicationStatement": ("effectivePeriod.start", "effectiveDateTime", "dateAsserted"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
}


def _dates(resource: Json, paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        value: Any = resource
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, str):
            yield value


def in_turn(orders: Iterable[Line]) -> Iterator[Line]:
    """Orders for one medicine: the same ones, each knowing when the next took its place."""
    orders = tuple(orders)
    starts = sorted(line.known.earliest for line in orders if line.known)
    for line in orders:
        after = bisect_right(starts, line.known.latest) if line.known else len(starts)
        yield replace(line, replaced=starts[after]) if after < len(starts) else line


def as_of(lines: Iterable[Line], moment: datetime) -> dict[str, list[bytes]]:
    """Type → the resources as they stood at ``moment``, encoded."""
    chart: dict[str, list[bytes]] = {}
    for line in lines:
        if line.known is not None and line.known.earliest > moment:
            continue
        undo = _UNDONE.get(line.type)
        before = undo(line, moment) if undo else None
        chart.setdefault(line.type, []).append(line.raw if before is None else _encode(before))
    return chart


# ---------------------------------------------------------------------------------------------- what has changed since


def _alive(line: Line, moment: datetime) -> Json | None:
    died = first_when(*_dates(line.json, ("deceasedDateTime",)))
    if "deceasedDateTime" in line.json or "deceasedBoolean" in line.json:
        if died is not None and died.latest < moment:
            return None
        return {name: value for name, value in line.json.items() if name not in ("deceasedDateTime", "deceasedBoolean")}
    return None


def _still_active(line: Line, moment: datetime) -> Json | None:
    ended = first_when(*_dates(line.json, ("abatementDateTime", "abatementPeriod.end", "abatementPeriod.start")))
    if ended is None or ended.latest <= moment:
        return None
    active = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
    kept = {name: value for name, value in line.json.items() if not name.startswith("abatement")}
    return {**kept, "clinicalStatus": active}


_ENDED = frozenset({"completed", "stopped", "ended"})


def _running(line: Line, moment: datetime) -> Json | None:
    """An order or statement that has ended since."""
    if line.json.get("status") not in _ENDED or line.known is None or line.known.precision < Precision.DAY:
        return None
    if line.replaced is not None and line.replaced <= moment:
        return None
    ends = _supply_ends(line)
    runs = moment <= ends if ends is not None else moment - line.known.latest <= ASSUMED_SUPPLY
    return {**line.json, "status": "active"} if runs else None


def _supply_ends(line: Line) -> datetime | None:
    paths = ("dispenseRequest.validityPeriod.end", "effectivePeriod.end")
    stated = first_when(*_dates(line.json, paths))
    if stated is not None:
        return stated.latest
    dispense = line.json.get("dispenseRequest")
    supply = dispense.get("expectedSupplyDuration") if isinstance(dispense, dict) else None
    if line.known is None or not isinstance(supply, dict):
        return None
    days = _IN_DAYS.get(str(supply.get("code") or supply.get("unit")))
    value = supply.get("value")
    if days is None or not isinstance(value, int | Decimal) or not 0 < value < 3660:
        return None
    return line.known.latest + timedelta(days=float(value) * days)


_IN_DAYS = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7, "mo": 30, "month": 30, "months": 30}

_UNDONE: Mapping[str, Callable[[Line, datetime], Json | None]] = {
    "Patient": _alive, "Condition": _still_active, "MedicationRequest": _running, "MedicationStatement": _running,
}  # fmt: skip
"""Type → the resource as it was, or None when it has not changed since."""
