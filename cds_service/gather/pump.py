"""Intrathecal dosage instructions → micrograms a day, or the micrograms of one bolus."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from msgspec import Raw

from cards.facts import PumpDose, Unreadable
from cards.quantities import IntrathecalDose
from cards.values import frozen
from cds_service.gather.amounts import Exact, Measure, agreed, exactly
from cds_service.gather.dosage import NO_DOSAGE
from cds_service.gather.fhir_values import many, texts
from cds_service.gather.instruction import first_unreadable, per_day, rounded, sequence_of, stated_amounts, what_is_said
from cds_service.gather.products import Strength
from cds_service.resources import Dosage, Quantity, Ratio

_MICROGRAMS = 1000
_LARGEST_DAILY = Decimal(1_000_000)
"""1 g. Everything below is computed, so that 50 mg a day is read and answered as a slip of unit or route."""
_SMALLEST = Decimal(1)
_BOLUS = re.compile(r"\b(?:bolus|screening|trial dose|test dose)\b", re.IGNORECASE)


def pump_dose(dosages: Sequence[Dosage], strength: Strength) -> PumpDose | Unreadable:
    """The highest step; instructions of one step are added."""
    if not dosages:
        return NO_DOSAGE
    read = [_line(dosage, strength) for dosage in dosages]
    if unreadable := first_unreadable(read):
        return unreadable
    lines = [line for line in read if isinstance(line, _Line)]
    sequences = {line.sequence for line in lines}
    if None in sequences and len(sequences) > 1:
        return Unreadable("some dosage instructions have a sequence and others have none")
    highest = max(sum(line.micrograms for line in lines if line.sequence == sequence) for sequence in sequences)
    daily = rounded(highest)
    if daily > _LARGEST_DAILY or 0 < daily < _SMALLEST:
        return Unreadable(f"{daily.normalize():f} micrograms a day is not a plausible intrathecal dose")
    return PumpDose(IntrathecalDose(daily), bolus=all(line.bolus for line in lines))


@frozen
class _Line:
    micrograms: Exact
    """A day, or of the one bolus."""
    bolus: bool
    sequence: int | None


def _line(dosage: Dosage, strength: Strength) -> _Line | Unreadable:
    sequence = sequence_of(dosage)
    if isinstance(sequence, Unreadable):
        return sequence
    rates = [per_day(ratio, strength, element) for ratio, element in _rates(dosage)]
    if unreadable := first_unreadable(rates):
        return unreadable
    flows = {rate for rate in rates if not isinstance(rate, Unreadable)}
    if len(flows) > 1:
        return Unreadable("the order states its rate in two ways that contradict each other")
    if flows:
        return _Line(flows.pop() * _MICROGRAMS, bolus=False, sequence=sequence)
    bolus = any(_BOLUS.search(text) for text in texts(dosage.text, dosage.patientInstruction))
    amounts = stated_amounts(dosage)
    times: Exact = 1
    if not (bolus and amounts):
        said = what_is_said(dosage)
        if isinstance(said, Unreadable):
            return said
        amounts = said.amounts
        if said.often is not None:
            bolus, times = bolus or said.often.once, said.often.per_day
        elif any(one.value for one in amounts):
            return Unreadable("timing is missing")
    if isinstance(amounts, Unreadable):
        return amounts
    if any(one.measure is Measure.EACH and one.value for one in amounts):
        return Unreadable("an intrathecal dose cannot be a number of tablets, ampoules or packets")
    dose = agreed(amounts, strength)
    if isinstance(dose, Unreadable):
        return dose
    return _Line(exactly(dose.value) * times * _MICROGRAMS, bolus, sequence)


def _rates(dosage: Dosage) -> list[tuple[Ratio, str]]:
    """Every element that states an amount per time: ``rateRatio``, ``rateQuantity``, a dose with unit "ug/d"."""
    found: list[tuple[Ratio, str]] = []
    for entry in many(dosage.doseAndRate):
        if entry.rateRatio is not None:
            found.append((entry.rateRatio, "rateRatio"))
        if entry.rateQuantity is not None:
            found += [(ratio, "rateQuantity") for ratio in _split(entry.rateQuantity) or [Ratio()]]
        if entry.doseQuantity is not None:
            found += [(ratio, "doseQuantity") for ratio in _split(entry.doseQuantity)]
    if dosage.doseQuantity is not None:
        found += [(ratio, "doseQuantity") for ratio in _split(dosage.doseQuantity)]
    return found


_PER_TIME = re.compile(r"\s*([^/\s]+)\s*(?:/|\bper\b)\s*(24)?[\s.]*([A-Za-z]+)\s*")


def _split(quantity: Quantity) -> list[Ratio]:
    """ "400 ug/d" as 400 ug per 1 d, once from the unit and once from its code: they must say the same. Empty when
    neither holds a time."""
    parts = {found.groups() for text in (quantity.unit, quantity.code) if text and (found := _PER_TIME.fullmatch(text))}
    return [
        Ratio(
            numerator=Quantity(value=quantity.value, comparator=quantity.comparator, unit=unit),
            denominator=Quantity(value=Raw(count or "1"), unit=time),
        )
        for unit, count, time in sorted(parts, key=str)
    ]
