"""Is this order right for a child? (rules.md 5.9)"""

from __future__ import annotations

from collections.abc import Sequence

from cards.case import Case, Kind
from cards.children.limits import Limits
from cards.children.reasons import Reason, cap_for, per_kilogram, reasons, recent_weight
from cards.facts import Input, Missing, OralDose, Why
from cards.gaps import unread
from cards.kidney import KidneyFunction, Tier
from cards.outcome import CannotAssess, Finding, Indicator, NotIndicated, Outcome, quiet
from cards.rule import Rule

__all__ = ["RULES", "Limits"]

RULE = "paediatric"


def paediatric(case: Case, limits: Limits) -> Outcome:
    if case.stops or case.kind is Kind.INTRATHECAL:
        return NotIndicated(RULE, "not asked for: {}", (case.kind,))
    if isinstance(case.age, Missing):
        return CannotAssess(RULE, (case.age,))
    if case.age >= limits.adult_at_least:
        return NotIndicated(RULE, "age {}: an adult", (case.age,))
    found = reasons(case, limits)
    young = case.age < limits.labelled_at_least
    indicator = _indicator(case, found, young=young)
    no_weight, no_kidney = _no_weight(case, found, limits), _no_kidney(case, found)
    if indicator is None:
        return quiet(RULE, (*no_weight, *no_kidney), "age {}: nothing above the limits for children", case.age)
    said = {
        "reasons": bool(found),
        "by_weight": recent_weight(case, limits) is not None and isinstance(case.dose, OralDose),
        "no_weight": bool(no_weight),
        "S-KIDNEY": True,
        "label": young,
        "dosing": True,
        "advice": True,
    }
    return Finding(
        RULE,
        indicator,
        summary="default" if found else "label",
        detail=("S-ORDER", *(name for name, wanted in said.items() if wanted)),
        values=_values(case, found, limits),
        unchecked=tuple(gap for gap in (*no_weight, *no_kidney) if gap.why is not Why.NOT_RECORDED),
    )


def _indicator(case: Case, found: Sequence[Reason], *, young: bool) -> Indicator | None:
    """Below the age of the US labels always a word; a lowered dose is one level milder, a stable one no information."""
    worst = found[0][0] if found else Indicator.INFO if young else None
    if worst is None or (worst is Indicator.INFO and (case.stable or case.kind is Kind.DECREASE)):
        return None
    return worst.lowered() if case.kind is Kind.DECREASE else worst


def _no_weight(case: Case, found: Sequence[Reason], limits: Limits) -> tuple[Missing, ...]:
    """Why the dose per kilogram is not known, where it could have made a difference."""
    if found or recent_weight(case, limits) is not None or not isinstance(case.dose, OralDose):
        return ()
    absent = Missing(Input.OBSERVATIONS, Why.NOT_RECORDED, f"no weight of the last {limits.weight_max_age}")
    return unread(case.facts, Input.OBSERVATIONS) or (absent,)


def _no_kidney(case: Case, found: Sequence[Reason]) -> tuple[Missing, ...]:
    """Why kidney function is not known, where it could have made a difference."""
    if found and found[0][0] is Indicator.CRITICAL:
        return ()
    match case.kidney:
        case Missing() as missing:
            return (missing,)
        case KidneyFunction(tier=Tier.CHILD, egfr=None, unchecked=()):
            return (Missing(Input.KIDNEY_RESULTS, Why.NOT_RECORDED, "no eGFR of a child on record"),)
        case KidneyFunction(unchecked=unchecked):
            return unchecked


def _values(case: Case, found: Sequence[Reason], limits: Limits) -> dict[str, object]:
    weight = recent_weight(case, limits)
    by_weight = weight and isinstance(case.dose, OralDose) and per_kilogram(case.dose.highest, weight)
    return {
        "reason": found[0][1] if found else "",
        "reasons": "; ".join(words for _, words in found),
        "weight": weight or "",
        "per_kilogram": by_weight or "",
        "weight_age": limits.weight_max_age,
        "cap": cap_for(case, limits),
        "label_age": limits.labelled_at_least,
        "start_limit": limits.start_per_kilogram_above,
        "limit": limits.dose_per_kilogram_above,
    }


RULES = (
    Rule(
        RULE,
        frozenset(
            {Input.AGE, Input.OBSERVATIONS, Input.KIDNEY_RESULTS, Input.PROBLEMS, Input.PROCEDURES, Input.MEDICATIONS}
        ),
        paediatric,
    ),
)
