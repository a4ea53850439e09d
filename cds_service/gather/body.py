"""The newest weight and height."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from operator import itemgetter
from typing import TypeVar

from cards.facts import BodyMeasurements
from cards.quantities import Height, Weight
from cds_service.gather.codes import Recognition
from cds_service.gather.fhir_values import number
from cds_service.gather.measured import (
    USABLE,
    Factor,
    UnitProblem,
    Units,
    converted,
    day_taken,
    days_before,
    written_day,
)
from cds_service.resources import Observation, Quantity, quantity

_Q = TypeVar("_Q", Weight, Height)

_WEIGHT_SET, _HEIGHT_SET = "body-weight-observations", "body-height-observations"
_NOT_CURRENT = frozenset({"first"})
"""Concept flag of a weight that says nothing about today (birth, admission)."""
_ONE = Decimal(1)
_POUND, _INCH = (Decimal("0.45359237"), _ONE), (Decimal("2.54"), _ONE)
_KG: dict[str, Factor] = {
    "kg": (_ONE, _ONE), "g": (_ONE, Decimal(1000)),
    **dict.fromkeys(("[lb_av]", "lb", "lbs", "pound", "pounds"), _POUND),
}  # fmt: skip
_CM: dict[str, Factor] = {
    "cm": (_ONE, _ONE), "m": (Decimal(100), _ONE), "mm": (_ONE, Decimal(10)),
    **dict.fromkeys(("[in_i]", "[in_us]", "in", "inch", "inches"), _INCH),
}  # fmt: skip
_TO_KG, _TO_CM = Units(_KG), Units(_CM)
_LIKELY_KG, _LIKELY_CM = (Decimal("0.3"), Decimal(650)), (Decimal(20), Decimal(260))
"""Outside, the unit is wrong: such a measurement is no measurement."""

BodyMeasure = type[Weight | Height]


def body_measure(found: Recognition) -> BodyMeasure | None:
    if _WEIGHT_SET in found.value_sets:
        return None if found.value_sets[_WEIGHT_SET] & _NOT_CURRENT else Weight
    return Height if _HEIGHT_SET in found.value_sets else None


def body(measured: Sequence[tuple[BodyMeasure, Observation]], today: date) -> BodyMeasurements:
    weights = [one for kind, one in measured if kind is Weight]
    heights = [one for kind, one in measured if kind is Height]
    return BodyMeasurements(
        _newest(weights, Weight, _TO_KG, _LIKELY_KG, today), _newest(heights, Height, _TO_CM, _LIKELY_CM, today)
    )


def _newest(
    measured: list[Observation],
    kind: type[_Q],
    factors: Units[Factor],
    likely: tuple[Decimal, Decimal],
    today: date,
) -> tuple[_Q, date] | None:
    """Of one day the lower value: a lower height gives the lower eGFR, a lower weight the higher dose per kilogram."""
    newest: date | None = None
    amounts: list[Decimal] = []
    enough = ""
    for written, one in sorted([(written_day(one), one) for one in measured], key=itemgetter(0), reverse=True):
        if written < enough:
            break
        day = day_taken(one) if one.status in USABLE else None
        if day is None or day > today or (newest and day < newest):
            continue
        amount = _amount(quantity(one), factors, likely)
        if amount is not None:
            amounts = [*amounts, amount] if day == newest else [amount]
            newest, enough = day, days_before(day, 2)
    return (kind(min(amounts)), newest) if newest else None


def _amount(given: Quantity | None, factors: Units[Factor], likely: tuple[Decimal, Decimal]) -> Decimal | None:
    value = number(given.value) if given else None
    if given is None or given.comparator or not isinstance(value, Decimal):
        return None
    amount = converted(given, value, factors)
    return None if isinstance(amount, UnitProblem) or not likely[0] <= amount <= likely[1] else amount
