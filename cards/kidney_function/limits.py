"""The parameters of this question's card.toml. Starts, ceilings and steps by kidney function are in dosing.toml."""

from __future__ import annotations

from cards.quantities import DailyDose, Days
from cards.values import frozen


@frozen
class Limits:
    harm_at_least: DailyDose
    half_maximum_above: DailyDose
    maximum_above: DailyDose
    low_start_above: DailyDose
    mild_impairment_above: DailyDose
    acute_unchanged_at_most: DailyDose
    unknown_high_dose_above: DailyDose
    unknown_urgent_at_least: DailyDose
    recheck_above: Days
    cystatin_max_age: Days
