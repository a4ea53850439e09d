"""MedicationRequest, MedicationStatement, MedicationDispense → chart entries: one shape, status and dates judged."""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum, IntEnum

import msgspec
from msgspec import Raw, UnsetType

from cards.facts import ChartText, Setting, Standing
from cards.values import frozen
from cds_service.gather.amounts import Frequency
from cds_service.gather.bounds import days_of, of_period
from cds_service.gather.fhir_values import When, exact_day, when
from cds_service.gather.instructions import Instructions
from cds_service.gather.setting import setting_of
from cds_service.gather.shelf import type_name
from cds_service.gather.timing import frequency
from cds_service.resources import (
    MedicationDispense,
    MedicationRequest,
    MedicationStatement,
    Period,
    Reference,
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


# Named here because a member of an Enum is slow to reach, and a chart has many medicines.
_RUNNING, _ON_HOLD, _OVER, _SUPPLIED = _Status
_ORDERED, _STATED, _DISPENSED = Source
_ACTIVE, _PAUSED, _RECENT = Standing.ACTIVE, Standing.ON_HOLD, Standing.RECENT

_ENDED = {"on-hold": _ON_HOLD, "completed": _OVER, "stopped": _OVER}
_REQUEST = {**_ENDED, "ended": _OVER, "cancelled": _OVER, "entered-in-error": None, "draft": None}
_STATEMENT = {**_ENDED, "entered-in-error": None, "draft": None, "not-taken": None}
_DISPENSE = {
    "stopped": _OVER, "entered-in-error": None, "preparation": None, "cancelled": None, "declined": None,
}  # fmt: skip
"""None: nothing is taken. Any other status, a misspelt one too, may stand on a medicine that is: it is not dropped."""
_NO_ORDERS = frozenset({"proposal", "option", "reflex-order", "filler-order", "instance-order"})
"""rules.md 2. Proposals and options are not orders; instance and filler orders repeat one that is on the list."""


@frozen
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
    instructions: Instructions

    @property
    def one_off(self) -> bool:
        """A single dose given in hospital."""
        return _is_one_off(self.resource, self.instructions)

    @property
    def prescriber(self) -> ChartText | None:
        return _requester(self.resource)


def read_entry(resource: ChartResource, today: date) -> Entry | None:
    """``None`` for what says nothing about the patient's list: a proposal, or an entry made in error."""
    said = _code(resource.status)
    status, source = _status(resource, said)
    if status is None:
        return None
    written = resource.dosage if isinstance(resource, MedicationStatement) else resource.dosageInstruction
    instructions = Instructions(written)
    started, ends = _span(resource, instructions, today)
    standing, ended, history = _standing(status, source, started, ends, today)
    return Entry(
        resource=resource,
        reference=f"{type_name(resource)}/{resource.id}" if resource.id else "",
        source=source,
        cancelled=said == "cancelled",
        standing=standing,
        history=history,
        started=started,
        ended=ended,
        supply_ends=ends,
        ran_out=said == "completed",
        instructions=instructions,
    )


def _code(text: str | None) -> str:
    return text.strip().lower() if text else ""


def _status(resource: ChartResource, said: str) -> tuple[_Status | None, Source]:
    if isinstance(resource, MedicationRequest):
        no_order = resource.doNotPerform is True or _code(resource.intent) in _NO_ORDERS
        return None if no_order else _REQUEST.get(said, _RUNNING), _ORDERED
    if isinstance(resource, MedicationStatement):
        return _STATEMENT.get(said, _RUNNING), _STATED
    return _DISPENSE.get(said, _SUPPLIED), _DISPENSED


def _span(resource: ChartResource, instructions: Instructions, today: date) -> tuple[date | None, date | None]:
    """When it began and when it ends, as far as it says so."""
    if isinstance(resource, MedicationRequest):
        authored = resource.authoredOn
        started = exact_day(authored) or _day(when(authored) or when(resource.dateWritten), today)
        return started, _request_ends(resource, started, instructions)
    if isinstance(resource, MedicationStatement):
        period = resource.effectivePeriod or Period()
        first = when(period.start) or when(resource.effectiveDateTime) or when(resource.dateAsserted)
        return _day(first, today), of_period(period).end
    started = _day(when(resource.whenHandedOver) or when(resource.whenPrepared), today)
    return started, _after(started, days_of(resource.daysSupply))


def _standing(
    status: _Status, source: Source, started: date | None, ends: date | None, today: date
) -> tuple[Standing, date | None, bool]:
    """Standing, end (if past), and whether it is history only. All windows are calendar days, both ends included."""
    over = ends if ends is not None and ends < today else None
    if status is _RUNNING and not (source is _STATED and over):
        return _ACTIVE, None, False
    if status is _ON_HOLD:
        return _PAUSED, None, False
    if status is _SUPPLIED and ends is not None and ends >= today:
        return _ACTIVE, None, False
    if status is _OVER and ends == today:
        over = ends
    if over is not None:
        return _RECENT, over, today - over > ENDED_RECENTLY
    # Stopped on a day that the record does not tell.
    recent = started is not None and today - started <= AUTHORED_RECENTLY
    return _RECENT, None, not recent


def _request_ends(request: MedicationRequest, started: date | None, instructions: Instructions) -> date | None:
    """Validity of the prescription, else its supply, else the end of its instructions."""
    dispense = request.dispenseRequest
    if dispense is not None and dispense.validityPeriod is not None:
        validity = of_period(dispense.validityPeriod)
        if validity.end is not None:
            return validity.end
        started = validity.start or started
    supply = _after(started, days_of(dispense.expectedSupplyDuration) if dispense else None)
    if supply is not None:
        return supply
    repeats = [dosage.timing.repeat for dosage in instructions.read if dosage.timing]
    periods = [repeat.boundsPeriod for repeat in repeats if repeat]
    ends = [of_period(period).end if period else None for period in periods]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(instructions.read) else None


def _after(start: date | None, supply: int | None) -> date | None:
    try:
        return None if start is None or supply is None else start + timedelta(supply)
    except OverflowError:
        return None


def _day(read: When | None, today: date) -> date | None:
    """Of a month or a year, its last day that is past: the shortest time that it can have run."""
    if read is None:
        return None
    return read.day or max(read.earliest.date(), min(read.latest.date(), today))


def _is_one_off(resource: ChartResource, instructions: Instructions) -> bool:
    if not isinstance(resource, MedicationRequest) or setting_of(resource.category) is not Setting.INPATIENT:
        return False
    often = [frequency(dosage.timing) for dosage in instructions.read]
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
