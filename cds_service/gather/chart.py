"""MedicationRequest, MedicationStatement, MedicationDispense → chart entries: one shape, status and dates judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, IntEnum

import msgspec
from msgspec import Raw, UnsetType

from cards.facts import ChartText, Setting, Standing
from cards.quantities import Days
from cds_service.gather.amounts import Frequency
from cds_service.gather.bounds import duration, of_period
from cds_service.gather.fhir_values import When, many, when
from cds_service.gather.setting import setting_of
from cds_service.gather.shelf import type_name
from cds_service.gather.timing import frequency
from cds_service.resources import (
    Dosage,
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    Period,
    Reference,
    Resource,
)  # fmt: skip

ENDED_RECENTLY = timedelta(days=7)
"""rules.md 2, IN-OPI: an ended medicine still counts for so long."""
AUTHORED_RECENTLY = timedelta(days=30)
"""rules.md 2, IN-OPI: one whose supply is not known counts for so long after it was written."""
SUPPLY_ENDED_RECENTLY = timedelta(days=14)
"""rules.md 2, IN-BAC: baclofen whose supply ran out so recently is still the current dose."""

ChartResource = MedicationRequest | MedicationStatement | MedicationDispense


class Source(IntEnum):
    """Which kind of record speaks; where two speak of one medicine the lower number is believed."""

    REQUEST = 1
    STATEMENT = 2
    DISPENSE = 3


class _Status(Enum):
    RUNNING = 1
    ON_HOLD = 2
    ENDED = 3
    SUPPLIED = 4
    """A dispense: runs as long as its supply."""


_ENDED = {"on-hold": _Status.ON_HOLD, "completed": _Status.ENDED, "stopped": _Status.ENDED}
_REQUEST = {
    **_ENDED, "ended": _Status.ENDED, "cancelled": _Status.ENDED, "entered-in-error": None, "draft": None,
}  # fmt: skip
_STATEMENT = {**_ENDED, "entered-in-error": None, "draft": None, "not-taken": None}
_DISPENSE = {
    "stopped": _Status.ENDED, "entered-in-error": None, "preparation": None, "cancelled": None, "declined": None,
}  # fmt: skip
"""None: nothing is taken. Any other status, a misspelt one too, may stand on a medicine that is: it is not dropped."""
_NO_ORDERS = frozenset({"proposal", "option", "reflex-order", "filler-order", "instance-order"})
"""rules.md 2. Proposals and options are not orders; instance and filler orders repeat one that is on the list."""


@dataclass(frozen=True, slots=True)
class Entry:
    resource: ChartResource
    reference: str
    source: Source
    cancelled: bool
    """Withdrawn before anything was taken, by the words of FHIR."""
    standing: Standing
    history: bool
    """Over for longer than anything but the history of baclofen asks about."""
    started: date | None
    ended: date | None
    """The day on which it ended, when that is known and past."""
    supply_ends: date | None
    ran_out: bool
    """Completed, not stopped: over only because its supply came to its end."""
    dosages: tuple[Dosage, ...]

    @property
    def one_off(self) -> bool:
        """A single dose given in hospital."""
        return _is_one_off(self.resource, self.dosages)

    @property
    def prescriber(self) -> ChartText | None:
        return _requester(self.resource)


def read_entry(resource: Resource, today: date) -> Entry | None:
    """``None`` for what is no medicine of the patient's list."""
    match resource:
        case MedicationRequest() if _code(resource.intent) not in _NO_ORDERS and resource.doNotPerform is not True:
            status, source = _REQUEST.get(_code(resource.status), _Status.RUNNING), Source.REQUEST
            dosages = many(resource.dosageInstruction)
            started = _day(when(resource.authoredOn) or when(resource.dateWritten), today)
            ends = _request_ends(resource, started, dosages)
        case MedicationStatement():
            status, source = _STATEMENT.get(_code(resource.status), _Status.RUNNING), Source.STATEMENT
            dosages = many(resource.dosage)
            period = resource.effectivePeriod or Period()
            first = when(period.start) or when(resource.effectiveDateTime) or when(resource.dateAsserted)
            started, ends = _day(first, today), of_period(period).end
        case MedicationDispense():
            status, source = _DISPENSE.get(_code(resource.status), _Status.SUPPLIED), Source.DISPENSE
            dosages = many(resource.dosageInstruction)
            started = _day(when(resource.whenHandedOver) or when(resource.whenPrepared), today)
            ends = _after(started, duration(resource.daysSupply))
        case _:
            return None
    if status is None:
        return None
    standing, ended, history = _standing(status, source, started, ends, today)
    return Entry(
        resource=resource,
        reference=f"{type_name(resource)}/{resource.id}" if resource.id else "",
        source=source,
        cancelled=_code(resource.status) == "cancelled",
        standing=standing,
        history=history,
        started=started,
        ended=ended,
        supply_ends=ends,
        ran_out=_code(resource.status) == "completed",
        dosages=dosages,
    )


def _code(text: str | None) -> str:
    return text.strip().lower() if text else ""


def _standing(
    status: _Status, source: Source, started: date | None, ends: date | None, today: date
) -> tuple[Standing, date | None, bool]:
    """Standing, end (if past), and whether it is history only. All windows are calendar days, both ends included."""
    over = ends if ends is not None and ends < today else None
    match status:
        case _Status.RUNNING if not (source is Source.STATEMENT and over):
            return Standing.ACTIVE, None, False
        case _Status.ON_HOLD:
            return Standing.ON_HOLD, None, False
        case _Status.SUPPLIED if ends is not None and ends >= today:
            return Standing.ACTIVE, None, False
    if status is _Status.ENDED and ends == today:
        over = ends
    if over is not None:
        return Standing.RECENT, over, today - over > ENDED_RECENTLY
    # Stopped on a day that the record does not tell.
    recent = started is not None and today - started <= AUTHORED_RECENTLY
    return Standing.RECENT, None, not recent


def _request_ends(request: MedicationRequest, started: date | None, dosages: Sequence[Dosage]) -> date | None:
    """Validity of the prescription, else its supply, else the end of its instructions."""
    dispense = request.dispenseRequest
    if dispense is not None and dispense.validityPeriod is not None:
        validity = of_period(dispense.validityPeriod)
        if validity.end is not None:
            return validity.end
        started = validity.start or started
    supply = _after(started, duration(dispense.expectedSupplyDuration) if dispense else None)
    if supply is not None:
        return supply
    periods = [dosage.timing.repeat.boundsPeriod for dosage in dosages if dosage.timing and dosage.timing.repeat]
    ends = [of_period(period).end if period else None for period in periods]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(dosages) else None


def _after(start: date | None, supply: Days | None) -> date | None:
    try:
        return None if start is None or supply is None else start + timedelta(days=int(supply.value))
    except OverflowError:
        return None


def _day(read: When | None, today: date) -> date | None:
    """Of a month or a year, its last day that is past: the shortest time that it can have run."""
    if read is None:
        return None
    return read.day or max(read.earliest.date(), min(read.latest.date(), today))


def _is_one_off(resource: ChartResource, dosages: Sequence[Dosage]) -> bool:
    if not isinstance(resource, MedicationRequest) or setting_of(resource.category) is not Setting.INPATIENT:
        return False
    often = [frequency(dosage.timing) for dosage in dosages]
    return bool(often) and all(isinstance(one, Frequency) and one.once for one in often)


def _requester(resource: ChartResource) -> ChartText | None:
    if not isinstance(resource, MedicationRequest) or isinstance(resource.requester, UnsetType):
        return None
    return _display(resource.requester)


def _display(raw: Raw) -> ChartText | None:
    """STU3 has the person one level deeper, as ``agent``."""
    try:
        read = msgspec.json.decode(raw, type=_Requester)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    text = read.display or (read.agent.display if read.agent else None)
    return ChartText.clean(text) if text and text.strip() else None


class _Requester(Reference):
    agent: Reference | None = None
