"""Kidney function tiers, and the numbers of the kidney resolver: one field per parameter of ``kidney.toml``."""

from __future__ import annotations

from enum import StrEnum

from cards.quantities import Age, Days, Egfr, Hours, Ratio, SerumCreatinine
from cards.values import frozen


class Tier(StrEnum):
    """Kidney function tiers; K1 to K5 follow the KDIGO categories, lower bound inclusive."""

    K1 = "K1"
    K2 = "K2"
    K3A = "K3a"
    K3B = "K3b"
    K4 = "K4"
    K5 = "K5"
    DIALYSIS = "KD"
    UNKNOWN = "U"
    """Read, and no usable value: treated as K2."""
    CHILD = "P"
    """Under 18: bedside Schwartz; adult tiers do not apply."""


@frozen
class KidneyLimits:
    k1_at_least: Egfr
    k2_at_least: Egfr
    k3a_at_least: Egfr
    k3b_at_least: Egfr
    k4_at_least: Egfr
    child_below: Age
    same_collection_at_most: Hours
    usable_max_age: Days
    stale_below: Egfr
    stale_max_age: Days
    cystatin_max_age: Days
    creatinine_change_below: Ratio
    contradiction_below: Ratio
    height_max_age: Days
    dialysis_procedure_max_age: Days
    acute_rise_at_least: SerumCreatinine
    acute_rise_within_at_most: Hours
    acute_ratio_at_least: Ratio
    acute_lowest_max_age: Days
    acute_baseline_max_age: Days
    acute_diagnosis_max_age: Days

    def tier(self, egfr: Egfr) -> Tier:
        """The adult tier of a whole eGFR."""
        if egfr >= self.k1_at_least:
            return Tier.K1
        if egfr >= self.k2_at_least:
            return Tier.K2
        if egfr >= self.k3a_at_least:
            return Tier.K3A
        if egfr >= self.k3b_at_least:
            return Tier.K3B
        return Tier.K4 if egfr >= self.k4_at_least else Tier.K5
