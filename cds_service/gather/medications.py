"""The medicines on the patient's chart: baclofen with its dose and history, other drugs by class, rescue naloxone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import msgspec

from cards.facts import (
    ChartBaclofen,
    ChartText,
    DrugClass,
    Input,
    Medication,
    MedicationList,
    Missing,
    OralDose,
    Origin,
    Standing,
    Unreadable,
    Why,
)  # fmt: skip
from cards.values import frozen
from cds_service.gather.chart import (
    AUTHORED_RECENTLY,
    SUPPLY_ENDED_RECENTLY,
    ChartResource,
    Entry,
    Source,
    read_entry,
)
from cds_service.gather.codes import Codes
from cds_service.gather.drafts import DraftOrder, draft_orders
from cds_service.gather.instruction import taken_as_needed
from cds_service.gather.medicine import Medicine, Medicines
from cds_service.gather.prescribed import is_on_the_surface, opioid_doses, prescribed
from cds_service.gather.shelf import Shelf
from cds_service.hooks import HookCall
from cds_service.records import NotAvailable, PatientRecords, Records
from cds_service.resources import Junk, Resource

RESCUE_ON_FILE = timedelta(days=365)
"""rules.md 2, IN-NAL."""
_encode = msgspec.json.Encoder().encode
_TYPES = frozenset({"MedicationRequest", "MedicationOrder", "MedicationStatement", "MedicationDispense"})


@frozen
class _Known:
    entry: Entry
    medicine: Medicine

    @property
    def counts(self) -> bool:
        """Whether any rule may ask about it: not a cream, not a single dose in hospital."""
        asked = self.medicine.classes or self.medicine.is_baclofen or not self.medicine.recognised
        return not asked or not (is_on_the_surface(self.medicine, self.entry.instructions.read) or self.entry.one_off)

    @property
    def is_current(self) -> bool:
        return not self.entry.history and not self.entry.cancelled


def medication_list(call: HookCall, records: PatientRecords, codes: Codes, now: datetime) -> MedicationList | Missing:
    """Orders, statements and dispenses, each medicine once. Without the list itself, what came under other keys is used
    and the list is incomplete."""
    listed: tuple[Resource, ...] = ()
    gaps: list[str] = []
    match records.medications:
        case Records() as found:
            listed = found.resources
            gaps.append(found.incomplete)
        case NotAvailable(reason=reason):
            gaps.append(reason)
    gaps += [_unread(records.others.unreadable)]
    today = now.date()
    entries, other_drugs = _entries((*listed, *records.others.resources), Medicines(Shelf(call, records), codes), today)
    if isinstance(records.medications, NotAvailable) and not (entries or other_drugs):
        return Missing(Input.MEDICATIONS, Why.NOT_AVAILABLE, records.medications.reason)
    known = _that_matter(entries)
    drafts = {draft.reference: draft for draft in draft_orders(call) if draft.reference}
    charted = [kept for one in known if (kept := _beside_draft(one, drafts.get(one.entry.reference), today))]
    return MedicationList(
        others=tuple(_others(charted)),
        baclofen=tuple(_baclofen([one for one in charted if one.medicine.is_baclofen], today)),
        rescue_on_file=_rescue(known, today),
        unrecognised=tuple(_unrecognised(charted)),
        incomplete=next(filter(None, gaps), ""),
        other_drugs=other_drugs,
    )


def _unread(junk: Sequence[Junk]) -> str:
    count = sum(one.resource_type in _TYPES for one in junk)
    return f"{count} of its entries could not be read" if count else ""


def _entries(everything: Iterable[Resource], medicines: Medicines, today: date) -> tuple[list[_Known], int]:
    """Each resource once, also when it came in two Bundles; and how many were for another drug (resolutions.md 16)."""
    entries: list[_Known] = []
    seen: set[str | bytes] = set()
    other_drugs = 0
    for resource in everything:
        if not isinstance(resource, ChartResource):
            continue
        medicine = medicines.of(resource)
        if medicine.covered and not medicine.value_sets:
            other_drugs += 1
            continue
        entry = read_entry(resource, today)
        if entry is None:
            continue
        identity = entry.reference or _encode(resource)
        if identity not in seen:
            seen.add(identity)
            entries.append(_Known(entry, medicine))
    return entries, other_drugs


def _that_matter(entries: Sequence[_Known]) -> list[_Known]:
    """What is over is asked about only of some medicines, and of one that goes on."""
    going_on = {one.medicine.name for one in entries if one.is_current}
    asked = [one for one in entries if one.medicine.name in going_on or one.medicine.is_asked_of_the_past]
    return [one for one in asked if one.counts]


def _beside_draft(one: _Known, draft: DraftOrder | None, today: date) -> _Known | None:
    """The chart's copy of an order that is in this session. A running draft takes its place. Two copies stay:

    - of a draft that stops the medicine: it was taken until today;
    - of a baclofen order written before today: that is its earlier version, and so the current dose.
    """
    if draft is None:
        return one
    if draft.has_ended:
        ends_now = one.entry.standing is Standing.ACTIVE and not one.medicine.is_baclofen
        return replace(one, entry=replace(one.entry, standing=Standing.RECENT, ended=today)) if ends_now else one
    written_before = one.entry.started is not None and one.entry.started < today
    return one if one.medicine.is_baclofen and written_before else None


# --------------------------------------------------------------------------------------------------- other medicines


def _others(known: Sequence[_Known]) -> Iterator[Medication]:
    """Recognised drugs that are taken or were until recently. A statement or a dispense of a medicine that an order on
    the list stands for is the same medicine, not more of it."""
    drugs = [one for one in known if one.medicine.recognised and not one.medicine.is_baclofen]
    current = [one for one in drugs if one.is_current]
    believed: dict[tuple[str, ...], Source] = {}
    for one in current:
        name, entry = one.medicine.name, one.entry
        if entry.standing is Standing.ACTIVE:
            believed[name] = min(entry.source, believed.get(name, entry.source))
    runs: dict[tuple[str, ...], list[Entry]] = {one.medicine.name: [] for one in current}
    for one in drugs:
        if one.medicine.name in runs:
            runs[one.medicine.name].append(one.entry)
    starts = {name: _run_starts(run) for name, run in runs.items()}
    for one in current:
        name, entry = one.medicine.name, one.entry
        if entry.source <= believed.get(name, entry.source):
            yield _medication(one, starts[name])


def _medication(one: _Known, run_starts: Mapping[date, date]) -> Medication:
    entry, medicine = one.entry, one.medicine
    return Medication(
        label=medicine.label,
        classes=medicine.classes,
        flags=medicine.flags,
        standing=entry.standing,
        started=run_starts[entry.started] if entry.started else None,
        ended=entry.ended,
        as_needed=bool(medicine.classes) and taken_as_needed(entry.instructions.read),
        opioids=opioid_doses(medicine, entry.instructions),
        origin=Origin(entry.reference, medicine.coding, medicine.by_text),
    )


def _run_starts(run: Sequence[Entry]) -> Mapping[date, date]:
    """Day on which an entry of one medicine began → day on which its run did: back through earlier entries, as long as
    each lasted until about the next one began. Of the entries of one day the one that lasted longest counts."""
    lasted: dict[date, date] = {}
    for one in run:
        if one.started is not None and not one.cancelled:
            lasted[one.started] = max(_lasted(one, one.started), lasted.get(one.started, date.min))
    starts: dict[date, date] = {}
    before: date | None = None
    for day in sorted({one.started for one in run if one.started is not None}):
        goes_on = before is not None and day - lasted[before] <= SUPPLY_ENDED_RECENTLY
        starts[day] = starts[before] if before is not None and goes_on else day
        before = day if day in lasted else before
    return starts


def _lasted(entry: Entry, started: date) -> date:
    if entry.standing is not Standing.RECENT:
        return date.max
    return entry.ended or entry.supply_ends or started + min(AUTHORED_RECENTLY, date.max - started)


def _unrecognised(known: Sequence[_Known]) -> Iterator[ChartText]:
    seen: set[str] = set()
    for one in known:
        if one.is_current and not one.medicine.recognised and one.medicine.label not in seen:
            seen.add(one.medicine.label)
            yield one.medicine.label


def _rescue(known: Sequence[_Known], today: date) -> date | None:
    """Newest date of a rescue product within the year; one that was cancelled, or given once in hospital, is gone."""
    dates = [
        one.entry.started
        for one in known
        if DrugClass.OPIOID_RESCUE in one.medicine.classes and not one.entry.cancelled
    ]
    return max((day for day in dates if day and timedelta(0) <= today - day <= RESCUE_ON_FILE), default=None)


# ----------------------------------------------------------------------------------------------------------- baclofen


def _baclofen(known: Sequence[_Known], today: date) -> Iterator[ChartBaclofen]:
    found = [_chart_baclofen(one, today) for one in known]
    orders = [entry for one, entry in found if one.entry.source is Source.REQUEST and not entry.ended]
    statements = [entry for one, entry in found if one.entry.source is Source.STATEMENT and not entry.ended]
    for one, entry in found:
        if entry.ended or one.entry.source is Source.REQUEST:
            yield entry
        elif one.entry.source is Source.STATEMENT:
            if not any(_speaks_for(order, entry) for order in orders):
                yield entry
        elif not any(other.route is entry.route for other in (*orders, *statements)):
            yield entry


def _speaks_for(order: ChartBaclofen, statement: ChartBaclofen) -> bool:
    """Whether a running order already says what a statement says: the same dose, an unread one, or an older state."""
    if order.route is not statement.route:
        return False
    match order.dose, statement.dose:
        case _, Unreadable():
            return True
        case OralDose() as ordered, OralDose() as stated if ordered.highest == stated.highest:
            return True
        case ordered, stated if ordered == stated:
            return True
    return order.since is not None and statement.since is not None and statement.since <= order.since


def _chart_baclofen(one: _Known, today: date) -> tuple[_Known, ChartBaclofen]:
    entry, medicine = one.entry, one.medicine
    route, dose = prescribed(medicine, entry.instructions)
    ended = entry.standing is Standing.RECENT
    if ended and entry.ran_out and entry.supply_ends is not None:
        # Its supply came to its end a few days ago, or has not yet: the patient may still be on it.
        ended = today - entry.supply_ends > SUPPLY_ENDED_RECENTLY
    return one, ChartBaclofen(
        reference=entry.reference,
        label=medicine.label,
        route=route,
        dose=dose,
        standing=entry.standing,
        since=entry.started,
        supply_ends=entry.supply_ends,
        ended=ended,
        prescriber=entry.prescriber,
        origin=Origin(entry.reference, medicine.coding, medicine.by_text),
        withdrawn=entry.cancelled,
    )
