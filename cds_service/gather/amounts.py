"""The two halves of one dosage instruction: how much (``Amount``, in mg by the product's strength) and how often."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from fractions import Fraction

from cards.facts import Unreadable
from cards.values import frozen
from cds_service.gather.fhir_values import NotANumber, number
from cds_service.gather.products import Strength
from cds_service.resources import Quantity, Range

Exact = int | Fraction
"""A number without rounding. Most are whole, and then an ``int``: ``Fraction`` takes forty times as long to reckon."""


def exactly(value: Decimal) -> Exact:
    whole = int(value)
    return whole if whole == value else Fraction(value)


def over(value: Exact, divisor: Exact) -> Exact:
    """``value`` divided by ``divisor``; ``/`` of two ``int`` would be rounded."""
    if isinstance(value, int) and isinstance(divisor, int):
        return value // divisor if value % divisor == 0 else Fraction(value, divisor)
    return Fraction(value) / divisor


class Measure(Enum):
    MG = "mg"
    ML = "mL"
    EACH = "tablets, capsules or packets"


@frozen
class Amount:
    """One administration; for a range its high end (rules.md 3.1)."""

    value: Decimal
    measure: Measure
    in_micrograms: bool = False
    """Written in micrograms: ``value`` is in mg all the same."""
    ranged: bool = False


@frozen
class Frequency:
    """Administrations per day, exact; for a range the most (rules.md 3.1)."""

    per_day: Exact
    up_to: bool = False
    """A range or a limit ("every 4 to 6 hours", "up to 3 times a day")."""
    once: bool = False
    """A single administration, not one a day."""
    as_needed: bool = False
    day_parts: frozenset[str] = frozenset()
    """Named parts or times of the day ("MORN", "08:00"), as far as the instruction names them."""


# ---------------------------------------------------------------------------------------------------------- units

_MG, _ML, _EACH, _MICROGRAM, _GRAM = "mg", "ml", "each", "ug", "g"
_UNITS = {
    **dict.fromkeys(("mg", "mgs", "milligram", "milligrams"), _MG),
    **dict.fromkeys(("g", "gm", "gram", "grams"), _GRAM),
    **dict.fromkeys(("ug", "mcg", "mcgs", "µg", "μg", "microgram", "micrograms"), _MICROGRAM),
    **dict.fromkeys(("ml", "mls", "milliliter", "milliliters", "millilitre", "millilitres", "cc"), _ML),
    **dict.fromkeys(
        (
            "tbl", "tab", "tabs", "tablet", "tablets", "tablet(s)", "tab(s)", "caplet", "caplets", "pill", "pills",
            "cap", "caps", "capsule", "capsules", "capsule(s)", "cap(s)", "packet", "packets", "sachet", "sachets",
            "film", "films", "lozenge", "lozenges", "odt", "unit dose", "tbldis", "orcap", "ertab", "tablet, oral",
            "oral tablet", "oral capsule", "each",
        ),
        _EACH,
    ),
}  # fmt: skip
_SCALE = {
    _MG: (Decimal(1), Measure.MG),
    _GRAM: (Decimal(1000), Measure.MG),
    _MICROGRAM: (Decimal("0.001"), Measure.MG),
    _ML: (Decimal(1), Measure.ML),
    _EACH: (Decimal(1), Measure.EACH),
}
_MOST_WITHOUT_UNIT = 4
"""A bare number counts tablets; more than four at once is more likely milligrams, so it is not read at all."""


def unit_named(text: str) -> str | None:
    """The one spelling of a unit of mass, volume or count; ``None`` for any other."""
    return _UNITS.get(text) or _UNITS.get(" ".join(text.strip().strip("{}[].").lower().split()))


def of_unit(value: Decimal, unit: str, *, ranged: bool = False) -> Amount:
    """``unit`` as ``unit_named`` spells it."""
    scale, measure = _SCALE[unit]
    return Amount(value * scale, measure, in_micrograms=unit == _MICROGRAM, ranged=ranged)


def _shown(text: str) -> str:
    """A unit as a clause may quote it: plain letters only, else nothing of it."""
    bare = text.strip().strip("{}[]")
    return f'the dose unit "{bare}"' if re.fullmatch(r"[A-Za-z][A-Za-z/]{0,14}", bare) else "the dose unit"


def _unit(quantity: Quantity) -> str | Unreadable | None:
    """From ``code`` and ``unit``, which must not contradict each other; ``None`` when neither is given."""
    # "1" is UCUM for "a count": it says no more than an absent unit, and a printed unit says more.
    written = [text for text in (quantity.code, quantity.unit) if text and text.strip() not in ("", "1", "{}")]
    if not written:
        return None
    named = {unit for text in written if (unit := unit_named(text)) is not None}
    if len(named) > 1:
        return Unreadable("the unit and the unit code of the dose contradict each other")
    if not named:
        return Unreadable(f"{_shown(written[-1])} cannot be converted to mg")
    # A code beside a known unit may be local or an annotation; a UCUM code of another kind is a contradiction.
    foreign = quantity.code if quantity.code in written and unit_named(quantity.code or "") is None else None
    if foreign and "unitsofmeasure" in (quantity.system or "") and not foreign.startswith("{"):
        return Unreadable("the unit and the unit code of the dose contradict each other")
    return named.pop()


# ----------------------------------------------------------------------------------------------- FHIR to amounts


def amount(quantity: Quantity | None, element: str) -> Amount | Unreadable | None:
    """``None`` when there is no number at all."""
    if quantity is None:
        return None
    match number(quantity.value):
        case None:
            return None
        case NotANumber(reason=reason):
            return Unreadable(f"{element} {reason}")
        case value:
            pass
    if value < 0:
        return Unreadable(f"{element} is negative")
    if quantity.comparator:
        return Unreadable(f"{element} is given only as a limit")
    match _unit(quantity):
        case Unreadable() as unreadable:
            return unreadable
        case None if value > _MOST_WITHOUT_UNIT:
            return Unreadable(f"{element} has no unit and is too large for a number of tablets")
        case None:
            return of_unit(value, _EACH)
        case unit:
            return of_unit(value, unit)


def high_end(dose_range: Range | None, element: str) -> Amount | Unreadable | None:
    """The high end of a range of doses."""
    if dose_range is None:
        return None
    low = amount(dose_range.low, element)
    high = amount(dose_range.high, element)
    match high:
        case None:
            return None if low is None else Unreadable(f"{element} has no upper end")
        case Unreadable():
            return high
    if isinstance(low, Amount) and low.measure is high.measure and low.value > high.value:
        return Unreadable(f"{element} ends below its start")
    return Amount(high.value, high.measure, high.in_micrograms, ranged=True)


def in_mg(amount: Amount, strength: Strength) -> Decimal | None:
    """``None`` when the product's strength is needed and not known."""
    if amount.value == 0:
        return Decimal(0)
    if amount.measure is Measure.MG:
        return amount.value
    per = strength.mg_per_ml if amount.measure is Measure.ML else strength.mg_per_unit
    return None if per is None else amount.value * per


@frozen
class Milligrams:
    """One administration in mg, after all entries that state it were compared."""

    value: Decimal
    in_micrograms: bool
    ranged: bool


_SAME = Decimal("0.005")


def agreed(amounts: Sequence[Amount], strength: Strength) -> Milligrams | Unreadable:
    """One dose that was said several times: as calculated, as ordered and as tablets. It is never added up; entries
    that say different doses make it unreadable. Needs at least one amount."""
    counted = [(in_mg(one, strength), one) for one in amounts]
    known = [(mg, one) for mg, one in counted if mg is not None]
    if not known:
        what = "mL and the concentration" if amounts[0].measure is Measure.ML else "tablets and the strength"
        return Unreadable(f"the dose is given in {what} of the product is not known")
    values = [mg for mg, _ in known]
    if max(values) - min(values) > _SAME:
        return Unreadable("the order states its dose in two ways that contradict each other")
    # Two counts that cannot be converted still have to agree with each other.
    for measure in Measure if len(known) < len(counted) else ():
        unconverted = {one.value for mg, one in counted if mg is None and one.measure is measure}
        if len(unconverted) > 1:
            return Unreadable("the order states its dose in two ways that contradict each other")
    return Milligrams(
        value=max(values),
        in_micrograms=any(one.in_micrograms for _, one in known),
        ranged=any(one.ranged for one in amounts),
    )
