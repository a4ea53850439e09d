"""Findings other than kidney results: for now the newest weight and height."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from cards.facts import BodyMeasurements, Input, Missing, Observations, Why
from cards.quantities import Height, Weight
from cds_service.gather.codes import Codes
from cds_service.gather.fhir_values import number
from cds_service.gather.measured import USABLE, Factor, UnitProblem, converted, observations_in, table, taken
from cds_service.records import NotAvailable, PatientRecords
from cds_service.resources import Observation

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
_TO_KG, _TO_CM = table(_KG), table(_CM)
_LIKELY_KG, _LIKELY_CM = (Decimal("0.3"), Decimal(650)), (Decimal(20), Decimal(260))
"""Outside, the unit is wrong: such a measurement is no measurement."""


def observations(records: PatientRecords, codes: Codes, now: datetime) -> Observations | Missing:
    weights: list[tuple[Weight, date]] = []
    heights: list[tuple[Height, date]] = []
    for observation in observations_in(records.observations, records.kidney, records.others):
        if observation.status not in USABLE or observation.valueQuantity is None:
            continue
        sets = codes.observation(observation.code).value_sets
        if _WEIGHT_SET in sets and not sets[_WEIGHT_SET] & _NOT_CURRENT:
            weights += _measured(observation, Weight, _TO_KG, _LIKELY_KG, now.date())
        elif _HEIGHT_SET in sets:
            heights += _measured(observation, Height, _TO_CM, _LIKELY_CM, now.date())
    sent = records.observations
    if isinstance(sent, NotAvailable) and not (weights or heights):
        return Missing(Input.OBSERVATIONS, Why.NOT_AVAILABLE, sent.reason)
    return Observations(
        body=BodyMeasurements(_newest(weights), _newest(heights)),
        incomplete=sent.reason if isinstance(sent, NotAvailable) else sent.incomplete,
    )


def _measured(
    observation: Observation,
    kind: type[_Q],
    factors: Mapping[str, Factor],
    likely: tuple[Decimal, Decimal],
    today: date,
) -> list[tuple[_Q, date]]:
    """One measurement, or none when it cannot be used."""
    quantity, moment = observation.valueQuantity, taken(observation)
    day = moment.day if moment else None
    value = number(quantity.value) if quantity else None
    if quantity is None or day is None or day > today or not isinstance(value, Decimal) or quantity.comparator:
        return []
    amount = converted(quantity, value, factors)
    if isinstance(amount, UnitProblem) or not likely[0] <= amount <= likely[1]:
        return []
    return [(kind(amount), day)]


def _newest(measured: list[tuple[_Q, date]]) -> tuple[_Q, date] | None:
    """Of one day the lower value: a lower height gives the lower eGFR, a lower weight the higher dose per kilogram."""
    return max(measured, key=lambda one: (one[1], -one[0].value), default=None)
