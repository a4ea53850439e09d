"""The kidney resolver (rules.md section 4): kidney results, problems and procedures in, one tier out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from cards.facts import ChartText, Missing
from cards.quantities import Days, Egfr, SerumCreatinine


class Tier(Enum):
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


@dataclass(frozen=True, slots=True)
class AcuteInjury:
    """Possible acute kidney injury (R8)."""

    before: SerumCreatinine | None
    """None when only a diagnosis is known."""
    now: SerumCreatinine | None
    because: str
    """"creatinine 1.6 times its lowest value of the last 7 days"."""


@dataclass(frozen=True, slots=True)
class KidneyFunction:
    tier: Tier
    egfr: Egfr | None
    method: str
    """Words for the card: "CKD-EPI 2021, computed from creatinine 1.25 mg/dL"; empty without a value."""
    taken: date | None
    age: Days | None
    """Days since the value was taken."""
    stale: bool
    """Older than 365 days, used because it was below 60 (R9)."""
    creatinine_only: bool
    acute: AcuteInjury | None
    dialysis: ChartText | None
    """The evidence of dialysis that decided the tier."""
    notes: tuple[str, ...]
    """Clauses for the card: "reported only as below 30", "both sexes computed, lower value used" ..."""
    last_known: tuple[Egfr, date] | None = None
    """The newest value even when it is too old to use."""
    unchecked: tuple[Missing, ...] = ()
    """Inputs of the resolver that could not be read although a tier was found."""
