"""Dosage instructions and product strength → the schedule in mg/day, or why it cannot be computed (rules.md 3.1, 3.2).

Ranges count at their high end, as-needed doses at the most that may be taken in a day. Instructions with the same
sequence are added, different sequences are steps. Whatever cannot be computed is ``Unreadable`` and names the element:
no dose is ever guessed from similar text or completed by a default.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from math import ceil

from msgspec import Raw, UnsetType

from cards.facts import DoseStep, OralDose, Unreadable
from cards.quantities import DailyDose, Days, SingleDose, plain_number
from cards.values import frozen
from cds_service.gather.instruction import Line, first_unreadable, read_line, rounded
from cds_service.gather.instructions import Instructions
from cds_service.gather.lookup import Kept
from cds_service.gather.products import Strength
from cds_service.resources import Dosage

# Plausibility (resolutions.md 9): beyond these a number is a slip of unit or of the decimal point, not a dose.
LARGEST_SINGLE = Decimal(200)
LARGEST_DAILY = Decimal(1000)
_SMALLEST_SINGLE = Decimal("0.5")
_SMALLEST_IN_MICROGRAMS = Decimal("2.5")
SURELY_ORAL = Decimal(10)
"""A dose of this many mg a day is by mouth even where no route is stated (rules.md 3.5, resolutions.md 10)."""
MOST_LINES = 400
"""Dosage instructions of one order: a taper that is written day by day for a year has fewer."""
NO_DOSAGE = Unreadable("the order has no dosage instruction", given=False)
MALFORMED = Unreadable("dosageInstruction is malformed")


def oral_dose(dosages: Sequence[Dosage], strength: Strength, *, route_stated: bool = True) -> OralDose | Unreadable:
    """The schedule of an oral baclofen order."""
    return plausible(read_schedule(dosages, strength), route_stated=route_stated)


def plausible(read: Schedule | Unreadable, *, route_stated: bool) -> OralDose | Unreadable:
    if isinstance(read, Unreadable):
        return read
    return _implausible(read, route_stated) or read.dose


@frozen
class Schedule:
    dose: OralDose
    in_micrograms: bool
    counted: bool
    """Some amount is a number of tablets, capsules or packets: the medicine is swallowed."""


def read_schedule(dosages: Sequence[Dosage], strength: Strength) -> Schedule | Unreadable:
    """The arithmetic alone, without judging whether the amounts are plausible."""
    if not dosages:
        return NO_DOSAGE
    if len(dosages) > MOST_LINES:
        return Unreadable(f"the order has more than {MOST_LINES} dosage instructions")
    read = [read_line(dosage, strength) for dosage in dosages]
    if unreadable := first_unreadable(read):
        return unreadable
    lines = [line for line in read if isinstance(line, Line)]
    groups = in_steps(lines)
    if isinstance(groups, Unreadable):
        return groups
    return Schedule(
        dose=OralDose(
            steps=tuple(_step(group, following) for group, following in pairwise((*groups, None)) if group),
            as_needed=all(line.as_needed for line in lines),
            from_text=any(line.from_text for line in lines),
        ),
        in_micrograms=any(line.in_micrograms for line in lines),
        counted=any(line.counted for line in lines),
    )


def schedule_of(instructions: Instructions, strength: Strength) -> Schedule | Unreadable:
    """The same, kept by the JSON of the instructions: a hospital orders by a few sentences."""
    if isinstance(instructions.written, UnsetType):
        return NO_DOSAGE
    return _SCHEDULES[bytes(instructions.written), strength]


def _read_written(key: tuple[bytes, Strength]) -> Schedule | Unreadable:
    written, strength = key
    instructions = Instructions(Raw(written))
    return MALFORMED if instructions.lost else read_schedule(instructions.read, strength)


_SCHEDULES = Kept(_read_written, most=1000)


def _implausible(schedule: Schedule, route_stated: bool) -> Unreadable | None:
    for step in schedule.dose.steps:
        single, daily = step.largest_single.value, step.daily.value
        if single > LARGEST_SINGLE or daily > LARGEST_DAILY:
            amounts = f"{plain_number(single)} mg at once, {plain_number(daily)} mg a day"
            return Unreadable(f"{amounts}, is not a plausible dose")
        smallest = _SMALLEST_IN_MICROGRAMS if schedule.in_micrograms else _SMALLEST_SINGLE
        if 0 < single < smallest:
            micrograms = plain_number(single * 1000)
            return Unreadable(f"{micrograms} micrograms at once is not a plausible dose by mouth")
    if route_stated or schedule.counted or not schedule.dose.highest.value:
        return None
    if schedule.in_micrograms:
        return Unreadable("the dose is in micrograms and no route is stated")
    if schedule.dose.highest.value < SURELY_ORAL:
        return Unreadable("no route is stated, and the dose is too small to be surely a dose by mouth")
    return None


# ---------------------------------------------------------------------------------------------------------- steps


def in_steps(lines: Sequence[Line]) -> list[list[Line]] | Unreadable:
    """Lines that run at the same time together, in the order in which they follow each other."""
    sequences = {line.sequence for line in lines}
    if None in sequences and len(sequences) > 1:
        return Unreadable("some dosage instructions have a sequence and others have none")
    ordered = sorted(sequences, key=lambda one: one or 0)
    groups = [[line for line in lines if line.sequence == sequence] for sequence in ordered]
    if len(groups) > 1 and _run_together(groups):
        return Unreadable("the sequence of the dosage instructions contradicts their times")
    return [step for group in groups for step in _by_period(group)]


def _run_together(groups: Sequence[list[Line]]) -> bool:
    """Steps that cannot follow each other: one period for all of them, or different times of one day without an end."""
    periods = [(line.bounds.start, line.bounds.end) for group in groups for line in group]
    if periods[0][1] is not None and all(period == periods[0] for period in periods):
        return True
    endless = any(line.bounds.lasts is None and line.bounds.end is None for group in groups[:-1] for line in group)
    parts = [frozenset[str]().union(*(line.day_parts for line in group)) for group in groups]
    apart = all(a and b and not a & b for a, b in pairwise(parts))
    return endless and apart


def _by_period(group: list[Line]) -> list[list[Line]]:
    """Periods that do not overlap follow each other although no sequence says so; otherwise all are added."""
    spans = {(line.bounds.start, line.bounds.end) for line in group}
    dated = sorted((start, end) for start, end in spans if start and end)
    starts = [start for start, end in spans if start and end is None]
    if len(dated) + len(starts) < len(spans) or len(starts) > 1:
        return [group]
    following = [*dated, *((start, None) for start in starts)]
    if not all(end is not None and end <= start for (_, end), (start, _) in pairwise(following)):
        return [group]
    return [[line for line in group if (line.bounds.start, line.bounds.end) == span] for span in following]


def _step(group: list[Line] | None, following: list[Line] | None) -> DoseStep:
    lines = group or []
    single = max((line.single for line in lines), default=0)
    return DoseStep(
        daily=DailyDose(rounded(sum(line.daily for line in lines))),
        largest_single=SingleDose(rounded(single)),
        times_per_day=max(ceil(sum(line.per_day for line in lines)), 1),
        lasts=_lasts(lines, following),
    )


def _lasts(lines: Sequence[Line], following: Sequence[Line] | None) -> Days | None:
    """Until the next step begins, where both dates are known; else as long as its longest line."""
    starts = [line.bounds.start for line in lines if line.bounds.start]
    next_starts = [line.bounds.start for line in following or () if line.bounds.start]
    if starts and next_starts and min(next_starts) > min(starts):
        return Days.of((min(next_starts) - min(starts)).days)
    lengths = [line.bounds.lasts for line in lines]
    known = [length for length in lengths if length is not None]
    return max(known) if known and len(known) == len(lengths) else None
