"""Amounts that carry their unit. Two amounts of different kinds cannot be compared or added.

``format(amount)`` writes the number with its unit ("7.5 mg/day"); ``format(amount, "n")`` writes the bare number, for a
sentence that names the unit itself.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar, Self

from cards.values import frozen


@frozen
class Quantity:
    """An exact amount in the one unit of its class."""

    value: Decimal
    unit: ClassVar[str] = ""

    @classmethod
    def of(cls, value: str | int | Decimal) -> Self:
        return cls(Decimal(value))

    def __lt__(self, other: Self) -> bool:
        return self.value < other.value if other.__class__ is self.__class__ else NotImplemented

    def __le__(self, other: Self) -> bool:
        return self.value <= other.value if other.__class__ is self.__class__ else NotImplemented

    def __gt__(self, other: Self) -> bool:
        return self.value > other.value if other.__class__ is self.__class__ else NotImplemented

    def __ge__(self, other: Self) -> bool:
        return self.value >= other.value if other.__class__ is self.__class__ else NotImplemented

    def __add__(self, other: Self) -> Self:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.__class__(self.value + other.value)

    def __sub__(self, other: Self) -> Self:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.__class__(self.value - other.value)

    def __format__(self, spec: str) -> str:
        number = plain_number(self.value)
        return number if spec == "n" or not self.unit else f"{number} {self.unit}"

    def __str__(self) -> str:
        return format(self)


class DailyDose(Quantity):
    """Oral baclofen (or opioid) per day, mg/day."""

    __slots__ = ()
    unit = "mg/day"


NO_DOSE = DailyDose.of(0)


class SingleDose(Quantity):
    """One administration, mg."""

    __slots__ = ()
    unit = "mg"


class IntrathecalDose(Quantity):
    """Intrathecal baclofen per day, micrograms/day. Never summed with an oral dose."""

    __slots__ = ()
    unit = "micrograms/day"


class IntrathecalBolus(Quantity):
    """One intrathecal administration, micrograms."""

    __slots__ = ()
    unit = "micrograms"


class Egfr(Quantity):
    """Estimated glomerular filtration rate, indexed, mL/min/1.73 m²; whole numbers (rules.md R2)."""

    __slots__ = ()
    unit = "mL/min/1.73 m²"


class SerumCreatinine(Quantity):
    """Serum or plasma creatinine, mg/dL."""

    __slots__ = ()
    unit = "mg/dL"


class CystatinC(Quantity):
    """Serum cystatin C, mg/L."""

    __slots__ = ()
    unit = "mg/L"


class Age(Quantity):
    """Completed years."""

    __slots__ = ()
    unit = "years"


class Days(Quantity):
    """Calendar days."""

    __slots__ = ()
    unit = "days"

    def before(self, day: date) -> date:
        """The first day of a window of so many days that ends with ``day``, both included (resolutions.md 18)."""
        return day - timedelta(days=int(self.value))

    def __format__(self, spec: str) -> str:
        return "1 day" if self.value == 1 and spec != "n" else Quantity.__format__(self, spec)


class Hours(Quantity):
    __slots__ = ()
    unit = "hours"

    @property
    def span(self) -> timedelta:
        return timedelta(hours=float(self.value))


class Mme(Quantity):
    """Oral morphine milligram equivalents per day."""

    __slots__ = ()
    unit = "MME/day"


class MmeFactor(Quantity):
    """Oral morphine milligrams that one milligram of an opioid stands for."""

    __slots__ = ()
    unit = "MME/mg"


class Weight(Quantity):
    __slots__ = ()
    unit = "kg"


class Height(Quantity):
    __slots__ = ()
    unit = "cm"


class DosePerKilogram(Quantity):
    __slots__ = ()
    unit = "mg/kg/day"


class Ratio(Quantity):
    """A bare ratio ("1.5 times")."""

    __slots__ = ()
    unit = "times"


class Count(Quantity):
    """A number of things; the sentence names the things."""

    __slots__ = ()
    unit = "count"

    def __format__(self, spec: str) -> str:
        return plain_number(self.value)


UNITS: dict[str, type[Quantity]] = {
    kind.unit: kind
    for kind in (
        DailyDose, SingleDose, IntrathecalDose, IntrathecalBolus, Egfr, SerumCreatinine, CystatinC, Age, Days, Hours,
        Mme, MmeFactor, Weight, Height, DosePerKilogram, Ratio, Count,
    )
}  # fmt: skip
"""Every unit that clinical content may use, and the type that it becomes."""


def plain_number(value: Decimal) -> str:
    """``Decimal("20.00")`` as "20", ``Decimal("7.50")`` as "7.5", never with an exponent."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def half_up(value: float | Decimal) -> int:
    """Round half up to a whole number (59.5 is 60), as rules.md R2 asks; not banker's rounding."""
    return int(Decimal(value).quantize(_ONE, rounding=ROUND_HALF_UP))


_ONE = Decimal(1)
