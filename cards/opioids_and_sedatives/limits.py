"""The parameters of this question's card.toml."""

from __future__ import annotations

from collections.abc import Mapping

from cards.quantities import Age, Count, DailyDose, Days, Mme, MmeFactor
from cards.values import frozen


@frozen
class Limits:
    mme_at_least: Mme
    oxycodone_factor: MmeFactor
    hydrocodone_factor: MmeFactor
    morphine_factor: MmeFactor
    codeine_factor: MmeFactor
    oxymorphone_factor: MmeFactor
    baclofen_above: DailyDose
    reduced_kidney_age_at_least: Age
    audit_c_max_age: Days
    peth_max_age: Days
    ethanol_max_age: Days
    intoxication_max_age: Days
    new_opioid_max_age: Days
    naloxone_max_age: Days
    accepted_start_at_most: DailyDose
    cns_active_age_at_least: Age
    depressants_at_least: Count
    many_depressants_at_least: Count
    cns_active_at_least: Count

    @property
    def factors(self) -> Mapping[str, MmeFactor]:
        """Opioid ingredient → factor, for those whose factor is sure enough to decide anything."""
        return {
            "oxycodone": self.oxycodone_factor,
            "hydrocodone": self.hydrocodone_factor,
            "morphine": self.morphine_factor,
            "codeine": self.codeine_factor,
            "oxymorphone": self.oxymorphone_factor,
        }
