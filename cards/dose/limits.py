"""The parameters of this question's card.toml. Starts, steps and the labelled maximum are in dosing.toml."""

from __future__ import annotations

from cards.quantities import Count, DailyDose, Days, Ratio, SingleDose
from cards.values import frozen


@frozen
class Limits:
    maximum_above: DailyDose
    serious_events_above: DailyDose
    deaths_at_least: DailyDose
    french_maximum_above: DailyDose
    start_above: DailyDose
    start_alcohol_above: DailyDose
    start_critical_at_least: DailyDose
    step_critical_above: DailyDose
    once_daily_at_least: DailyDose
    single_dose_above: SingleDose
    divided_at_most: DailyDose
    earlier_increases_at_least: Count
    tolerance_window: Days
    tolerance_rise_at_least: Ratio
