"""What makes an order for a child more than ordinary, each in words with its numbers (rules.md 5.9)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from cards.case import Case, Kind
from cards.children.limits import Limits
from cards.facts import Bound, Observations, OralDose
from cards.kidney import KidneyFunction, Tier
from cards.outcome import Indicator
from cards.quantities import Age, DailyDose, DosePerKilogram, Egfr, Weight

Reason = tuple[Indicator, str]
WARNING, CRITICAL = Indicator.WARNING, Indicator.CRITICAL


def reasons(case: Case, limits: Limits) -> list[Reason]:
    """Most urgent first; of one urgency in the order in which they are asked."""
    found = [*_dose(case, limits), *_by_weight(case, limits), *_kidneys(case, limits), *_alcohol(case)]
    return sorted(found, key=lambda reason: -reason[0])


def _dose(case: Case, limits: Limits) -> Iterator[Reason]:
    if not isinstance(case.dose, OralDose):
        return
    highest, cap = case.dose.highest, cap_for(case, limits)
    if highest > limits.dose_critical_above:
        yield CRITICAL, f"{highest} is above {limits.dose_critical_above}"
    elif highest > cap:
        yield WARNING, f"{highest} is above {cap}"


def cap_for(case: Case, limits: Limits) -> DailyDose:
    young = isinstance(case.age, Age) and case.age < limits.older_child_at_least
    return limits.younger_dose_above if young else limits.older_dose_above


def _by_weight(case: Case, limits: Limits) -> Iterator[Reason]:
    weight = recent_weight(case, limits)
    if weight is None or not isinstance(case.dose, OralDose):
        return
    if case.dose.highest > _times(limits.dose_per_kilogram_above, weight):
        yield WARNING, f"{per_kilogram(case.dose.highest, weight)} is above {limits.dose_per_kilogram_above}"
    elif case.kind is Kind.INITIATION and case.dose.start > _times(limits.start_per_kilogram_above, weight):
        start = per_kilogram(case.dose.start, weight)
        yield WARNING, f"a start of {start} is above {limits.start_per_kilogram_above}"


def recent_weight(case: Case, limits: Limits) -> Weight | None:
    observed = case.facts.observations
    if not isinstance(observed, Observations) or observed.body.weight is None:
        return None
    weight, measured = observed.body.weight
    days = (case.facts.today - measured).days
    return weight if 0 <= days <= limits.weight_max_age.value and weight.value > 0 else None


def per_kilogram(daily: DailyDose, weight: Weight) -> DosePerKilogram:
    """Rounded up, so that what is above a limit is never written as the limit."""
    return DosePerKilogram((daily.value / weight.value).quantize(Decimal("0.01"), rounding=ROUND_CEILING))


def _times(per: DosePerKilogram, weight: Weight) -> DailyDose:
    return DailyDose(per.value * weight.value)


def _kidneys(case: Case, limits: Limits) -> Iterator[Reason]:
    match case.kidney:
        case KidneyFunction(tier=Tier.DIALYSIS):
            yield CRITICAL, "dialysis"
        case KidneyFunction(acute=acute) if acute is not None:
            yield CRITICAL, "possible acute kidney injury"
        case KidneyFunction(egfr=Egfr() as egfr) as kidney:
            if _below(egfr, kidney.bound, limits.egfr_critical_below):
                yield CRITICAL, f"eGFR {egfr}"
            elif _below(egfr, kidney.bound, limits.egfr_below):
                yield WARNING, f"eGFR {egfr}"


def _below(egfr: Egfr, bound: Bound, limit: Egfr) -> bool:
    """A result that is only reported as below a limit lies below it."""
    return egfr < limit or (bound is Bound.BELOW and egfr == limit)


def _alcohol(case: Case) -> Iterator[Reason]:
    if case.indication.is_alcohol:
        yield WARNING, f"the indication is {case.indication.value}"
