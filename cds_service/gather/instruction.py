"""One dosage instruction: how much and how often, from its elements and, where they leave a gap, from its text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from cards.facts import Unreadable
from cards.quantities import Days
from cards.values import frozen
from cds_service.gather.amounts import Amount, Exact, Frequency, Measure, agreed, amount, exactly, high_end, in_mg, over
from cds_service.gather.bounds import Bounds, bounds
from cds_service.gather.fhir_values import NotANumber, codings, many, number, texts
from cds_service.gather.products import Strength
from cds_service.gather.sig import WORDS_OF_NEED, Sig, read_sig
from cds_service.gather.timing import days_in, frequency
from cds_service.resources import Dosage, Ratio


@frozen
class Line:
    """One dosage instruction, computed."""

    single: Exact
    """mg at once."""
    per_day: Exact
    """Administrations a day."""
    daily: Exact
    """mg a day: less than the product of the two where a maximum per day is stated."""
    sequence: int | None
    bounds: Bounds
    as_needed: bool
    in_micrograms: bool
    counted: bool
    from_text: bool
    day_parts: frozenset[str]


@frozen
class Said:
    """How much and how often one instruction says, from its elements and, for what they leave out, from its text."""

    amounts: tuple[Amount, ...]
    often: Frequency | None
    """None only where ``limits`` may stand in for it."""
    sig: Sig | None


def read_line(dosage: Dosage, strength: Strength) -> Line | Unreadable:
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
    single = exactly(dose.value)
    as_needed = is_as_needed(dosage, said)
    most = _most_a_day(dosage, strength)
    if often is None and single:
        if most is None or not as_needed:
            return Unreadable("timing is missing")
        if isinstance(most, Unreadable):
            return most
        often = Frequency(over(most, single), up_to=True)
    often = often or Frequency(1)
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
        per_day=over(daily, single) if single else often.per_day,
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


def taken_as_needed(dosages: Iterable[Dosage]) -> bool:
    """Whether some instruction says so, be its dose readable or not."""
    return any(is_as_needed(dosage, what_is_said(dosage)) for dosage in dosages if _may_be_as_needed(dosage))


def _may_be_as_needed(dosage: Dosage) -> bool:
    """Asked first, because few are, and reading a whole instruction takes long."""
    if dosage.asNeededBoolean is True or dosage.asNeededCodeableConcept is not None:
        return True
    code = dosage.timing.code if dosage.timing else None
    words = [dosage.text, dosage.patientInstruction, code.text if code else None]
    words += [text for coding in codings(code) for text in (coding.display, str(coding.code))]
    return any(WORDS_OF_NEED.search(text) for text in words if text)


def is_as_needed(dosage: Dosage, said: Said | Unreadable) -> bool:
    by_element = dosage.asNeededBoolean is True or dosage.asNeededCodeableConcept is not None
    if by_element or isinstance(said, Unreadable):
        return by_element
    return bool(said.often and said.often.as_needed) or bool(said.sig and said.sig.as_needed)


def _most_a_day(dosage: Dosage, strength: Strength) -> Exact | Unreadable | None:
    """The smallest ``maxDosePerPeriod``, in mg a day."""
    limits = [per_day(ratio, strength, "maxDosePerPeriod") for ratio in many(dosage.maxDosePerPeriod)]
    if unreadable := first_unreadable(limits):
        return unreadable
    return min((limit for limit in limits if not isinstance(limit, Unreadable)), default=None)


def per_day(ratio: Ratio, strength: Strength, element: str) -> Exact | Unreadable:
    """An amount per time, in mg a day."""
    most = amount(ratio.numerator, f"{element}.numerator")
    if isinstance(most, Unreadable):
        return most
    time = ratio.denominator
    length = None if time is None else days_in(time.code) or days_in(time.unit)
    count = number(time.value) if time is not None else None
    if most is None or length is None or isinstance(count, NotANumber) or (count is not None and count <= 0):
        return Unreadable(f"{element} is not an amount per time")
    mg = in_mg(most, strength)
    if mg is None:
        return Unreadable(f"{element} needs the product's strength, which is not known")
    return over(exactly(mg), length * (1 if count is None else exactly(count)))


def first_unreadable(read: Iterable[object]) -> Unreadable | None:
    """One of the reasons, the same whatever the order of the instructions; first one about a dose that is given."""
    reasons = [one for one in read if isinstance(one, Unreadable)]
    return min(reasons, key=lambda one: (not one.given, one.reason), default=None)


def rounded(value: Exact) -> Decimal:
    """As a decimal; rounded to a hundredth only where no decimal is exact (10 mg three times a week)."""
    if value.denominator == 1:
        return Decimal(value.numerator)
    quotient = Decimal(value.numerator) / Decimal(value.denominator)
    if Fraction(quotient) == value:
        return quotient
    return quotient.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
