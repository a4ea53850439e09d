"""Dosage instructions and product strength → the schedule in mg/day, or why it cannot be computed (rules.md 3.1, 3.2).

Ranges count at their high end, as-needed doses at the most that may be taken in a day. Instructions with the same
sequence are added, different sequences are steps. Whatever cannot be computed is ``Unreadable`` and names the element:
no dose is ever guessed from similar text or completed by a default.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil

from cards.facts import DoseStep, OralDose, Unreadable
from cards.quantities import DailyDose, Days, SingleDose, plain_number
from cds_service.gather.amounts import Amount, Frequency, Measure, agreed, amount, high_end, in_mg
from cds_service.gather.fhir_values import NotANumber, first, many, number, texts
from cds_service.gather.products import Strength
from cds_service.gather.sig import Sig, read_sig
from cds_service.gather.timing import Bounds, bounds, days_in, frequency
from cds_service.resources import Dosage, Ratio

# Plausibility (resolutions.md 9): beyond these a number is a slip of unit or of the decimal point, not a dose.
_LARGEST_SINGLE = Decimal(200)
_LARGEST_DAILY = Decimal(1000)
_SMALLEST_SINGLE = Decimal("0.5")
_SMALLEST_IN_MICROGRAMS = Decimal("2.5")
_SURELY_ORAL = Decimal(10)
"""A dose of this many mg a day is by mouth even where no route is stated (rules.md 3.5, resolutions.md 10)."""
NO_DOSAGE = Unreadable("the order has no dosage instruction", given=False)


def oral_dose(dosages: Sequence[Dosage], strength: Strength, *, route_stated: bool = True) -> OralDose | Unreadable:
    """The schedule of an oral baclofen order."""
    read = read_schedule(dosages, strength)
    if isinstance(read, Unreadable):
        return read
    return _implausible(read, route_stated) or read.dose


@dataclass(frozen=True, slots=True)
class Schedule:
    dose: OralDose
    in_micrograms: bool
    counted: bool
    """Some amount is a number of tablets, capsules or packets: the medicine is swallowed."""


def read_schedule(dosages: Sequence[Dosage], strength: Strength) -> Schedule | Unreadable:
    """The arithmetic alone, without judging whether the amounts are plausible."""
    if not dosages:
        return NO_DOSAGE
    read = [_line(dosage, strength) for dosage in dosages]
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


def first_unreadable(read: Iterable[object]) -> Unreadable | None:
    """One of the reasons, the same whatever the order of the instructions; one about a dose that is given goes first."""
    reasons = [one for one in read if isinstance(one, Unreadable)]
    return min(reasons, key=lambda one: (not one.given, one.reason), default=None)


def _implausible(schedule: Schedule, route_stated: bool) -> Unreadable | None:
    for step in schedule.dose.steps:
        single, daily = step.largest_single.value, step.daily.value
        if single > _LARGEST_SINGLE or daily > _LARGEST_DAILY:
            amounts = f"{plain_number(single)} mg at once, {plain_number(daily)} mg a day"
            return Unreadable(f"{amounts}, is not a plausible dose")
        smallest = _SMALLEST_IN_MICROGRAMS if schedule.in_micrograms else _SMALLEST_SINGLE
        if 0 < single < smallest:
            return Unreadable(f"{plain_number(single * 1000)} micrograms at once is not a plausible dose by mouth")
    if route_stated or schedule.counted or not schedule.dose.highest.value:
        return None
    if schedule.in_micrograms:
        return Unreadable("the dose is in micrograms and no route is stated")
    if schedule.dose.highest.value < _SURELY_ORAL:
        return Unreadable("no route is stated, and the dose is too small to be surely a dose by mouth")
    return None


# ------------------------------------------------------------------------------------------------ one instruction


@dataclass(frozen=True, slots=True)
class Line:
    """One dosage instruction, computed."""

    single: Fraction
    """mg at once."""
    per_day: Fraction
    """Administrations a day."""
    daily: Fraction
    """mg a day: less than the product of the two where a maximum per day is stated."""
    sequence: int | None
    bounds: Bounds
    as_needed: bool
    in_micrograms: bool
    counted: bool
    from_text: bool
    day_parts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Said:
    """How much and how often one instruction says, from its elements and, for what they leave out, from its text."""

    amounts: tuple[Amount, ...]
    often: Frequency | None
    """None only where ``limits`` may stand in for it."""
    sig: Sig | None


def _line(dosage: Dosage, strength: Strength) -> Line | Unreadable:
    sequence = sequence_of(dosage)
    if isinstance(sequence, Unreadable):
        return sequence
    said = what_is_said(dosage)
    if isinstance(said, Unreadable):
        return said
    dose = agreed(said.amounts, strength)
    if isinstance(dose, Unreadable):
        return dose
    sig, often = said.sig, said.often
    single = Fraction(dose.value)
    as_needed = is_as_needed(dosage, said)
    most = _most_a_day(dosage, strength)
    if often is None and single:
        if most is None or not as_needed:
            return Unreadable("timing is missing")
        if isinstance(most, Unreadable):
            return most
        often = Frequency(most / single, up_to=True)
    often = often or Frequency(Fraction(1))
    daily = single * often.per_day
    if as_needed or often.up_to or dose.ranged:
        if isinstance(most, Unreadable):
            return most
        daily = daily if most is None else min(daily, most)
    span = bounds(dosage.timing, often)
    if often.once:
        span = replace(span, lasts=Days.of(1))
    elif span.lasts is None and span.end is None and sig is not None:
        span = replace(span, lasts=sig.lasts)
    return Line(
        single=min(single, daily) if often.per_day >= 1 else single,
        per_day=daily / single if single else often.per_day,
        daily=daily,
        sequence=sequence,
        bounds=span,
        as_needed=as_needed,
        in_micrograms=dose.in_micrograms,
        counted=any(one.measure is Measure.EACH for one in said.amounts),
        from_text=sig is not None,
        day_parts=often.day_parts,
    )


def sequence_of(dosage: Dosage) -> int | Unreadable | None:
    match number(dosage.sequence):
        case None:
            return None
        case Decimal() as value if value == int(value):
            return int(value)
        case _:
            return Unreadable("dosageInstruction.sequence is not a whole number")


def what_is_said(dosage: Dosage) -> Said | Unreadable:
    """The elements win where they are complete; the text only fills a gap, and then must be read whole and agree."""
    amounts = stated_amounts(dosage)
    if isinstance(amounts, Unreadable):
        return amounts
    often = frequency(dosage.timing)
    if isinstance(often, Unreadable):
        return often
    no_dose_at_all = bool(amounts) and all(one.value == 0 for one in amounts)
    if amounts and (often or no_dose_at_all):
        return Said(amounts, often, None)
    if not amounts and any(entry.rateQuantity or entry.rateRatio for entry in many(dosage.doseAndRate)):
        return Unreadable("the dose is given only as a rate")
    text = next(texts(dosage.text, dosage.patientInstruction), None)
    sig = read_sig(text)
    if sig is None:
        if amounts and dosage.maxDosePerPeriod is not None:
            return Said(amounts, None, None)
        return _why_nothing(amounts, often, text)
    if amounts and sig.amounts and not _agree(amounts, sig.amounts):
        return Unreadable("the text and the dose element say different doses")
    if often and sig.frequency and often.per_day != sig.frequency.per_day:
        return Unreadable("the text and the timing element say different frequencies")
    if not (amounts or sig.amounts):
        return Unreadable("the dose is missing", given=False)
    return Said((*amounts, *sig.amounts), often or sig.frequency, sig)


def _why_nothing(amounts: tuple[Amount, ...], often: Frequency | None, text: str | None) -> Unreadable:
    if amounts:
        return Unreadable("how often is given only as free text" if text else "timing is missing")
    if text:
        return Unreadable("the dose is given only as free text" if often else "the dosage is given only as free text")
    return Unreadable("the dose is missing", given=False)


def _agree(amounts: Sequence[Amount], others: Sequence[Amount]) -> bool:
    """Whether amounts of one measure are equal; tablets against mg are compared later, with the strength."""
    return all(a.value == b.value for a in amounts for b in others if a.measure is b.measure)


def stated_amounts(dosage: Dosage) -> tuple[Amount, ...] | Unreadable:
    """Every element that states the one dose, at the R4 place and at the older one."""
    entries = many(dosage.doseAndRate)
    read = [
        *(amount(entry.doseQuantity, "doseAndRate.doseQuantity") for entry in entries),
        *(high_end(entry.doseRange, "doseAndRate.doseRange") for entry in entries),
        amount(dosage.doseQuantity, "doseQuantity"),
        high_end(dosage.doseRange, "doseRange"),
    ]
    return first_unreadable(read) or tuple(one for one in read if isinstance(one, Amount))


def is_as_needed(dosage: Dosage, said: Said) -> bool:
    by_element = dosage.asNeededBoolean is True or dosage.asNeededCodeableConcept is not None
    return by_element or bool(said.often and said.often.as_needed) or bool(said.sig and said.sig.as_needed)


def _most_a_day(dosage: Dosage, strength: Strength) -> Fraction | Unreadable | None:
    """The smallest ``maxDosePerPeriod``, in mg a day."""
    limits = [per_day(ratio, strength, "maxDosePerPeriod") for ratio in many(dosage.maxDosePerPeriod)]
    if unreadable := first_unreadable(limits):
        return unreadable
    return min((limit for limit in limits if isinstance(limit, Fraction)), default=None)


def per_day(ratio: Ratio, strength: Strength, element: str) -> Fraction | Unreadable:
    """An amount per time, in mg a day."""
    most = amount(ratio.numerator, f"{element}.numerator")
    if isinstance(most, Unreadable):
        return most
    time = ratio.denominator
    length = None if time is None else first(days_in(time.code), days_in(time.unit))
    count = number(time.value) if time is not None else None
    if most is None or length is None or isinstance(count, NotANumber) or (count is not None and count <= 0):
        return Unreadable(f"{element} is not an amount per time")
    mg = in_mg(most, strength)
    if mg is None:
        return Unreadable(f"{element} needs the product's strength, which is not known")
    return Fraction(mg) / (length * Fraction(1 if count is None else count))


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
    single = max((line.single for line in lines), default=Fraction(0))
    return DoseStep(
        daily=DailyDose(exact(sum((line.daily for line in lines), start=Fraction(0)))),
        largest_single=SingleDose(exact(single)),
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


def exact(value: Fraction) -> Decimal:
    """As a decimal; rounded to a hundredth only where no decimal is exact (10 mg three times a week)."""
    quotient = Decimal(value.numerator) / Decimal(value.denominator)
    if Fraction(quotient) == value:
        return quotient
    return quotient.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
