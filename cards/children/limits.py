"""The parameters of this question's card.toml."""

from __future__ import annotations

from cards.quantities import Age, DailyDose, Days, DosePerKilogram, Egfr
from cards.values import frozen


@frozen
class Limits:
    adult_at_least: Age
    labelled_at_least: Age
    older_child_at_least: Age
    younger_dose_above: DailyDose
    older_dose_above: DailyDose
    dose_critical_above: DailyDose
    dose_per_kilogram_above: DosePerKilogram
    start_per_kilogram_above: DosePerKilogram
    weight_max_age: Days
    egfr_below: Egfr
    egfr_critical_below: Egfr
